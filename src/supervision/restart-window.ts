// Decides what follows a failure: another life, and when, or giving up. Pure: time, history and chance come in.
// Called by a supervisor's lane each time a child has failed; it must never look at the wall clock, which may jump.
import type { EscalationBudget, RestartBudget } from './child-spec.ts';

/** One life that failed. Times are monotonic, ms. A start that failed is a life of length 0. */
export interface PastLife {
  readonly endedAtMs: number;
  readonly lengthMs: number;
  /** It finished at least one request. */
  readonly didWork: boolean;
}

export type RestartDecision =
  | { readonly type: 'restart'; readonly delayMs: number; readonly count: number }
  | { readonly type: 'give-up'; readonly count: number };

/**
 * What to do after the newest life in `history` (oldest first, the one that has just failed last; at least one).
 * `u` in 0..1 is the chance that spreads restarts. `count` is how many failures stand against the budget.
 */
export function decide(
  history: readonly PastLife[],
  nowMs: number,
  budget: RestartBudget | EscalationBudget,
  u: number,
): RestartDecision {
  const count = countFailures(history, nowMs, budget);
  if ('withinMs' in budget) {
    return count >= budget.max ? { type: 'give-up', count } : { type: 'restart', delayMs: 0, count };
  }
  if (count > budget.max) return { type: 'give-up', count };
  const delayMs = budget.delaysMs[Math.min(count, budget.delaysMs.length) - 1] ?? 0;
  return { type: 'restart', delayMs: delayMs * (1 + budget.jitter * u), count };
}

/**
 * Failures in a row, counted back from the newest: a life that was long enough ends the row, its own failure being the
 * first of the next one. For escalations: those not older than the window.
 */
export function countFailures(
  history: readonly PastLife[],
  nowMs: number,
  budget: RestartBudget | EscalationBudget,
): number {
  if ('withinMs' in budget) return history.filter((life) => nowMs - life.endedAtMs <= budget.withinMs).length;
  let count = 0;
  for (let at = history.length - 1; at >= 0; at -= 1) {
    const life = history[at];
    if (life === undefined) break;
    count += 1;
    if (clears(life, budget)) break;
  }
  return count;
}

/** True when a life, ended or not, has lasted long enough to forget the failures before it. */
export function clears(life: Pick<PastLife, 'lengthMs' | 'didWork'>, budget: RestartBudget): boolean {
  return life.lengthMs >= budget.resetAfterMs && (life.didWork || !budget.resetNeedsWork);
}

/** The part of a history that can still matter: one life more than the budget bears. */
export function trimHistory(history: PastLife[], budget: RestartBudget | EscalationBudget): void {
  const keep = budget.max + 1;
  if (history.length > keep) history.splice(0, history.length - keep);
}
