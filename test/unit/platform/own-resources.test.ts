import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { levelOf, resourceUse } from '../../../src/platform/own-resources.ts';

test.each([
  [0, 'fine'],
  [799, 'fine'],
  [800, 'high'],
  [949, 'high'],
  [950, 'scarce'],
  [2000, 'scarce'],
])('R-29, R-31: %i of 1,000 is %s', (used, level) => {
  expect(levelOf({ used, limit: 1000 })).toBe(level);
});

test('R-29: what is unlimited never becomes scarce', () => {
  expect(levelOf({ used: 1e6, limit: Number.POSITIVE_INFINITY })).toBe('fine');
});

test('R-29, R-31: the own use is what the kernel says', () => {
  const before = resourceUse();
  const opened = Array.from({ length: 50 }, () => openSync('/dev/null', 'r'));
  onTestFinished(() => {
    for (const fd of opened) closeSync(fd);
  });
  const after = resourceUse();
  expect(after.descriptors.used - before.descriptors.used).toBe(50);
  expect(after.descriptors.used).toBe(readdirSync('/proc/self/fd').length - 1);
  expect(after.memory.limit).toBe(limits.memoryBytes);
  const rssKib = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  expect(Math.abs(after.memory.used - rssKib * 1024)).toBeLessThan(64 * 1024 * 1024);
});
