// Playlists of an origin in the mount: they play there, follow the names, and bear an origin that is away.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';

function write(root: string): void {
  writeFlacLibrary(root, { files: 20, albums: 2 });
  mkdirSync(path.join(root, 'lists'));
  writeFileSync(
    path.join(root, 'lists/Mix & Match.m3u'),
    '#EXTM3U\r\n..\\Artist 0\\Album 0\\01.flac\r\n../artist 0/ALBUM 1/01.FLAC\r\nnone.flac\r\n',
  );
  writeFileSync(path.join(root, 'Artist 0/Album 0/00.m3u'), '01.flac\n02.flac\n');
}

const list = (library: Library) => path.join(library.mountPoint, 'Playlists/Mix & Match.m3u8');
const textOf = (library: Library) => readFileSync(list(library), 'utf8');
const shown = (library: Library) =>
  eventually('the playlist is shown', () => {
    try {
      return textOf(library);
    } catch {
      return undefined;
    }
  });

const expected = `#EXTM3U
#EXTINF:0,Artist 0 - Title 0
../Artist 0/Album 0 (1960) [FLAC]/01 - Title 0.flac
#EXTINF:0,Artist 0 - Title 1
../Artist 0/Album 1 (1961) [FLAC]/01 - Title 1.flac
# missing: none.flac
`;

test('each entry leads to its file, whatever its writer took for a path', async () => {
  const library = await mountLibrary({ origin: write });
  expect((await shown(library)).replaceAll(/EXTINF:\d+/g, 'EXTINF:0')).toBe(expected);
  expect(await library.shell('ls $M/Playlists')).toBe('Mix & Match.m3u8');
  expect(await library.shell('find $M -name "*.m3u"')).toBe('');
  const lines = textOf(library)
    .split('\n')
    .filter((line) => line.startsWith('../'));
  for (const line of lines) readFileSync(path.join(library.mountPoint, 'Playlists', line));
  expect(await library.shell('stat -c %s "$M/Playlists/Mix & Match.m3u8"')).toBe(
    String(Buffer.byteLength(textOf(library))),
  );

  // Another list, other names: the same inode, other bytes.
  const inode = await library.shell('stat -c %i "$M/Playlists/Mix & Match.m3u8"');
  writeFileSync(path.join(library.origin, 'lists/Mix & Match.m3u'), '../Artist 0/Album 1/02.flac\n');
  await library.rescan();
  await eventually('it has changed', () => textOf(library).includes('02 - Title 3.flac'));
  expect(await library.shell('stat -c %i "$M/Playlists/Mix & Match.m3u8"')).toBe(inode);
  rmSync(path.join(library.origin, 'lists'), { recursive: true });
  await library.rescan();
  await eventually('it is gone', async () => (await library.shell('ls $M')) === 'Artist 0');
}, 60_000);

test('one that cannot be had now is put off, and none is taken away; a death at any point is made up for', async () => {
  const library = await mountLibrary({ origin: write });
  await shown(library);
  const { stateDirectory, origin } = library;
  rmSync(path.join(stateDirectory, 'playlists'), { recursive: true }); // our copies
  await library.failpoint('playlists.read=error(origin_unavailable);count=1');
  writeFlacLibrary(origin, { files: 24, albums: 2 });
  await library.rescan();
  await eventually('it is put off', () => library.log().some(({ event }) => event === 'playlists_put_off'));
  expect((await shown(library)).replaceAll(/EXTINF:\d+/g, 'EXTINF:0')).toBe(expected);
  // Our copy serves when the origin is away altogether.
  await library.failpoint('playlists.store=crash;count=1');
  writeFlacLibrary(origin, { files: 26, albums: 2 });
  await library.rescan();
  await eventually('it was restarted', () =>
    library.log().some((entry) => entry.event === 'child_restarting' && entry['id'] === 'playlists'),
  );
  renameSync(origin, `${origin}.away`);
  expect((await shown(library)).replaceAll(/EXTINF:\d+/g, 'EXTINF:0')).toBe(expected);
  renameSync(`${origin}.away`, origin);
}, 60_000);
