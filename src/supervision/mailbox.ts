// The messages that wait for one life, oldest first, with a bound. Only data: it decides what is taken and what is
// displaced, and tells its owner; it never handles, rejects or counts on its own.
import type { MailboxLimits } from './child-spec.ts';
import type { OpenAsk } from './pending-ask.ts';

export interface Letter<M> {
  readonly type: 'letter';
  readonly message: M;
  readonly ask: OpenAsk | null;
  /** Sent by the life to itself: never displaced, and taken above the bound. */
  readonly isOwn: boolean;
  /** Monotonic, ms. */
  readonly atMs: number;
}

/** Asks the life whether it still moves. Waits in line like a letter, but is not counted against the bound. */
interface Ping {
  readonly type: 'ping';
}

export type Entry<M> = Letter<M> | Ping;

export type PutOutcome<M> =
  | { readonly type: 'taken' }
  /** Taken in place of the oldest stranger; the number of entries is unchanged. */
  | { readonly type: 'displaced'; readonly letter: Letter<M> }
  | { readonly type: 'full' };

export class Mailbox<M> {
  private readonly limits: MailboxLimits;
  private readonly ownBound: number;
  private readonly entries: Entry<M>[] = [];
  private letters = 0;

  constructor(limits: MailboxLimits, ownFactor: number) {
    this.limits = limits;
    this.ownBound = limits.bound * ownFactor;
  }

  /** Letters that wait; pings are not counted. */
  get depth(): number {
    return this.letters;
  }

  /** Entries of any kind that wait. */
  get size(): number {
    return this.entries.length;
  }

  get isFull(): boolean {
    return this.letters >= this.limits.bound;
  }

  put(letter: Letter<M>): PutOutcome<M> {
    const bound = letter.isOwn ? this.ownBound : this.limits.bound;
    if (this.letters < bound) {
      this.entries.push(letter);
      this.letters += 1;
      return { type: 'taken' };
    }
    if (this.limits.overflow !== 'drop-oldest') return { type: 'full' };
    const displaced = this.removeOldestStranger();
    if (displaced === null) return { type: 'full' };
    this.entries.push(letter);
    return { type: 'displaced', letter: displaced };
  }

  putPing(): void {
    this.entries.push({ type: 'ping' });
  }

  take(): Entry<M> | undefined {
    const entry = this.entries.shift();
    if (entry?.type === 'letter') this.letters -= 1;
    return entry;
  }

  /** When the oldest letter came, monotonic ms; null when none waits. */
  oldestAtMs(): number | null {
    return this.entries.find((entry) => entry.type === 'letter')?.atMs ?? null;
  }

  /** Empties it and answers the letters that were in it. */
  drain(): Letter<M>[] {
    this.letters = 0;
    return this.entries.splice(0).filter((entry) => entry.type === 'letter');
  }

  private removeOldestStranger(): Letter<M> | null {
    const at = this.entries.findIndex((entry) => entry.type === 'letter' && !entry.isOwn);
    const [entry] = at < 0 ? [] : this.entries.splice(at, 1);
    return entry?.type === 'letter' ? entry : null;
  }
}
