// Ranges whose read has just failed: for a moment they fail at once, as the kernel asks twice for a page.
import type { Clock } from '../platform/clock.ts';
import type { ErrorCode } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';

interface FailedRange {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly untilMs: number;
  readonly code: ErrorCode;
}

const longestList = 256;

export class FailedRanges {
  private readonly clock: Clock;
  private readonly ranges: FailedRange[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Remembers it; returns the code. `key` says which content. */
  add(key: string, start: number, lengthBytes: number, code: ErrorCode): ErrorCode {
    if (this.ranges.length >= longestList) this.ranges.shift();
    const untilMs = this.clock.monotonicMs() + limits.failedRangeMs;
    this.ranges.push({ key, start, end: start + lengthBytes, untilMs, code });
    return code;
  }

  /** Why a range that contains this one failed a moment ago. */
  find(key: string, start: number, lengthBytes: number): ErrorCode | undefined {
    if (this.ranges.length === 0) return undefined;
    const now = this.clock.monotonicMs();
    while (this.ranges[0] !== undefined && this.ranges[0].untilMs < now) this.ranges.shift();
    const end = start + lengthBytes;
    return this.ranges.find((range) => range.key === key && range.start <= start && end <= range.end)?.code;
  }
}
