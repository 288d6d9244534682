// Sees when the wall clock jumps, by the clock that never does. Whoever relies on times of files looks through one of
// these; it costs two reads of a clock. A machine that slept looks the same as a jump, and is treated so.
import type { Clock } from './clock.ts';
import { limits } from './limits.ts';

interface Jump {
  readonly seenAtMs: number;
  /** Wall time where it would have been without the jump, and where it was. */
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

export class ClockWatch {
  private readonly clock: Pick<Clock, 'monotonicMs' | 'wallMs'>;
  /** Wall minus monotonic, as long as nothing jumps. */
  private offsetMs: number;
  private jumps: readonly Jump[] = [];

  constructor(clock: Pick<Clock, 'monotonicMs' | 'wallMs'>) {
    this.clock = clock;
    this.offsetMs = clock.wallMs() - clock.monotonicMs();
  }

  /** How far the wall clock has jumped since the last look, in ms, back is negative; null when it has not. */
  look(): number | null {
    const seenAtMs = this.clock.monotonicMs();
    const toWallMs = this.clock.wallMs();
    const fromWallMs = seenAtMs + this.offsetMs;
    const byMs = toWallMs - fromWallMs;
    // What is set right in small steps is followed, and never adds up to a jump.
    this.offsetMs = toWallMs - seenAtMs;
    if (Math.abs(byMs) <= limits.clockJumpMs) return null;
    this.jumps = [...this.jumps, { seenAtMs, fromWallMs, toWallMs }].slice(-limits.clockJumpsKept);
    return byMs;
  }

  /** Whether it has jumped within the last `ms`, or ever (no `ms`) as far as this watch knows. */
  hasJumped(ms = Number.POSITIVE_INFINITY): boolean {
    this.look();
    const last = this.jumps.at(-1);
    return last !== undefined && this.clock.monotonicMs() - last.seenAtMs < ms;
  }

  /** A time that a file cannot be believed to have: just before or after a jump, or in the future. */
  isDoubtful(wallMs: number): boolean {
    this.look();
    if (wallMs > this.clock.wallMs() + limits.clockJumpMs) return true;
    const isNear = (jumpWallMs: number) => Math.abs(wallMs - jumpWallMs) <= limits.clockJumpMs;
    return this.jumps.some(({ fromWallMs, toWallMs }) => isNear(fromWallMs) || isNear(toWallMs));
  }
}
