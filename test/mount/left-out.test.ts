// What a person leaves out of a library, seen through the real kernel, and on every way by which a scan reaches an origin.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test } from 'vitest';
import { makeFlac } from '../fixtures/audio-files.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';
import { configure, mountRemote, type OriginTable, webdavCredentials } from '../fixtures/remote-library.ts';
import { s3Hand } from '../fixtures/s3-harness.ts';
import { s3Bucket, startS3rver } from '../fixtures/servers/s3-servers.ts';
import { startRclone } from '../fixtures/servers/webdav-servers.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

const rules = '.musicfsignore';

function songNamed(name: string): Buffer {
  const tags = [
    ['ARTIST', 'Ann'],
    ['ALBUM', path.dirname(name)],
    ['TITLE', path.basename(name, '.flac')],
  ] as const;
  return makeFlac(tags, { audioBytes: 3000 });
}

function writeSong(root: string, name: string): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), songNamed(name));
}

function writeSongs(root: string, album: string, count: number): void {
  for (let index = 0; index < count; index += 1) writeSong(root, `${album}/Song ${index}.flac`);
}

const files = (library: Library) =>
  library
    .shell('cd "$M" && find . -type f -printf "%P %i\\n" | sort')
    .then((text) => (text === '' ? [] : text.split('\n')));

test('a rule that is added takes its files out of the tree, and the same inodes are back when it goes', async () => {
  const library = await mountLibrary({
    origin: (root) => {
      writeSongs(root, 'Live', 80);
      writeSongs(root, 'Studio', 2);
    },
  });
  const before = await files(library);
  expect(before).toHaveLength(82);
  writeFileSync(path.join(library.origin, rules), '# not in this house\nLive/\n');
  expect(await library.rescan()).toContain('80 removed');
  expect(await files(library)).toEqual(before.filter((line) => line.includes('Studio')));
  expect((await library.tryShell('ls "$M/Ann/Live [FLAC]"')).stderr).toContain('No such file');
  expect((await library.status()).warnings.join()).not.toMatch(/missing|did not meet/);
  rmSync(path.join(library.origin, rules));
  await library.rescan();
  expect(await files(library)).toEqual(before);
  expect(await library.shell('cmp "$M/Ann/Live [FLAC]/00 - Song 7.flac" "$O/Live/Song 7.flac"')).toBe('');
});

test('configured patterns apply after a restart, which lays nothing out anew', async () => {
  const library = await mountLibrary({
    origin: (root) => {
      writeSongs(root, 'Live', 3);
      writeSongs(root, 'Studio', 2);
      writeSongs(root, '@eaDir', 1);
    },
  });
  const before = await files(library);
  expect(before).toHaveLength(5);
  await library.unmount();
  configure(library, [{ path: library.origin }], '[library]\nignore = ["/Live"]\nignore_builtin = false\n');
  await library.mount();
  await library.rescan();
  const after = await files(library);
  expect(after).toEqual(expect.arrayContaining(before.filter((line) => line.includes('Studio'))));
  expect(after.map((line) => line.replace(/ \d+$/, ''))).toEqual([
    ...['Ann/@eaDir [FLAC]/00 - Song 0.flac'],
    ...['Ann/Studio [FLAC]/00 - Song 0.flac', 'Ann/Studio [FLAC]/00 - Song 1.flac'],
  ]);
  configure(library, [{ path: library.origin }], '[library]\nignore = ["/Studio"]\n');
  const { code, stderr } = await library.run(['restart', library.mountPoint], { limitMs: 60_000 });
  expect([code, stderr]).toEqual([0, '']);
  await library.rescan();
  expect(await files(library)).toEqual(before.filter((line) => line.includes('Live')));
  expect(library.log().filter(({ event }) => event === 'library_laid_out')).toEqual([]);
});

type Way = 'a local disk' | 'a share' | 'a disk whose bytes are kept' | 'WebDAV';

/** How a scan reaches an origin: directly, or through the fetch thread. */
const ways: Readonly<Record<Way, (root: string) => Promise<{ folder: string; origin: OriginTable }>>> = {
  'a local disk': async (root) => ({ folder: root, origin: { path: root } }),
  'a share': async (root) => ({ folder: root, origin: { kind: 'nfs', path: root } }),
  'a disk whose bytes are kept': async (root) => ({ folder: root, origin: { path: root, cache: 'always' } }),
  WebDAV: async () => {
    const server = await startRclone();
    onTestFinished(() => server.end());
    const url = `http://127.0.0.1:${server.process.port}/`;
    const credentials = webdavCredentials(server.folder);
    return { folder: server.folder, origin: { kind: 'webdav', url, credentials } };
  },
};

test.each(Object.keys(ways) as Way[])('the rules and links of %s count', async (way) => {
  const { folder, origin } = await ways[way](temporaryDirectory());
  writeSongs(folder, 'Live', 60);
  writeSongs(folder, 'Studio', 2);
  writeSongs(folder, '.git/annex', 2);
  writeFileSync(path.join(folder, `Studio/${rules}`), 'Song 1.flac\n');
  const isServer = way === 'WebDAV';
  if (!isServer) {
    symlinkSync('../.git/annex/Song 1.flac', path.join(folder, 'Live/link.flac'));
    symlinkSync('/etc', path.join(folder, 'Live/out'));
  }
  const library = await mountRemote({ folder, origins: [origin] });
  const linked = isServer ? 0 : 1;
  expect(await files(library)).toHaveLength(61 + linked);
  writeFileSync(path.join(folder, rules), '/Live/Song*\n');
  expect(await library.rescan()).toContain('60 removed');
  const left = await files(library);
  expect(left.map((line) => line.replace(/ \d+$/, ''))).toEqual([
    'Ann/Studio [FLAC]/00 - Song 0.flac',
    ...(isServer ? [] : ['Ann/_git_annex [FLAC]/00 - Song 1.flac']),
  ]);
  if (!isServer) {
    const linkedFile = '"$M/Ann/_git_annex [FLAC]/00 - Song 1.flac"';
    expect(await library.shell(`cmp ${linkedFile} "$O/.git/annex/Song 1.flac"`)).toBe('');
  }
  expect(library.log().findLast(({ event }) => event === 'scan_ended')).toMatchObject({
    ...{ removed: 60, held: 0, errors: 0, linksRefused: linked },
  });
});

test('the rules of a bucket are those of a folder', async () => {
  const server = await startS3rver();
  onTestFinished(() => server.end());
  const hand = await s3Hand(server);
  onTestFinished(() => hand.destroy());
  const put = (name: string, bytes: string | Buffer) =>
    hand.send(new PutObjectCommand({ Bucket: s3Bucket, Key: `music/${name}`, Body: bytes }));
  for (const name of ['Live/a.flac', 'Live/CD2/b.flac', 'Studio/c.flac', 'Studio/d.flac', '@eaDir/e.flac'])
    await put(name, songNamed(name));
  await put(`Studio/${rules}`, 'd.flac\n');
  const folder = temporaryDirectory();
  const credentials = path.join(folder, 's3.toml');
  const { accessKeyId, secretAccessKey } = server;
  writeFileSync(credentials, `access_key_id = "${accessKeyId}"\nsecret_access_key = "${secretAccessKey}"\n`, {
    mode: 0o600,
  });
  const endpoint = `http://127.0.0.1:${server.process.port}`;
  const origin = {
    kind: 's3',
    bucket: s3Bucket,
    prefix: 'music',
    endpoint,
    credentials: `file:${credentials}`,
  };
  const library = await mountRemote({ folder, origins: [origin] });
  const before = await files(library);
  expect(before.map((line) => line.replace(/ \d+$/, ''))).toEqual([
    ...['Ann/Live [FLAC]/00 - a.flac', 'Ann/Live_CD2 [FLAC]/00 - b.flac', 'Ann/Studio [FLAC]/00 - c.flac'],
  ]);
  await put(rules, 'Live\n');
  expect(await library.rescan()).toContain('2 removed');
  expect(await files(library)).toEqual(before.filter((line) => line.includes('Studio')));
});
