import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Chunker, maxChunkBytes, minChunkBytes, normalChunkBytes } from '../../../src/content/fast-cdc.ts';
import { gearTable } from '../../../src/content/gear-table.ts';
import { bytesOf, hash64 } from '../../fixtures/content-bytes.ts';
import { randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

function cutsOf(bytes: Uint8Array, steps: () => number = () => bytes.length): number[] {
  const cuts: number[] = [];
  const chunker = new Chunker();
  const emit = (chunk: Uint8Array) => void cuts.push(chunk.length);
  for (let at = 0, step = steps(); at < bytes.length; at += step, step = steps()) {
    chunker.add(bytes.subarray(at, at + step), emit);
  }
  chunker.finish(emit);
  return cuts;
}

/** The algorithm as the paper has it, one byte after the other. */
function plainCutsOf(bytes: Uint8Array): number[] {
  const cuts: number[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = Math.min(bytes.length, start + maxChunkBytes);
    let fingerprint = 0;
    let at = start + minChunkBytes;
    for (; at < end; at += 1) {
      fingerprint = ((fingerprint << 1) + (gearTable[bytes[at] ?? 0] ?? 0)) >>> 0;
      const bits = at - start < normalChunkBytes ? 18 : 14;
      if (((fingerprint << 1) >>> 0) >>> (32 - bits) === 0) break;
    }
    const cut = Math.min(at + 1, end);
    cuts.push(cut - start);
    start = cut;
  }
  return cuts;
}

test('the table is the one of the format', () => {
  const first = (value: number) =>
    createHash('sha256')
      .update(Buffer.from([value]))
      .digest()
      .readUInt32BE(0);
  expect([...gearTable]).toEqual(Array.from({ length: 256 }, (_, value) => first(value)));
});

test('the cuts of known bytes are those of the format', () => {
  expect(cutsOf(bytesOf(1, 1_000_000))).toEqual([
    29_930, 73_569, 94_631, 80_809, 104_562, 74_461, 73_934, 71_491, 91_753, 88_386, 85_599, 80_544, 50_331,
  ]);
  expect(cutsOf(bytesOf(2, 600_001))).toEqual([
    76_085, 58_969, 75_163, 78_864, 98_528, 91_210, 24_451, 68_591, 28_140,
  ]);
  expect(cutsOf(Buffer.alloc(600_000))).toEqual([262_144, 262_144, 75_712]);
  expect(hash64(bytesOf(1, 100_000))).toBe(0x04def002377250a5n);
  expect(hash64(Buffer.alloc(0))).toBe(0xef46db3751d8e999n); // as xxHash's own documentation has it
});

test('cuts are where the plain algorithm makes them, however the bytes come', () => {
  const { seed } = printedSeed('cuts');
  const random = randomOf(seed);
  for (let round = 0; round < 3; round += 1) {
    const bytes = bytesOf(seed + round, 400_000 + random(100_000));
    if (round === 1) bytes.fill(0, 50_000, 350_000);
    const expected = plainCutsOf(bytes);
    expect(cutsOf(bytes)).toEqual(expected);
    expect(cutsOf(bytes, () => 1 + random(40_000))).toEqual(expected);
    expect(cutsOf(bytes, () => 1 + random(2_000))).toEqual(expected);
    expect(cutsOf(bytes.subarray(0, 150_000), () => 1)).toEqual(plainCutsOf(bytes.subarray(0, 150_000)));
  }
});

const sum = (list: readonly number[]) => list.reduce((all, each) => all + each, 0);

describe('chunks', () => {
  const bytes = bytesOf(3, 3_000_000);
  const cuts = cutsOf(bytes);

  test('are within their bounds, but for the last one, and of the right size in the middle', () => {
    expect(cuts.slice(0, -1).every((cut) => cut > minChunkBytes && cut <= maxChunkBytes)).toBe(true);
    const mean = bytes.length / cuts.length;
    expect(mean).toBeGreaterThan(55_000);
    expect(mean).toBeLessThan(95_000);
  });

  test('fall into step again behind inserted bytes', () => {
    const changed = Buffer.concat([
      bytes.subarray(0, 500_000),
      Buffer.from('inserted'),
      bytes.subarray(500_000),
    ]);
    /** How far from the end of all bytes each chunk ends. */
    const ends = (list: readonly number[]) => new Set(list.map((_, index) => sum(list.slice(index + 1))));
    const before = ends(cuts);
    const shared = [...ends(cutsOf(changed))].filter((end) => before.has(end));
    expect(shared.length).toBeGreaterThan(cuts.length * 0.7);
  });
});
