import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  folderGuessOf,
  type GroupTrack,
  groupCountsOf,
  noGuessReason,
} from '../../../src/library/folder-guess.ts';
import { defaultLibraryOptions, type LibraryOptions } from '../../../src/library/library-options.ts';
import { realPath } from '../../../src/library/real-path.ts';
import type { TrackTags } from '../../../src/library/track-tags.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const options = defaultLibraryOptions;

/** A folder whose tracks are numbered as they are given; a text is an artist. */
function folder(...tracks: readonly (string | TrackTags)[]): readonly GroupTrack[] {
  return tracks.map((track, index) => ({
    realPath: realPath(`Album/${String(index + 1).padStart(2, '0')}.flac`),
    tags: { album: 'Album', track: index + 1, ...(typeof track === 'string' ? { artist: track } : track) },
  }));
}

const times = (count: number, artist: string): string[] => Array.from({ length: count }, () => artist);

function reasonFor(group: readonly GroupTrack[], changed: Partial<LibraryOptions> = {}): string | null {
  const all = { ...options, ...changed };
  const reason = noGuessReason(groupCountsOf(group, all), all);
  expect(folderGuessOf(group, all) === null).toBe(reason !== null);
  return reason;
}

describe('the album artist of a folder', () => {
  it.each<[string, readonly (string | TrackTags)[], string, boolean]>([
    ['three artists', ['A', 'B', 'C'], 'Various Artists', true],
    ['one artist', ['A', 'A', 'A'], 'A', false],
    ['an artist of exactly 60 %', ['B', 'A', 'A', 'A', 'C'], 'A', false],
    ['an artist of less than 60 %', [...times(4, 'A'), ...times(3, 'B')], 'A & B', false],
    ['less than 60 % and a third artist', [...times(4, 'A'), 'B', 'B', 'C'], 'Various Artists', true],
    ['two artists, the second one first', ['B', 'B', 'A', 'A'], 'B & A', false],
    ['guests', ['A', 'A feat. X', 'A ft. Y', 'A (with Z)'], 'A', false],
    ['lists of artists', [{ artists: ['A', 'X'] }, { artists: ['A'] }, { artists: ['A', 'Y'] }], 'A', false],
    ['nobody on some tracks', ['A', 'A', 'A', {}, {}], 'A', false],
    ['an artist named as a compilation', times(3, 'VA'), 'Various Artists', true],
    ['a pair with a compilation', ['VA', 'VA', 'A', 'A'], 'Various Artists', true],
  ])('with %s', (_, tracks, name, isVarious) => {
    expect(folderGuessOf(folder(...tracks), options)).toMatchObject({ rule: 'aa5', name, isVarious });
  });

  it.each<[string, readonly (string | TrackTags)[], string]>([
    ['two tracks', ['A', 'B'], 'few_tracks'],
    ['an album artist on one track', ['A', 'B', { artist: 'C', albumArtist: 'D' }], 'decided'],
    ['a list of album artists on one track', ['A', 'B', { artist: 'C', albumArtists: ['D'] }], 'decided'],
    ['a compilation flag on one track', ['A', 'B', { artist: 'C', compilation: true }], 'decided'],
    [
      'the id of Various Artists on one track',
      ['A', 'B', { artist: 'C', mbAlbumArtistIds: ['89AD4AC3-39F7-470E-963A-56509C546377'] }],
      'decided',
    ],
    ['a track that is said to be no compilation', ['A', 'B', { artist: 'C', compilation: false }], 'vetoed'],
    ['no artists', [{}, {}, {}], 'no_artist'],
    ['one artist on less than 60 %', ['A', {}, {}], 'unclear'],
  ])('is not guessed with %s', (_, tracks, reason) => {
    expect(reasonFor(folder(...tracks))).toBe(reason);
  });

  it('is not guessed when that is switched off', () => {
    const group = folder('A', 'B', 'C');
    expect(reasonFor(group)).toBeNull();
    expect(reasonFor(group, { guessCompilations: false })).toBe('off');
  });

  it('is spelled as most tracks spell it, then by the lowest bytes', () => {
    const name = (...tracks: string[]) => folderGuessOf(folder(...tracks), options)?.name;
    expect(name('beyonce', 'Beyoncé', 'Beyoncé')).toBe('Beyoncé');
    expect(name('beyonce', 'BEYONCE', 'Beyonce')).toBe('BEYONCE');
    expect(name('The  Band', 'TheBand', 'The Band', 'The Band')).toBe('The Band');
  });

  it('is called as the options call compilations', () => {
    const guess = folderGuessOf(folder('A', 'B', 'C'), { ...options, variousArtists: 'Sampler' });
    expect(guess).toMatchObject({ name: 'Sampler', isVarious: true });
  });

  it('is ordered by the sort tag of most of its own tracks', () => {
    const tagged = (artist: string, artistSort: string) => ({ artist, artistSort });
    const group = folder(
      tagged('Björk', 'Bjork'),
      tagged('Björk', 'Bjork'),
      tagged('Björk', 'Gudmundsdottir'),
      ...[1, 2, 3].map(() => tagged('Björk feat. X', 'Bjork feat. X')),
    );
    expect(folderGuessOf(group, options)).toMatchObject({ name: 'Björk', sortTag: 'Bjork' });
    expect(folderGuessOf(folder('A', 'A', 'A'), options)).not.toHaveProperty('sortTag');
  });

  it('comes in the order of discs, tracks and paths', () => {
    const at = (path: string, artist: string, numbers: TrackTags): GroupTrack => ({
      realPath: realPath(path),
      tags: { artist, ...numbers },
    });
    const name = (...group: GroupTrack[]) => folderGuessOf(group, options)?.name;
    const pair = [at('a/2', 'A', {}), at('a/3', 'B', {})];
    expect(name(...pair, at('a/9', 'B', { disc: 1, track: 0 }), at('a/1', 'A', { disc: 2 }))).toBe('A & B');
    expect(name(...pair, at('a/1', 'B', {}), at('a/4', 'A', {}))).toBe('B & A');
    const numbered = [at('a/1', 'A', { track: 2 }), at('a/2', 'B', { track: 1 })];
    expect(name(...numbered, at('a/3', 'A', { track: 3 }), at('a/4', 'B', { track: 4 }))).toBe('B & A');
    const discs = [at('a/1', 'A', { disc: 2, track: 1 }), at('a/2', 'B', { disc: 1, track: 9 })];
    expect(name(...discs, at('a/3', 'A', { disc: 2 }), at('a/4', 'B', { disc: 2, track: 4 }))).toBe('B & A');
  });

  it('cuts the artists as configured before it counts', () => {
    const group = folder({ artists: ['A;X'] }, { artists: ['A;Y'] }, { artists: ['A;Z'] });
    expect(folderGuessOf(group, options)?.name).toBe('Various Artists');
    expect(folderGuessOf(group, { ...options, split: { artists: [';'] } })?.name).toBe('A');
  });
});

describe('the counts of a folder', () => {
  it('tell what the guess rests on', () => {
    const tracks = [...times(2, 'B'), ...times(2, 'C'), ...times(3, 'A'), 'D', 'E', 'F', 'G', {}];
    const { counts } = folderGuessOf(folder(...tracks), options) ?? {};
    expect(counts).toEqual({
      tracks: 12,
      decidedTracks: 0,
      vetoes: 0,
      namedTracks: 11,
      artists: 7,
      commonest: [
        { name: 'A', tracks: 3 },
        { name: 'B', tracks: 2 },
        { name: 'C', tracks: 2 },
        { name: 'D', tracks: 1 },
        { name: 'E', tracks: 1 },
      ],
    });
  });
});

describe('any folder', () => {
  const tags = fc.record(
    {
      artist: fc.constantFrom('A', 'a', 'Á', 'B', 'b', 'B feat. A', 'C', 'VA'),
      artistSort: fc.constantFrom('x', 'y'),
      disc: fc.integer({ min: 1, max: 2 }),
      track: fc.integer({ min: 1, max: 4 }),
      albumArtist: fc.constantFrom('Z'),
      compilation: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  // Flags and album artists are rare, as otherwise hardly a folder would be guessed.
  const plain = tags.map(({ albumArtist: _, compilation: __, ...rest }): TrackTags => rest);
  const group = fc
    .array(fc.oneof({ arbitrary: plain, weight: 30 }, tags), { maxLength: 9 })
    .map((all) =>
      all.map((tagsOfOne, index) => ({ realPath: realPath(`x/${(index * 7) % 10}`), tags: tagsOfOne })),
    );

  it('gives the same guess in whatever order its files come', () => {
    const shuffled = group.chain((tracks) =>
      fc.tuple(fc.constant(tracks), fc.shuffledSubarray(tracks, { minLength: tracks.length })),
    );
    fc.assert(
      fc.property(shuffled, ([tracks, others]) => {
        expect(folderGuessOf(others, options)).toEqual(folderGuessOf(tracks, options));
        expect(groupCountsOf(others, options)).toEqual(groupCountsOf(tracks, options));
      }),
      printedSeed('guess order'),
    );
  });

  it('is guessed as a plain reading of the rule says', () => {
    const letter = (artist: string) => artist.replace('á', 'a').charAt(0);
    fc.assert(
      fc.property(group, (tracks) => {
        const guess = folderGuessOf(tracks, options);
        const artists = tracks
          .map(({ tags: { artist } }) => artist?.toLowerCase())
          .filter((name) => name !== undefined);
        const letters = artists.map(letter);
        const share = (name: string) => letters.filter((other) => other === name).length / tracks.length;
        const distinct = [...new Set(letters)];
        const dominant = distinct.find((name) => share(name) >= 0.6);
        const isOut =
          tracks.length < 3 ||
          tracks.some(
            ({ tags: { albumArtist, compilation } }) =>
              albumArtist !== undefined || compilation !== undefined,
          );
        if (isOut || distinct.length === 0 || (distinct.length === 1 && dominant === undefined)) {
          expect(guess).toBeNull();
        } else if (
          dominant === 'v' ||
          (dominant === undefined && (distinct.length > 2 || distinct.includes('v')))
        ) {
          expect(guess).toMatchObject({ name: 'Various Artists', isVarious: true });
        } else {
          const names = (guess?.name ?? '').toLowerCase().split(' & ').map(letter);
          expect(names.sort()).toEqual(dominant === undefined ? distinct.sort() : [dominant]);
        }
      }),
      printedSeed('guess model'),
    );
  });
});
