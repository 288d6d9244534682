// What the artwork actor asks of the catalog, and tells it.
import type { AlbumWantingArt } from '../artwork/album-wanting-art.ts';
import type { MadeFile } from '../made/made-store.ts';
import type { ArtworkSettings } from '../platform/artwork-settings.ts';
import { askWriter, catalogWriter } from './catalog-writer.ts';

export interface MadeName {
  readonly name: string;
  readonly file: MadeFile;
  /** Whether it is there when the directory is listed; it answers to its name in any case. */
  readonly isListed: boolean;
}

/** What the actor asks of the catalog. Each call waits for a bounded time, stops at the signal, and rejects by code. */
export interface ArtworkCatalog {
  /**
   * Up to so many albums for which nobody has looked since their directory changed, in ascending order of directories above
   * `after`. Empty: there are no more.
   */
  wanting(after: number, most: number, signal: AbortSignal): Promise<readonly AlbumWantingArt[]>;
  /**
   * These are the pictures of a directory from now on, in one publication; none: it has none. It does not want one until it
   * changes; a change that came after `wanting` had named it is a new wish, and stays. A real file of such a name wins. May be
   * said twice; of a directory that is gone it says nothing.
   */
  made(directory: number, files: readonly MadeName[], signal: AbortSignal): Promise<void>;
}

/** The catalog of the catalog writer. By other settings than before each album wants its pictures again. */
export function artworkCatalog(settings: ArtworkSettings): ArtworkCatalog {
  let isTold = false;
  /** Which state of a directory was named last: a change that came since is a new wish. */
  const revisions = new Map<number, number>();
  return {
    async wanting(after, most, signal) {
      if (!isTold)
        await askWriter(catalogWriter, { type: 'art-settings', settings: JSON.stringify(settings) }, signal);
      isTold = true;
      let from = after;
      for (;;) {
        const page = await askWriter(
          catalogWriter,
          { type: 'albums-wanting-art', after: from, most },
          signal,
        );
        // Switched off, none is looked at: what was shown goes, a page in one publication.
        const isLookedAt = ({ tracks }: (typeof page)[number]) => settings.enabled && tracks.length > 0;
        const albums = page.filter(isLookedAt);
        const others = page.filter((album) => !isLookedAt(album));
        if (others.length > 0)
          await askWriter(catalogWriter, { type: 'show-no-art', albums: others }, signal);
        revisions.clear();
        for (const { directory, revision } of albums) revisions.set(directory, revision);
        if (albums.length > 0 || page.length < most)
          return albums.map(({ directory, tracks, pictures }) => ({
            directory,
            // They come in the order of discs and tracks.
            tracks: tracks.map((track, index) => ({ ...track, disc: null, track: index + 1 })),
            pictures,
          }));
        from = page.at(-1)?.directory ?? from;
      }
    },
    async made(directory, files, signal) {
      const album = { directory, revision: revisions.get(directory) ?? 0 };
      const shown = files.map(({ name, file, isListed }) => ({ ...file, name, isListed }));
      await askWriter(catalogWriter, { type: 'show-art', album, files: shown }, signal);
    },
  };
}
