// The deadlines of one call to an origin. Used by the gate only.
import type { Clock } from '../platform/clock.ts';
import { type ErrorCode, MusicfsError } from '../platform/errors.ts';
import type { OriginLimits } from './origin-limits.ts';

/**
 * The deadlines of one call: in all, to its first answer, and between two; what waits is let go when one passes. Nothing
 * of a call is left hanging on a signal that outlives it: that would keep its bytes (AbortSignal.any and Promise.race
 * both would).
 */
export class CallTimer {
  readonly signal: AbortSignal;
  /** ms spent waiting for the origin, not for whoever takes its bytes. */
  waitedMs = 0;
  private readonly clock: Clock;
  private readonly limits: Pick<OriginLimits, 'firstByteMs' | 'stallMs'>;
  private readonly abort = new AbortController();
  private readonly sources: readonly AbortSignal[];
  private readonly cancelCall: () => void;
  private letGo: (reason: unknown) => void = () => undefined;
  private hasAnswered = false;

  constructor(
    clock: Clock,
    callLimits: Pick<OriginLimits, 'callMs' | 'firstByteMs' | 'stallMs'>,
    ...sources: readonly AbortSignal[]
  ) {
    this.clock = clock;
    this.limits = callLimits;
    this.sources = sources;
    this.signal = this.abort.signal;
    this.cancelCall = clock.after(callLimits.callMs, () => this.expire('the call', callLimits.callMs));
    for (const source of sources) source.addEventListener('abort', this.followed);
    this.followed();
  }

  /** `work`, or the passing of a deadline: also when the work does not hear of it. One at a time. */
  async wait<T>(work: Promise<T>): Promise<T> {
    const limitMs = this.hasAnswered ? this.limits.stallMs : this.limits.firstByteMs;
    const what = this.hasAnswered ? 'the rest' : 'a first answer';
    const cancel = this.clock.after(limitMs, () => this.expire(what, limitMs));
    const startedMs = this.clock.monotonicMs();
    try {
      return await new Promise<T>((resolve, reject) => {
        this.letGo = reject;
        if (this.signal.aborted) reject(this.signal.reason as Error);
        work.then(resolve, reject); // it may end long after nobody waits for it
      });
    } finally {
      this.letGo = () => undefined;
      cancel();
      this.waitedMs += this.clock.monotonicMs() - startedMs;
      this.hasAnswered = true;
    }
  }

  /** The values of an iterable, each within the limits. */
  async *each<T>(values: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const iterator = values[Symbol.asyncIterator]();
    let isAtEnd = false;
    try {
      for (;;) {
        const { done, value } = await this.wait(iterator.next());
        if (done === true) {
          isAtEnd = true;
          return;
        }
        yield value;
      }
    } finally {
      if (!isAtEnd) {
        this.stop(new MusicfsError('cancelled', 'nobody waits for it any more'));
        iterator.return?.().catch(() => undefined); // not waited for: it may be what hangs
      }
    }
  }

  end(): void {
    this.cancelCall();
    for (const source of this.sources) source.removeEventListener('abort', this.followed);
  }

  private readonly followed = (): void => {
    const aborted = this.sources.find((source) => source.aborted);
    if (aborted !== undefined) this.stop(aborted.reason);
  };

  private expire(what: string, limitMs: number): void {
    const code: ErrorCode = 'deadline_exceeded';
    this.stop(new MusicfsError(code, `no answer within ${limitMs} ms (${what})`));
  }

  private stop(reason: unknown): void {
    this.abort.abort(reason);
    this.letGo(reason);
  }
}
