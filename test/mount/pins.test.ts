// What is pinned is held, whatever else must go; what is prefetched is held while there is room.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeFlac } from '../fixtures/audio-files.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';
import { mountRemote, webdavCredentials } from '../fixtures/remote-library.ts';
import { startRclone, type WebdavServer } from '../fixtures/servers/webdav-servers.ts';

const songIn = (album: string, track: number) => `Artist/${album} [FLAC]/0${track} - Title ${track}.flac`;

async function twoAlbums(): Promise<{ server: WebdavServer; library: Library }> {
  const server = await startRclone();
  onTestFinished(() => server.end());
  for (const [index, album] of ['Loved', 'Other'].entries()) {
    for (const track of [1, 2, 3]) {
      const tags = [
        ['ARTIST', 'Artist'],
        ['ALBUM', album],
        ['TITLE', `Title ${track}`],
        ['TRACKNUMBER', String(track)],
      ] as const;
      const bytes = makeFlac(tags, { audioBytes: 1_000_000, seed: index * 10 + track });
      writeFileSync(path.join(server.folder, `${album} ${track}.flac`), bytes);
    }
  }
  const library = await mountRemote({
    folder: server.folder,
    origins: [
      {
        ...{ id: 'nas', kind: 'webdav', url: `http://127.0.0.1:${server.process.port}/` },
        credentials: webdavCredentials(server.folder),
      },
    ],
  });
  return { server, library };
}

const on = (library: Library) => ['--mount', library.mountPoint];
const held = (library: Library, song: string) =>
  library.shell(`getfattr --only-values -n user.musicfs.cached "$M/${song}"`);

it('what is pinned is fetched, survives a clearing and a restart, plays without its server, and can be let go', async () => {
  const { server, library } = await twoAlbums();
  const album = `${library.mountPoint}/Artist/Loved [FLAC]`;
  expect((await library.run(['pin', album, ...on(library)])).stdout).toContain('pinned Artist/Loved [FLAC]');
  expect((await library.run(['pin', 'Artist/Loved [FLAC]', ...on(library)])).stdout).toContain(
    'was pinned before',
  );
  for (const track of [1, 2, 3]) {
    await eventually(`${track} is held`, async () => (await held(library, songIn('Loved', track))) === '100');
  }
  expect(await held(library, songIn('Other', 1))).toBe('0');
  expect((await library.run(['pins', ...on(library)])).stdout).toMatch(
    /^Artist\/Loved \[FLAC\] {2}3 of 3 tracks held/,
  );
  expect((await library.run(['cache', 'clear', ...on(library)])).code).toBe(0);
  expect(await held(library, songIn('Loved', 1))).toBe('100');
  expect((await library.run(['restart', library.mountPoint])).code).toBe(0);
  await server.process.end();
  await library.shell('echo 3 > /proc/sys/vm/drop_caches');
  await library.shell(`cmp "$M/${songIn('Loved', 2)}" "$O/Loved 2.flac"`);
  expect((await library.run(['unpin', album, ...on(library)])).code).toBe(0);
  expect((await library.run(['pins', '--json', ...on(library)])).stdout.trim()).toBe('[]');
  await eventually('it may be cleared', async () => {
    await library.run(['cache', 'clear', ...on(library)]);
    return (await held(library, songIn('Loved', 1))) === '0';
  });
}, 60_000);

it('what changes below a pin is fetched again', async () => {
  const { server, library } = await twoAlbums();
  await library.run(['pin', 'Artist', ...on(library)]);
  await eventually('all is held', async () => (await held(library, songIn('Other', 3))) === '100', 20_000);
  writeFileSync(
    path.join(server.folder, 'new.flac'),
    makeFlac(
      [
        ['ARTIST', 'Artist'],
        ['ALBUM', 'Other'],
        ['TITLE', 'Title 4'],
        ['TRACKNUMBER', '4'],
      ],
      {
        audioBytes: 900_000,
        seed: 77,
      },
    ),
  );
  await library.rescan();
  await eventually(
    'so is the new one',
    async () => (await held(library, songIn('Other', 4))) === '100',
    20_000,
  );
}, 60_000);

it('what is prefetched is held; a path that is not there is said to be', async () => {
  const { library } = await twoAlbums();
  const all = await library.run(['prefetch', 'Artist/Other [FLAC]', songIn('Loved', 1), ...on(library)]);
  expect([all.code, all.stdout]).toEqual([0, expect.stringMatching(/^fetched 4 files, 4 MB; 0 were there/)]);
  for (const song of [songIn('Other', 2), songIn('Loved', 1)]) {
    await eventually(`${song} is held`, async () => (await held(library, song)) === '100');
  }
  const again = await library.run(['prefetch', 'Artist/Other [FLAC]', ...on(library)]);
  expect(again.stdout).toContain('fetched 0 files, 0 MB; 3 were there already');
  for (const command of ['pin', 'prefetch', 'unpin']) {
    const { code, stderr } = await library.run([command, 'Nobody/Nothing', ...on(library)]);
    expect([command, code]).toEqual([command, 4]);
    expect(stderr).toMatch(/^musicfs: Nobody\/Nothing is not (in the library|pinned)/);
  }
  const cleared = await library.run([
    'cache',
    'clear',
    '--dry-run',
    '--path',
    'Artist/Other [FLAC]',
    ...on(library),
  ]);
  expect(cleared.stdout).toMatch(/^would forget \d+ chunks, 3 MB/);
  expect(await held(library, songIn('Other', 2))).toBe('100');
}, 60_000);

it('where every file is read where it lies there is nothing to keep, and that is said', async () => {
  const library = await mountLibrary({
    origin: (root) =>
      writeFileSync(
        path.join(root, '1.flac'),
        makeFlac([
          ['TITLE', 'One'],
          ['ARTIST', 'A'],
        ]),
      ),
  });
  expect((await library.run(['cache', 'stats', ...on(library)])).stdout).toContain('nothing is kept');
  for (const words of [
    ['pin', 'A'],
    ['prefetch', 'A'],
    ['cache', 'verify'],
    ['cache', 'clear'],
  ]) {
    const { code, stderr } = await library.run([...words, ...on(library)]);
    expect([words[0], code]).toEqual([words[0], 5]);
    expect(stderr).toContain('every file is read where it lies');
  }
});
