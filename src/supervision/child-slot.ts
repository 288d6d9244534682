// What a supervisor remembers of one child: whether it is up, when it is due, how it failed so far. A lane owns it and
// makes all decisions; the slot keeps the book and writes the reports.
import { codeOf, messageOf } from '../platform/errors.ts';
import type { ActorSnapshot, ActorState, RestartSnapshot } from './actor-snapshot.ts';
import type { ChildSpec, Strategy } from './child-spec.ts';
import type { Environment } from './environment.ts';
import { errorFields, type Failure } from './failure.ts';
import { limits } from './limits.ts';
import { clears, countFailures, type PastLife } from './restart-window.ts';
import { type Gate, type LifeEnd, nothingEnded, type SupervisedNode } from './supervised-node.ts';
import type { EndReason, SupervisionReport } from './supervision-report.ts';

export class ChildSlot {
  readonly spec: ChildSpec;
  readonly node: SupervisedNode;
  /** Lives that failed, oldest first, as far as the budget still cares. */
  readonly history: PastLife[] = [];
  /** A failure that has not been answered yet. */
  failure: Failure | null = null;
  /** Monotonic ms from which on a child that is down may be tried. */
  dueAtMs = 0;
  isParked = false;
  isGivenUp = false;
  /** Lives that could not be closed. Never reset: what they hold is held until the process ends. */
  abandonedLives = 0;
  private readonly env: Environment;
  private readonly strategy: Strategy;
  private phase: 'down' | 'starting' | 'up' | 'ending' | 'stopped' = 'down';
  private wokenBy: 'timer' | 'asked' = 'timer';
  private lastError: RestartSnapshot['lastError'] = null;

  constructor(spec: ChildSpec, node: SupervisedNode, strategy: Strategy, env: Environment) {
    this.spec = spec;
    this.node = node;
    this.strategy = strategy;
    this.env = env;
  }

  get isStarting(): boolean {
    return this.phase === 'starting';
  }

  /** A life has begun and has not been ended, up or not. */
  get hasLife(): boolean {
    return this.phase === 'starting' || this.phase === 'up' || this.phase === 'ending';
  }

  /** The failure that waits is that of a life that was up, not of a start. */
  get wasUp(): boolean {
    return this.phase === 'up';
  }

  /** A new life of the supervisor begins: the child starts with a clean budget. */
  forget(): void {
    this.history.length = 0;
    this.failure = null;
    this.dueAtMs = 0;
    this.isParked = false;
    this.isGivenUp = false;
    this.phase = 'down';
    this.node.setGate('stash');
  }

  noteFailure(failure: Failure): void {
    this.failure = failure;
    this.lastError = {
      code: codeOf(failure.error),
      message: messageOf(failure.error),
      atMs: this.env.clock.wallMs(),
      count: (this.lastError?.count ?? 0) + 1,
    };
  }

  async begin(): Promise<Failure | null> {
    this.phase = 'starting';
    const failure = await this.node.start();
    if (failure === null) {
      this.phase = 'up';
      this.isParked = false;
    }
    return failure;
  }

  /** Ends the life, reports its exit, and counts it when it had to be left behind. */
  async end(reason: EndReason, gate: Gate): Promise<LifeEnd> {
    const { failure } = this;
    this.phase = 'ending';
    const end = await this.node.stop(this.isParked ? 'refuse' : gate);
    this.phase = 'down';
    this.failure = null;
    const facts = { reason: failure?.reason ?? reason, failure, lifeMs: end.lifeMs, lost: end.lost };
    this.report('exited', facts);
    if (end.abandoned.length > 0 && this.node.kind === 'actor') {
      this.abandonedLives += 1;
      this.report('abandoned', facts);
    }
    return end;
  }

  planRestart(
    failure: Failure,
    nowMs: number,
    delayMs: number,
    count: number,
    also: readonly string[],
  ): void {
    this.dueAtMs = nowMs + delayMs;
    this.report('restarting', { reason: failure.reason, failure, delayMs, count, alsoRestarted: also });
  }

  park(failure: Failure, nowMs: number, count: number): void {
    const spread = 1 + limits.parkedRetryJitter * (2 * this.env.random() - 1);
    const delayMs = limits.parkedRetryMs * spread;
    this.isParked = true;
    this.wokenBy = 'timer';
    this.dueAtMs = nowMs + delayMs;
    this.node.setGate('refuse');
    this.report('parked', { reason: failure.reason, failure, delayMs, count });
  }

  wake(): void {
    this.wokenBy = 'asked';
    this.dueAtMs = this.env.clock.monotonicMs();
  }

  settleStopped(gate: Gate): void {
    this.phase = gate === 'refuse' ? 'stopped' : 'down';
    this.node.setGate(gate);
  }

  reportStarted(): void {
    this.report('started', {});
  }

  reportWoken(): void {
    this.report('woken', { reason: this.wokenBy });
  }

  reportGaveUp(failure: Failure, count: number): void {
    this.report('gave-up', { reason: failure.reason, failure, count });
  }

  snapshot(parentPath: string): ActorSnapshot {
    const nowMs = this.env.clock.monotonicMs();
    const path = `${parentPath}/${this.node.id}`;
    const state = this.state();
    const isWaiting = state === 'backoff' || state === 'parked';
    return {
      ...this.node.snapshot(path),
      path,
      state,
      restartsTotal: Math.max(0, this.node.incarnation - 1),
      restartsInWindow: this.restartsInWindow(nowMs),
      nextRestartInMs: isWaiting ? Math.max(0, this.dueAtMs - nowMs) : null,
      lastError: this.lastError,
    };
  }

  private state(): ActorState {
    switch (this.phase) {
      case 'starting':
        return 'starting';
      case 'up':
        return this.failure === null ? 'running' : 'stopping';
      case 'ending':
        return 'stopping';
      case 'stopped':
        return 'stopped';
      case 'down':
        if (this.isParked) return 'parked';
        if (this.isGivenUp) return 'failed';
        return 'backoff';
    }
  }

  private restartsInWindow(nowMs: number): number {
    const { budget } = this.spec;
    const isCleared =
      this.phase === 'up' && !('withinMs' in budget) && clears(this.node.currentLife(), budget);
    return isCleared ? 0 : countFailures(this.history, nowMs, budget);
  }

  private report(event: SupervisionReport['event'], facts: ReportFacts): void {
    this.env.report({
      event,
      id: this.node.id,
      kind: this.node.kind,
      incarnation: this.node.incarnation,
      reason: facts.reason ?? null,
      ...errorFields(facts.failure ?? null, event === 'exited'),
      lifeMs: facts.lifeMs ?? null,
      count: facts.count ?? this.restartsInWindow(this.env.clock.monotonicMs()),
      delayMs: facts.delayMs ?? null,
      lost: facts.lost ?? nothingEnded.lost,
      strategy: this.strategy,
      alsoRestarted: facts.alsoRestarted ?? [],
    });
  }
}

type ReportFacts = Partial<
  Pick<SupervisionReport, 'reason' | 'lifeMs' | 'count' | 'delayMs' | 'lost' | 'alsoRestarted'>
> & {
  readonly failure?: Failure | null;
};
