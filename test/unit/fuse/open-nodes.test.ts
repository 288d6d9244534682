import { closeSync, fstatSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { OpenNodes } from '../../../src/fuse/drivers/kernel/open-nodes.ts';
import { openNodesAt } from '../../../src/fuse/session-memory.ts';
import { createMemoryFile } from '../../../src/platform/native.ts';

function memoryFile(): number {
  const fd = createMemoryFile('test');
  onTestFinished(() => closeSync(fd));
  return fd;
}

const a = { id: 2 ** 39 + 7, version: 2 ** 23 - 1 };
const b = { id: 8, version: 1 };

test('what was decided for the first handle holds until the last one is closed', () => {
  const nodes = new OpenNodes(memoryFile());
  expect(nodes.backingIdOf(a)).toBeUndefined();
  nodes.opened(a, 5);
  nodes.opened(a, 5);
  nodes.opened(b, 0);
  expect([nodes.backingIdOf(a), nodes.backingIdOf(b), nodes.handles]).toEqual([5, 0, 3]);
  expect(nodes.released(a)).toBeUndefined();
  expect(nodes.backingIdOf(a)).toBe(5);
  expect(nodes.released(a)).toBe(5);
  expect(nodes.backingIdOf(a)).toBeUndefined();
  expect([nodes.released(b), nodes.handles]).toEqual([0, 0]);
});

test('the next life knows what is open, and how often', () => {
  const fd = memoryFile();
  const first = new OpenNodes(fd);
  for (const node of [a, a, b]) first.opened(node, node === a ? 9 : 0);
  first.released(b);
  const second = new OpenNodes(fd);
  expect([second.backingIdOf(a), second.backingIdOf(b), second.handles]).toEqual([9, undefined, 2]);
  second.opened(a, 9);
  expect([second.released(a), second.released(a), second.released(a)]).toEqual([undefined, undefined, 9]);
});

test('a node the kernel let go has no handles left of an earlier life, but keeps those of this one', () => {
  const fd = memoryFile();
  new OpenNodes(fd).opened(a, 3);
  const next = new OpenNodes(fd);
  next.opened(b, 4);
  expect([next.forgotten(a), next.forgotten(b), next.handles]).toEqual([3, undefined, 1]);
  expect(new OpenNodes(fd).backingIdOf(a)).toBeUndefined();
});

test('the file grows with what is open at once, not with what was ever opened', () => {
  const fd = memoryFile();
  const nodes = new OpenNodes(fd);
  for (let id = 2; id < 1002; id += 1) {
    nodes.opened({ id, version: 1 }, id);
    nodes.opened({ id: id + 5000, version: 1 }, 0);
    nodes.released({ id, version: 1 });
    nodes.released({ id: id + 5000, version: 1 });
  }
  expect(fstatSync(fd).size).toBe(openNodesAt + 2 * 16);
});

test('a release of something never written down lets the daemon drop it', () => {
  const nodes = new OpenNodes(memoryFile());
  expect([nodes.released(a), nodes.handles]).toEqual([0, 0]);
});

test('R-51: backing ids that a dead life had not written down yet are known to the next', () => {
  const fd = memoryFile();
  const nodes = new OpenNodes(fd);
  expect(nodes.lostBefore(1)).toEqual([]);
  nodes.opened(a, 4);
  nodes.released(a);
  const next = new OpenNodes(fd);
  expect(next.lostBefore(5)).toEqual([]);
  expect(next.lostBefore(7)).toEqual([5, 6]);
  next.opened(b, 7);
  expect([next.lostBefore(8), next.lostBefore(3)]).toEqual([[], []]);
});
