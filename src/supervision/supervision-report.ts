// The one line that supervision writes about each change of a child's life. The same record goes to the log and to
// whoever counts, publishes or shows it; it is plain data and holds no reference to anything alive.
import type { ErrorCode } from '../platform/errors.ts';
import type { Strategy } from './child-spec.ts';

/** Why a life ended or could not begin. */
export type EndReason =
  /** Its handler threw or returned a promise. */
  | 'crashed'
  | 'start_failed'
  /** Pings went unanswered. */
  | 'hung'
  /** Its mailbox stayed at its bound, or it flooded itself. */
  | 'mailbox_stuck'
  /** It reported the death of something it owns. */
  | 'part_died'
  /** A supervisor's child gave up. */
  | 'escalated'
  /** An earlier sibling failed. */
  | 'sibling_failed'
  /** Its supervisor was ended: for a restart, or for good. */
  | 'stopped';

export interface SupervisionReport {
  readonly event: 'started' | 'exited' | 'restarting' | 'gave-up' | 'parked' | 'woken' | 'abandoned';
  readonly id: string;
  readonly kind: 'actor' | 'supervisor';
  readonly incarnation: number;
  /** Why the life ended; `timer` or `asked` for woken; null for started. */
  readonly reason: EndReason | 'timer' | 'asked' | null;
  readonly errorCode: ErrorCode | null;
  readonly message: string | null;
  readonly stack: string | null;
  /** How long the life lasted that this is about; null before it began. */
  readonly lifeMs: number | null;
  /** Failures in a row, this one included. */
  readonly count: number;
  /** Until the next try; null when none is planned. */
  readonly delayMs: number | null;
  /** What the end of the life cost: messages in its mailbox, questions without an answer. */
  readonly lost: { readonly mailbox: number; readonly asks: number };
  /** That of the supervisor above. */
  readonly strategy: Strategy;
  /** Siblings that were stopped and are started again with it. */
  readonly alsoRestarted: readonly string[];
}
