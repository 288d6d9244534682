import { expect, it } from 'vitest';
import { explainTrack } from '../../../src/catalog/explain-track.ts';
import { defaultLibraryOptions } from '../../../src/library/library-options.ts';
import { parseTemplate } from '../../../src/library/template.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

function explained(catalog: LibraryCatalog, path: string) {
  const parsed = parseTemplate('default');
  if (parsed.type !== 'parsed') throw new Error(parsed.reason);
  return explainTrack(catalog.database, path, { template: parsed.template, library: defaultLibraryOptions });
}
const texts = (catalog: LibraryCatalog, path: string) =>
  explained(catalog, path).rules.map(({ id, text }) => `${id} ${text}`);

it('tells the file, its tags, the rule of its album artist and what was missing', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'What?', { tags: { artists: ['Ann', 'Bob'], custom: { MOODY: ['yes'] } } }));
  const told = explained(catalog, 'Ann/Album [FLAC]/00 - What_.flac');
  expect(told).toMatchObject({
    originId: 'music',
    realPath: 'a.flac',
    state: 'ok',
    holders: ['music'],
    tags: expect.arrayContaining([
      { field: 'artists', values: ['Ann', 'Bob'] },
      { field: 'custom_MOODY', values: ['yes'] },
    ]),
  });
  expect(told.rules.map(({ id, text }) => `${id} ${text}`)).toEqual([
    'aa6 filed under "Ann": artists says "Ann"',
    expect.stringMatching(/^aa5 1 files? .*; no guess, as they are fewer than three$/),
    'aa6 a tag album_artist would settle it, for example "Ann"',
    'template default',
    'missing $year is missing: its <…> is left out',
    'missing $disc_track is missing: "00" stands for it',
    'missing $va_artist is missing: its <…> is left out',
    'name "What?" of $title is written "What_"',
  ]);
});

it('tells the guess with its counts, a suffix with its reason, and what the folder outvoted', () => {
  const catalog = new LibraryCatalog();
  const song = (file: string, artist: string, year: number) =>
    track(file, 'Song', { tags: { artist, year, track: 1 }, audioFp: file.padEnd(16, 'f') });
  catalog.publish(song('a', 'A', 1999), song('b', 'B', 1999), song('c', 'C', 2000), song('d', 'A', 1999));
  const [path = ''] = catalog.files().filter((file) => file.includes(' ~'));
  expect(texts(catalog, path)).toEqual(
    expect.arrayContaining([
      'aa5 filed under "Various Artists"',
      'aa5 4 files of its folder have this album; artists: A (2), B (1), C (1)',
      expect.stringMatching(/^suffix .* another file had that name first$/),
    ]),
  );
  expect(texts(catalog, catalog.placeOf('c') ?? '')).toContain(
    'shared year is "1999" as for most of its folder; the file says "2000"',
  );
});

it('tells why a file is among the unsorted, and follows a former name', () => {
  const catalog = new LibraryCatalog();
  catalog.publish({ path: 'x', tags: {}, state: 'untagged' }, { path: 'y', state: 'failed' });
  expect(texts(catalog, 'Unsorted/music/x.flac')[0]).toBe(
    'unsorted its own path is shown, as it has neither artist, album nor title',
  );
  expect(explained(catalog, 'Unsorted/music/y.flac')).toMatchObject({ state: 'failed', reason: 'broken' });
});

it('refuses what is no file of the library', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'One'));
  expect(() => explained(catalog, 'Artist')).toThrow('Artist is a directory: ask about one of its files');
  expect(() => explained(catalog, 'Nobody/x.flac')).toThrow('Nobody/x.flac is not in the library');
});

it('tells what marks an album of a name that another had first, and what lies beside the music', () => {
  const catalog = new LibraryCatalog();
  const song = (folder: string, tags: object) => track(`${folder}/1`, 'One', { tags });
  catalog.publish(song('plain', {}), { path: 'plain/cover.jpg', state: 'sidecar', audioFp: null });
  catalog.publish(song('deluxe', { edition: 'Deluxe' }));
  expect(texts(catalog, 'Artist/Album [FLAC] {Deluxe}/00 - One.flac')).toContain(
    'suffix "Album [FLAC]" is listed as "Album [FLAC] {Deluxe}": another album has that name',
  );
  expect(explained(catalog, 'Artist/Album [FLAC]/cover.jpg')).toMatchObject({
    realPath: 'plain/cover.jpg',
    state: 'sidecar',
    rules: [{ id: 'sidecar' }],
  });
  const file = { path: 'aa/1', sizeBytes: 5, mtimeNs: '1', isListed: false };
  const album = { directory: catalog.at('Artist/Album [FLAC]').id, revision: 0 };
  catalog.publisher.showArt(album, [{ ...file, name: 'cover_thumb.jpg' }]);
  expect(explained(catalog, 'Artist/Album [FLAC]/cover_thumb.jpg')).toMatchObject({
    path: 'Artist/Album [FLAC]/cover_thumb.jpg',
    state: 'made',
    rules: [{ id: 'art' }],
  });
});
