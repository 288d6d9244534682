// Every figure of the bench: what it is called, its unit, and which direction is better.
export interface FigureDefinition {
  readonly title: string;
  readonly unit: 's' | 'ms' | 'us' | 'MB' | 'MB/s' | 'files/s';
  readonly better: 'less' | 'more';
}

const more = (title: string, unit: 'MB/s' | 'files/s') => ({ title, unit, better: 'more' }) as const;
const less = (title: string, unit: 's' | 'ms' | 'us' | 'MB') => ({ title, unit, better: 'less' }) as const;

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
} satisfies Record<string, FigureDefinition>;

export type FigureId = keyof typeof figures;
export const figureIds = Object.keys(figures) as readonly FigureId[];
