// How much of everything: the full bench, and a quick one that shows that it runs.
export interface Sizes {
  readonly rounds: number;
  /** Small FLAC files of about 8 KiB, and the folders they lie in. */
  readonly smallFiles: number;
  readonly smallFolders: number;
  readonly bigFileBytes: number;
  /** Files in one directory. */
  readonly wideFiles: number;
  /** Small files that are opened and read in one pass. */
  readonly openedFiles: number;
  readonly randomReads: number;
  /** Tracks of the catalogs whose start is measured, ascending. */
  readonly catalogs: readonly [small: number, middle: number, large: number];
  /** How long a daemon is left alone before its idle memory is looked at. */
  readonly idleMs: number;
  /** Whether each measurement waits for the scan with which a daemon begins some seconds after its start. */
  readonly waitsForScan: boolean;
}

export const fullSizes: Sizes = {
  rounds: 3,
  smallFiles: 20_000,
  smallFolders: 1_700,
  bigFileBytes: 1024 ** 3,
  wideFiles: 100_000,
  openedFiles: 4_000,
  randomReads: 4_000,
  catalogs: [1_000, 100_000, 1_000_000],
  // What a start allocates is given back within 10 s.
  idleMs: 13_000,
  waitsForScan: true,
};

export const quickSizes: Sizes = {
  rounds: 1,
  smallFiles: 1_000,
  smallFolders: 85,
  bigFileBytes: 64 * 1024 ** 2,
  wideFiles: 3_000,
  openedFiles: 500,
  randomReads: 500,
  catalogs: [1_000, 5_000, 20_000],
  idleMs: 13_000,
  waitsForScan: false,
};
