// The circuit breaker of one origin: after too many failures it is not called for a while, so that whoever reads hears
// at once that it is down. Pure; times are of the monotonic clock.
//
// closed → open: at the threshold of failures in a row, or when at least half of at least 20 calls in 30 s failed.
// open → half open: after 5 s, then twice as long each time, (±20 %), 55 s at most. Half open lets one probe through, never a
// read: a reader does not wait to find out. Its success closes, its failure opens again.
import type { ErrorCode } from '../platform/errors.ts';

export interface Breaker {
  readonly consecutiveFailures: number;
  /** null: closed. */
  readonly openUntilMs: number | null;
  /** How often in a row it opened. */
  readonly openings: number;
  /** The last calls, oldest first. */
  readonly recent: readonly { readonly atMs: number; readonly failed: boolean }[];
}

export const closedBreaker: Breaker = { consecutiveFailures: 0, openUntilMs: null, openings: 0, recent: [] };

const windowMs = 30_000;
const windowCalls = 20;
const firstOpenMs = 5_000;
/** With the probe that ends it within a minute. */
const longestOpenMs = 55_000;
const jitterShare = 0.2;
const mostRecent = 200;

/** Failures that say something about the origin, not about one file, one name or the caller. */
const charged: ReadonlySet<ErrorCode> = new Set(['origin_unavailable', 'deadline_exceeded', 'stale_handle']);

export function isCharged(code: ErrorCode): boolean {
  return charged.has(code);
}

export function isOpen(breaker: Breaker): boolean {
  return breaker.openUntilMs !== null;
}

/** Whether a probe may be tried: always while it is closed, after its time while it is open. */
export function mayProbe(breaker: Breaker, nowMs: number): boolean {
  return breaker.openUntilMs === null || nowMs >= breaker.openUntilMs;
}

/** An answer, of whatever call. */
export function afterSuccess(breaker: Breaker, nowMs: number): Breaker {
  return { ...closedBreaker, recent: isOpen(breaker) ? [] : withCall(breaker, nowMs, false) };
}

/**
 * `random` is 0 … 1. `hasAnswered`: the call had brought bytes before it failed, so the origin was there: the row of
 * failures begins with it.
 */
export function afterFailure(
  breaker: Breaker,
  nowMs: number,
  threshold: number,
  random: number,
  hasAnswered = false,
): Breaker {
  const recent = withCall(breaker, nowMs, true);
  const consecutiveFailures = hasAnswered ? 1 : breaker.consecutiveFailures + 1;
  const next = { ...breaker, consecutiveFailures, recent };
  if (breaker.openUntilMs !== null && nowMs < breaker.openUntilMs) return next; // began before it opened
  const failed = recent.filter((call) => call.failed).length;
  const isTooMany =
    consecutiveFailures >= threshold || (recent.length >= windowCalls && failed * 2 >= recent.length);
  if (!isTooMany && breaker.openUntilMs === null) return next;
  const openMs = Math.min(firstOpenMs * 2 ** breaker.openings, longestOpenMs);
  const jitter = 1 + jitterShare * (2 * random - 1);
  // Never longer than the longest: an origin that is back is found within a minute.
  const untilMs = nowMs + Math.min(openMs * jitter, longestOpenMs);
  return { ...next, openUntilMs: untilMs, openings: Math.min(breaker.openings + 1, 10) };
}

function withCall({ recent }: Breaker, nowMs: number, failed: boolean): Breaker['recent'] {
  return [
    ...recent.filter(({ atMs }) => atMs > nowMs - windowMs).slice(1 - mostRecent),
    { atMs: nowMs, failed },
  ];
}
