import { describe, expect, it } from 'vitest';
import { albumArtistOf, primaryArtistOf, withoutGuests } from '../../../src/library/album-artist.ts';
import { defaultLibraryOptions } from '../../../src/library/library-options.ts';
import type { TrackTags } from '../../../src/library/track-tags.ts';

const variousId = '89ad4ac3-39f7-470e-963a-56509c546377';

describe('the album artist', () => {
  it.each<[TrackTags, string, string]>([
    [{ albumArtist: 'Band', albumArtists: ['X'], compilation: true, artist: 'A' }, 'Band', 'aa2'],
    [{ albumArtists: ['X', 'Y', 'Z'], compilation: true, artist: 'A' }, 'X, Y & Z', 'aa3'],
    [{ compilation: true, artist: 'A' }, 'Various Artists', 'aa4'],
    [{ compilation: false, artist: 'A' }, 'A', 'aa6'],
    [{ artists: ['First', 'Second'], artist: 'First & Second' }, 'First', 'aa6'],
    [{ artist: 'Main feat. Guest' }, 'Main', 'aa6'],
    [{ title: 'only a title' }, 'Unknown Artist', 'aa7'],
    [{ albumArtist: 'VA' }, 'Various Artists', 'aa2'],
    [{ albumArtist: 'v.a.' }, 'Various Artists', 'aa2'],
    [{ albumArtist: 'Various' }, 'Various Artists', 'aa2'],
    [{ albumArtist: 'Verschiedene' }, 'Various Artists', 'aa2'],
    [{ albumArtist: 'Různí', mbAlbumArtistIds: [variousId] }, 'Various Artists', 'aa2'],
    [{ albumArtist: 'Variousness' }, 'Variousness', 'aa2'],
  ])('of %j is %j by rule %s', (tags, name, rule) => {
    expect(albumArtistOf(tags, defaultLibraryOptions)).toMatchObject({ name, rule });
  });

  it.each<[TrackTags, string, string]>([
    [{ artist: 'A' }, 'Guess', 'aa5'],
    [{ title: 'only a title' }, 'Guess', 'aa5'],
    [{ albumArtist: 'Band', artist: 'A' }, 'Band', 'aa2'],
    [{ albumArtists: ['X'], artist: 'A' }, 'X', 'aa3'],
    [{ compilation: true, artist: 'A' }, 'Various Artists', 'aa4'],
  ])('of %j in a folder with a guess is %j by rule %s', (tags, name, rule) => {
    expect(albumArtistOf(tags, defaultLibraryOptions, { name: 'Guess' })).toMatchObject({ name, rule });
    expect(albumArtistOf(tags, defaultLibraryOptions, null).rule).not.toBe('aa5');
  });

  it('that is guessed is ordered by the sort tag of the guess and never by that of the track', () => {
    const tags = { artist: 'A', artistSort: 'Own' };
    const guessed = (name: string, sortTag?: string) =>
      albumArtistOf(tags, defaultLibraryOptions, { name, ...(sortTag === undefined ? {} : { sortTag }) });
    expect(guessed('The Guess').sortName).toBe('Guess, The');
    expect(guessed('The Guess', 'Guessed').sortName).toBe('Guessed');
    expect(guessed('Various Artists')).toMatchObject({ isVarious: true, sortName: 'Various Artists' });
    expect(guessed('The Guess').isVarious).toBe(false);
  });

  it('is ordered by its sort tag, else without its article', () => {
    const sortName = (tags: TrackTags) => albumArtistOf(tags, defaultLibraryOptions).sortName;
    expect(sortName({ albumArtist: 'The Beatles' })).toBe('Beatles, The');
    expect(sortName({ albumArtist: 'The Beatles', albumArtistSort: 'Beatles' })).toBe('Beatles');
    expect(sortName({ artist: 'Björk', artistSort: 'Bjork' })).toBe('Bjork');
    expect(sortName({ artist: 'Main feat. Guest', artistSort: 'Main feat. Guest, The' })).toBe('Main');
  });
});

describe('the primary artist', () => {
  it.each([
    ['Main feat. Guest', 'Main'],
    ['Main (ft. Guest)', 'Main'],
    ['Main [featuring Guest]', 'Main'],
    ['Main with Guest', 'Main'],
    ['Main FT Guest', 'Main'],
    ['Withered', 'Withered'],
    ['Feat. Nobody', 'Feat. Nobody'],
    ['Main feat.', 'Main feat.'],
  ])('of %j is %j', (artist, primary) => {
    expect(withoutGuests(artist)).toBe(primary);
    expect(primaryArtistOf({ artist })).toBe(primary);
  });
});
