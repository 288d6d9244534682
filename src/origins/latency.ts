// How long an origin takes to its first byte: the last 100 answers.
const samplesKept = 100;
const recentSamples = 20;
/** What is older says nothing about how the origin is now: one that was slow gets its chance again. */
const recentMs = 120_000;

export class Latency {
  private readonly samples: { readonly atMs: number; readonly ms: number }[] = [];
  private readonly expectedMs: number;

  /** `expectedMs` stands for the middle while nothing has been seen. */
  constructor(expectedMs: number) {
    this.expectedMs = expectedMs;
  }

  /** `atMs` is of the monotonic clock. */
  add(ms: number, atMs: number): void {
    this.samples.push({ atMs, ms });
    if (this.samples.length > samplesKept) this.samples.shift();
  }

  /** What was seen says nothing any more. */
  forget(): void {
    this.samples.length = 0;
  }

  p50(): number {
    return this.at(this.samples, 0.5);
  }

  p99(): number {
    return this.at(this.samples, 0.99);
  }

  /** The middle of the last 20 of two minutes; the expected one while there are fewer, as one slow answer shows nothing. */
  recentP50(nowMs: number): number {
    const recent = this.samples.slice(-recentSamples).filter(({ atMs }) => atMs > nowMs - recentMs);
    return recent.length < recentSamples ? this.expectedMs : this.at(recent, 0.5);
  }

  private at(samples: readonly { readonly ms: number }[], share: number): number {
    const sorted = samples.map(({ ms }) => ms).toSorted((a, b) => a - b);
    return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? this.expectedMs;
  }
}
