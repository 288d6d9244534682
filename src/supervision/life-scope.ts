// The scope of one life: what must be undone when the life ends, whoever ends it. Made and closed by the actor's run.
// Must never let an error of a timer, an event or a clean-up escape: such errors have no caller and would end the
// process.
import type { Clock } from '../platform/clock.ts';
import type { Emitter, Scope } from './actor-life.ts';
import { isThenable } from './failure.ts';

export interface ScopeOwner<M> {
  readonly clock: Clock;
  /** A message the life sends to itself. */
  tellSelf(message: M): void;
  /** A timer or an event failed. */
  onError(error: unknown): void;
  /** A clean-up failed, or an emitter failed after the end: nobody is left to act on it. */
  onLateError(error: unknown): void;
}

type Undo = () => void | Promise<void>;

export class LifeScope<M> implements Scope<M> {
  private readonly owner: ScopeOwner<M>;
  private readonly undos = new Set<Undo>();
  private isClosed = false;

  constructor(owner: ScopeOwner<M>) {
    this.owner = owner;
  }

  timer(delayMs: number, work: M | (() => void)): () => void {
    if (this.isClosed) return () => {};
    const undo = this.owner.clock.after(delayMs, () => {
      this.undos.delete(undo);
      if (isCallback(work)) this.guard(work);
      else this.owner.tellSelf(work);
    });
    this.undos.add(undo);
    return () => {
      this.undos.delete(undo);
      undo();
    };
  }

  listen(emitter: Emitter, event: string, toMessage: (...values: never[]) => M): void {
    // What an event carries is known to the emitter's author and to `toMessage` only.
    const listener = (...values: unknown[]): void =>
      this.guard(() => this.owner.tellSelf(toMessage(...(values as never[]))));
    if (!this.isClosed) emitter.on(event, listener);
    this.defer(() => {
      if (event === 'error') emitter.on(event, (error) => this.owner.onLateError(error));
      emitter.off(event, listener);
    });
  }

  defer(cleanup: Undo): void {
    if (!this.isClosed) this.undos.add(cleanup);
    else void this.undo(cleanup);
  }

  /** Undoes everything, newest first, each after the one before. Never rejects; may be called twice. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (let undo = this.newest(); undo !== undefined; undo = this.newest()) {
      this.undos.delete(undo);
      await this.undo(undo);
    }
  }

  /** Time is up: begins everything that has not been begun, without waiting for it. */
  abandon(): void {
    this.isClosed = true;
    for (let undo = this.newest(); undo !== undefined; undo = this.newest()) {
      this.undos.delete(undo);
      void this.undo(undo);
    }
  }

  private newest(): Undo | undefined {
    return [...this.undos].at(-1);
  }

  private async undo(undo: Undo): Promise<void> {
    try {
      await undo();
    } catch (error) {
      this.owner.onLateError(error);
    }
  }

  private guard(act: () => unknown): void {
    try {
      const result = act();
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.owner.onError(error));
    } catch (error) {
      this.owner.onError(error);
    }
  }
}

function isCallback(work: unknown): work is () => unknown {
  return typeof work === 'function';
}
