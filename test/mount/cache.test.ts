// What is kept of a server's files, damaged and starved below a real mount: reads stay right, and the store mends itself.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeFlac } from '../fixtures/audio-files.ts';
import { chunkFiles, chunksOf, flipBits } from '../fixtures/chunk-files.ts';
import { eventually } from '../fixtures/eventually.ts';
import type { Library } from '../fixtures/mounted.ts';
import { newLibrary } from '../fixtures/mounted.ts';
import { configure, mountRemote, webdavCredentials } from '../fixtures/remote-library.ts';
import { startRclone, type WebdavServer } from '../fixtures/servers/webdav-servers.ts';

const songs = 4;
const songName = (track: number) => `Artist/Album [FLAC]/0${track} - Title ${track}.flac`;

async function servedAlbum(audioBytes = 4_000_000): Promise<WebdavServer> {
  const server = await startRclone();
  onTestFinished(() => server.end());
  for (let track = 1; track <= songs; track += 1) {
    const tags = [
      ['ARTIST', 'Artist'],
      ['ALBUM', 'Album'],
      ['TITLE', `Title ${track}`],
      ['TRACKNUMBER', String(track)],
    ] as const;
    const bytes = makeFlac(tags, { audioBytes: audioBytes + track, seed: track });
    writeFileSync(path.join(server.folder, `${track}.flac`), bytes);
  }
  return server;
}

const originOf = (server: WebdavServer) => ({
  ...{ id: 'nas', kind: 'webdav', url: `http://127.0.0.1:${server.process.port}/` },
  credentials: webdavCredentials(server.folder),
});

/** Whether a song reads as it is on the origin; otherwise what cmp says. */
async function same(library: Library, track: number): Promise<true | string> {
  const { code, stdout, stderr } = await library.tryShell(`cmp "$M/${songName(track)}" $O/${track}.flac`, {
    limitMs: 40_000,
  });
  return code === 0 || `${stdout}${stderr}`;
}
const held = (library: Library, track: number) =>
  library.shell(`getfattr --only-values -n user.musicfs.cached "$M/${songName(track)}"`);
const dropCaches = (library: Library) => library.shell('echo 3 > /proc/sys/vm/drop_caches');
const cached = (library: Library, track: number) =>
  eventually(`song ${track} is kept whole`, async () => (await held(library, track)) === '100', 20_000);

interface Stats {
  readonly mode: string;
  readonly storedBytes: number;
  readonly corruptChunks: number;
  readonly evictedBytes: number;
}

async function cacheCommand<T>(library: Library, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await library.run([
    'cache',
    ...args,
    '--mount',
    library.mountPoint,
    '--json',
  ]);
  if (code !== 0) throw new Error(`cache ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(
    stdout.trim().split('\n').at(-1) === '}' ? stdout : (stdout.trim().split('\n').at(-1) ?? ''),
  ) as T;
}

/** Verified chunks stay in memory for a while; a new life of the daemon has none. */
async function forgetMemory(library: Library): Promise<void> {
  expect((await library.run(['restart', library.mountPoint])).stderr).toBe('');
  await dropCaches(library);
}

describe('chunks that rot', () => {
  it('R-37: with a bit turned in every one, then all deleted, then the folder removed, reads are right and all is mended', async () => {
    const server = await servedAlbum();
    const library = await mountRemote({ folder: server.folder, origins: [originOf(server)] });
    expect(await same(library, 1)).toBe(true);
    await cached(library, 1);
    const damages: readonly [string, () => unknown][] = [
      ['bits', () => flipBits(chunkFiles(library))],
      ['deleted', () => execFileSync('rm', ['--', ...chunkFiles(library)])],
      ['no folder', () => rmSync(chunksOf(library), { recursive: true, force: true })],
    ];
    for (const [what, damage] of damages) {
      damage();
      await forgetMemory(library);
      expect(await same(library, 1), what).toBe(true);
      await dropCaches(library);
      expect(await same(library, 1), what).toBe(true);
      await cached(library, 1);
      // What nobody has read since is damaged still.
      const verify = ['cache', 'verify', '--full', '--mount', library.mountPoint];
      expect((await library.run([...verify, '--repair'])).code, what).toBe(0);
      expect(await library.run(verify), what).toMatchObject({ code: 0 });
    }
  }, 120_000);

  it('R-37: with its origin down a damaged file fails with EIO, and never gives a wrong byte', async () => {
    const server = await servedAlbum();
    const library = await mountRemote({ folder: server.folder, origins: [originOf(server)] });
    await same(library, 1);
    await cached(library, 1);
    await server.process.end();
    flipBits(chunkFiles(library));
    await forgetMemory(library);
    const { code, stderr } = await library.tryShell(`cmp "$M/${songName(1)}" $O/1.flac`, { limitMs: 40_000 });
    expect([code, stderr]).toEqual([2, expect.stringContaining('Input/output error')]);
  }, 60_000);

  it('R-37: the folder removed while eight read costs none of them a byte', async () => {
    const server = await servedAlbum(12_000_000);
    const library = await mountRemote({ folder: server.folder, origins: [originOf(server)] });
    await same(library, 1);
    await cached(library, 1);
    await forgetMemory(library);
    const reading = Array.from({ length: 8 }, (_, index) =>
      library.tryShell(
        `for i in 1 2 3; do cmp <(dd if="$M/${songName(1)}" bs=${64 + index}k status=none) $O/1.flac || exit 1; done`,
        { limitMs: 60_000 },
      ),
    );
    rmSync(chunksOf(library), { recursive: true, force: true });
    for (const { code, stdout } of await Promise.all(reading)) expect([code, stdout]).toEqual([0, '']);
  }, 90_000);
});

describe('the index of what is kept', () => {
  it('R-36: cut to nothing under readers, it is made anew, and reads are right all the while', async () => {
    const server = await servedAlbum();
    const library = await mountRemote({ folder: server.folder, origins: [originOf(server)] });
    for (const track of [1, 2]) await same(library, track);
    await cached(library, 2);
    for (const name of ['cache.db', 'cache.db-wal']) {
      truncateSync(path.join(library.stateDirectory, 'cache', name), 0);
    }
    for (const track of [1, 2, 3, 4]) expect(await same(library, track), String(track)).toBe(true);
    await eventually(
      'it is right again',
      async () => (await library.run(['cache', 'verify', '--mount', library.mountPoint])).code === 0,
      60_000,
    );
    await dropCaches(library);
    expect(await same(library, 1)).toBe(true);
    expect((await library.status()).supervision.restartsTotal).toBe(0);
  }, 120_000);
});

describe('a disk that is small, or will not be written', () => {
  /** What the cache does after a minute it does after some seconds. */
  const impatient = {
    MUSICFS_TEST_CACHE_INTERVALS: JSON.stringify({ probeIntervalMs: 5_000, chunkInUseMs: 5_000 }),
  };

  /** A library whose state lies on a file system of its own. */
  async function onDisk(
    server: WebdavServer,
    mountIt: (at: string) => void,
    config: string,
  ): Promise<Library> {
    const library = newLibrary(server.folder);
    mkdirSync(library.stateDirectory, { mode: 0o700 });
    mountIt(library.stateDirectory);
    onTestFinished(() => {
      execFileSync('umount', ['-l', library.stateDirectory]);
    });
    execFileSync('chmod', ['700', library.stateDirectory]);
    configure(library, [originOf(server)], config);
    await library.mount({ env: impatient });
    return library;
  }

  it('R-08: of 32 MiB, under 64 MB that are read: every byte is right, what is kept stays within its limit', async () => {
    const server = await servedAlbum(16_000_000);
    const library = await onDisk(
      server,
      (at) => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=700', 'none', at]),
      '[cache]\ncontent_max = "16MiB"\nmin_free = "4MiB"',
    );
    for (const track of [1, 2, 3, 4, 1, 4]) {
      expect(await same(library, track), String(track)).toBe(true);
      const { storedBytes } = await cacheCommand<Stats>(library, 'stats');
      expect(storedBytes).toBeLessThanOrEqual(16 * 2 ** 20);
    }
    await eventually(
      'room was made',
      async () => (await cacheCommand<Stats>(library, 'stats')).evictedBytes > 0,
      90_000,
    );
    const onDiskBytes = chunkFiles(library).reduce((sum, file) => sum + statSync(file).size, 0);
    expect(onDiskBytes).toBeLessThanOrEqual(16 * 2 ** 20);
  }, 150_000);

  /** A library whose cache lies on an ext4 of its own. */
  async function onExt4(server: WebdavServer): Promise<{ library: Library; disk: string }> {
    const image = `${server.folder}.img`;
    execFileSync('truncate', ['-s', '256M', image]);
    execFileSync('mkfs.ext4', ['-q', '-F', image]);
    const library = newLibrary(server.folder);
    const disk = path.join(library.stateDirectory, 'cache');
    mkdirSync(disk, { recursive: true, mode: 0o700 });
    execFileSync('mount', ['-o', 'loop', image, disk]);
    onTestFinished(() => {
      execFileSync('umount', ['-l', disk]);
      rmSync(image, { force: true });
    });
    execFileSync('chmod', ['700', library.stateDirectory]);
    configure(library, [originOf(server)], '[cache]\nmin_free = "4MiB"');
    await library.mount({ env: impatient });
    await same(library, 1);
    await cached(library, 1);
    return { library, disk };
  }

  const modeIs = (library: Library, mode: string) =>
    eventually(
      `the cache is ${mode}`,
      async () => (await cacheCommand<Stats>(library, 'stats')).mode === mode,
      75_000,
    );

  it('R-39: that dies under the cache: reads go on from the origin, and the status tells', async () => {
    const server = await servedAlbum();
    const { library, disk } = await onExt4(server);
    execFileSync('mount', ['-o', 'remount,abort', disk]); // what a failing disk does to ext4
    for (const track of [1, 2, 3]) expect(await same(library, track), String(track)).toBe(true);
    await modeIs(library, 'passthrough');
    await eventually('it is told', async () => (await library.status()).state === 'degraded');
    expect((await library.status()).warnings.join()).toContain('nothing is kept of what is fetched');
    await dropCaches(library);
    for (const track of [1, 4]) expect(await same(library, track), String(track)).toBe(true);
    expect((await library.status()).supervision.restartsTotal).toBe(0);
  }, 150_000);

  it('R-40: that nobody may write to any more is left alone, and used again when it may', async () => {
    const server = await servedAlbum();
    const { library, disk } = await onExt4(server);
    execFileSync('chattr', ['-R', '+i', path.join(disk, 'chunks')]);
    for (const track of [1, 2, 3]) expect(await same(library, track), String(track)).toBe(true);
    await modeIs(library, 'passthrough');
    execFileSync('chattr', ['-R', '-i', path.join(disk, 'chunks')]);
    await modeIs(library, 'normal');
    await eventually('the mount is well', async () => (await library.status()).state === 'ready', 10_000);
    expect(await same(library, 4)).toBe(true);
    await cached(library, 4);
  }, 200_000);
});
