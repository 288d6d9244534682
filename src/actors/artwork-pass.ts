// One walk over the albums that want a picture, for the artwork actor: page by page, album by album, until there are no more
// or a scan begins. No clock and no state of its own.
import type { AlbumWantingArt } from '../artwork/album-wanting-art.ts';
import type { AlbumArt } from '../artwork/make-album-art.ts';
import type { RenditionSize } from '../artwork/rendition-protocol.ts';
import type { MadeFile } from '../made/made-store.ts';
import { type ArtworkSettings, mediumName, thumbName } from '../platform/artwork-settings.ts';
import { limits } from '../platform/limits.ts';
import type { ArtworkCatalog, MadeName } from './artwork-catalog.ts';

export interface ArtworkPass {
  /** Albums: that have a picture now, that have none, that are left for later. */
  readonly made: number;
  readonly none: number;
  readonly putOff: number;
  /** Why the last one of these was. */
  readonly why: string | null;
  /** Albums up to that directory have had their turn. */
  readonly after: number;
  /** Why it ended. */
  readonly end: 'all' | 'scan';
}

export const nothingDone: ArtworkPass = { made: 0, none: 0, putOff: 0, why: null, after: 0, end: 'all' };

export interface ArtworkPassOptions {
  readonly catalog: ArtworkCatalog;
  readonly settings: ArtworkSettings;
  readonly isScanning: () => boolean;
  readonly make: (
    album: AlbumWantingArt,
    away: ReadonlySet<string>,
    signal: AbortSignal,
  ) => Promise<AlbumArt>;
  readonly signal: AbortSignal;
}

/** How it stands after each album. Rejects as `make` and the catalog do. */
export async function* runArtworkPass(
  from: ArtworkPass,
  { catalog, settings, isScanning, make, signal }: ArtworkPassOptions,
): AsyncGenerator<ArtworkPass> {
  let pass = from;
  const away = new Set<string>();
  for (;;) {
    if (isScanning()) {
      yield { ...pass, end: 'scan' };
      return;
    }
    const albums = await catalog.wanting(pass.after, limits.artworkPage, signal);
    if (albums.length === 0) return;
    for (const album of albums) {
      if (isScanning()) break;
      const art = await make(album, away, signal);
      if (art.type === 'later') {
        if (art.origin !== null) away.add(art.origin);
        pass = { ...pass, putOff: pass.putOff + 1, why: art.why };
      } else {
        const files = art.type === 'made' ? namesOf(art.files, settings) : [];
        await catalog.made(album.directory, files, signal);
        pass = { ...pass, [art.type]: pass[art.type] + 1 };
      }
      pass = { ...pass, after: album.directory };
      yield pass;
    }
  }
}

function namesOf(files: ReadonlyMap<RenditionSize, MadeFile>, settings: ArtworkSettings): MadeName[] {
  const named = (size: RenditionSize, name: string, isListed: boolean): MadeName[] => {
    const file = files.get(size);
    return file === undefined ? [] : [{ name, file, isListed }];
  };
  return [
    ...settings.names.flatMap((name) => named('full', name, true)),
    ...named('medium', mediumName, settings.listSizes),
    ...named('thumb', thumbName, settings.listSizes),
  ];
}
