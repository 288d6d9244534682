// Who is asked for the bytes of a file that several origins hold. Pure.
import type { HealthState } from './origin-health.ts';

export interface Candidate {
  readonly originId: string;
  readonly state: HealthState;
  /** It would be refused at once. */
  readonly isOpen: boolean;
  /** Lower goes first. */
  readonly priority: number;
  readonly p50Ms: number;
  readonly consecutiveFailures: number;
}

const rank: Readonly<Record<HealthState, number>> = { healthy: 0, unknown: 1, degraded: 1, unhealthy: 2 };

/**
 * In the order in which they are to be tried: healthy before degraded before unhealthy, then by priority, latency and id;
 * among the unhealthy those with the fewest failures first. Those whose breaker is open are left out: empty means that
 * nobody can serve it now.
 */
export function orderOfOrigins<C extends Candidate>(candidates: readonly C[]): C[] {
  return candidates
    .filter(({ isOpen }) => !isOpen)
    .toSorted(
      (a, b) =>
        rank[a.state] - rank[b.state] ||
        (a.state === 'unhealthy' ? a.consecutiveFailures - b.consecutiveFailures : 0) ||
        a.priority - b.priority ||
        a.p50Ms - b.p50Ms ||
        (a.originId < b.originId ? -1 : 1),
    );
}
