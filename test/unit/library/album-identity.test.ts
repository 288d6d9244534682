import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { albumKeyOf, majorityOf, majorityValue, withShared } from '../../../src/library/album-identity.ts';
import { defaultLibraryOptions } from '../../../src/library/library-options.ts';
import { realPath } from '../../../src/library/real-path.ts';
import { settleGroup } from '../../../src/library/settle-group.ts';
import type { TrackTags } from '../../../src/library/track-tags.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { testHash } from '../../fixtures/settled-library.ts';

const mbid = '0da580f2-6768-498f-af9d-2becaddf15e0';
const otherMbid = 'b84ee12a-09ef-421b-82de-0441a926375b';

const key = (tags: TrackTags, artist = 'Artist') => albumKeyOf(artist, tags, testHash);

describe('the key of an album', () => {
  const album: TrackTags = {
    album: 'Album',
    edition: 'E',
    catalogNumber: ['C1', 'C2'],
    barcode: 'B',
    year: 1999,
  };

  it('is its MusicBrainz id, in lower case', () => {
    expect(key({ ...album, mbAlbumId: mbid.toUpperCase() })).toBe(mbid);
  });

  it.each(['0', 'null', '', `${mbid} ${otherMbid}`, `https://musicbrainz.org/release/${mbid}`])(
    'is not %j, which is no id',
    (mbAlbumId) => {
      expect(key({ ...album, mbAlbumId })).toBe(key(album));
    },
  );

  it.each<[string, TrackTags, string?]>([
    ['album', { ...album, album: 'Other' }],
    ['album artist', album, 'Other'],
    ['edition', { ...album, edition: 'F' }],
    ['first catalog number', { ...album, catalogNumber: ['C2', 'C1'] }],
    ['year', { ...album, year: 2000 }],
  ])('changes with the %s', (_, tags, artist) => {
    expect(key(tags, artist)).not.toBe(key(album));
  });

  it.each<[string, TrackTags, string?]>([
    ['case, accents and spaces', { ...album, album: ' ÁLBUM' }, 'ar tist'],
    ['further catalog numbers', { ...album, catalogNumber: ['c1'] }],
    ['the barcode, when there is a catalog number', { ...album, barcode: 'X' }],
    [
      'tags that say nothing of the release',
      { ...album, label: ['L'], title: 'T', disc: 2, originalYear: 1960 },
    ],
  ])('does not change with %s', (_, tags, artist) => {
    expect(key(tags, artist)).toBe(key(album));
  });

  it('has the barcode where there is no catalog number', () => {
    const { catalogNumber: _, ...bare } = album;
    expect(key(bare)).not.toBe(key({ ...bare, barcode: 'X' }));
  });

  it('is one for all tracks of an artist that name no album', () => {
    expect(key({ year: 1990, title: 'A' })).toBe(key({ year: 2001, edition: 'X', title: 'B' }));
    expect(key({})).not.toBe(key({}, 'Other'));
    expect(key({})).not.toBe(key({ album: 'Unknown Album' }));
  });
});

describe('the value of most files', () => {
  const none = undefined;
  it.each<[readonly (string | undefined)[], string | undefined]>([
    [[], none],
    [[none, none], none],
    [['A', 'A', 'B'], 'A'],
    [['B', 'A'], 'A'],
    [['B', 'C', 'B', 'A'], 'B'],
    [['A', none, none, none], 'A'],
    [['A', 'B', none], none],
    [['A', 'A', 'B', none], none],
    [['A', 'A', 'A', 'B', none], 'A'],
    [['Deluxe Edition', 'deluxe edition', 'Deluxe Edition', 'X'], 'Deluxe Edition'],
    [['deluxe', 'Deluxe'], 'Deluxe'],
  ])('of %j is %j', (values, value) => {
    expect(majorityValue(values)).toBe(value);
  });

  it('is the same in whatever order they come, and the value of one of them', () => {
    const values = fc.array(fc.option(fc.constantFrom('a', 'A', 'b', 'ä', 'c'), { nil: undefined }), {
      maxLength: 8,
    });
    const shuffled = values.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, ([all, others]) => {
        expect(majorityValue(others)).toBe(majorityValue(all));
        expect([...all, undefined]).toContain(majorityValue(all));
        if (new Set(all).size === 1) expect(majorityValue(all)).toBe(all[0]);
      }),
      printedSeed('majority'),
    );
  });
});

describe('the files of one album in a folder', () => {
  it('share what most of them say', () => {
    const tags: TrackTags = {
      album: 'A',
      edition: 'E',
      catalogNumber: ['C', 'D'],
      barcode: 'B',
      year: 1999,
      mbAlbumId: mbid,
    };
    const stray: TrackTags = {
      album: 'A',
      edition: 'X',
      catalogNumber: ['Y', 'Z'],
      barcode: 'Z',
      year: 2011,
      mbAlbumId: otherMbid,
    };
    const shared = majorityOf([stray, tags, tags]);
    expect(shared).toEqual({ edition: 'E', catalogNumber: 'C', barcode: 'B', year: 1999, mbAlbumId: mbid });
    expect(withShared(stray, shared)).toEqual({ ...tags, catalogNumber: ['C'] });
    expect(withShared(tags, shared)).toEqual(tags);
    expect(withShared({ album: 'A', title: 'T' }, shared)).toMatchObject({ title: 'T', year: 1999 });
  });

  it('lose a value of few of them that others contradict', () => {
    const shared = majorityOf([{ year: 1999 }, { year: 2000 }, {}]);
    expect(shared).toEqual({});
    expect(withShared({ year: 1999, title: 'T' }, shared)).toEqual({ title: 'T' });
  });

  it('keep one spelling of the catalog number, and the further ones', () => {
    const shared = majorityOf([
      { catalogNumber: ['CAT 1'] },
      { catalogNumber: ['CAT 1'] },
      { catalogNumber: ['cat1', 'X'] },
    ]);
    expect(withShared({ catalogNumber: ['cat1', 'X'] }, shared)).toEqual({ catalogNumber: ['CAT 1', 'X'] });
  });

  it('vote apart when their album artists differ', () => {
    const files = [
      { albumArtist: 'A', year: 1999 },
      { albumArtist: 'a', year: 1999 },
      { albumArtist: 'A', year: 2011 },
      { albumArtist: 'B', year: 2020 },
    ].map((tags, index) => ({ realPath: realPath(`x/${index}`), tags: { album: 'X', ...tags } }));
    const { tracks, guess } = settleGroup(files, defaultLibraryOptions, testHash);
    expect(guess).toBeNull();
    expect(tracks.map(({ shared }) => shared.year)).toEqual([1999, 1999, 1999, 2020]);
    expect(new Set(tracks.map(({ albumKey }) => albumKey)).size).toBe(2);
  });

  it('are settled the same in whatever order they come', () => {
    const tags = fc.record(
      {
        artist: fc.constantFrom('A', 'B', 'C'),
        albumArtist: fc.constantFrom('A', 'B'),
        edition: fc.constantFrom('E', 'e', 'F'),
        year: fc.constantFrom(1999, 2000),
        mbAlbumId: fc.constantFrom(mbid, otherMbid, '0'),
        catalogNumber: fc.constantFrom(['X'], ['Y', 'X']),
      },
      { requiredKeys: [] },
    );
    const files = fc
      .array(tags, { maxLength: 6 })
      .map((all) =>
        all.map((own, index) => ({ realPath: realPath(`x/${index}`), tags: { album: 'X', ...own } })),
      );
    const shuffled = files.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, ([all, others]) => {
        const settled = (group: typeof all) => {
          const { tracks } = settleGroup(group, defaultLibraryOptions, testHash);
          return new Map(group.map(({ realPath: path }, index) => [path, tracks[index]]));
        };
        const first = settled(all);
        for (const [path, track] of settled(others)) expect(track).toEqual(first.get(path));
      }),
      printedSeed('settled groups'),
    );
  });
});
