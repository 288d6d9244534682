// How a scan stands: plain values and the arithmetic on them. No clock of its own.

export type ScanPhase = 'listing' | 'parsing' | 'publishing' | 'done';

/** The state of the running or last scan. Counts are files. */
export interface ScanState {
  readonly isRunning: boolean;
  /** Origin being scanned; null before the first scan. */
  readonly originId: string | null;
  readonly phase: ScanPhase | null;
  readonly done: number;
  /** Files met so far, or those known from before when that is more. */
  readonly total: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Files that are missing on the origin but stay listed until a person says so. */
  readonly held: number;
  readonly errors: number;
  /** Symbolic links that were not followed, as they lead out of the origin, nowhere or in a circle. */
  readonly linksRefused: number;
  readonly currentPath: string | null;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
  /** How many scans have ended in this life. */
  readonly ended: number;
  /** The last scan met every directory. */
  readonly wasComplete: boolean;
  /** Nothing of the origin was known when the scan began. */
  readonly isFirst: boolean;
}

export const idleScan: ScanState = {
  isRunning: false,
  originId: null,
  phase: null,
  done: 0,
  total: 0,
  added: 0,
  changed: 0,
  removed: 0,
  held: 0,
  errors: 0,
  linksRefused: 0,
  currentPath: null,
  startedAtMs: 0,
  updatedAtMs: 0,
  ended: 0,
  wasComplete: false,
  isFirst: false,
};

/** Files a second since the scan began; 0 in its first moment. */
export function filesPerSecond(scan: ScanState): number {
  const elapsedMs = scan.updatedAtMs - scan.startedAtMs;
  return elapsedMs <= 0 ? 0 : (scan.done * 1000) / elapsedMs;
}

/** Seconds to the end at the pace so far, or null when that cannot be told. */
export function etaSeconds(scan: ScanState): number | null {
  const rate = filesPerSecond(scan);
  return !scan.isRunning || rate === 0 ? null : Math.max(0, scan.total - scan.done) / rate;
}
