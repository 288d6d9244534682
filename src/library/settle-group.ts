// One folder group from its files to what each is filed by: the guessed album artist, the values they share, the album.
// Called whenever a group's files or their tags change; also for a file without a group, alone.
import { type AlbumArtist, albumArtistOf } from './album-artist.ts';
import { albumKeyOf, majorityOf, type SharedFields, withShared } from './album-identity.ts';
import { type FolderGuess, folderGuessOf, type GroupTrack } from './folder-guess.ts';
import type { LibraryOptions } from './library-options.ts';
import { sameTextKey } from './same-text.ts';
import { splitListFields } from './split-values.ts';

export interface SettledTrack {
  readonly albumArtist: AlbumArtist;
  readonly shared: SharedFields;
  readonly albumKey: string;
}

export interface SettledGroup {
  readonly guess: FolderGuess | null;
  /** In the order of the files given; what a file gets does not depend on that order. */
  readonly tracks: readonly SettledTrack[];
}

/** Settles all files of one group. `hash` gives hex digits. */
export function settleGroup(
  group: readonly GroupTrack[],
  options: LibraryOptions,
  hash: (text: string) => string,
): SettledGroup {
  const guess = folderGuessOf(group, options);
  const files = group.map((track) => {
    const tags = splitListFields(track.tags, options);
    const albumArtist = albumArtistOf(tags, options, guess);
    return { tags, albumArtist, artistKey: sameTextKey(albumArtist.name) };
  });
  const shared = new Map(
    [...Map.groupBy(files, ({ artistKey }) => artistKey)].map(([artistKey, members]) => [
      artistKey,
      majorityOf(members.map(({ tags }) => tags)),
    ]),
  );
  const tracks = files.map(({ tags, albumArtist, artistKey }) => {
    const fields = shared.get(artistKey) ?? {};
    const albumKey = albumKeyOf(albumArtist.name, withShared(tags, fields), hash);
    return { albumArtist, shared: fields, albumKey };
  });
  return { guess, tracks };
}
