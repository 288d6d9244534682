import { expect, test } from 'vitest';
import { MemoryTier } from '../../../src/content/memory-tier.ts';
import { randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const kib = 1024;

function put(tier: MemoryTier, chunk: number, lengthBytes: number): void {
  const buffer = tier.take(lengthBytes);
  buffer.fill(chunk % 251);
  tier.put(chunk, buffer);
}

test('the least recently used chunk makes room, and its buffer is used again', () => {
  const tier = new MemoryTier(64 * kib);
  for (const chunk of [1, 2, 3, 4]) put(tier, chunk, 16 * kib);
  const oldest = tier.get(2);
  tier.get(1);
  tier.get(3);
  tier.get(4);
  put(tier, 5, 10 * kib);
  expect([1, 2, 3, 4, 5].map((chunk) => tier.get(chunk) !== undefined)).toEqual([
    true,
    false,
    true,
    true,
    true,
  ]);
  expect(tier.get(5)).toBe(oldest);
});

test('it never holds more than it may, in chunks of any size, and a chunk keeps its bytes while it is there', () => {
  const { seed } = printedSeed('memory tier');
  const random = randomOf(seed);
  const tier = new MemoryTier(1024 * kib);
  for (let round = 0; round < 2000; round += 1) {
    const chunk = random(40);
    const known = tier.get(chunk);
    if (known === undefined) put(tier, chunk, 1 + random(257 * kib));
    else expect(known[0]).toBe(chunk % 251);
    expect(tier.heldBytes).toBeLessThanOrEqual(1024 * kib);
  }
});

test('buffers that are taken at the same time may be more, until they are put', () => {
  const tier = new MemoryTier(32 * kib);
  const buffers = [1, 2, 3, 4].map(() => tier.take(16 * kib));
  expect(tier.heldBytes).toBe(64 * kib);
  for (const [chunk, buffer] of buffers.entries()) tier.put(chunk, buffer);
  expect(tier.heldBytes).toBe(32 * kib);
  expect([0, 1, 2, 3].map((chunk) => tier.get(chunk) !== undefined)).toEqual([false, false, true, true]);
});
