// What the control API may ask about what is kept: pins are the catalog's, the rest is the fetch thread's.
import { askWriter, catalogWriter } from '../actors/catalog-writer.ts';
import { askFetcher, fetcher } from '../actors/fetcher.ts';
import type { StatusBoard } from '../actors/status-board.ts';
import type { CachePort, CacheReport, PrefetchReport, VerifyCacheProgress } from '../control/daemon-port.ts';
import type { PrefetchProgress } from '../fetch/fetch-protocol.ts';
import { MusicfsError } from '../platform/errors.ts';

export interface CachePortOptions {
  readonly board: StatusBoard;
  /** Somebody fetches. Where nobody does, every file is read where it lies and nothing is kept. */
  readonly hasFetcher: boolean;
}

const askMs = 30_000;
/** A whole library over a slow line. */
const longMs = 2 ** 31 - 1;

export function createCachePort({ board, hasFetcher }: CachePortOptions): CachePort {
  return {
    async stats() {
      if (!hasFetcher) return nothingKept;
      const { stats } = await askFetcher({ what: 'cache-stats' }, { timeoutMs: askMs });
      const { cache, origins } = stats;
      const fuse = (name: 'cacheHits' | 'cacheMisses' | 'cacheBytes') => board.fuse?.get(name) ?? 0;
      return {
        ...(cache === null
          ? nothingKept
          : { ...cache, mode: cache.mode === 'no-writes' ? 'no_writes' : cache.mode }),
        hits: fuse('cacheHits'),
        misses: fuse('cacheMisses'),
        bytesFromCache: fuse('cacheBytes'),
        bytesFromOrigins: origins.reduce((sum, { bytes }) => sum + bytes, 0),
      };
    },
    async clear({ originId = null, path = null, includePinned, dryRun }) {
      refuseWithoutFetcher(hasFetcher);
      const call = { what: 'cache-clear', originId, path, includePinned, dryRun } as const;
      const { bytes, chunks } = await askFetcher(call, { timeoutMs: longMs });
      return { bytes, chunks };
    },
    verify(request, signal) {
      refuseWithoutFetcher(hasFetcher);
      return progressOf<VerifyCacheProgress>(async (show) => {
        const { result } = await askFetcher(
          { what: 'cache-verify', ...request },
          {
            timeoutMs: longMs,
            signal,
            onProgress: (part) => {
              if (part.what !== 'cache-verify') return;
              const { foldersDone, folders, checked } = part.progress;
              show({ ...noFindings, share: folders === 0 ? 0 : foldersDone / folders, checked });
            },
          },
        );
        const { checked, bad, missing, orphans, badRows, repaired, isClean } = result;
        show({
          share: 1,
          checked,
          bad: bad + badRows,
          missing,
          orphans,
          repaired,
          done: true,
          clean: isClean,
        });
      });
    },
    async pins() {
      const rows = await askWriter(catalogWriter, { type: 'pins' }, AbortSignal.timeout(askMs));
      if (!hasFetcher || rows.length === 0) {
        return rows.map(({ target }) => ({ path: target, ...noTracks }));
      }
      const { pins } = await askFetcher({ what: 'pins' }, { timeoutMs: askMs });
      const states = new Map(pins.map(({ target, ...state }) => [target, state]));
      return rows.map(({ target }) => ({ path: target, ...(states.get(target) ?? noTracks) }));
    },
    async addPin(path) {
      refuseWithoutFetcher(hasFetcher);
      const target = cleanPath(path);
      await askFetcher({ what: 'find', path: target }, { timeoutMs: askMs });
      const added = await askWriter(catalogWriter, { type: 'add-pin', target }, AbortSignal.timeout(askMs));
      await holdPins();
      return added;
    },
    async removePin(path) {
      const target = cleanPath(path);
      const removed = await askWriter(
        catalogWriter,
        { type: 'remove-pin', target },
        AbortSignal.timeout(askMs),
      );
      if (hasFetcher) await holdPins();
      return removed;
    },
    prefetch(paths, signal) {
      refuseWithoutFetcher(hasFetcher);
      return progressOf<PrefetchReport>(async (show) => {
        const { progress } = await askFetcher(
          { what: 'prefetch', paths: paths.map(cleanPath) },
          {
            timeoutMs: longMs,
            signal,
            onProgress: (part) => part.what === 'prefetch' && show(reportOf(part.progress)),
          },
        );
        show(reportOf(progress));
      });
    },
  };
}

/** Tells the fetch thread what is to be held. */
export async function holdPins(): Promise<void> {
  const rows = await askWriter(catalogWriter, { type: 'pins' }, AbortSignal.timeout(askMs));
  fetcher.tell({ type: 'pin', targets: rows.map(({ target }) => target) });
}

function refuseWithoutFetcher(hasFetcher: boolean): void {
  if (hasFetcher) return;
  throw new MusicfsError(
    'unsupported_operation',
    'every file is read where it lies, so nothing is kept: only origins over a network have a cache',
  );
}

/** What work shows, as it shows it, then its end. */
async function* progressOf<T>(
  work: (show: (progress: T) => void) => Promise<void>,
): AsyncGenerator<T, void, undefined> {
  const shown: T[] = [];
  let wake = Promise.withResolvers<void>();
  let isOver = false;
  const working = work((progress) => {
    shown.splice(0, shown.length, progress); // whoever looks seldom sees the latest
    wake.resolve();
  }).finally(() => {
    isOver = true;
    wake.resolve();
  });
  working.catch(() => undefined);
  for (;;) {
    await wake.promise;
    wake = Promise.withResolvers<void>();
    yield* shown.splice(0);
    if (isOver) break;
  }
  await working;
  yield* shown.splice(0);
}

/** As people write a path of the tree: "/Artist/Album/" is "Artist/Album". */
function cleanPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '')
    .join('/');
}

function reportOf({ currentPath, ...progress }: PrefetchProgress): PrefetchReport {
  return { ...progress, ...(currentPath === null ? {} : { currentPath }) };
}

const noTracks = { tracks: 0, heldTracks: 0, bytes: 0, heldBytes: 0 };
const noFindings = { bad: 0, missing: 0, orphans: 0, repaired: 0, done: false, clean: false };

const nothingKept: CacheReport = {
  ...{
    mode: 'off',
    cause: '',
    limitBytes: 0,
    storedBytes: 0,
    storedChunks: 0,
    logicalBytes: 0,
    sharedShare: 0,
  },
  ...{ completeFiles: 0, partialFiles: 0, pinnedBytes: 0, hits: 0, misses: 0 },
  ...{
    bytesFromCache: 0,
    bytesFromOrigins: 0,
    evictedBytes: 0,
    evictedChunks: 0,
    corruptChunks: 0,
    collisions: 0,
  },
  origins: [],
};
