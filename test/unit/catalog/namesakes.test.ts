// Albums whose names come out as one directory.
import { expect, it } from 'vitest';
import { LibraryCatalog, type TrackFile, track } from '../../fixtures/library-catalog.ts';

const disc = (folder: string, tags: object, count = 2): TrackFile[] =>
  Array.from({ length: count }, (_, index) =>
    track(`${folder}/${index + 1}`, `Song ${index + 1}`, {
      tags: { albumArtist: 'Artist', track: index + 1, ...tags },
    }),
  );

const directories = (catalog: LibraryCatalog) =>
  [...catalog.tree().keys()].filter((path) => /^Artist\/[^/]+\/$/.test(path)).sort();

it('the first is bare, the next is marked by what tells it apart', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(...disc('plain', {}));
  catalog.publish(...disc('deluxe', { edition: 'Deluxe Edition' }, 3));
  expect(directories(catalog)).toEqual(['Artist/Album [FLAC] {Deluxe Edition}/', 'Artist/Album [FLAC]/']);
  expect(catalog.files()).toHaveLength(5);
  expect(catalog.files().join()).not.toContain('~');
});

it('keeps its mark when the first one goes, and nobody is renamed by who comes', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(...disc('plain', {}));
  catalog.publish(...disc('deluxe', { edition: 'Deluxe Edition' }));
  catalog.publish(...disc('mono', { edition: 'Mono' }));
  const all = directories(catalog);
  expect(all).toHaveLength(3);
  catalog.remove('plain/1', 'plain/2');
  expect(directories(catalog)).toEqual(all.filter((name) => name.includes('{')));
  catalog.publish(...disc('plain', {}));
  expect(directories(catalog)).toEqual(all);
});

it('a stray tag does not split an album', () => {
  const catalog = new LibraryCatalog();
  const [one, two, three] = disc('plain', {}, 3);
  if (one === undefined || two === undefined || three === undefined) throw new Error('three tracks');
  catalog.publish(one, two, { ...three, tags: { ...three.tags, edition: 'Deluxe' } });
  expect(directories(catalog)).toEqual(['Artist/Album [FLAC]/']);
});

it('albums that nothing tells apart but their ids show digits of them', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(...disc('a', { mbAlbumId: '11111111-2222-3333-4444-555555555555' }));
  catalog.publish(...disc('b', { mbAlbumId: '66666666-7777-8888-9999-000000000000' }));
  expect(directories(catalog)).toEqual([
    expect.stringMatching(/^Artist\/Album \[FLAC\] \{~[0-9a-f]{6}\}\/$/),
    'Artist/Album [FLAC]/',
  ]);
});

it('a retagged album that stays whole keeps its directory', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(...disc('plain', {}));
  const node = catalog.at('Artist/Album [FLAC]').id;
  catalog.publish(
    ...disc('plain', { barcode: '123' }).map((file) => ({ ...file, mtimeNs: '1700000000000000001' })),
  );
  expect(directories(catalog)).toEqual(['Artist/Album [FLAC]/']);
  expect(catalog.at('Artist/Album [FLAC]').id).toBe(node);
});

it('discs are counted for each by itself', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(...disc('plain', {}));
  catalog.publish(...disc('box', { edition: 'Box', disc: 2, discTotal: 2 }));
  expect(catalog.files().sort()).toEqual([
    'Artist/Album [FLAC] {Box}/2-01 - Song 1.flac',
    'Artist/Album [FLAC] {Box}/2-02 - Song 2.flac',
    'Artist/Album [FLAC]/01 - Song 1.flac',
    'Artist/Album [FLAC]/02 - Song 2.flac',
  ]);
});

it('where no directory shows the album its files stand side by side', () => {
  const catalog = new LibraryCatalog();
  catalog.publisher = catalog.publisherWith('$artist/$title.$format');
  catalog.publish(...disc('plain', {}));
  catalog.publish(...disc('deluxe', { edition: 'Deluxe' }));
  expect(directories(catalog)).toEqual([]);
  expect(catalog.files()).toHaveLength(4);
});

it('of those that come together the plain one is bare', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(
    ...disc('b', { edition: 'Deluxe Edition' }),
    ...disc('a', {}),
    ...disc('c', { edition: 'Mono' }),
  );
  expect(directories(catalog)).toEqual([
    'Artist/Album [FLAC] {Deluxe Edition}/',
    'Artist/Album [FLAC] {Mono}/',
    'Artist/Album [FLAC]/',
  ]);
});

it('loose tracks are no set of editions', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(
    { path: 'a/1.flac', tags: { artist: 'Artist', title: 'One', year: 1990 } },
    { path: 'b/1.flac', tags: { artist: 'Artist', title: 'Two', barcode: '1' } },
  );
  expect(catalog.files()).toEqual([
    'Artist/Unknown Album (1990) [FLAC]/00 - One.flac',
    'Artist/Unknown Album [FLAC]/00 - Two.flac',
  ]);
});
