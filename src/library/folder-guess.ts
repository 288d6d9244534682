// Rule aa5: the album artist of files that name none, guessed from all files of their group (folder-group.ts).
//
// Three tracks or more, none of which says whose the album is (rules aa2 to aa4) or that it is no compilation. When 60 %
// of all tracks have one artist it is that artist's album with guests; otherwise two artists share it, and three or more
// make it a compilation. A track without an artist counts as a track and for nobody.
//
// The guess depends on the set of files only, never on the order in which they were found. Redone when a group changes.
import { type AlbumArtistGuess, albumArtistOf, isVariousName, primaryArtistOf } from './album-artist.ts';
import type { LibraryOptions } from './library-options.ts';
import type { RealPath } from './real-path.ts';
import { splitListFields } from './split-values.ts';
import { joinNames } from './tag-text.ts';
import { commonestOf, type Tallied, tallyOf } from './tally.ts';
import type { TrackTags } from './track-tags.ts';

/** A file of a group. */
export interface GroupTrack {
  readonly realPath: RealPath;
  readonly tags: TrackTags;
}

/** What a guess, or its absence, rests on. */
export interface GroupCounts {
  readonly tracks: number;
  /** Tracks that say whose the album is: by rule aa2, aa3 or aa4. */
  readonly decidedTracks: number;
  /** Tracks whose compilation flag says no. */
  readonly vetoes: number;
  /** Tracks that name an artist. */
  readonly namedTracks: number;
  /** Distinct primary artists. */
  readonly artists: number;
  /** The artists with most tracks, most first; of equals the one that comes first in the album. */
  readonly commonest: readonly { readonly name: string; readonly tracks: number }[];
}

export interface FolderGuess extends AlbumArtistGuess {
  readonly rule: 'aa5';
  readonly isVarious: boolean;
  readonly counts: GroupCounts;
}

/** `unclear`: one artist alone is named, by less than 60 % of the tracks. */
export type NoGuessReason = 'off' | 'few_tracks' | 'decided' | 'vetoed' | 'no_artist' | 'unclear';

const fewestTracks = 3;

/** Artists that are told with the counts: enough for a person to see why. */
const shownArtists = 5;

/** The album artist of a group, or null when the rule does not apply: `noGuessReason` says why. */
export function folderGuessOf(group: readonly GroupTrack[], options: LibraryOptions): FolderGuess | null {
  const { tracks, artists, counts } = examine(group, options);
  if (noGuessReason(counts, options) !== null) return null;
  const various = { rule: 'aa5', name: options.variousArtists, isVarious: true, counts } as const;
  const most = commonestOf(artists);
  if (most !== undefined && isDominant(most.count, counts)) {
    if (isVariousName(most.spelling, options)) return various;
    const sortTag = sortTagOf(most.spelling, tracks);
    const sort = sortTag === undefined ? {} : { sortTag };
    return { rule: 'aa5', name: most.spelling, isVarious: false, ...sort, counts };
  }
  const names = artists.map(({ spelling }) => spelling);
  if (names.length > 2 || names.some((name) => isVariousName(name, options))) return various;
  return { rule: 'aa5', name: joinNames(names), isVarious: false, counts };
}

export function groupCountsOf(group: readonly GroupTrack[], options: LibraryOptions): GroupCounts {
  return examine(group, options).counts;
}

/** Why a group with these counts gets no guess; null when it gets one. */
export function noGuessReason(counts: GroupCounts, options: LibraryOptions): NoGuessReason | null {
  if (!options.guessCompilations) return 'off';
  if (counts.decidedTracks > 0) return 'decided';
  if (counts.vetoes > 0) return 'vetoed';
  if (counts.tracks < fewestTracks) return 'few_tracks';
  if (counts.artists === 0) return 'no_artist';
  return counts.artists === 1 && !isDominant(counts.namedTracks, counts) ? 'unclear' : null;
}

function examine(
  group: readonly GroupTrack[],
  options: LibraryOptions,
): { tracks: readonly TrackTags[]; artists: readonly Tallied[]; counts: GroupCounts } {
  const tracks = inAlbumOrder(group).map(({ tags }) => splitListFields(tags, options));
  const named = tracks.map(primaryArtistOf).filter((name) => name !== undefined);
  const artists = tallyOf(named);
  const counts: GroupCounts = {
    tracks: tracks.length,
    decidedTracks: tracks.filter((tags) => isDecided(tags, options)).length,
    vetoes: tracks.filter(({ compilation }) => compilation === false).length,
    namedTracks: named.length,
    artists: artists.length,
    commonest: [...artists]
      .sort((a, b) => b.count - a.count)
      .slice(0, shownArtists)
      .map(({ spelling, count }) => ({ name: spelling, tracks: count })),
  };
  return { tracks, artists, counts };
}

/** By disc, track and real path: as the album is listed, whenever its files were found. */
function inAlbumOrder(group: readonly GroupTrack[]): readonly GroupTrack[] {
  return [...group].sort(
    (a, b) =>
      (a.tags.disc ?? 1) - (b.tags.disc ?? 1) ||
      (a.tags.track ?? 0) - (b.tags.track ?? 0) ||
      // One character a byte: the order of the strings is the order of the bytes.
      (a.realPath < b.realPath ? -1 : a.realPath > b.realPath ? 1 : 0),
  );
}

function isDecided(tags: TrackTags, options: LibraryOptions): boolean {
  const { rule } = albumArtistOf(tags, options);
  return rule === 'aa2' || rule === 'aa3' || rule === 'aa4';
}

/** 60 % of all tracks or more. */
function isDominant(count: number, { tracks }: GroupCounts): boolean {
  return count * 5 >= tracks * 3;
}

/** The sort tag that most tracks of this very artist carry. */
function sortTagOf(name: string, tracks: readonly TrackTags[]): string | undefined {
  const sortTags = tracks.filter(({ artist }) => artist === name).map(({ artistSort }) => artistSort);
  return commonestOf(tallyOf(sortTags.filter((sortTag) => sortTag !== undefined)))?.spelling;
}
