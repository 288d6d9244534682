// The inbox of one life: its mailbox, the questions it still owes an answer, and the watch over a mailbox that stays
// full. Owned by the actor's run. Every loss is counted and every asker told; it never handles a message.
import { MusicfsError } from '../platform/errors.ts';
import type { ActorCounters } from './actor-counters.ts';
import type { ActorSpec } from './child-spec.ts';
import type { Environment } from './environment.ts';
import { limits } from './limits.ts';
import { type Entry, type Letter, Mailbox } from './mailbox.ts';
import type { OpenAsk } from './pending-ask.ts';
import type { LifeEnd } from './supervised-node.ts';

export interface InboxOwner {
  /** One more entry waits. */
  onEntry(): void;
  /** The mailbox stayed at its bound for too long. Called at most once. */
  onStuck(error: MusicfsError): void;
}

export class LifeInbox<M> {
  private readonly spec: Pick<ActorSpec, 'id' | 'mailbox'>;
  private readonly incarnation: number;
  private readonly env: Environment;
  private readonly counters: ActorCounters;
  private readonly owner: InboxOwner;
  private readonly mailbox: Mailbox<M>;
  private readonly openAsks = new Set<OpenAsk>();
  private fullSinceMs: number | null = null;
  private cancelFullTimer: (() => void) | null = null;

  constructor(
    spec: Pick<ActorSpec, 'id' | 'mailbox'>,
    incarnation: number,
    env: Environment,
    counters: ActorCounters,
    owner: InboxOwner,
  ) {
    this.spec = spec;
    this.incarnation = incarnation;
    this.env = env;
    this.counters = counters;
    this.owner = owner;
    this.mailbox = new Mailbox(spec.mailbox, limits.ownMailboxFactor);
  }

  get depth(): number {
    return this.mailbox.depth;
  }

  get size(): number {
    return this.mailbox.size;
  }

  /** `isOwn` for what the life sends to itself. */
  put(message: M, ask: OpenAsk | null, isOwn: boolean): 'accepted' | 'refused' {
    const letter: Letter<M> = { type: 'letter', message, ask, isOwn, atMs: this.env.clock.monotonicMs() };
    const outcome = this.mailbox.put(letter);
    this.counters.highWater = Math.max(this.counters.highWater, this.mailbox.depth);
    this.watchFullness();
    switch (outcome.type) {
      case 'taken':
        this.holdAsk(ask);
        this.owner.onEntry();
        return 'accepted';
      case 'displaced':
        this.holdAsk(ask);
        this.drop(outcome.letter);
        return 'accepted';
      case 'full':
        this.drop(letter);
        return 'refused';
    }
  }

  putPing(): void {
    this.mailbox.putPing();
    this.owner.onEntry();
  }

  take(): Entry<M> | undefined {
    const entry = this.mailbox.take();
    this.watchFullness();
    return entry;
  }

  oldestAtMs(): number | null {
    return this.mailbox.oldestAtMs();
  }

  /** The life is over: what waits is lost, and so are the answers it owes. */
  giveUp(): LifeEnd['lost'] {
    this.cancelFullTimer?.();
    const letters = this.mailbox.drain();
    for (const { message } of letters) {
      this.env.deadLetters.count(this.spec.id, this.incarnation, 'life_ended', message);
    }
    const asks = [...this.openAsks];
    for (const ask of asks) ask.fail('unavailable', `${this.spec.id} ended before it answered`);
    return { mailbox: letters.length, asks: asks.length };
  }

  private drop(letter: Letter<M>): void {
    this.counters.dropped += 1;
    if (this.spec.mailbox.overflow !== 'refuse') {
      this.env.deadLetters.count(this.spec.id, this.incarnation, 'dropped', letter.message);
    }
    letter.ask?.fail('overloaded', `the mailbox of ${this.spec.id} is full`);
  }

  private holdAsk(ask: OpenAsk | null): void {
    if (ask === null || ask.isSettled) return;
    this.openAsks.add(ask);
    ask.onSettled = () => this.openAsks.delete(ask);
  }

  /** A mailbox that stays at its bound belongs to an actor that does not move, whatever its pings say. */
  private watchFullness(): void {
    if (!this.mailbox.isFull) this.fullSinceMs = null;
    else this.fullSinceMs ??= this.env.clock.monotonicMs();
    if (this.mailbox.isFull && this.cancelFullTimer === null) this.armFullTimer(limits.mailboxFullMs);
  }

  /** One timer for many short times of fullness: it looks when it fires, and waits for the rest. */
  private armFullTimer(delayMs: number): void {
    this.cancelFullTimer = this.env.clock.after(delayMs, () => {
      this.cancelFullTimer = null;
      if (this.fullSinceMs === null) return;
      const leftMs = this.fullSinceMs + limits.mailboxFullMs - this.env.clock.monotonicMs();
      if (leftMs > 0) {
        this.armFullTimer(leftMs);
        return;
      }
      const text = `the mailbox of ${this.spec.id} stayed full for ${limits.mailboxFullMs} ms`;
      this.owner.onStuck(new MusicfsError('overloaded', text));
    });
  }
}
