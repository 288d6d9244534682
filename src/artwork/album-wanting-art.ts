// An album for which a picture is to be found, as the catalog names it to the artwork actor.
import type { ArtFile } from './brought-files.ts';

export interface AlbumTrack extends ArtFile {
  /** As tagged; null where it is not. */
  readonly disc: number | null;
  readonly track: number | null;
}

/** An album directory for which nobody has looked for a picture since it changed. */
export interface AlbumWantingArt {
  /** The directory's id. */
  readonly directory: number;
  readonly tracks: readonly AlbumTrack[];
  /** Files that lie beside them, of whatever kind. */
  readonly pictures: readonly ArtFile[];
}
