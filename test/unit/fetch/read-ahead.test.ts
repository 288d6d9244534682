import { expect, it } from 'vitest';
import { afterRead, noReadAhead, type ReadAhead, wantedTo } from '../../../src/fetch/read-ahead.ts';

const kib = 1024;
const mib = 1024 * kib;

const read = (state: ReadAhead, offset: number, length = 128 * kib) =>
  afterRead(state, offset, offset + length);

it('fetches nothing ahead of a first read, and a window from the second that follows on', () => {
  const once = read(noReadAhead, 0);
  expect(wantedTo(once, 100 * mib)).toBe(0);
  expect(wantedTo(read(once, 128 * kib), 100 * mib)).toBe(256 * kib + 256 * kib);
});

it('doubles the window as its half is read, to 16 MiB', () => {
  let state = noReadAhead;
  const windows = new Set<number>();
  for (let offset = 0; offset < 80 * mib; offset += 128 * kib) {
    state = read(state, offset);
    windows.add(state.windowBytes);
  }
  expect([...windows]).toEqual([0, 256, 512, 1024, 2048, 4096, 8192, 16_384].map((size) => size * kib));
});

it('ends at the end of the file', () => {
  const state = read(read(noReadAhead, 0), 128 * kib);
  expect(wantedTo(state, 300 * kib)).toBe(300 * kib);
});

it('takes reads that come a little out of order for sequential', () => {
  let state = noReadAhead;
  for (const offset of [0, 256, 128, 512, 384]) state = read(state, offset * kib);
  expect(state.windowBytes).toBeGreaterThan(0);
});

it('closes the window at a seek, either way', () => {
  let state = noReadAhead;
  for (let offset = 0; offset < 20 * mib; offset += 128 * kib) state = read(state, offset);
  expect(wantedTo(read(state, 60 * mib), 100 * mib)).toBe(0);
  expect(wantedTo(read(state, 0), 100 * mib)).toBe(0);
});
