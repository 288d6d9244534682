// Who an album is filed under. The rules are tried in order; the id of the one that decided is kept, so that a person
// can be told why. Edits of the user (aa1) are not here; what the other tracks of the folder suggest (aa5) is brought
// along by the caller (folder-guess.ts).
//
//   aa2  the album artist tag            aa5  the guess from the folder
//   aa3  the list of album artists       aa6  the track's first artist, guests cut off
//   aa4  the compilation flag            aa7  nobody is named
import { defaultLibraryOptions, type LibraryOptions } from './library-options.ts';
import { moveArticle } from './sort-name.ts';
import { joinNames } from './tag-text.ts';
import type { TrackTags } from './track-tags.ts';

/** The artist that MusicBrainz files compilations under. */
const variousArtistsId = '89ad4ac3-39f7-470e-963a-56509c546377';

const variousNames = /^(?:various|va|v\.\s?a\.?|various artists?|diverse|verschiedene)$/i;

const guestMarker = /^(.*?\S)\s+[([]?(?:feat\.?|ft\.?|featuring|with)\s+\S/i;

export interface AlbumArtist {
  readonly name: string;
  readonly sortName: string;
  readonly rule: AlbumArtistRule;
  /** The album belongs to many. */
  readonly isVarious: boolean;
}

export type AlbumArtistRule = 'aa2' | 'aa3' | 'aa4' | 'aa5' | 'aa6' | 'aa7';

/** Whose the album is by its neighbours. */
export interface AlbumArtistGuess {
  readonly name: string;
  /** The name as it is ordered, where tags say it. */
  readonly sortTag?: string;
}

/** The first rule that gives a name. `guess` is that of the track's group, if there is one. */
export function albumArtistOf(
  tags: TrackTags,
  options: LibraryOptions,
  guess: AlbumArtistGuess | null = null,
): AlbumArtist {
  const named = (name: string, rule: AlbumArtist['rule'], sortTag: string | undefined): AlbumArtist => {
    const isVarious = isVariousName(name, options) || isVariousId(tags);
    const shown = isVarious ? options.variousArtists : name;
    const sortName = isVarious ? shown : (sortTag ?? moveArticle(shown, options.articles));
    return { name: shown, sortName, rule, isVarious };
  };
  if (tags.albumArtist !== undefined) return named(tags.albumArtist, 'aa2', tags.albumArtistSort);
  const several = tags.albumArtists ?? [];
  if (several.length > 0) return named(joinNames(several), 'aa3', tags.albumArtistSort);
  if (tags.compilation === true || isVariousId(tags)) return named(options.variousArtists, 'aa4', undefined);
  if (guess !== null) return named(guess.name, 'aa5', guess.sortTag);
  const primary = primaryArtistOf(tags);
  if (primary === undefined) return named('Unknown Artist', 'aa7', undefined);
  return named(primary, 'aa6', primary === tags.artist ? tags.artistSort : undefined);
}

/** Why a file is where it is, as one word: its state where that decides, else the rule that named the album artist. */
export function whyOf(
  { state, tags }: { readonly state: string; readonly tags: TrackTags },
  guess: AlbumArtistGuess | null,
): string {
  return state === 'ok' ? albumArtistOf(tags, defaultLibraryOptions, guess).rule : state;
}

/** The one artist of a track that counts most: the first of the list, else the shown artist without guests. */
export function primaryArtistOf(tags: TrackTags): string | undefined {
  return tags.artists?.[0] ?? (tags.artist === undefined ? undefined : withoutGuests(tags.artist));
}

/** "A feat. B" → "A". Only for finding the primary artist, never for what is shown. */
export function withoutGuests(artist: string): string {
  return guestMarker.exec(artist)?.[1] ?? artist;
}

/** Whether a name is one of those that compilations are filed under. */
export function isVariousName(name: string, options: LibraryOptions): boolean {
  return variousNames.test(name.trim()) || name.toLowerCase() === options.variousArtists.toLowerCase();
}

function isVariousId(tags: TrackTags): boolean {
  return tags.mbAlbumArtistIds?.length === 1 && tags.mbAlbumArtistIds[0]?.toLowerCase() === variousArtistsId;
}
