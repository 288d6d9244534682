// What an origin of a kind may be asked at once, how long it may take, and when it counts as down.
import { limits } from '../platform/limits.ts';
import type { OriginKind } from './origin.ts';

export interface OriginLimits {
  /** Calls at once. One of them is kept for reads that somebody waits for. */
  readonly concurrency: number;
  /** ms for a call in all, for its first byte, and between two bytes. */
  readonly callMs: number;
  readonly firstByteMs: number;
  readonly stallMs: number;
  /** ms for a probe, of whatever kind the origin is. */
  readonly probeMs: number;
  /** Failures in a row from which it counts as down. */
  readonly failureThreshold: number;
  /** ms a first byte is taken to need while none has been seen. */
  readonly expectedLatencyMs: number;
  /** Ranges of one file that may be under way at once. */
  readonly rangesPerFile: number;
  /** Calls begun per second; 0: as many as there are. */
  readonly requestsPerSecond: number;
}

/** Of these, what a test may shorten (see app/failpoint-port.ts). */
export type CallLimits = Pick<OriginLimits, 'callMs' | 'firstByteMs' | 'stallMs' | 'probeMs'>;

const network = {
  callMs: limits.networkCallMs,
  firstByteMs: limits.firstByteMs,
  stallMs: limits.stallMs,
  probeMs: limits.probeMs,
  failureThreshold: 3,
  requestsPerSecond: 0,
};
const disk = { ...network, firstByteMs: network.callMs, stallMs: network.callMs };

export const limitsByKind: Readonly<Record<OriginKind, OriginLimits>> = {
  // A disk may be spinning up: nothing but the whole call is limited.
  local: { ...disk, concurrency: 8, failureThreshold: 1, expectedLatencyMs: 1, rangesPerFile: 2 },
  nfs: { ...network, concurrency: 4, expectedLatencyMs: 10, rangesPerFile: 2 },
  smb: { ...network, concurrency: 4, expectedLatencyMs: 10, rangesPerFile: 2 },
  sftp: { ...network, concurrency: 4, expectedLatencyMs: 100, rangesPerFile: 3 },
  s3: { ...network, concurrency: limits.httpConnections, expectedLatencyMs: 100, rangesPerFile: 4 },
  webdav: { ...network, concurrency: limits.httpConnections, expectedLatencyMs: 100, rangesPerFile: 3 },
};
