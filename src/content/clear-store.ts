// Empties the cache, or the part of it that belongs to one origin or one content, because a person said so. Called by the
// store. Manifests go first, page by page, then the chunks that nothing uses any more, in batches; others go on in between.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { limits } from '../platform/limits.ts';
import type { ChunkRow } from './cache-index.ts';
import type { ContentKey } from './content-key.ts';
import type { Evictor } from './evictor.ts';
import type { StoreState } from './store-state.ts';

export interface ClearOptions {
  readonly originId?: string;
  readonly content?: ContentKey;
  readonly includePinned: boolean;
  /** Only says what would go. */
  readonly dryRun: boolean;
}

export interface ClearResult {
  readonly bytes: number;
  readonly chunks: number;
}

export async function clearStore(
  state: StoreState,
  evictor: Evictor,
  options: ClearOptions,
): Promise<ClearResult> {
  const { signal } = state.closing;
  const manifests = state.withIndex((index) => index.manifestsToClear(options)) ?? [];
  if (options.dryRun) return wouldGo(state, new Set(manifests), options);
  let bytes = 0;
  let chunks = 0;
  const remove = async (rows: readonly ChunkRow[]) => {
    const gone = await evictor.removeUnused(rows);
    bytes += gone.bytes;
    chunks += gone.chunks;
  };
  for (const manifest of manifests) {
    for (let isGone = false; !isGone && !signal.aborted; await nextTurn()) {
      isGone = await state.lane.add(async () => {
        const dropped = state.withIndex((index) => {
          const step = index.dropPages(manifest, limits.manifestPagesAtOnce);
          return { isGone: step.isGone, unused: index.unusedOf(step.chunks) };
        });
        await remove(dropped?.unused ?? []);
        return dropped?.isGone ?? true;
      });
    }
  }
  for (let isMore = isEverything(options); isMore && !signal.aborted; await nextTurn()) {
    isMore = await state.lane.add(async () => {
      const rows =
        state.withIndex((index) => index.unusedChunks(Number.MAX_SAFE_INTEGER, limits.evictionBatch)) ?? [];
      const before = chunks;
      await remove(rows.map(({ chunk, name, lengthBytes }) => ({ id: chunk, name, length: lengthBytes })));
      return rows.length === limits.evictionBatch && chunks > before;
    });
  }
  return { bytes, chunks };
}

/** Chunks of no file go only when everything goes. */
function isEverything({ originId, content }: ClearOptions): boolean {
  return originId === undefined && content === undefined;
}

const chunksAtOnce = 500;

/** Chunks all of whose users would go. */
async function wouldGo(
  state: StoreState,
  manifests: ReadonlySet<number>,
  options: ClearOptions,
): Promise<ClearResult> {
  let bytes = 0;
  let chunks = 0;
  for (let after = 0, isMore = true; isMore && !state.closing.signal.aborted; await nextTurn()) {
    const rows = state.withIndex((index) => index.usersBehind(after, chunksAtOnce)) ?? [];
    for (const { id, length, users } of rows) {
      after = id;
      const goes =
        users.length === 0 ? isEverything(options) : users.every((manifest) => manifests.has(manifest));
      if (!goes) continue;
      bytes += length;
      chunks += 1;
    }
    isMore = rows.length === chunksAtOnce;
  }
  return { bytes, chunks };
}
