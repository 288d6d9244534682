// One question on its way: settles exactly once, by answer, refusal, deadline or cancellation, whichever is first.
// Everything that comes afterwards is a dead letter. Made by the target of an ask; knows nothing of mailboxes.
import type { Clock } from '../platform/clock.ts';
import { type ErrorCode, MusicfsError } from '../platform/errors.ts';
import type { AskOptions, Reply } from './actor-ref.ts';
import type { DeadLetters } from './dead-letters.ts';

/** The side of a question that supervision handles: whatever the answer's type. */
export interface OpenAsk {
  readonly isSettled: boolean;
  /** Ends the wait with an error; ignored when it is over. */
  fail(code: ErrorCode, message: string): void;
  /** Called once when the wait is over; replaces the one set before. */
  onSettled: (() => void) | null;
}

export class PendingAsk<V> implements OpenAsk {
  readonly promise: Promise<V>;
  readonly reply: Reply<V>;
  onSettled: (() => void) | null = null;
  private settled = false;
  private readonly settle: { resolve(value: V): void; reject(error: unknown): void };
  private readonly cleanups: (() => void)[] = [];

  constructor(id: string, options: AskOptions, clock: Clock, deadLetters: DeadLetters) {
    const { promise, resolve, reject } = Promise.withResolvers<V>();
    this.promise = promise;
    this.settle = { resolve, reject };
    const late = (): void => deadLetters.count(id, 0, 'late_reply', { type: 'reply' });
    this.reply = {
      resolve: (value) => {
        if (!this.finish(() => this.settle.resolve(value))) late();
      },
      reject: (code, message) => {
        if (!this.finish(() => this.settle.reject(new MusicfsError(code, message)))) late();
      },
    };
    this.watch(id, options, clock);
  }

  get isSettled(): boolean {
    return this.settled;
  }

  fail(code: ErrorCode, message: string): void {
    this.finish(() => this.settle.reject(new MusicfsError(code, message)));
  }

  private watch(id: string, { timeoutMs, signal }: AskOptions, clock: Clock): void {
    const cancel = (): void => this.fail('cancelled', `the question to ${id} was cancelled`);
    if (signal?.aborted === true) {
      cancel();
      return;
    }
    if (signal !== undefined) {
      signal.addEventListener('abort', cancel, { once: true });
      this.cleanups.push(() => signal.removeEventListener('abort', cancel));
    }
    this.cleanups.push(
      clock.after(timeoutMs, () =>
        this.fail('deadline_exceeded', `${id} did not answer within ${timeoutMs} ms`),
      ),
    );
  }

  private finish(act: () => void): boolean {
    if (this.settled) return false;
    this.settled = true;
    for (const cleanup of this.cleanups) cleanup();
    act();
    this.onSettled?.();
    return true;
  }
}
