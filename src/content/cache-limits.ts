// How large the cache may be, and how full it is: pure figures. `used` is the sum of the chunks, which the index keeps;
// the disk's side is sampled now and then, and what was written or evicted since is added.
import type { DiskSpace } from './file-operations.ts';

/** Section [cache] of the configuration. Shares are from 0 to 1. */
export interface CacheLimits {
  readonly enabled: boolean;
  readonly contentMaxBytes: number;
  /** From here on the cache is emptied in the background, … */
  readonly highShare: number;
  /** … down to here. */
  readonly lowShare: number;
  /** From here on room is made before each write, and what can wait does. */
  readonly criticalShare: number;
  /** A disk that is so full, by whomever, is not written to. */
  readonly diskStopShare: number;
  /** What stays free on the disk: the larger of these. */
  readonly minFreeBytes: number;
  readonly minFreeShare: number;
  readonly flushIntervalMs: number;
  readonly probeIntervalMs: number;
  /** So long a chunk counts as in use after it was written or read. */
  readonly chunkInUseMs: number;
}

/** Of these, what a test may shorten (see app/failpoint-port.ts). */
export type CacheIntervals = Pick<CacheLimits, 'probeIntervalMs' | 'chunkInUseMs'>;

/** The disk at one moment, and what the cache held then. */
export interface DiskSample extends DiskSpace {
  readonly usedBytes: number;
}

export type FillLevel = 'fine' | 'high' | 'critical' | 'full';

export interface Fill {
  /** What the cache may hold: the configured most, or less where the disk has no more. Not below 0. */
  readonly limitBytes: number;
  /** Used share of that; Infinity when there is no room at all. */
  readonly share: number;
  readonly level: FillLevel;
}

/** `usedBytes` with what is reserved for writes under way. */
export function fillOf(usedBytes: number, sample: DiskSample, limits: CacheLimits): Fill {
  const floor = Math.max(limits.minFreeBytes, limits.minFreeShare * sample.totalBytes);
  const limitBytes = Math.max(
    0,
    Math.min(limits.contentMaxBytes, sample.usedBytes + sample.freeBytes - floor),
  );
  const share = limitBytes === 0 ? Number.POSITIVE_INFINITY : usedBytes / limitBytes;
  const freeBytes = sample.freeBytes + sample.usedBytes - usedBytes;
  const isDiskFull = freeBytes < floor || freeBytes <= (1 - limits.diskStopShare) * sample.totalBytes;
  const level = isDiskFull ? 'full' : levelOf(share, limits);
  return { limitBytes, share, level };
}

function levelOf(share: number, limits: CacheLimits): FillLevel {
  if (share >= limits.criticalShare) return 'critical';
  return share >= limits.highShare ? 'high' : 'fine';
}

/** Bytes above the low mark. */
export function excessOf(usedBytes: number, { limitBytes }: Fill, limits: CacheLimits): number {
  return Math.max(0, usedBytes - limits.lowShare * limitBytes);
}
