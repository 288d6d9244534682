// Which album of the tree a track is of. Pure.
import { albumKeyOf, withShared } from './album-identity.ts';
import type { LibraryOptions } from './library-options.ts';
import { nameKey } from './names.ts';
import { type AlbumFacts, placeTrack } from './placement.ts';
import { splitListFields } from './split-values.ts';
import type { Template } from './template.ts';
import type { TrackFacts } from './track-facts.ts';

/**
 * `place` is shared by albums whose names come out as one directory, '' where no directory shows the album, or none is
 * named: its files then stand side by side with those of its namesakes. `key` is the album's own. `hash` gives hex digits.
 */
export function albumOf(
  facts: TrackFacts,
  album: AlbumFacts,
  template: Template,
  options: LibraryOptions,
  hash: (text: string) => string,
): { readonly key: string; readonly place: string } {
  const { directories, albumDirectory, isUnsorted } = placeTrack(facts, album, template, options);
  const folder = hash(directories.map(({ name }) => nameKey(name, options.case)).join('/'));
  const split = splitListFields(facts.tags, options);
  if (albumDirectory === null || isUnsorted || split.album === undefined) return { key: folder, place: '' };
  const place = hash(
    directories
      .slice(0, albumDirectory + 1)
      .map(({ name }) => nameKey(name, options.case))
      .join('/'),
  );
  const tags = album.shared === undefined || album.shared === null ? split : withShared(split, album.shared);
  // Artist and title are in the place already, as they are shown: other spellings of them make no other album.
  const release = albumKeyOf('', { ...tags, album: '' }, hash);
  return { key: hash(`${place}/${release}`), place };
}
