// Where every message and reply ends that nobody received. Losing one is allowed, losing it silently is not: each is
// counted with its reason, the newest few are remembered, and the log gets at most one line a second.
// Must never hold a message itself, only its type word: messages may be large, and they are somebody else's.
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { limits } from './limits.ts';

export type DeadLetterReason =
  /** It waited in the mailbox of a life that ended. */
  | 'life_ended'
  /** The life that sent it to itself, or that was to answer, is over. */
  | 'late'
  /** The asker had its answer, or had given up, when this reply came. */
  | 'late_reply'
  /** Its asker had given up before the actor got to it. */
  | 'asker_gone'
  /** It waited too long for a new life, or found no room to wait. */
  | 'stash_expired'
  | 'stash_full'
  /** It was sent to a parked or stopped child, or before the system was started. */
  | 'target_down'
  /** It made room for a newer one (drop-oldest), or was too new (drop-newest). */
  | 'dropped';

export interface DeadLetter {
  readonly id: string;
  readonly incarnation: number;
  readonly reason: DeadLetterReason;
  /** The `type` of the message, or `unknown`. */
  readonly messageType: string;
  /** Wall clock, ms since 1970. */
  readonly atMs: number;
}

export interface DeadLetterReport {
  readonly total: number;
  /** The newest few, oldest first. */
  readonly sample: readonly DeadLetter[];
}

/** The dead letters of one system. */
export class DeadLetters {
  private readonly clock: Clock;
  private readonly log: Logger;
  private total = 0;
  private readonly sample: DeadLetter[] = [];
  private unlogged = 0;
  private loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, log: Logger) {
    this.clock = clock;
    this.log = log;
  }

  count(id: string, incarnation: number, reason: DeadLetterReason, message: unknown): void {
    const letter = { id, incarnation, reason, messageType: typeOf(message), atMs: this.clock.wallMs() };
    this.total += 1;
    this.unlogged += 1;
    this.sample.push(letter);
    if (this.sample.length > limits.deadLetterSample) this.sample.shift();
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.loggedAtMs < limits.deadLetterLogMs) return;
    this.log.debug({ event: 'dead_letter', ...letter, letters: this.unlogged, total: this.total });
    this.loggedAtMs = nowMs;
    this.unlogged = 0;
  }

  report(): DeadLetterReport {
    return { total: this.total, sample: [...this.sample] };
  }
}

function typeOf(message: unknown): string {
  if (typeof message !== 'object' || message === null || !('type' in message)) return 'unknown';
  return typeof message.type === 'string' ? message.type : 'unknown';
}
