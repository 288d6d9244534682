// What a supervisor sees of a child: an actor or another supervisor. None of the calls ever rejects or throws.
import type { LifeSnapshot } from './actor-snapshot.ts';
import type { Failure } from './failure.ts';

/** What happens to messages for a child that is down: they wait for the next life, or are refused. */
export type Gate = 'stash' | 'refuse';

/** How a life ended. */
export interface LifeEnd {
  readonly lifeMs: number;
  readonly didWork: boolean;
  readonly lost: { readonly mailbox: number; readonly asks: number };
  /** `<id>#<incarnation>` of what did not close in time and was left behind; for a supervisor those below it. */
  readonly abandoned: readonly string[];
}

export const nothingEnded: LifeEnd = {
  lifeMs: 0,
  didWork: false,
  lost: { mailbox: 0, asks: 0 },
  abandoned: [],
};

export interface SupervisedNode {
  readonly id: string;
  readonly kind: 'actor' | 'supervisor';
  /** Number of the newest life; 0 before the first. */
  readonly incarnation: number;
  /**
   * Begins a new life; called only when the one before has been stopped. Answers null when it is up, else why not;
   * then `stop` is still owed. A call of `stop` in between makes it answer soon.
   */
  start(): Promise<Failure | null>;
  /** Ends the life, within a bounded time. May be called at any time and twice: the answer is the same. */
  stop(gate: Gate): Promise<LifeEnd>;
  /** Decides what happens to messages while there is no life. */
  setGate(gate: Gate): void;
  /** Called once for a life that was up and has failed. Set by whoever supervises the child. */
  onFailure: (failure: Failure) => void;
  /** The current life as the restart window sees it. */
  currentLife(): { readonly lengthMs: number; readonly didWork: boolean };
  snapshot(path: string): LifeSnapshot;
  /** Tries the parked child `id` below again, now. False when there is no such child. */
  wake(id: string): boolean;
}
