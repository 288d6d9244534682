// The supervision tree as it is at one moment: plain data for status output, metrics and tests. Taking one changes
// nothing and waits for nothing.
import type { ErrorCode } from '../platform/errors.ts';
import type { Strategy } from './child-spec.ts';

/** `failed`: gave up, and its supervisor has yet to act. `backoff`: down, a new life is due. */
export type ActorState = 'starting' | 'running' | 'backoff' | 'parked' | 'stopping' | 'stopped' | 'failed';

/** What the supervisor above knows of a child. */
export interface RestartSnapshot {
  readonly state: ActorState;
  readonly restartsTotal: number;
  /** Failures that count at the moment: 0 once a life has lasted long enough. */
  readonly restartsInWindow: number;
  /** Until the next try of a child that is down, ms; null when none is planned. */
  readonly nextRestartInMs: number | null;
  /** The newest failure; `atMs` is wall clock, `count` all failures so far. */
  readonly lastError: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly atMs: number;
    readonly count: number;
  } | null;
}

/** What a child knows of itself. Numbers of supervisors that make no sense for them are 0. */
export interface LifeSnapshot {
  readonly id: string;
  readonly kind: 'actor' | 'supervisor';
  /** Of supervisors only. */
  readonly strategy: Strategy | null;
  readonly incarnation: number;
  /** Begin of the current life, wall clock, ms since 1970; null while there is none. */
  readonly startedAtMs: number | null;
  readonly budget: { readonly max: number; readonly resetAfterMs: number };
  readonly mailbox: MailboxSnapshot;
  /** Time spent in handlers over all lives, ms. */
  readonly busyMs: number;
  readonly handledTotal: number;
  /** Handlers that took longer than 5 ms. */
  readonly slowTotal: number;
  /** Since the newest answer to a ping, ms; null while there is no life. */
  readonly heartbeatAgeMs: number | null;
  readonly pid: number | null;
  readonly threadId: number | null;
  readonly critical: boolean;
  readonly children: readonly ActorSnapshot[];
}

export interface MailboxSnapshot {
  /** Messages that wait, in the mailbox or, between two lives, in the stash. */
  readonly depth: number;
  readonly limit: number;
  /** Greatest depth so far, over all lives. */
  readonly highWater: number;
  /** How long the oldest has been waiting, ms; 0 when none waits. */
  readonly oldestMs: number;
  /** Lost to a full mailbox or stash, over all lives. */
  readonly dropped: number;
}

export interface ActorSnapshot extends LifeSnapshot, RestartSnapshot {
  /** Ids from the root, joined by `/`. */
  readonly path: string;
}
