// A clock that stands still until a test moves it. Timers fire in order of their time; after each one everything that
// promises and immediates set off is allowed to happen, so that a test reads as a sequence of moments.
import type { Clock } from '../../../src/platform/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

export class SimulatedClock implements Clock {
  private nowMs = 1_000;
  private wallOffsetMs = 1_700_000_000_000;
  private readonly timers = new Set<Timer>();

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs + this.wallOffsetMs;
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer = { atMs: this.nowMs + Math.max(0, delayMs), fire };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Timers that have neither fired nor been undone. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  /** Lets the wall clock jump; intervals must not notice. */
  jumpWall(byMs: number): void {
    this.wallOffsetMs += byMs;
  }

  /** Time passes inside a handler: nothing fires. */
  spend(ms: number): void {
    this.nowMs += ms;
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await this.settle();
    for (let next = this.next(untilMs); next !== undefined; next = this.next(untilMs)) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.timers.delete(next);
      next.fire();
      await this.settle();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
    await this.settle();
  }

  /** Lets `turns` turns of the event loop pass: one message of one actor takes one. */
  async settle(turns = 12): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  private next(untilMs: number): Timer | undefined {
    const due = [...this.timers].filter((timer) => timer.atMs <= untilMs);
    return due.sort((a, b) => a.atMs - b.atMs)[0];
  }
}
