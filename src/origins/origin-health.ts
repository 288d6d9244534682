// How an origin is, from what its calls showed. Pure.
//
// `unknown` until the first answer. One success makes it healthy; failures in a row make it degraded and, at the
// threshold of its kind, unhealthy. A name that does not resolve, a pause it asked for, and slowness degrade only.
import type { ErrorCode } from '../platform/errors.ts';
import { isCharged } from './breaker.ts';

export type HealthState = 'unknown' | 'healthy' | 'degraded' | 'unhealthy';

export interface OriginHealthFacts {
  readonly state: HealthState;
  readonly consecutiveFailures: number;
  /** Code and line of the last failure; null since the last success. */
  readonly lastError: { readonly code: ErrorCode; readonly message: string } | null;
  readonly isSlow: boolean;
}

export const unknownHealth: OriginHealthFacts = {
  state: 'unknown',
  consecutiveFailures: 0,
  lastError: null,
  isSlow: false,
};

const degrading: ReadonlySet<ErrorCode> = new Set(['name_resolution', 'origin_rate_limited']);

/** Slower than this at the middle of the last 20 first bytes, or thinner than this while more was asked for. */
export const slowFirstByteMs = 2_000;
export const slowBytesPerSecond = 64 * 1024;

export function afterAnswer(health: OriginHealthFacts, isSlow: boolean): OriginHealthFacts {
  const state = isSlow ? 'degraded' : 'healthy';
  if (health.state === state && health.lastError === null && health.isSlow === isSlow) return health;
  return { state, consecutiveFailures: 0, lastError: null, isSlow };
}

/** What else is known of a call that failed. */
export interface FailedCall {
  /** Whatever a probe fails with is said of the origin: that it lets nobody in, for one. */
  readonly wasProbe?: boolean;
  /** See breaker.ts. */
  readonly hasAnswered?: boolean;
}

/** `code` of a failed call; one that says nothing about the origin changes nothing. */
export function afterError(
  health: OriginHealthFacts,
  code: ErrorCode,
  message: string,
  threshold: number,
  { wasProbe = false, hasAnswered = false }: FailedCall = {},
): OriginHealthFacts {
  const lastError = { code, message };
  if (degrading.has(code) || (wasProbe && !isCharged(code))) {
    return { ...health, state: health.state === 'unhealthy' ? 'unhealthy' : 'degraded', lastError };
  }
  if (!isCharged(code)) return health;
  const consecutiveFailures = hasAnswered ? 1 : health.consecutiveFailures + 1;
  const state = consecutiveFailures >= threshold ? 'unhealthy' : worse(health.state);
  return { ...health, state, consecutiveFailures, lastError };
}

function worse(state: HealthState): HealthState {
  return state === 'unhealthy' ? 'unhealthy' : 'degraded';
}
