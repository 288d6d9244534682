// The pictures of one album: the best that can be decoded is made in its three sizes and kept. Called by the artwork actor,
// one album at a time.
import type { MadeFile, MadeStore } from '../made/made-store.ts';
import type { AlbumWantingArt } from './album-wanting-art.ts';
import { Later, PictureSearch, type PictureSearchOptions } from './picture-search.ts';
import type { RenditionSize } from './rendition-protocol.ts';

export type AlbumArt =
  | { readonly type: 'made'; readonly files: ReadonlyMap<RenditionSize, MadeFile> }
  /** It has no picture, as long as it stays as it is. */
  | { readonly type: 'none' }
  /** That cannot be told now. `origin`: the one that is away; null: something else, of this album only. */
  | { readonly type: 'later'; readonly origin: string | null; readonly why: string };

export interface AlbumArtOptions extends PictureSearchOptions {
  readonly store: Pick<MadeStore, 'put'>;
}

/**
 * Rejects with what concerns every album: `storage_full` and the other failures of the store, `refused` when no process can
 * be started, `overloaded`, `internal`, and the signal's reason. `away`: origins that need not be asked.
 */
export async function makeAlbumArt(
  album: AlbumWantingArt,
  options: AlbumArtOptions,
  away: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<AlbumArt> {
  const search = new PictureSearch(options, away, signal);
  try {
    const renditions = await search.firstThatDecodes(album);
    if (renditions !== null) return { type: 'made', files: await kept(renditions, options, signal) };
    if (search.hasMissed)
      return { type: 'later', origin: null, why: 'its files are not as they were scanned' };
    return { type: 'none' };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Later)) throw error;
    return { type: 'later', origin: error.origin, why: error.message };
  } finally {
    await search.end();
  }
}

async function kept(
  renditions: ReadonlyMap<RenditionSize, Uint8Array>,
  { store, failpoints }: AlbumArtOptions,
  signal: AbortSignal,
): Promise<Map<RenditionSize, MadeFile>> {
  const files = new Map<RenditionSize, MadeFile>();
  for (const [size, bytes] of renditions) {
    await failpoints.pass('artwork.store', undefined, signal);
    files.set(size, await store.put(bytes, signal));
  }
  return files;
}
