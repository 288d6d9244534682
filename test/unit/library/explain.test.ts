// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the path template writes its variables like this
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { albumLookOf, differenceOf } from '../../../src/library/album-mark.ts';
import { withSuffix } from '../../../src/library/collisions.ts';
import { type ExplainFacts, type Explanation, explain } from '../../../src/library/explain.ts';
import { folderGuessOf, groupCountsOf } from '../../../src/library/folder-guess.ts';
import { defaultLibraryOptions, type LibraryOptions } from '../../../src/library/library-options.ts';
import { type Placement, placeTrack, tracePlacement, withAlbumMark } from '../../../src/library/placement.ts';
import { realPath } from '../../../src/library/real-path.ts';
import type { TrackState } from '../../../src/library/track-facts.ts';
import type { TrackTags } from '../../../src/library/track-tags.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { parsedTemplate } from '../../fixtures/settled-library.ts';

const anyCharacter = fc.integer({ min: 1, max: 0x10ffff }).map((point) => String.fromCodePoint(point));

interface Case extends Partial<Omit<ExplainFacts, 'track' | 'listed'>> {
  readonly tags: TrackTags;
  readonly path?: string;
  readonly state?: TrackState;
  readonly source?: string;
  readonly options?: Partial<LibraryOptions>;
  /** What the catalog made of the placement. */
  readonly listed?: (placement: Placement) => ExplainFacts['listed'];
}

const asPlaced = ({ directories, file }: Placement): ExplainFacts['listed'] => ({
  directories: directories.map(({ name }) => name),
  file: file.name,
});

function explained(given: Case): Explanation {
  const { tags, path = 'Folder/01 Song.flac', state = 'ok', source = 'default' } = given;
  const options = { ...defaultLibraryOptions, ...given.options };
  const track = { originId: 'nas', realPath: realPath(path), tags, state };
  const album = given.album ?? { multiDisc: false };
  const template = parsedTemplate(source);
  const placement = placeTrack(track, album, template, options);
  const { counts = null, namesakes = null, audioFp = null } = given;
  const listed = (given.listed ?? asPlaced)(placement);
  return explain({ track, album, counts, namesakes, audioFp, listed }, template, options);
}

const full: TrackTags = { albumArtist: 'A', album: 'B', title: 'T', track: 1, year: 1999 };

describe('the reason for an album artist', () => {
  it.each<[TrackTags, string, { field: string; value: string } | null]>([
    [{ albumArtist: 'VA' }, 'aa2', { field: 'album_artist', value: 'VA' }],
    [{ albumArtists: ['X', 'Y'] }, 'aa3', { field: 'album_artists', value: 'X; Y' }],
    [{ compilation: true }, 'aa4', { field: 'compilation', value: 'true' }],
    [
      { mbAlbumArtistIds: ['89ad4ac3-39f7-470e-963a-56509c546377'] },
      'aa4',
      { field: 'mb_album_artist_ids', value: '89ad4ac3-39f7-470e-963a-56509c546377' },
    ],
    [{ artists: ['X', 'Y'], artist: 'X & Y' }, 'aa6', { field: 'artists', value: 'X' }],
    [{ artist: 'X feat. Y' }, 'aa6', { field: 'artist', value: 'X feat. Y' }],
    [{}, 'aa7', null],
  ])('of %j is %s from %j', (tags, rule, source) => {
    expect(explained({ tags: { title: 'T', ...tags } }).albumArtist).toMatchObject({ rule, source });
  });

  const group = ['X', 'Y', 'Z'].map((artist, index) => ({
    realPath: realPath(`Folder/${index}.flac`),
    tags: { album: 'B', title: 'T', artist },
  }));

  it('is, for a guess, what the folder was counted to hold, and the tag that would settle it', () => {
    const guess = folderGuessOf(group, defaultLibraryOptions);
    const counts = groupCountsOf(group, defaultLibraryOptions);
    const { albumArtist } = explained({
      tags: { album: 'B', title: 'T', artist: 'X' },
      album: { multiDisc: false, guess },
      counts,
    });
    expect(albumArtist).toEqual({
      rule: 'aa5',
      name: 'Various Artists',
      source: null,
      group: { counts, noGuess: null },
      settledBy: { field: 'album_artist', value: 'Various Artists' },
    });
  });

  it('is, where there was no guess, also why', () => {
    const counts = groupCountsOf(group.slice(1), defaultLibraryOptions);
    expect(explained({ tags: { artist: 'X' }, counts }).albumArtist).toMatchObject({
      rule: 'aa6',
      group: { counts, noGuess: 'few_tracks' },
      settledBy: { field: 'album_artist', value: 'X' },
    });
    expect(explained({ tags: { title: 'T' } }).albumArtist).toMatchObject({
      name: 'Unknown Artist',
      group: null,
      settledBy: { field: 'album_artist', value: null },
    });
  });

  it('needs nothing more when a tag of the album says it', () => {
    const counts = groupCountsOf(group, defaultLibraryOptions);
    expect(explained({ tags: full, counts }).albumArtist).toMatchObject({ group: null, settledBy: null });
  });
});

describe('a variable that is missing', () => {
  const missing = (source: string, tags: TrackTags = { title: 'T' }) => explained({ tags, source }).missing;

  it('has its default in its place', () => {
    expect(missing('$album_artist/$album ($year)/$track $title')).toEqual([
      { type: 'missing', variable: 'album', instead: { type: 'default', text: 'Unknown Album' } },
      { type: 'missing', variable: 'year', instead: { type: 'default', text: 'Unknown' } },
      { type: 'missing', variable: 'track', instead: { type: 'default', text: '00' } },
    ]);
    expect(missing('$title', { artist: 'A' })).toEqual([
      { type: 'missing', variable: 'title', instead: { type: 'default', text: 'Song' } },
    ]);
  });

  it('has another alternative in its place', () => {
    expect(missing("${edition|media|'none'}/${mood|title}")).toEqual([
      {
        type: 'missing',
        variable: 'edition',
        instead: { type: 'alternative', variable: null, text: 'none' },
      },
      { type: 'missing', variable: 'media', instead: { type: 'alternative', variable: null, text: 'none' } },
      { type: 'missing', variable: 'mood', instead: { type: 'alternative', variable: 'title', text: 'T' } },
    ]);
  });

  it('takes its whole section with it', () => {
    expect(missing('<$year - ${edition|media} - $title/>$title')).toEqual([
      { type: 'missing', variable: 'year', instead: { type: 'section_dropped' } },
      { type: 'missing', variable: 'edition', instead: { type: 'section_dropped' } },
      { type: 'missing', variable: 'media', instead: { type: 'section_dropped' } },
    ]);
    expect(missing('<${edition|title}/>$title')).toEqual([
      {
        type: 'missing',
        variable: 'edition',
        instead: { type: 'alternative', variable: 'title', text: 'T' },
      },
    ]);
  });

  it('leaves nothing where there is no default', () => {
    expect(missing('$edition/$title')).toEqual([
      { type: 'missing', variable: 'edition', instead: { type: 'nothing' } },
    ]);
    expect(missing('$title', full)).toEqual([]);
  });
});

describe('characters that no name may hold', () => {
  const replaced = (given: Case) => explained(given).replaced;

  it('are told with the variable, before and after', () => {
    expect(
      replaced({ tags: { ...full, title: 'AC/DC: "x"\u202e' }, source: '$album_artist/$title' }),
    ).toEqual([
      {
        type: 'replaced',
        variable: 'title',
        before: 'AC/DC: "x"\u202e',
        after: 'AC_DC_ _x_',
        characters: [
          { from: '/', to: '_' },
          { from: ':', to: '_' },
          { from: '"', to: '_' },
          { from: '\u202e', to: '' },
        ],
      },
    ]);
  });

  it('follow the configuration', () => {
    const given = { tags: { ...full, title: 'a:b' }, source: '$title' };
    expect(replaced({ ...given, options: { names: 'posix' } })).toEqual([]);
    expect(replaced({ ...given, options: { replace: { ':': ' -' } } })).toMatchObject([
      { after: 'a -b', characters: [{ from: ':', to: ' -' }] },
    ]);
  });

  it('do not count in a section that is dropped', () => {
    expect(replaced({ tags: { title: 'a:b' }, source: 'x<$title: $mood>' })).toEqual([]);
    expect(replaced({ tags: { title: 'a:b', mood: 'y' }, source: 'x<$title $mood>' })).toHaveLength(1);
  });

  it('may stand in the template', () => {
    expect(replaced({ tags: full, source: 'a:b/$title' })).toMatchObject([
      { variable: null, before: 'a:b/', after: 'a_b/', characters: [{ from: ':', to: '_' }] },
    ]);
  });

  it('are told of the folders of a file that has no tags', () => {
    const explanation = explained({ tags: {}, path: 'a:b/CON.mp3' });
    expect(explanation.unsorted).toBe('untagged');
    expect(explanation.missing).toEqual([]);
    expect(explanation.replaced).toMatchObject([
      { type: 'replaced', variable: 'real_path', before: 'a:b', after: 'a_b' },
      { type: 'shaped', before: 'CON.mp3', after: 'CON_.mp3' },
    ]);
    expect(explained({ tags: full, state: 'failed' }).unsorted).toBe('failed');
    expect(explained({ tags: full }).unsorted).toBeNull();
  });

  it('include what makes a whole name unsafe', () => {
    const given = {
      tags: { ...full, albumArtist: '...And', album: 'NUL' },
      source: '$album_artist/$album/$title',
    };
    expect(explained(given).cut).toEqual([]);
    expect(replaced(given)).toEqual([
      { type: 'shaped', before: '...And', after: '_..And' },
      { type: 'shaped', before: 'NUL', after: 'NUL_' },
    ]);
    expect(replaced({ tags: { ...full, albumArtist: 'unsorted' } })).toEqual([
      { type: 'reserved', before: 'unsorted', after: '_unsorted' },
    ]);
  });
});

describe('a name that is too long', () => {
  it('is told with its bytes', () => {
    const { cut, replaced } = explained({ tags: { ...full, title: 'é'.repeat(300) }, source: '$title' });
    expect(replaced).toEqual([]);
    expect(cut).toEqual([
      { type: 'cut', after: `${'é'.repeat(125)}.flac`, bytesBefore: 605, bytesAfter: 255 },
    ]);
    expect(explained({ tags: full }).cut).toEqual([]);
  });
});

describe('a field in which the folder outvotes the file', () => {
  it('is told with both values', () => {
    const tags = { ...full, edition: 'Own', barcode: '1', catalogNumber: ['C', 'D'] };
    const shared = { year: 2001, barcode: '1', catalogNumber: 'C', mbAlbumId: 'x' };
    expect(explained({ tags, album: { multiDisc: false, shared } }).outvoted).toEqual([
      { field: 'edition', own: 'Own', shared: null },
      { field: 'year', own: '1999', shared: '2001' },
      { field: 'mb_album_id', own: null, shared: 'x' },
    ]);
    expect(explained({ tags: full }).outvoted).toEqual([]);
  });
});

describe('a name that is not the one of the template', () => {
  const audioFp = '3fa9c1d2e4f5a6b7';
  const renamed = (file: (name: string) => string, given: Partial<Case> = {}) =>
    explained({
      tags: full,
      audioFp,
      ...given,
      listed: (placement) => ({ ...asPlaced(placement), file: file(placement.file.name) }),
    }).suffixes;

  it('does not exist when all is as it should be', () => {
    expect(explained({ tags: full, audioFp }).suffixes).toEqual([]);
  });

  it.each<[string, string | null, string]>([
    ['3fa9c1', audioFp, 'same_name'],
    ['3fa9c1d2', audioFp, 'same_name'],
    ['3fa9c1abcdef', audioFp, 'same_audio'],
    ['abcdef', null, 'audio_unknown'],
  ])('of a file with ~%s (audio %s) has the reason %s', (hex, fp, type) => {
    expect(renamed((name) => withSuffix(name, hex, hex.length), { audioFp: fp })).toEqual([
      { before: '01 - T.flac', after: `01 - T ~${hex}.flac`, reason: { type }, isCut: false },
    ]);
  });

  it('is cut when its suffix needs the room', () => {
    const given = { tags: { ...full, title: 'x'.repeat(240) } };
    expect(renamed((name) => withSuffix(name, audioFp, 16), given)).toMatchObject([
      { reason: { type: 'same_name' }, isCut: true },
    ]);
  });

  it('is an old one when no suffix makes it of the new one', () => {
    expect(renamed(() => 'Other ~3fa9c1.flac')).toMatchObject([{ reason: { type: 'not_yet_moved' } }]);
    const elsewhere = explained({ tags: full, listed: () => ({ directories: ['X'], file: 'y.flac' }) });
    expect(elsewhere.suffixes).toEqual([
      {
        before: 'A/B (1999) [FLAC]/01 - T.flac',
        after: 'X/y.flac',
        reason: { type: 'not_yet_moved' },
        isCut: false,
      },
    ]);
  });

  it('of a directory tells the fields in which the albums differ', () => {
    const looks = [{ year: 1999 }, { year: 2011 }, { year: 1999, edition: 'Mono' }].map((tags, index) =>
      albumLookOf(`${index}`.repeat(16), [tags], defaultLibraryOptions),
    );
    const difference = differenceOf(looks);
    const marked = (index: number, mark: string, album = 'B') =>
      explained({
        tags: { ...full, album },
        source: '$album_artist/$album/$title',
        namesakes: { look: looks[index] ?? { key: '', fields: {} }, difference },
        listed: (placement) => asPlaced(withAlbumMark(placement, mark)),
      }).suffixes;
    expect(marked(2, 'Mono, 1999')).toEqual([
      {
        before: 'B',
        after: 'B {Mono, 1999}',
        reason: { type: 'other_album', fields: ['edition', 'year'] },
        isCut: false,
      },
    ]);
    expect(marked(0, '1999')).toMatchObject([{ reason: { type: 'other_album', fields: ['year'] } }]);
    expect(marked(0, '1999', 'x'.repeat(250))).toMatchObject([{ isCut: true }]);
    expect(marked(0, '')).toEqual([]);
    expect(marked(0, '2011')).toMatchObject([{ reason: { type: 'not_yet_moved' } }]);
  });

  it('of a directory may be that of an earlier spelling or of a place that was taken', () => {
    const at = (directory: string) =>
      explained({
        tags: full,
        listed: (placement) => ({ ...asPlaced(placement), directories: [directory, 'B (1999) [FLAC]'] }),
      }).suffixes.map(({ reason }) => reason.type);
    expect(at('a')).toEqual(['other_spelling']);
    expect(at('A ~abcdef')).toEqual(['name_taken']);
  });
});

describe('any track', () => {
  it('is placed the same whether or not somebody asks why', () => {
    const text = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 20 }),
      fc.constantFrom('', ' ', 'CON', 'é'.repeat(200)),
    );
    const tags = fc.record(
      { artist: text, album: text, title: text, edition: text, year: fc.integer({ min: 1000, max: 2999 }) },
      { requiredKeys: [] },
    );
    const source = fc.constantFrom(
      'default',
      'as-is',
      "<$edition/>${mood|edition|'x'}/<$year - $mood>$title",
      '$album/$title',
    );
    fc.assert(
      fc.property(tags, source, fc.constantFrom('ok', 'failed' as const), (own, templateText, state) => {
        const facts = { originId: 'nas', realPath: realPath('a:b/c.mp3'), tags: own, state };
        const given = [
          facts,
          { multiDisc: true },
          parsedTemplate(templateText),
          defaultLibraryOptions,
        ] as const;
        const { placement, notes } = tracePlacement(...given);
        expect(placement).toEqual(placeTrack(...given));
        for (const note of notes) if ('before' in note) expect(note.after).not.toBe(note.before);
      }),
      printedSeed('traced placements'),
    );
  });
});
