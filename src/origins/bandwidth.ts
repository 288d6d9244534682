// A token bucket for one origin: what nobody waits for comes no faster than is allowed at that time of the day. Reads that
// somebody waits for are never held up, but what they took is paid back by what follows.
import type { Clock } from '../platform/clock.ts';
import type { BandwidthRule } from '../platform/origin-settings.ts';

/** What may come at once after a time of nothing, in seconds of the rate. */
const burstSeconds = 1;

/** Bytes a second at a minute of the day; 0: no limit. Pure. */
export function rateAt(rules: readonly BandwidthRule[], minute: number): number {
  const rule = rules.find(({ fromMinute, toMinute }) =>
    fromMinute <= toMinute
      ? minute >= fromMinute && minute < toMinute
      : minute >= fromMinute || minute < toMinute,
  );
  return rule?.bytesPerSecond ?? 0;
}

export class Bandwidth {
  private readonly rules: readonly BandwidthRule[];
  private readonly clock: Clock;
  private tokens = 0;
  private filledAtMs: number;

  constructor(rules: readonly BandwidthRule[], clock: Clock) {
    this.rules = rules;
    this.clock = clock;
    this.filledAtMs = clock.monotonicMs();
  }

  /** Counts bytes that came. Returns ms until the next may be asked for. */
  take(bytes: number): number {
    const now = new Date(this.clock.wallMs());
    const rate = rateAt(this.rules, now.getHours() * 60 + now.getMinutes());
    const atMs = this.clock.monotonicMs();
    const earned = ((atMs - this.filledAtMs) * rate) / 1000;
    this.filledAtMs = atMs;
    if (rate === 0) {
      this.tokens = 0;
      return 0;
    }
    this.tokens = Math.min(this.tokens + earned, rate * burstSeconds) - bytes;
    return this.tokens >= 0 ? 0 : (-this.tokens * 1000) / rate;
  }
}
