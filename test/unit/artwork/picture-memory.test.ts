import { expect, it } from 'vitest';
import { identityOfFile, identityOfPicture, PictureMemory } from '../../../src/artwork/picture-memory.ts';
import { limits } from '../../../src/platform/limits.ts';

const file = { origin: 'nas', path: 'a/cover.jpg', sizeBytes: 7, mtimeNs: '5' };

it('a file is another one when its origin, place, size, time or etag is', () => {
  const others = [{}, { origin: 'usb' }, { path: 'b' }, { sizeBytes: 8 }, { mtimeNs: '6' }, { etag: 'x' }];
  expect(new Set(others.map((change) => identityOfFile({ ...file, ...change }))).size).toBe(others.length);
});

it('what was refused is, what a process died of is the second time, and neither says anything of the pictures in it', () => {
  const memory = new PictureMemory();
  const [one, two] = [identityOfFile(file), identityOfPicture('ab')];
  expect([memory.isRefused(one), memory.picturesOf(one)]).toEqual([false, null]);
  memory.holds(one, []);
  memory.refuse(one);
  expect([memory.isRefused(one), memory.picturesOf(one)]).toEqual([true, []]);
  expect([memory.died(two), memory.isRefused(two)]).toEqual([false, false]);
  expect([memory.died(two), memory.isRefused(two)]).toEqual([true, true]);
});

it('it is bounded: what was not asked for longest is forgotten', () => {
  const memory = new PictureMemory();
  const names = Array.from({ length: limits.picturesRemembered + 2 }, (_, at) =>
    identityOfPicture(String(at)),
  );
  for (const name of names.slice(0, -2)) memory.refuse(name);
  expect(memory.isRefused(names[0] ?? '')).toBe(true); // now the last to go
  for (const name of names.slice(-2)) memory.refuse(name);
  expect([0, 1, 2, 3].map((at) => memory.isRefused(names[at] ?? ''))).toEqual([true, false, false, true]);
});
