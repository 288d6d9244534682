// Time as a value that is passed in. Intervals are monotonic; only what is shown to people or stored uses the wall clock.

/** What a module that waits or measures is given. Tests hand in a simulated one. */
export interface Clock {
  /** Milliseconds on a clock that never jumps. */
  monotonicMs(): number;
  /** Milliseconds since 1970, as people see it; may jump. */
  wallMs(): number;
  /**
   * Calls `fire` once after `delayMs` (0 … 2^31 - 1; longer ones are cut to that, as Node would fire at once).
   * Returns an undo that may be called at any time and twice. The timer does not keep the process alive.
   */
  after(delayMs: number, fire: () => void): () => void;
}

const longestDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(Math.max(delayMs, 0), longestDelayMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
