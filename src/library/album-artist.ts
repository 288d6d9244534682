// Who an album is filed under. The rules are tried in order; the id of the one that decided is kept, so that a person
// can be told why. The rules that need other tracks of the folder (aa5) or edits of the user (aa1) are not here.
//
//   aa2  the album artist tag            aa6  the track's first artist, guests cut off
//   aa3  the list of album artists       aa7  nobody is named
//   aa4  the compilation flag
import type { LibraryOptions } from './library-options.ts';
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
  readonly rule: 'aa2' | 'aa3' | 'aa4' | 'aa6' | 'aa7';
  /** The album belongs to many. */
  readonly isVarious: boolean;
}

/** The first rule that gives a name. */
export function albumArtistOf(tags: TrackTags, options: LibraryOptions): AlbumArtist {
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
  const primary = primaryArtistOf(tags);
  if (primary === undefined) return named('Unknown Artist', 'aa7', undefined);
  return named(primary, 'aa6', primary === tags.artist ? tags.artistSort : undefined);
}

/** The one artist of a track that counts most: the first of the list, else the shown artist without guests. */
export function primaryArtistOf(tags: TrackTags): string | undefined {
  return tags.artists?.[0] ?? (tags.artist === undefined ? undefined : withoutGuests(tags.artist));
}

/** "A feat. B" → "A". Only for finding the primary artist, never for what is shown. */
export function withoutGuests(artist: string): string {
  return guestMarker.exec(artist)?.[1] ?? artist;
}

function isVariousName(name: string, options: LibraryOptions): boolean {
  return variousNames.test(name.trim()) || name.toLowerCase() === options.variousArtists.toLowerCase();
}

function isVariousId(tags: TrackTags): boolean {
  return tags.mbAlbumArtistIds?.length === 1 && tags.mbAlbumArtistIds[0]?.toLowerCase() === variousArtistsId;
}
