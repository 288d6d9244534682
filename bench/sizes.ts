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
  /** On the servers: the big file, songs of 4 MB beside it, and how much of the big file is read at once. */
  readonly remoteBigBytes: number;
  readonly remoteSongs: number;
  readonly remoteReadBytes: number;
  /** Readers at once, and for how long. */
  readonly crowd: number;
  readonly crowdSeconds: number;
  /** Files that are open at once, and bytes that are kept of them all. */
  readonly openFiles: number;
  readonly keptBytes: number;
  /** Bytes that are cut and hashed. */
  readonly chunkedBytes: number;
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
  remoteBigBytes: 512 * 1024 ** 2,
  remoteSongs: 120,
  remoteReadBytes: 256 * 1024 ** 2,
  crowd: 100,
  crowdSeconds: 20,
  openFiles: 1_000,
  keptBytes: 10e9,
  chunkedBytes: 512 * 1024 ** 2,
  // What a start and the scan that follows it allocate is given back within 15 s.
  idleMs: 16_000,
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
  remoteBigBytes: 64 * 1024 ** 2,
  remoteSongs: 36,
  remoteReadBytes: 32 * 1024 ** 2,
  crowd: 10,
  crowdSeconds: 3,
  openFiles: 50,
  keptBytes: 1e8,
  chunkedBytes: 64 * 1024 ** 2,
  idleMs: 13_000,
  waitsForScan: false,
};
