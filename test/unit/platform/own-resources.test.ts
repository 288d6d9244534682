import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { levelOf, type ResourceUse, resourceUse } from '../../../src/platform/own-resources.ts';
import { programArguments } from '../../fixtures/mounted.ts';

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

test('R-29: it is known when no descriptor is left to ask with', () => {
  const words = ['--nofile=64:64', process.execPath, ...programArguments('starved-use', [])];
  const said = execFileSync('prlimit', words, { encoding: 'utf8', timeout: 30_000 });
  const { before, starved } = JSON.parse(said) as Record<'before' | 'starved', ResourceUse>;
  expect(before.descriptors.limit).toBe(64);
  expect(starved.descriptors).toEqual({ used: 64, limit: 64 });
  expect(levelOf(starved.descriptors)).toBe('scarce');
  expect(starved.memory.used).toBe(before.memory.used);
}, 40_000);
