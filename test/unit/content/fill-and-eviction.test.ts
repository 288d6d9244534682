import { describe, expect, test } from 'vitest';
import { excessOf, fillOf } from '../../../src/content/cache-limits.ts';
import { type Candidate, chooseVictims } from '../../../src/content/eviction.ts';
import { roomyLimits } from '../../fixtures/content-bytes.ts';

const gib = 1024 ** 3;
const limits = {
  ...roomyLimits,
  contentMaxBytes: 10 * gib,
  diskStopShare: 0.99,
  minFreeBytes: gib,
  minFreeShare: 0.05,
};
const disk = (freeBytes: number, totalBytes: number, usedBytes = 0) => ({ freeBytes, totalBytes, usedBytes });

describe('how full the cache is', () => {
  test('R-08: is measured against its quota while the disk has room', () => {
    const sample = disk(100 * gib, 200 * gib);
    expect(fillOf(5 * gib, sample, limits)).toEqual({ limitBytes: 10 * gib, share: 0.5, level: 'fine' });
    expect(fillOf(9 * gib, sample, limits).level).toBe('high');
    expect(fillOf(9.5 * gib, sample, limits).level).toBe('critical');
  });

  test('R-08: and against what the disk has left above its floor, the larger of two', () => {
    expect(fillOf(0, disk(3 * gib, 10 * gib), limits).limitBytes).toBe(2 * gib);
    expect(fillOf(0, disk(8 * gib, 100 * gib), limits).limitBytes).toBe(3 * gib);
    expect(fillOf(4 * gib, disk(2 * gib, 20 * gib, 4 * gib), limits)).toMatchObject({
      limitBytes: 5 * gib,
      level: 'fine',
    });
  });

  test('R-08: a disk below its floor, or full to the stop, takes no writes', () => {
    expect(fillOf(0, disk(0.9 * gib, 10 * gib), limits).level).toBe('full');
    expect(fillOf(0, disk(1.5 * gib, 200 * gib), { ...limits, minFreeShare: 0 }).level).toBe('full');
    // Written since the sample.
    expect(fillOf(2 * gib, disk(2.5 * gib, 10 * gib), limits).level).toBe('full');
  });

  test('R-08: others who fill the disk lower the limit, and the excess with it', () => {
    const before = fillOf(4 * gib, disk(20 * gib, 60 * gib, 4 * gib), limits);
    const after = fillOf(4 * gib, disk(4 * gib, 60 * gib, 4 * gib), limits);
    expect(excessOf(4 * gib, before, limits)).toBe(0);
    expect(after.limitBytes).toBe(5 * gib);
    expect(excessOf(4.5 * gib, after, limits)).toBeCloseTo(0.5 * gib, -3);
  });
});

describe('victims', () => {
  const candidate = (chunk: number, accessedAt: number, isPinned = false): Candidate => ({
    chunk,
    name: `${chunk}`,
    lengthBytes: 100,
    accessedAt,
    isPinned,
  });
  const rule = { bytes: 1000, most: 64, usedSince: 1000, lastAccess: () => undefined };
  const chosen = (candidates: readonly Candidate[], change = {}) =>
    chooseVictims(candidates, { ...rule, ...change }).map(({ chunk }) => chunk);

  test('are taken in order until the bytes are there, or there are enough of them', () => {
    const all = Array.from({ length: 100 }, (_, index) => candidate(index, index));
    expect(chosen(all, { bytes: 250 })).toEqual([0, 1, 2]);
    expect(chosen(all, { bytes: Number.POSITIVE_INFINITY })).toHaveLength(64);
    expect(chosen(all, { bytes: 0 })).toEqual([]);
  });

  test('are never pinned, and never used a moment ago, also when only memory knows', () => {
    const all = [candidate(1, 10, true), candidate(2, 1001), candidate(3, 20), candidate(4, 30)];
    expect(chosen(all, { lastAccess: (chunk: number) => (chunk === 4 ? 5000 : undefined) })).toEqual([3]);
  });
});
