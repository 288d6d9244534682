// What an actor's author writes (ActorLife) and is given (ActorContext, Scope). A life is one run of an actor between a
// start and its end; the next life starts from nothing and shares no memory with it.
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';

/**
 * One life of an actor, made by its spec's `start`.
 *
 * Guaranteed to it: handlers run one at a time, in the order of arrival, never again once the life has ended; `stop` is
 * called at most once, after `context.signal` is aborted and before the scope is closed.
 */
export interface ActorLife<S, M> {
  /** A fresh value at each call, made synchronously; what needs waiting belongs in `start`. A throw fails the start. */
  initialState(): S;
  /**
   * Answers one message with the next state, in the same tick. Work that takes time is started here and reports back
   * through `context.self`. Returning a promise is a failure of this life; so is throwing, and then the state stays
   * the one it was given. What must survive a failure lives outside the actor.
   */
  handle(state: S, message: M): S;
  /**
   * Gives up what the scope does not know of. May be called on a life that failed in any state. Has `shutdownMs`
   * together with the scope; past it the life is left behind. A throw is logged and otherwise ignored.
   */
  stop?(): void | Promise<void>;
}

/** The way a life sends to itself, from callbacks and finished work. */
interface SelfRef<M> {
  /**
   * Puts a message into this life's own mailbox, also when strangers have filled it to its bound (twice the bound is a
   * failure of the life). After the end of the life it is dropped and counted; it never reaches a later life.
   */
  tell(message: M): void;
}

/** What `start` is given: everything a life may use, valid for that life only. */
export interface ActorContext<M> {
  readonly id: string;
  /** 1 for the first life, then one more for each; never used twice in a process. */
  readonly incarnation: number;
  /** Aborted first of all when the life ends, for whatever reason. Work that ignores it is left behind. */
  readonly signal: AbortSignal;
  readonly scope: Scope<M>;
  readonly self: SelfRef<M>;
  readonly log: Logger;
  readonly clock: Clock;
  /** One request has been finished. Counts for budgets whose lives must have worked (`resetNeedsWork`). */
  workDone(): void;
  /** Something this life owns has died (thread, process, socket): the life fails with `error`. Later calls are ignored. */
  fail(error: unknown): void;
  /** The process or thread this life owns, for display. */
  setProcess(info: ProcessInfo): void;
}

export interface ProcessInfo {
  readonly pid?: number;
  readonly threadId?: number;
}

/** The part of an event emitter that a scope needs: workers, child processes, sockets and streams have it. */
export interface Emitter {
  on(event: string, listener: (...values: unknown[]) => void): unknown;
  off(event: string, listener: (...values: unknown[]) => void): unknown;
}

/**
 * Everything a life must give back. Closed by supervision when the life ends: in reverse order of registration, each
 * part once, one after the other; what fails is logged and does not keep the others from being closed. Registering
 * on a closed scope undoes at once what was registered.
 */
export interface Scope<M> {
  /**
   * After `delayMs` sends `work` to this life, or calls it when it is a function. A throw in it fails the life.
   * Returns an undo that may be called at any time and twice. Each tick of a repetition asks for its next one.
   */
  timer(delayMs: number, work: M | (() => void)): () => void;
  /**
   * Turns each `event` into a message to this life; `toMessage` gets what was emitted, unchecked. A throw in it fails the life.
   * An `error` listener stays on as a mere counter after the end, as an emitter without one would kill the process.
   */
  listen(emitter: Emitter, event: string, toMessage: (...values: never[]) => M): void;
  /** Runs `cleanup` at the end. It must bear being the only one that ran. */
  defer(cleanup: () => void | Promise<void>): void;
}
