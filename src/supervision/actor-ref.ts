// The address of an actor, as the rest of the daemon holds it. It is made before the actor lives, is bound to its place
// in the tree when the system starts, and stays the same through every restart; it never shows which life answers.
// It must never buffer or retry on its own: what waits and what is refused is decided at the place it is bound to.
import { type ErrorCode, MusicfsError } from '../platform/errors.ts';

/**
 * What became of a message. `accepted`: it waits in the mailbox and will be handled unless its life ends first.
 * `stashed`: the actor is between two lives; it is handed to the next one, or dropped and counted when that takes too
 * long. `refused`: it was not taken, and nobody will look at it again.
 */
export type TellOutcome = 'accepted' | 'stashed' | 'refused';

/**
 * One answer to one question. The first of the two calls counts; a second one, or one that comes after the asker's
 * time is up or after the life has ended, is a dead letter: counted, never delivered, never an exception.
 */
export interface Reply<V> {
  resolve(value: V): void;
  reject(code: ErrorCode, message: string): void;
}

export interface AskOptions {
  /** Longest wait for the answer, ms, counted from the call; it covers waiting in mailbox and stash. */
  readonly timeoutMs: number;
  /** Gives up early; the message is skipped if the actor has not come to it yet. */
  readonly signal?: AbortSignal;
}

/** The place in the tree that a reference leads to. Implemented by supervision only. */
export interface ActorTarget<M> {
  tell(message: M): TellOutcome;
  ask<V>(make: (reply: Reply<V>) => M, options: AskOptions): Promise<V>;
}

export class ActorRef<M> {
  readonly id: string;
  private target: ActorTarget<M> | null = null;

  constructor(id: string) {
    this.id = id;
  }

  /** Sends without waiting. Messages from one sender arrive in the order sent. Never throws, whatever state it is in. */
  tell(message: M): TellOutcome {
    return this.target === null ? 'refused' : this.target.tell(message);
  }

  /**
   * Sends a question and waits for its one answer. `make` gets the reply to put into the message. Always settles.
   *
   * Rejects with a MusicfsError: the code the actor answered with; `overloaded` when its mailbox or stash is full;
   * `unavailable` when it is parked, stopped or not started, or when the life that held the question ended (at once,
   * not at the deadline; whether the question had an effect is then not known); `deadline_exceeded` after `timeoutMs`;
   * `cancelled` by `signal`.
   */
  ask<V>(make: (reply: Reply<V>) => M, options: AskOptions): Promise<V> {
    if (this.target === null) {
      return Promise.reject(new MusicfsError('unavailable', `${this.id} is not started`));
    }
    return this.target.ask(make, options);
  }

  /** For supervision, when a system starts: from now on messages go to `target`. */
  bind(target: ActorTarget<M>): void {
    this.target = target;
  }
}

/** A reference that is not bound yet. Ids are lower-case words joined by `-` or `.`, unique within a system. */
export function actorRef<M>(id: string): ActorRef<M> {
  return new ActorRef<M>(id);
}
