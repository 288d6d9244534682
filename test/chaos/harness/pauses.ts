// How long readers stood because of a fault: arithmetic on what the readers told and when the faults were. Pure.

/** One fault, from its injection until what it hit was seen to be well again. Wall clock, ms since 1970. */
export interface Fault {
  readonly kind: string;
  /** What was hit and how: "actor indexer: crash". */
  readonly name: string;
  readonly atMs: number;
  readonly wellAtMs: number;
}

/** A step of a reader that took long. */
interface Stood {
  readonly startedAtMs: number;
  readonly tookMs: number;
}

export interface PauseFigures {
  readonly kind: string;
  readonly faults: number;
  /** Pauses of readers, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Until the part was well again, ms. */
  readonly wellP50: number;
  readonly wellMax: number;
}

/**
 * The longest time for which a reader's step stood after the fault and before its end: 0 when no step was long enough
 * to be told of.
 */
export function pauseOf({ atMs, wellAtMs }: Fault, stood: readonly Stood[]): number {
  return stood.reduce((longest, { startedAtMs, tookMs }) => {
    const endedAtMs = startedAtMs + tookMs;
    if (startedAtMs > wellAtMs || endedAtMs < atMs) return longest;
    return Math.max(longest, endedAtMs - Math.max(startedAtMs, atMs));
  }, 0);
}

/** A row for each kind of victim, in the order in which they were first hit. */
export function pauseFigures(faults: readonly Fault[], stood: readonly Stood[]): PauseFigures[] {
  const kinds = [...new Set(faults.map(({ kind }) => kind))];
  return kinds.map((kind) => {
    const own = faults.filter((fault) => fault.kind === kind);
    const pauses = own.map((fault) => pauseOf(fault, stood));
    const well = own.map(({ atMs, wellAtMs }) => wellAtMs - atMs);
    return {
      kind,
      faults: own.length,
      p50: percentile(pauses, 0.5),
      p99: percentile(pauses, 0.99),
      max: percentile(pauses, 1),
      wellP50: percentile(well, 0.5),
      wellMax: percentile(well, 1),
    };
  });
}

/** The smallest value that at least this share of all does not exceed; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
