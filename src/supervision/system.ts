// Starts a supervision tree from its spec and keeps it running. The application calls startSystem once; control and
// metrics read snapshots; nobody reaches into the tree.
//
// Concepts. A *child* is an actor or a supervisor; its *spec* says how to start it and what its failures may cost. A
// *life* is one run of a child, numbered by its *incarnation*. A *slot* is the supervisor's book about a child, a
// *lane* a row of slots that are restarted together. A child is *parked* when its budget is spent and the rest of the
// system goes on without it. A life is *abandoned* when it could not be closed in time.

import type { Clock } from '../platform/clock.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { ActorSnapshot, ActorState } from './actor-snapshot.ts';
import type { ChildSpec, SupervisorSpec } from './child-spec.ts';
import { type DeadLetterReport, DeadLetters } from './dead-letters.ts';
import type { Environment, Intercept } from './environment.ts';
import { errorFields, type Failure } from './failure.ts';
import { logReport } from './log-report.ts';
import { openTurnSource } from './nact-mailbox.ts';
import { nothingEnded } from './supervised-node.ts';
import type { SupervisionReport } from './supervision-report.ts';
import { SupervisorNode } from './supervisor-node.ts';

export interface SystemOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** 0..1, spreads restarts so that parts that failed together do not come back in step. */
  readonly random: () => number;
  /** Called once, when a child of the root has given up: the process should end and be started anew. */
  onRootGaveUp(report: SupervisionReport): void;
  /** Called for each report, after it was logged. A throw is logged and ignored. */
  onReport?(report: SupervisionReport): void;
  readonly intercept?: Intercept;
}

interface StopReport {
  readonly tookMs: number;
  /** `<id>#<incarnation>` of lives that did not close in time during this stop. */
  readonly abandoned: readonly string[];
}

export interface System {
  /** The tree as it is now. */
  snapshot(): ActorSnapshot;
  deadLetters(): DeadLetterReport;
  /**
   * Tries a parked child again now; does nothing when it is not parked, or when what is above it is down.
   * Throws `not_found` for an id that is not in the tree.
   */
  wake(id: string): void;
  /**
   * Stops all children in reverse order; each within its `shutdownMs`, after which it is left behind and named. From
   * the call on nothing is restarted. May be called twice: the answer is the same.
   */
  stop(): Promise<StopReport>;
}

/** Codes that say: a second try would be answered alike, and a person has to act. */
const refusalCodes: ReadonlySet<string> = new Set([
  'refused',
  'config_invalid',
  'already_exists',
  'newer_schema',
  'catalog_corrupt',
]);

/**
 * Starts all children in order and answers when each is up, parked, or waits for its next try.
 *
 * Rejects with `invalid_argument` when the spec is wrong (an id twice, or malformed), and with the child's own error
 * when its first start fails with `refused`, `config_invalid`, `already_exists` or `newer_schema`; everything started
 * until then has been stopped. Any other failure is the supervisors' business and does not show here.
 */
export async function startSystem(spec: SupervisorSpec, options: SystemOptions): Promise<System> {
  checkIds(spec);
  const system = new RunningSystem(spec, options);
  await system.start();
  return system;
}

class RunningSystem implements System {
  private readonly spec: SupervisorSpec;
  private readonly options: SystemOptions;
  private readonly env: Environment;
  private readonly root: SupervisorNode;
  private isBooting = true;
  private refusal: Failure | null = null;
  private stopping: Promise<StopReport> | null = null;
  private state: ActorState = 'starting';

  constructor(spec: SupervisorSpec, options: SystemOptions) {
    const { clock, log } = options;
    this.spec = spec;
    this.options = options;
    this.env = {
      clock,
      log,
      random: options.random,
      intercept: (id, where) => options.intercept?.(id, where) ?? null,
      deadLetters: new DeadLetters(clock, log),
      turns: openTurnSource(),
      report: (report) => this.report(report),
      refuses: (failure, incarnation) => this.refuses(failure, incarnation),
      isRefused: () => this.refusal !== null,
    };
    this.root = new SupervisorNode(spec, this.env);
    this.root.onFailure = (failure) => this.giveUp(failure);
  }

  async start(): Promise<void> {
    const failure = await this.root.start();
    this.isBooting = false;
    if (this.refusal !== null) {
      await this.stop();
      throw this.refusal.error;
    }
    if (failure !== null) return this.giveUp(failure);
    this.state = 'running';
    this.report(this.rootReport('started', null));
  }

  snapshot(): ActorSnapshot {
    return {
      ...this.root.snapshot(this.spec.id),
      path: this.spec.id,
      state: this.state,
      restartsTotal: 0,
      restartsInWindow: 0,
      nextRestartInMs: null,
      lastError: null,
    };
  }

  deadLetters(): DeadLetterReport {
    return this.env.deadLetters.report();
  }

  wake(id: string): void {
    if (!this.root.wake(id)) throw new MusicfsError('not_found', `no supervised child "${id}"`);
  }

  stop(): Promise<StopReport> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<StopReport> {
    this.state = 'stopping';
    const beganAtMs = this.env.clock.monotonicMs();
    const { abandoned } = await this.root.stop('refuse');
    this.env.turns.close();
    this.state = 'stopped';
    return { tookMs: this.env.clock.monotonicMs() - beganAtMs, abandoned };
  }

  private refuses(failure: Failure, incarnation: number): boolean {
    const { error } = failure;
    if (!this.isBooting || incarnation !== 1) return false;
    if (!(error instanceof MusicfsError) || !refusalCodes.has(error.code)) return false;
    this.refusal = failure;
    return true;
  }

  /** Called at most once: the root fails once and is never started again. */
  private giveUp(failure: Failure): void {
    this.state = 'failed';
    const report = this.rootReport('gave-up', failure);
    this.report(report);
    this.options.onRootGaveUp(report);
  }

  private report(report: SupervisionReport): void {
    logReport(this.env.log, report);
    try {
      this.options.onReport?.(report);
    } catch (error) {
      this.env.log.error({ event: 'report_listener_failed', message: messageOf(error) });
    }
  }

  private rootReport(event: 'started' | 'gave-up', failure: Failure | null): SupervisionReport {
    return {
      event,
      id: this.spec.id,
      kind: 'supervisor',
      incarnation: this.root.incarnation,
      reason: failure?.reason ?? null,
      ...errorFields(failure, true),
      lifeMs: this.root.currentLife().lengthMs,
      count: failure === null ? 0 : 1,
      delayMs: null,
      lost: nothingEnded.lost,
      strategy: this.spec.strategy,
      alsoRestarted: [],
    };
  }
}

function checkIds(root: SupervisorSpec): void {
  const seen = new Set<string>();
  const visit = (spec: ChildSpec): void => {
    if (!/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(spec.id)) {
      throw new MusicfsError(
        'invalid_argument',
        `"${spec.id}" is no child id: lower-case words joined by - or .`,
      );
    }
    if (seen.has(spec.id))
      throw new MusicfsError('invalid_argument', `two children have the id "${spec.id}"`);
    seen.add(spec.id);
    if (spec.kind === 'supervisor') spec.children.forEach(visit);
  };
  visit(root);
}
