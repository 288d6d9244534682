// Which album of the tree a track is of. Pure.
import { albumArtistOf } from './album-artist.ts';
import { albumKeyOf, withShared } from './album-identity.ts';
import type { LibraryOptions } from './library-options.ts';
import { foldName } from './names.ts';
import { type AlbumFacts, placeTrack } from './placement.ts';
import { splitListFields } from './split-values.ts';
import type { Template } from './template.ts';
import type { TrackFacts } from './track-facts.ts';

/**
 * `place` is shared by albums whose names come out as one directory, '' where no directory shows the album: its files
 * then stand side by side with those of its namesakes. `key` is the album's own. `hash` gives hex digits.
 */
export function albumOf(
  facts: TrackFacts,
  album: AlbumFacts,
  template: Template,
  options: LibraryOptions,
  hash: (text: string) => string,
): { readonly key: string; readonly place: string } {
  const { directories, albumDirectory, isUnsorted } = placeTrack(facts, album, template, options);
  const folder = hash(directories.map(({ name }) => foldName(name)).join('/'));
  if (albumDirectory === null || isUnsorted) return { key: folder, place: '' };
  const place = hash(
    directories
      .slice(0, albumDirectory + 1)
      .map(({ name }) => foldName(name))
      .join('/'),
  );
  const split = splitListFields(facts.tags, options);
  const tags = album.shared === undefined || album.shared === null ? split : withShared(split, album.shared);
  const artist = albumArtistOf(tags, options, album.guess ?? null).name;
  return { key: hash(`${place}/${albumKeyOf(artist, tags, hash)}`), place };
}
