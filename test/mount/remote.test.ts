// Origins over the network, through the real kernel: what is read is right, and an origin that dies is a detail.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { limits } from '../../src/platform/limits.ts';
import { makeFlac } from '../fixtures/audio-files.ts';
import { CheckedReaders } from '../fixtures/checked-readers.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type Library, newLibrary } from '../fixtures/mounted.ts';
import { configure, mountRemote, type OriginTable, webdavCredentials } from '../fixtures/remote-library.ts';
import {
  startRclone,
  type WebdavServer,
  webdavPassword,
  webdavUser,
} from '../fixtures/servers/webdav-servers.ts';

const album = 'Artist/Album [FLAC]';
const songs = 6;
const songName = (track: number) => `${album}/0${track} - Title ${track}.flac`;

function writeAlbum(folder: string, audioBytes = 1_500_000): void {
  for (let track = 1; track <= songs; track += 1) {
    const tags = [
      ['ARTIST', 'Artist'],
      ['ALBUM', 'Album'],
      ['TITLE', `Title ${track}`],
      ['TRACKNUMBER', String(track)],
    ] as const;
    writeFileSync(
      path.join(folder, `${track}.flac`),
      makeFlac(tags, { audioBytes: audioBytes + track, seed: track }),
    );
  }
}

async function served(fill: (folder: string) => void): Promise<WebdavServer> {
  const server = await startRclone();
  onTestFinished(() => server.end());
  fill(server.folder);
  return server;
}

const webdav = (id: string, server: WebdavServer, more: OriginTable = {}): OriginTable => ({
  ...{ id, kind: 'webdav', url: `http://127.0.0.1:${server.process.port}/` },
  credentials: webdavCredentials(server.folder),
  ...more,
});

const dropCaches = (library: Library) => library.shell('echo 3 > /proc/sys/vm/drop_caches');
const hashOf = (library: Library, file: string) =>
  library.shell(`sha256sum < "$M/${file}" | cut -c1-64`, { limitMs: 20_000 });
const attribute = (library: Library, name: string, file: string) =>
  library.shell(`getfattr --only-values -n user.musicfs.${name} "$M/${file}" | tr '\\0' ' '`);
const stateOf = async (library: Library, id: string) =>
  (await library.status()).origins.find((origin) => origin.id === id)?.state;

/** How long a read of the file's beginning takes, ms, and how it ends. */
async function readPast(
  library: Library,
  file: string,
): Promise<{ code: number | null; ms: number; stderr: string }> {
  const began = performance.now();
  const script = `dd if="$M/${file}" of=/dev/null bs=64k count=1 iflag=direct 2>&1`;
  const { code, stdout } = await library.tryShell(`set -o pipefail; ${script}`, { limitMs: 40_000 });
  return { code, ms: performance.now() - began, stderr: stdout };
}

describe('a library on a WebDAV server', () => {
  it('is listed by its tags, read right, kept, and read again without the server', async () => {
    const server = await served((folder) => writeAlbum(folder));
    const library = await mountRemote({ folder: server.folder, origins: [webdav('nas', server)] });
    expect(await library.shell(`ls "$M/${album}"`)).toBe(
      Array.from({ length: songs }, (_, index) => path.basename(songName(index + 1))).join('\n'),
    );
    const original = await library.shell('sha256sum < "$O/1.flac" | cut -c1-64');
    expect(await hashOf(library, songName(1))).toBe(original);
    await eventually(
      'it is kept whole',
      async () => (await attribute(library, 'cached', songName(1))) === '100',
    );
    await server.process.end();
    await dropCaches(library);
    expect(await hashOf(library, songName(1))).toBe(original);
    // Of the next one, which is played next, the beginning is there; of others nothing.
    expect(await attribute(library, 'cached', songName(4))).toBe('0');
  });

  it('reads no more of a file for its tags than its beginning and its end', async () => {
    const server = await served((folder) => writeAlbum(folder));
    const config = '[artwork]\nenabled = false'; // pictures are looked for in more of a file
    const library = await mountRemote({ folder: server.folder, origins: [webdav('nas', server)], config });
    const { bytesFromOrigins } = JSON.parse(
      (await library.run(['cache', 'stats', '--mount', library.mountPoint, '--json'])).stdout,
    ) as { bytesFromOrigins: number };
    expect(bytesFromOrigins).toBeLessThanOrEqual(songs * (64 + 20) * 1024);
    expect(bytesFromOrigins).toBeGreaterThan(songs * 64 * 1024);
    expect(readdirSync(path.join(library.stateDirectory, 'heads'))).toEqual([]);
  });

  it('R-23: with its server gone lists, plays what is held, and refuses the rest at once; it comes back by itself', async () => {
    const server = await served((folder) => writeAlbum(folder));
    const library = await mountRemote({ folder: server.folder, origins: [webdav('nas', server)] });
    await hashOf(library, songName(1));
    await eventually(
      'it is kept whole',
      async () => (await attribute(library, 'cached', songName(1))) === '100',
    );
    await server.process.end();
    await dropCaches(library);
    expect((await readPast(library, songName(4))).code).not.toBe(0);
    await eventually('it is known', async () => (await library.status()).state === 'offline');
    const refused = await Promise.all([3, 4, 5, 6].map((track) => readPast(library, songName(track))));
    for (const { code, stderr } of refused)
      expect([code, stderr]).toEqual([1, expect.stringContaining('Input/output')]);
    expect(await library.shell('find $M -name "*.flac" | wc -l')).toBe(String(songs));
    expect(await hashOf(library, songName(1))).toMatch(/^[0-9a-f]{64}$/);
    const lines = library.log().filter(({ event }) => event === 'origin_health_changed');
    expect(lines.length).toBeLessThanOrEqual(3);
    await server.process.restart();
    await eventually('it is found', async () => (await stateOf(library, 'nas')) === 'healthy', 65_000);
    expect(await hashOf(library, songName(2))).toMatch(/^[0-9a-f]{64}$/);
    expect((await library.status()).state).not.toBe('offline');
  }, 120_000);

  it('a daemon that is killed while the server is away goes on refusing at once, and plays what is held', async () => {
    const server = await served((folder) => writeAlbum(folder));
    const library = await mountRemote({ folder: server.folder, origins: [webdav('nas', server)] });
    const before = await hashOf(library, songName(1));
    await eventually(
      'it is kept whole',
      async () => (await attribute(library, 'cached', songName(1))) === '100',
    );
    await server.process.end();
    await readPast(library, songName(4));
    await eventually('it is known', async () => (await library.status()).state === 'offline');
    const { daemon } = await library.pids();
    process.kill(daemon, 'SIGKILL');
    await eventually('the next life takes calls', async () => (await library.status()).pid !== daemon);
    await dropCaches(library);
    expect(await hashOf(library, songName(1))).toBe(before);
    const { code, ms } = await readPast(library, songName(3));
    expect(code).toBe(1);
    expect(ms).toBeLessThan(1_000);
  }, 60_000);
});

describe('secrets', () => {
  it('are in nothing that is written or said, right or wrong, from a file or the environment', async () => {
    const server = await served((folder) => writeAlbum(folder));
    const planted = 'planted-in-the-environment-Zq7';
    const library = newLibrary(server.folder);
    configure(library, [
      webdav('right', server),
      webdav('wrong', server, { credentials: 'env:PLANTED', priority: 200 }),
    ]);
    await library.mount({
      wait: false,
      env: { PLANTED_USERNAME: webdavUser, PLANTED_PASSWORD: planted },
    });
    await eventually(
      'the wrong one is refused',
      async () => (await stateOf(library, 'wrong')) === 'degraded',
    );
    await eventually('the right one is read', async () => (await library.status()).files === songs);
    await hashOf(library, songName(1));
    const { daemon, keeper } = await library.pids();
    process.kill(daemon, 'SIGUSR2');
    await eventually('the status is in the log', () => library.log().some(({ event }) => event === 'status'));
    const said: string[] = [];
    for (const words of [
      ['status'],
      ['status', '--json'],
      ['tree', '--json'],
      ['cache', 'stats'],
      ['pins'],
    ]) {
      const { stdout, stderr } = await library.run([...words, '--mount', library.mountPoint]);
      said.push(stdout, stderr);
    }
    said.push(await library.shell('cat $M/.musicfs/status $M/.musicfs/warnings $M/.musicfs/origins'));
    said.push(await library.shell(`cat /proc/${daemon}/cmdline /proc/${keeper}/cmdline | tr '\\0' ' '`));
    for (const name of readdirSync(library.stateDirectory)) {
      const file = path.join(library.stateDirectory, name);
      if (statSync(file).isFile()) said.push(readFileSync(file, 'latin1'));
    }
    expect(said.join().length).toBeGreaterThan(10_000);
    for (const secret of [
      planted,
      webdavPassword,
      webdavUser,
      Buffer.from(`${webdavUser}:${webdavPassword}`).toString('base64'),
    ]) {
      expect(said.filter((text) => text.includes(secret))).toEqual([]);
    }
    expect(readFileSync(`/proc/${daemon}/cmdline`, 'latin1')).toContain('musicfs');
  }, 60_000);
});

it('an origin that cannot be made of its configuration is named with the reason, and the others go on', async () => {
  const server = await served((folder) => writeAlbum(folder));
  const library = await mountRemote({
    folder: server.folder,
    origins: [webdav('nas', server), { id: 'nobody', kind: 'sftp', host: '127.0.0.1' }],
    wait: false,
  });
  await eventually('the other is read', async () => (await library.status()).files === songs);
  await eventually('it is named', async () =>
    (await library.status()).warnings.some((text) => text.includes('an sftp origin needs a user')),
  );
  expect((await library.status()).supervision.restartsTotal).toBe(0);
}, 60_000);

describe('the thread that fetches', () => {
  it('R-06: may die under its readers: what they wait for is asked again, and none fails', async () => {
    const server = await served((folder) => writeAlbum(folder));
    const library = await mountRemote({
      folder: server.folder,
      origins: [webdav('nas', server)],
      args: ['--enable-failpoints'],
      config: '[cache]\nenabled = false',
    });
    const readers = await CheckedReaders.over(library, songs, { ways: ['direct', 'sequential', 'direct'] });
    for (let death = 0; death < 3; death += 1) {
      await library.failpoint('fetch.read=crash;count=1');
      await readers.readAllOnce();
    }
    await library.failpoint('actor.fetcher.handle=crash;count=1');
    await readers.readAllOnce();
    await readers.stop();
    expect(readers.errors).toEqual([]);
    await eventually('each death was seen', () => {
      const deaths = library
        .log()
        .filter(({ event, id }) => event === 'child_restarting' && id === 'fetcher');
      return deaths.length >= 4;
    });
  }, 60_000);
});

describe('two origins with the same files', () => {
  it('are one library; when the first is killed while 8 players read, none fails and none waits long', async () => {
    const first = await served((folder) => writeAlbum(folder, 4_000_000));
    const second = await served((folder) => cpSync(first.folder, folder, { recursive: true }));
    const library = await mountRemote({
      folder: first.folder,
      origins: [webdav('first', first, { priority: 1 }), webdav('second', second, { priority: 2 })],
      config: '[cache]\nenabled = false',
    });
    expect(await library.shell('find $M -name "*.flac" | wc -l')).toBe(String(songs));
    expect(await attribute(library, 'locations', songName(1))).toBe('first second');
    const readers = await CheckedReaders.over(library, songs, {
      ways: ['sequential', 'direct', 'sequential', 'direct', 'sequential', 'direct', 'sequential', 'direct'],
      roundMs: 60_000,
    });
    await first.process.end();
    await readers.readAllOnce();
    await readers.readAllOnce();
    await readers.stop();
    expect(readers.errors).toEqual([]);
    expect(readers.longestMs).toBeLessThan(11_000);
    // The whole of it may have lain in memory, where it is forgotten when nobody reads it.
    await new Promise((resolve) => setTimeout(resolve, limits.idleFileMs + 2000));
    expect((await readPast(library, songName(1))).code).toBe(0);
    expect(await attribute(library, 'served_by', songName(1))).toBe('second');
    await eventually('it is known', async () => (await stateOf(library, 'first')) === 'unhealthy');
    expect((await library.status()).state).toBe('degraded');
  }, 120_000);

  it('of which the second has another recording of the same name, size and time: its bytes are never mixed in', async () => {
    const first = await served((folder) => writeAlbum(folder, 24_000_000));
    const second = await served((folder) =>
      cpSync(first.folder, folder, { recursive: true, preserveTimestamps: true }),
    );
    const library = await mountRemote({
      folder: first.folder,
      origins: [webdav('first', first, { priority: 1 }), webdav('second', second, { priority: 2 })],
      config: '[cache]\nenabled = false',
    });
    // Its beginning and its end are the same, so that it was taken for the same.
    await library.shell(`
      cd ${JSON.stringify(second.folder)} && touch -r 1.flac time
      dd if=/dev/urandom of=1.flac bs=1M seek=1 count=20 conv=notrunc 2> /dev/null
      touch -r time 1.flac && rm time`);
    // One open file: its first megabytes come from the first origin, which then dies.
    const reading = library.tryShell(
      `exec 3< "$M/${songName(1)}"
       dd bs=128k count=20 iflag=direct <&3 2> /dev/null > $O.got && touch $O.begun
       until test -e $O.killed; do sleep 0.05; done
       dd bs=128k iflag=direct <&3 2> $O.said >> $O.got; echo $?`,
      { limitMs: 60_000 },
    );
    onTestFinished(() => void library.tryShell('rm -f $O.*'));
    await eventually('it has begun', () => existsSync(`${first.folder}.begun`));
    await first.process.end();
    writeFileSync(`${first.folder}.killed`, '');
    expect((await reading).stdout.trim()).toBe('1');
    expect(await library.shell('cat $O.said')).toContain('Input/output error');
    expect((await library.tryShell('cmp -n $(stat -c %s $O.got) $O.got $O/1.flac')).stdout).toBe('');
    expect(library.log().some(({ event }) => event === 'replica_diverged')).toBe(true);
  }, 90_000);

  it('R-26: a file that the other had to serve is looked at first when the one whose word counts is back', async () => {
    const first = await served((folder) => writeAlbum(folder));
    const second = await served((folder) => cpSync(first.folder, folder, { recursive: true }));
    const library = await mountRemote({
      folder: first.folder,
      origins: [webdav('first', first, { priority: 1 }), webdav('second', second, { priority: 2 })],
      config: '[cache]\nenabled = false',
    });
    await first.process.end();
    await hashOf(library, songName(4));
    expect(await attribute(library, 'served_by', songName(4))).toBe('second');
    writeFileSync(
      path.join(first.folder, '4.flac'),
      makeFlac(
        [
          ['ARTIST', 'Artist'],
          ['ALBUM', 'Album'],
          ['TITLE', 'New'],
          ['TRACKNUMBER', '4'],
        ],
        { seed: 99 },
      ),
    );
    await first.process.restart();
    await eventually(
      'the newer one is shown',
      async () => (await library.tryShell(`test -f "$M/${album}/04 - New.flac"`)).code === 0,
      65_000,
    );
  }, 120_000);
});

describe('with every origin down', () => {
  let share = '';
  beforeAll(() => {
    share = mkdtempSync(path.join(tmpdir(), 'musicfs-share-'));
    writeFlacLibrary(share, { files: 18_000, albums: 1_600 });
  }, 120_000);
  afterAll(() => {
    for (const folder of [share, `${share}.away`]) rmSync(folder, { recursive: true, force: true });
  });

  it('20,000 entries list, what is held is right, the rest fails within 50 ms; also after a restart', async () => {
    const server = await served((folder) => writeAlbum(folder));
    const library = await mountRemote({
      folder: server.folder,
      origins: [webdav('nas', server), { id: 'share', kind: 'nfs', path: share }],
    });
    const entries = Number(await library.shell('find $M | wc -l', { limitMs: 60_000 }));
    expect(entries).toBeGreaterThan(19_500);
    const original = await hashOf(library, songName(1));
    await eventually(
      'it is kept whole',
      async () => (await attribute(library, 'cached', songName(1))) === '100',
    );
    renameSync(share, `${share}.away`);
    await server.process.end();
    await readPast(library, songName(4));
    const tiny = await library.shell('find "$M/Artist 0" -name "*.flac" | head -1');
    await library.tryShell(`cat "${tiny}"`, { limitMs: 40_000 });
    await eventually('it is known', async () => (await library.status()).state === 'offline', 40_000);
    for (const life of ['the life that saw it', 'the next one']) {
      await dropCaches(library);
      expect(Number(await library.shell('find $M | wc -l', { limitMs: 60_000 })), life).toBe(entries);
      expect(await hashOf(library, songName(1)), life).toBe(original);
      const refused = await library.program<{ errno: string; tookMs: number }[]>('refused-reads', [
        ...[3, 4, 5].map((track) => path.join(library.mountPoint, songName(track))),
        tiny,
      ]);
      for (const { errno, tookMs } of refused) {
        expect(errno, life).toBe('EIO');
        expect(tookMs, life).toBeLessThanOrEqual(50);
      }
      if (life === 'the life that saw it')
        expect((await library.run(['restart', library.mountPoint])).stderr).toBe('');
    }
  }, 240_000);
});
