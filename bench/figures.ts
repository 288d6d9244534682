// Every figure of the bench: what it is called, its unit, and which direction is better.
export interface FigureDefinition {
  readonly title: string;
  readonly unit: 's' | 'ms' | 'us' | 'MB' | 'MB/s' | 'files/s' | '%';
  readonly better: 'less' | 'more';
}

const more = (title: string, unit: 'MB/s' | 'files/s' | '%') => ({ title, unit, better: 'more' }) as const;
const less = (title: string, unit: 's' | 'ms' | 'us' | 'MB') => ({ title, unit, better: 'less' }) as const;

/** Kinds of origins over a network that the bench has servers for. */
export const remoteKinds = ['sftp', 's3', 'webdav'] as const;
export type RemoteKind = (typeof remoteKinds)[number];

/** In the order of the report. */
export const figures = {
  scanRate: more('scan of small files, warm', 'files/s'),
  firstListingSmall: less('mount to first listing, smallest catalog', 'ms'),
  firstListingMiddle: less('mount to first listing, middle catalog', 'ms'),
  firstListingLarge: less('mount to first listing, largest catalog', 'ms'),
  idleDaemon: less('idle, largest catalog: resident memory of the daemon', 'MB'),
  idleAll: less('idle, largest catalog: proportional memory of all processes', 'MB'),
  wideNames: less('very large directory, names, cold', 's'),
  wideStat: less('very large directory with stat, cold', 's'),
  firstListing: less('mount to first listing, small files', 'ms'),
  walkCold: less('walk with stat, cold', 's'),
  walkAgain: less('walk with stat, repeated', 's'),
  walkParallel: less('8 walkers at once, warm', 's'),
  statStorm: less('stat of every file by name, warm', 'us'),
  openReadCold: less('open, read 4 KiB, close, cold', 'us'),
  openReadWarm: less('open, read 4 KiB, close, warm', 'us'),
  loadedDaemon: less('after walking and reading: resident memory of the server', 'MB'),
  loadedAll: less('after walking and reading: proportional memory of all processes', 'MB'),
  sequentialCold: more('sequential read, 1 MiB, cold', 'MB/s'),
  sequentialWarm: more('sequential read, 1 MiB, warm', 'MB/s'),
  directCold: more('O_DIRECT read, 1 MiB, cold', 'MB/s'),
  directMemory: more('O_DIRECT read, 1 MiB, origin in memory', 'MB/s'),
  random4k: less('random read, 4 KiB, cold', 'us'),
  random128k: less('random read, 128 KiB, cold', 'us'),
  remoteCached: more('kept file, sequential read through the mount', 'MB/s'),
  remoteCachedDirect: more('the same, O_DIRECT 1 MiB', 'MB/s'),
  firstByteSftp: less('sftp 50 ms away: first byte of a file', 'ms'),
  firstByteS3: less('s3 50 ms away: first byte of a file', 'ms'),
  firstByteWebdav: less('webdav 50 ms away: first byte of a file', 'ms'),
  seekSftp: less('sftp 50 ms away: first byte behind a seek', 'ms'),
  seekS3: less('s3 50 ms away: first byte behind a seek', 'ms'),
  seekWebdav: less('webdav 50 ms away: first byte behind a seek', 'ms'),
  seekBytesSftp: less('sftp: fetched for a seek', 'MB'),
  seekBytesS3: less('s3: fetched for a seek', 'MB'),
  seekBytesWebdav: less('webdav: fetched for a seek', 'MB'),
  farSftp: more('sftp 50 ms away: sequential read', 'MB/s'),
  farS3: more('s3 50 ms away: sequential read', 'MB/s'),
  farWebdav: more('webdav 50 ms away: sequential read', 'MB/s'),
  nearSftp: more('sftp: sequential read', 'MB/s'),
  nearS3: more('s3: sequential read', 'MB/s'),
  nearWebdav: more('webdav: sequential read', 'MB/s'),
  keptShare: more('share of a file read at full speed that is kept', '%'),
  crowdRead: less('100 readers at once: longest read', 'ms'),
  crowdMetadata: less('100 readers at once: names and attributes, 99 of 100', 'ms'),
  chunking: more('cutting and hashing, one core', 'MB/s'),
  remoteIdle: less('origin over a network, idle: resident memory of the daemon', 'MB'),
  remoteStreamed: less('while a big file is fetched: most resident memory of the daemon', 'MB'),
  remoteOpenFiles: less('1,000 files open, 10 GB kept: resident memory of the daemon', 'MB'),
} satisfies Record<string, FigureDefinition>;

/** The figure of one kind of origin. */
export function ofKind(
  figure: 'firstByte' | 'seek' | 'seekBytes' | 'far' | 'near',
  kind: RemoteKind,
): FigureId {
  const names = { sftp: 'Sftp', s3: 'S3', webdav: 'Webdav' } as const;
  return `${figure}${names[kind]}`;
}

export type FigureId = keyof typeof figures;
export const figureIds = Object.keys(figures) as readonly FigureId[];
