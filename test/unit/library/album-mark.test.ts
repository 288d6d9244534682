// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the path template writes its variables like this
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AlbumLook,
  albumLookOf,
  differenceOf,
  distinguish,
  type MarkField,
  markFields,
  markOf,
} from '../../../src/library/album-mark.ts';
import { defaultLibraryOptions } from '../../../src/library/library-options.ts';
import { foldName, utf8Length } from '../../../src/library/names.ts';
import { type Placement, placeTrack, withAlbumMark } from '../../../src/library/placement.ts';
import { realPath } from '../../../src/library/real-path.ts';
import type { TrackTags } from '../../../src/library/track-tags.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { parsedTemplate, testHash } from '../../fixtures/settled-library.ts';

type Fields = AlbumLook['fields'];

const looks = (...fields: Fields[]): AlbumLook[] =>
  fields.map((own, index) => ({ key: testHash(`${index}`), fields: own }));
const marksOf = (...fields: Fields[]): string[] => [...distinguish(looks(...fields)).values()];
const keyMark = (index: number, digits = 6): string => `~${testHash(`${index}`).slice(0, digits)}`;

describe('the mark of an album', () => {
  it.each<[string, Fields[], string[]]>([
    [
      'edition',
      [
        { edition: 'Deluxe', year: '1' },
        { edition: 'Mono', year: '2' },
      ],
      ['Deluxe', 'Mono'],
    ],
    [
      'year, when the edition is the same',
      [
        { edition: 'X', year: '1997' },
        { edition: 'x', year: '1981' },
      ],
      ['1997', '1981'],
    ],
    ['label', [{ label: 'EMI' }, { label: 'Sony' }], ['EMI', 'Sony']],
    ['catalog number', [{ catalog_number: 'A1' }, { catalog_number: 'A2' }], ['A1', 'A2']],
    ['media', [{ media: 'CD' }, { media: 'Vinyl' }], ['CD', 'Vinyl']],
    ['country', [{ release_country: 'JP' }, { release_country: 'US' }], ['JP', 'US']],
  ])('is the first field that differs: %s', (_, fields, marks) => {
    expect(marksOf(...fields)).toEqual(marks);
  });

  it('is the next field that differs for the album that has none of the first', () => {
    expect(marksOf({ edition: 'Deluxe', label: 'A' }, { label: 'B' })).toEqual(['Deluxe', 'B']);
    expect(marksOf({ edition: 'Deluxe', label: 'A' }, { label: 'A', media: 'CD' })).toEqual(['Deluxe', 'CD']);
  });

  it('is a piece of the key when the fields say nothing', () => {
    expect(marksOf({}, {})).toEqual([keyMark(0), keyMark(1)]);
    expect(marksOf({ year: '1999' }, { year: '1999' })).toEqual([keyMark(0), keyMark(1)]);
    expect(marksOf({ edition: 'Deluxe' }, {})).toEqual(['Deluxe', keyMark(1)]);
  });

  it('has as many fields as it takes, and a piece of the key only where they do not suffice', () => {
    expect(
      marksOf(
        { edition: 'X', year: '1' },
        { edition: 'X', year: '2' },
        { year: '1' },
        { edition: 'Y', year: '1' },
      ),
    ).toEqual(['X, 1', 'X, 2', '1', 'Y, 1']);
    expect(marksOf({ edition: 'X' }, { edition: 'X' }, { edition: 'Y' })).toEqual([
      `X, ${keyMark(0)}`,
      `X, ${keyMark(1)}`,
      'Y',
    ]);
  });

  it('does not take the year of one for the edition of another', () => {
    const marks = marksOf({ edition: '1999' }, { year: '1999' });
    expect(marks).toEqual([`1999, ${keyMark(0)}`, `1999, ${keyMark(1)}`]);
  });

  it('shows more digits when the keys begin alike', () => {
    const marks = distinguish([
      { key: '12345678aa', fields: {} },
      { key: '12345678bb', fields: {} },
      { key: '0da580f2-6768-498f-af9d-2becaddf15e0', fields: {} },
    ]);
    expect([...marks.values()]).toEqual(['~12345678aa', '~12345678bb', '~0da580f26768']);
  });

  it('does not exist for a lone album', () => {
    expect(distinguish(looks({ edition: 'Deluxe' }))).toEqual(new Map());
    expect(distinguish([])).toEqual(new Map());
  });
});

describe('any albums of one name', () => {
  const value = fc.constantFrom('A', 'a', 'B', 'Á', '1999', 'A, B');
  const fields = fc.record(
    Object.fromEntries(markFields.map((field) => [field, value])) as Record<MarkField, typeof value>,
    { requiredKeys: [] },
  );
  const albums = fc
    .uniqueArray(fc.string({ unit: fc.constantFrom('0', '1', 'f'), minLength: 16, maxLength: 16 }), {
      minLength: 2,
      maxLength: 6,
    })
    .chain((keys) => fc.tuple(...keys.map((key) => fields.map((own): AlbumLook => ({ key, fields: own })))));

  it('have marks that no directory confuses, each from its own fields and the difference alone', () => {
    fc.assert(
      fc.property(albums, (all) => {
        const marks = distinguish(all);
        expect(marks.size).toBe(all.length);
        expect(new Set([...marks.values()].map(foldName)).size).toBe(all.length);
        const difference = JSON.parse(JSON.stringify(differenceOf(all))) as ReturnType<typeof differenceOf>;
        for (const album of all) {
          expect(markOf(album, difference)).toBe(marks.get(album.key));
          expect(markOf(album, difference)).not.toBe('');
        }
      }),
      printedSeed('marks'),
    );
  });

  it('have the same marks in whatever order they come', () => {
    const pairs = looks({ edition: 'X' }, { edition: 'X' }, { edition: 'Y' }, { edition: 'Y' });
    expect(differenceOf(pairs.toReversed())).toEqual(differenceOf(pairs));
    const shuffled = albums.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, ([all, others]) => {
        expect(differenceOf(others)).toEqual(differenceOf(all));
        expect(new Map([...distinguish(others)].sort())).toEqual(new Map([...distinguish(all)].sort()));
      }),
      printedSeed('mark order'),
    );
  });
});

describe('the look of an album', () => {
  it('is what most of its files say, made harmless and short', () => {
    const files: TrackTags[] = [
      {
        edition: 'Live: 1/2',
        label: ['EMI', 'X'],
        year: 1999,
        catalogNumber: ['C'],
        media: 'CD',
        releaseCountry: 'DE',
      },
      { edition: 'Live: 1/2', label: ['emi'], year: 1999, media: '\u202e' },
      { edition: 'é'.repeat(99), label: ['EMI'], year: 2000 },
    ];
    expect(albumLookOf('k', files, defaultLibraryOptions)).toEqual({
      key: 'k',
      fields: {
        edition: 'Live_ 1_2',
        year: '1999',
        label: 'EMI',
        catalog_number: 'C',
        release_country: 'DE',
      },
    });
    const long = albumLookOf('k', files.slice(2), defaultLibraryOptions).fields.edition;
    expect(long).toBe('é'.repeat(30));
  });
});

describe('a marked album', () => {
  const place = (tags: TrackTags, source = '$album_artist/$album/$title'): Placement => {
    const facts = { originId: 'nas', realPath: realPath('x/y.flac'), tags, state: 'ok' } as const;
    return placeTrack(facts, { multiDisc: false }, parsedTemplate(source), defaultLibraryOptions);
  };
  const pathOf = ({ directories, file }: Placement) =>
    [...directories, file].map(({ name }) => name).join('/');
  const tags = { artist: 'A', album: 'B', title: 'T', disc: 1, discTotal: 2 };

  it.each([
    ['default', 'A/B [FLAC] {Mono}/1-00 - T.flac'],
    ['$artist/$album/Disc $disc/$title', 'A/B {Mono}/Disc 1/T.flac'],
    ['$artist - ${album:upper}/$title', 'A - B {Mono}/T.flac'],
    ['$artist/${album_sort|album}/$title', 'A/B {Mono}/T.flac'],
    ['$album/$album x/$title', 'B {Mono}/B x/T.flac'],
    ['$artist/$album - $title', 'A/B - T.flac'],
    ['as-is', 'nas/x/y.flac'],
  ])('with the template %s is at %s', (source, path) => {
    expect(pathOf(withAlbumMark(place(tags, source), 'Mono'))).toBe(path);
  });

  it('may show its sort name', () => {
    const placement = place({ ...tags, albumSort: 'S' }, '$artist/$album_sort/$title');
    expect(pathOf(withAlbumMark(placement, 'Mono'))).toBe('A/S {Mono}/T.flac');
  });

  it('keeps its mark whole however long its name is', () => {
    const marked = withAlbumMark(place({ ...tags, album: 'é'.repeat(200) }), 'Mono');
    const name = marked.directories[1]?.name ?? '';
    expect(name).toMatch(/^é+ \{Mono\}$/);
    expect(utf8Length(name)).toBe(255);
  });

  it('stands behind the bare one and before what follows that', () => {
    const keys = [
      place({ ...tags, album: 'B' }),
      withAlbumMark(place({ ...tags, album: 'B' }), 'Álbum'),
      withAlbumMark(place({ ...tags, album: 'B' }), 'Mono'),
      place({ ...tags, album: 'Bb' }),
    ].map(({ directories }) => directories[1]?.sortKey ?? '');
    expect([...keys].sort()).toEqual(keys);
  });

  it('is left alone without a mark', () => {
    const bare = place(tags);
    expect(withAlbumMark(bare, '')).toBe(bare);
  });
});
