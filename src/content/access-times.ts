// When chunks were last used, and the clock this is told by. Owned by the store.
//
// Access times are ms that never go back: the wall clock at the start, or the newest time in the index when that is later,
// and from there on the monotonic clock. So the order holds over restarts and whatever people do to the wall clock.
// What changed is kept in memory until `flushed`; a SIGKILL costs that and nothing else.
import type { Clock } from '../platform/clock.ts';

export class AccessTimes {
  private readonly clock: Clock;
  private readonly base: number;
  private pending = new Map<number, number>();
  private pendingSinceMs = 0;

  /** `newest` is the latest time in the index. */
  constructor(clock: Clock, newest: number) {
    this.clock = clock;
    this.base = Math.max(Math.floor(clock.wallMs()), newest + 1) - Math.floor(clock.monotonicMs());
  }

  now(): number {
    return this.base + Math.floor(this.clock.monotonicMs());
  }

  touch(chunk: number): void {
    if (this.pending.size === 0) this.pendingSinceMs = this.clock.monotonicMs();
    this.pending.set(chunk, this.now());
  }

  /** The last use that the index does not know yet. */
  lastOf(chunk: number): number | undefined {
    return this.pending.get(chunk);
  }

  /** Changes that wait, and for how long the first of them has. */
  get waiting(): { readonly count: number; readonly ms: number } {
    const count = this.pending.size;
    return { count, ms: count === 0 ? 0 : this.clock.monotonicMs() - this.pendingSinceMs };
  }

  entries(): ReadonlyMap<number, number> {
    return this.pending;
  }

  flushed(): void {
    this.pending = new Map();
  }
}
