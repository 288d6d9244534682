// Where the files beside the music appear: lyrics, cue sheets, covers, scans, booklets. Pure.
//
// A sidecar that has the stem of exactly one track of its folder lies next to that track and takes its name; any other
// lies in the album directory that most tracks of the folder went to, below the sub-folder it lies in.
import type { LibraryOptions } from './library-options.ts';
import { cleanName, finishName, normalizeName } from './names.ts';
import { baseNameOf, bytesToText, extensionOf, parentOf, type RealPath, stemOf } from './real-path.ts';

/** A track as it is shown. */
export interface SidecarTrack {
  readonly path: RealPath;
  /** The directory it is listed in, by whatever names it for ever. */
  readonly directory: number;
  readonly name: string;
}

export interface SidecarPlace {
  /** That of the album, or of the track it belongs to. */
  readonly directory: number;
  /** Names of its own sub-folders below that. */
  readonly subFolders: readonly string[];
  readonly name: string;
}

/**
 * Where a file appears that lies in `home`, the folder of the music, or in a folder below it. `tracks` are those of the
 * album, of `home` itself or of the folders of its discs. Null: there are none.
 */
export function sidecarPlace(
  path: RealPath,
  home: RealPath,
  tracks: readonly SidecarTrack[],
  options: Pick<LibraryOptions, 'names' | 'replace'>,
): SidecarPlace | null {
  const album = mostUsed(tracks);
  if (album === null) return null;
  const folder = parentOf(path);
  const shown = bytesToText(baseNameOf(path));
  const extension = shown.slice(-extensionOf(path).length - 1);
  const stem = normalizeName(stemOf(path));
  const [track, ...others] = tracks.filter(
    (each) => parentOf(each.path) === folder && normalizeName(stemOf(each.path)) === stem,
  );
  if (track !== undefined && others.length === 0) {
    const name = finishName(stemOfName(track.name) + extension, options.names, extension);
    return { directory: track.directory, subFolders: [], name };
  }
  const start = home === '' ? 0 : home.length + 1;
  const below = folder === home ? [] : folder.slice(start).split('/');
  return {
    directory: album,
    subFolders: below.map((part) => cleanName(bytesToText(part), options)),
    name: cleanName(shown, options, extension),
  };
}

/** The directory that most tracks are in; of several the lowest. */
function mostUsed(tracks: readonly SidecarTrack[]): number | null {
  const counted = [...Map.groupBy(tracks, ({ directory }) => directory)];
  const [most] = counted.sort(([one, ones], [other, others]) => others.length - ones.length || one - other);
  return most?.[0] ?? null;
}

function stemOfName(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? name : name.slice(0, dot);
}
