// Playlists of origins, from their rows to the paths of the tree.
import { expect, it } from 'vitest';
import xxhash from 'xxhash-wasm';
import type { MadeFile } from '../../../src/catalog/publication.ts';
import { renderPlaylists } from '../../../src/catalog/render-playlists.ts';
import { defaultLibraryOptions } from '../../../src/library/library-options.ts';
import { realPath } from '../../../src/library/real-path.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

const { h64ToString } = await xxhash();

function filled(): LibraryCatalog {
  const catalog = new LibraryCatalog();
  catalog.publish(
    track('Rock/Ann/01.flac', 'Óne', { tags: { artist: 'Ann', durationMs: 61_400, track: 1 } }),
    track('Rock/Bob/02.flac', 'Two', { tags: { artist: 'Bob', album: 'Other' } }),
    track('Rock/Bob/Ünï.flac', 'Three', { tags: { artist: 'Bob', album: 'Other' } }),
  );
  return catalog;
}

function rendered(
  catalog: LibraryCatalog,
  texts: Readonly<Record<string, string>>,
  map: readonly { from: string; to: string }[] = [],
) {
  const sources = Object.entries(texts).map(([path, text]) => ({
    originName: 'music',
    originRoot: '/music',
    path: realPath(Buffer.from(path).toString('latin1')),
    bytes: Buffer.from(text),
  }));
  const options = { library: defaultLibraryOptions, map, hash: h64ToString };
  return Object.fromEntries(
    renderPlaylists(catalog.database, sources, options).map(({ name, bytes }) => [
      name,
      Buffer.from(bytes).toString(),
    ]),
  );
}

it('entries become paths of the tree, however they are written; the others are named', () => {
  const text = [
    '#EXTM3U',
    'Rock/Ann/01.flac',
    'Rock\\Bob\\02.flac',
    'ROCK/bob/ÜNÏ.FLAC'.normalize('NFD'),
    '/music/Rock/Ann/01.flac',
    'D:\\Musik\\Ann\\01.flac',
    '../outside.flac',
    'Rock/gone.flac',
    '',
  ].join('\r\n');
  expect(rendered(filled(), { 'mix.m3u': text }, [{ from: 'D:/Musik', to: 'Rock' }])).toEqual({
    'mix.m3u8': [
      '#EXTM3U',
      '#EXTINF:61,Ann - Óne',
      '../Ann/Album [FLAC]/01 - Óne.flac',
      '#EXTINF:-1,Bob - Two',
      '../Bob/Other [FLAC]/00 - Two.flac',
      '#EXTINF:-1,Bob - Three',
      '../Bob/Other [FLAC]/00 - Three.flac',
      '#EXTINF:61,Ann - Óne',
      '../Ann/Album [FLAC]/01 - Óne.flac',
      '#EXTINF:61,Ann - Óne',
      '../Ann/Album [FLAC]/01 - Óne.flac',
      '# missing: ../outside.flac',
      '# missing: Rock/gone.flac',
      '',
    ].join('\n'),
  });
});

it('an album’s own list is no playlist of the library; names that clash have a suffix', () => {
  const mixed = 'Rock/Ann/01.flac\nRock/Bob/02.flac\n';
  const names = Object.keys(
    rendered(filled(), {
      'Rock/Bob/00-album.m3u': '02.flac\n',
      'mix.m3u': mixed,
      'a/MIX.m3u8': '../Rock/Ann/01.flac\n../Rock/Bob/02.flac\n',
      'b/list.pls': '[playlist]\nFile1=../Rock/Bob/02.flac\n',
    }),
  );
  expect(names).toEqual(['mix.m3u8', expect.stringMatching(/^MIX ~[0-9a-f]{6}\.m3u8$/), 'list.m3u8']);
});

const made = (name: string, path: string): MadeFile => ({
  name,
  path,
  sizeBytes: 10,
  mtimeNs: '1650000000000000000',
  isListed: true,
});

it('they are known from a scan, never shown as they are, and shown as they were made', () => {
  const catalog = filled();
  catalog.publish({ path: 'Rock/Ann/mix.m3u', state: 'sidecar', audioFp: null });
  expect(catalog.files().filter((path) => path.includes('mix'))).toEqual([]);
  expect(catalog.publisher.playlists()).toEqual([
    {
      node: catalog.nodeOf('Rock/Ann/mix.m3u'),
      version: 1,
      origin: 'music',
      originRoot: '/music',
      path: 'Rock/Ann/mix.m3u',
      sizeBytes: 1000,
      mtimeNs: '1600000000000000001',
    },
  ]);
  catalog.publisher.showPlaylists([made('a.m3u8', 'aa/1'), made('b.m3u8', 'bb/2')]);
  expect(catalog.files().filter((path) => path.startsWith('Playlists/'))).toEqual([
    'Playlists/a.m3u8',
    'Playlists/b.m3u8',
  ]);
  const { id } = catalog.at('Playlists/b.m3u8');
  catalog.publisher.showPlaylists([made('b.m3u8', 'cc/3')]);
  expect(catalog.files().filter((path) => path.startsWith('Playlists/'))).toEqual(['Playlists/b.m3u8']);
  expect(catalog.at('Playlists/b.m3u8')).toMatchObject({ id, version: 2 });
  catalog.publisher.showPlaylists([]);
  expect([...catalog.tree().keys()].filter((path) => path.startsWith('Playlists'))).toEqual([]);
  catalog.remove('Rock/Ann/mix.m3u');
  expect(catalog.publisher.playlists()).toEqual([]);
});

it('pictures that are looked for leave them alone, and an artist of that name makes room', () => {
  const catalog = filled();
  catalog.publisher.showPlaylists([made('a.m3u8', 'aa/1')]);
  const { id } = catalog.at('Playlists');
  const wanting = catalog.publisher.albumsWantingArt(0, 100).find(({ directory }) => directory === id);
  if (wanting !== undefined) catalog.publisher.showArt(wanting, []);
  expect(catalog.files()).toContain('Playlists/a.m3u8');
  catalog.publish(track('x', 'One', { tags: { artist: 'Playlists' } }));
  expect(catalog.files()).toContain('_Playlists/Album [FLAC]/00 - One.flac');
});

it('go when they are switched off', () => {
  const catalog = filled();
  catalog.publisher.showPlaylists([made('a.m3u8', 'aa/1')]);
  const publisher = catalog.publisherWith('default', { playlists: '' });
  while (publisher.isOutOfLayout) publisher.layOut(10);
  expect([...catalog.tree().keys()].filter((path) => path.startsWith('Playlists'))).toEqual([]);
});
