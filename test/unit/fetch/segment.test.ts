import { expect, test } from 'vitest';
import { Segment, slabBytes } from '../../../src/fetch/segment.ts';
import { BufferPool, ownMemory } from '../../../src/platform/buffer-pool.ts';
import { randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const never = new AbortController().signal;
const pattern = (from: number, to: number) =>
  Uint8Array.from({ length: to - from }, (_, index) => (from + index) % 253);
const told = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

test('gives back what came, however it came and is asked for; what is too much is not taken', () => {
  const { seed } = printedSeed('pieces of a segment');
  const random = randomOf(seed);
  const pool = new BufferPool(65_536, ownMemory);
  for (let round = 0; round < 20; round += 1) {
    const offset = random(1_000_000);
    const end = offset + 1 + random(3 * slabBytes);
    const segment = new Segment(offset, end, pool);
    const fed: Uint8Array[] = [];
    while (!segment.isDone) {
      const at = segment.arrivedTo;
      segment.push(pattern(at, Math.min(at + 1 + random(100_000), end + 10)));
      if (random(2) === 0) segment.feed((bytes) => fed.push(Uint8Array.from(bytes)));
      const from = offset + random(segment.arrivedTo - offset);
      const area = new Uint8Array(random(300_000));
      const copied = segment.copy(from, from + area.length, area);
      expect(copied).toBe(Math.min(area.length, segment.arrivedTo - from));
      expect(told(area.subarray(0, copied))).toBe(told(pattern(from, from + copied)));
    }
    segment.feed((bytes) => fed.push(Uint8Array.from(bytes)));
    expect(segment.arrivedTo).toBe(end);
    expect(told(Buffer.concat(fed))).toBe(told(pattern(offset, end)));
    segment.release(); // the next round has the same memory
  }
});

test('after its release it takes nothing, gives nothing, and its memory is given back once', () => {
  const pool = new BufferPool(65_536, ownMemory);
  const segment = new Segment(0, 100, pool);
  segment.push(pattern(0, 50));
  segment.release();
  segment.release();
  const [one, other] = [pool.take(100), pool.take(100)];
  expect(one.buffer).not.toBe(other.buffer);
  segment.push(pattern(50, 100));
  segment.feed(() => expect.unreachable());
  expect(segment.copy(0, 10, new Uint8Array(10))).toBe(0);
  expect(one.every((byte, index) => index >= 50 || byte === index)).toBe(true);
});

test('who waits is told when everything before has come, or why it will not', async () => {
  const segment = new Segment(0, 100, new BufferPool(65_536, ownMemory));
  const first = segment.wait(10, never);
  const all = segment.wait(100, never);
  segment.push(pattern(0, 10));
  await first;
  segment.fail(new Error('gone'));
  await expect(all).rejects.toThrow('gone');
});
