// The supervision tree as data: what is started, in what order, and what happens when it fails. Written down once by
// the owner of the tree; supervision reads it and never changes it. Children are permanent: one that ends is a failure.
import type { ActorContext, ActorLife } from './actor-life.ts';
import type { ActorRef } from './actor-ref.ts';
import { limits } from './limits.ts';

/**
 * How many deaths of one child are borne. The n-th failure in a row is answered after `delaysMs[n - 1]` (the last one
 * repeats) times 1 + `jitter`·u with u in 0..1; the one after `max` gives up. A row ends, and the count is cleared, by
 * a life of at least `resetAfterMs` that (with `resetNeedsWork`) finished at least one request.
 */
export interface RestartBudget {
  readonly delaysMs: readonly number[];
  readonly max: number;
  readonly jitter: number;
  readonly resetAfterMs: number;
  readonly resetNeedsWork: boolean;
}

/** How many escalations of a supervisor's children are borne: the `max`-th within `withinMs` gives up. No delay. */
export interface EscalationBudget {
  readonly max: number;
  readonly withinMs: number;
}

/**
 * Past `bound` waiting messages. `refuse`: the new one is not taken, asks get `overloaded`; for commands.
 * `drop-oldest`: the new one takes the place of the oldest; for views, where only the newest counts.
 * `drop-newest`: the new one is not taken, and its sender need not care; for hints. Each loss is counted.
 */
export interface MailboxLimits {
  readonly bound: number;
  readonly overflow: 'refuse' | 'drop-oldest' | 'drop-newest';
}

/** Messages kept while the child is between two lives: how many, and how long each, ms. */
export interface StashLimits {
  readonly bound: number;
  readonly maxAgeMs: number;
}

/** A ping goes through the mailbox each `everyMs`; `missed` of them without an answer are a failure. */
export interface HeartbeatLimits {
  readonly everyMs: number;
  readonly missed: number;
}

/**
 * After the budget is spent. `escalate`: the supervisor fails in turn. `park`: the child stays down, what is sent to it
 * is refused, and it is tried again each 5 min ± 20 % or when somebody wakes it.
 */
type OnGiveUp = 'escalate' | 'park';

/** `one_for_one`: only the failed child is restarted. `rest_for_one`: those started after it as well. */
export type Strategy = 'one_for_one' | 'rest_for_one';

export interface ActorSpec<M = unknown, S = unknown> {
  readonly kind: 'actor';
  readonly id: string;
  readonly ref: ActorRef<M>;
  /**
   * Makes one life. It may wait, and then must stop at `context.signal`; it must not leave anything outside
   * `context.scope` behind when it throws or is aborted. Called anew for each life, never twice at a time unless a
   * life was left behind.
   */
  start(context: ActorContext<M>): ActorLife<S, M> | Promise<ActorLife<S, M>>;
  readonly startMs: number;
  /** How long a life may take to end; asked when it ends. */
  readonly shutdownMs: () => number;
  readonly budget: RestartBudget;
  readonly onGiveUp: OnGiveUp;
  readonly heartbeat: HeartbeatLimits;
  readonly mailbox: MailboxLimits;
  readonly stash: StashLimits;
  /** For display and the watchdog: the mount is in danger while this one is down. Supervision treats it alike. */
  readonly critical: boolean;
}

export interface SupervisorSpec {
  readonly kind: 'supervisor';
  readonly id: string;
  readonly strategy: Strategy;
  /** In start order; stopped in reverse. */
  readonly children: readonly ChildSpec[];
  readonly budget: EscalationBudget;
  readonly onGiveUp: OnGiveUp;
}

export type ChildSpec = ActorSpec | SupervisorSpec;

/** Bears a burst of 5 failures within about 70 s; at a rate of one in 5 min it goes on for ever. */
export const defaultBudget: RestartBudget = {
  delaysMs: [0, 1_000, 5_000, 30_000, 30_000],
  max: 5,
  jitter: 0.2,
  resetAfterMs: 300_000,
  resetNeedsWork: false,
};

/**
 * For children a reader waits on: after 1 s of life with a request finished a crash is answered at once, however often
 * that happens; one that dies before it works still backs off and gives up.
 */
export const readPathBudget: RestartBudget = { ...defaultBudget, resetAfterMs: 1_000, resetNeedsWork: true };

/** Two escalations within 10 min are answered by a restart of the whole part; the third goes to the parent. */
export const defaultEscalations: EscalationBudget = { max: 3, withinMs: 600_000 };

/** The parts of an actor's spec that differ from the defaults. The id is that of `ref`. */
export interface ActorOptions<M, S> {
  readonly ref: ActorRef<M>;
  readonly start: (context: ActorContext<M>) => ActorLife<S, M> | Promise<ActorLife<S, M>>;
  readonly startMs?: number;
  readonly shutdownMs?: number | (() => number);
  readonly budget?: RestartBudget;
  readonly onGiveUp?: OnGiveUp;
  readonly heartbeat?: Partial<HeartbeatLimits>;
  readonly mailbox?: Partial<MailboxLimits>;
  readonly stash?: Partial<StashLimits>;
  readonly critical?: boolean;
}

/** A whole actor spec from what is particular about it. Checks that messages, state and reference agree in type. */
export function actorSpec<M, S>(options: ActorOptions<M, S>): ActorSpec<M, S> {
  const { shutdownMs = limits.shutdownMs } = options;
  return {
    kind: 'actor',
    id: options.ref.id,
    ref: options.ref,
    start: options.start,
    startMs: options.startMs ?? limits.startMs,
    shutdownMs: typeof shutdownMs === 'function' ? shutdownMs : () => shutdownMs,
    budget: options.budget ?? defaultBudget,
    onGiveUp: options.onGiveUp ?? 'escalate',
    heartbeat: { everyMs: limits.heartbeatMs, missed: limits.heartbeatsMissed, ...options.heartbeat },
    mailbox: { bound: limits.mailboxMessages, overflow: 'refuse', ...options.mailbox },
    stash: { bound: limits.stashMessages, maxAgeMs: limits.stashAgeMs, ...options.stash },
    critical: options.critical ?? false,
  };
}

export interface SupervisorOptions {
  readonly id: string;
  readonly strategy: Strategy;
  readonly children: readonly ChildSpec[];
  readonly budget?: EscalationBudget;
  readonly onGiveUp?: OnGiveUp;
}

/** A whole supervisor spec from what is particular about it. */
export function supervisorSpec(options: SupervisorOptions): SupervisorSpec {
  return {
    kind: 'supervisor',
    id: options.id,
    strategy: options.strategy,
    children: options.children,
    budget: options.budget ?? defaultEscalations,
    onGiveUp: options.onGiveUp ?? 'escalate',
  };
}
