// A local directory as an origin: what a listing shows, what it leaves out, and that it changes nothing.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isIgnoredName, musicExtensions } from '../../../src/library/music-files.ts';
import { extensionOf, realPath, rootRealPath } from '../../../src/library/real-path.ts';
import { LocalOrigin, type NameFilter } from '../../../src/origins/local-origin.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const filter: NameFilter = {
  isIgnored: isIgnoredName,
  isMusic: (name) => musicExtensions.has(extensionOf(name)),
};
const never = new AbortController().signal;

function originWith(files: readonly string[]): { origin: LocalOrigin; root: string } {
  const root = temporaryDirectory();
  for (const name of files) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), name);
  }
  return { origin: new LocalOrigin('local', root), root };
}

const listed = async (origin: LocalOrigin, directory = rootRealPath) => {
  const { directories, files } = await origin.list(directory, filter, never);
  return { directories: [...directories].sort(), files: files.map((file) => file.path).sort() };
};

test('a listing has music files with size and time, and folders; nothing else', async () => {
  const { origin, root } = originWith([
    'b.MP3',
    'a.flac',
    'cover.jpg',
    'CD1/x.ogg',
    '@eaDir/y.flac',
    '._c.flac',
  ]);
  execFileSync('mkfifo', [path.join(root, 'pipe.flac')]);
  expect(await listed(origin)).toEqual({ directories: ['CD1'], files: ['a.flac', 'b.MP3'] });
  const { files } = await origin.list(rootRealPath, filter, never);
  const { size, mtimeNs } = statSync(path.join(root, 'a.flac'), { bigint: true });
  expect(files.find((file) => file.path === 'a.flac')).toEqual({
    path: 'a.flac',
    sizeBytes: Number(size),
    mtimeNs: String(mtimeNs),
  });
});

test('links are not followed: neither to files, nor in a circle, nor out of the root', async () => {
  const { origin, root } = originWith(['CD1/x.ogg']);
  symlinkSync(root, path.join(root, 'CD1/circle'));
  symlinkSync('x.ogg', path.join(root, 'CD1/again.ogg'));
  symlinkSync('/etc', path.join(root, 'out'));
  expect(await listed(origin)).toEqual({ directories: ['CD1'], files: [] });
  expect(await listed(origin, realPath('CD1'))).toEqual({ directories: [], files: ['CD1/x.ogg'] });
});

test('a name that is not UTF-8 comes as its bytes and leads back to its file', async () => {
  const { origin, root } = originWith([]);
  const bytes = Buffer.from([0x66, 0xfc, 0x72, 0x2e, 0x6d, 0x70, 0x33]); // "für.mp3" in Latin-1
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), bytes]), 'x');
  const { files } = await listed(origin);
  expect(files).toEqual([bytes.toString('latin1')]);
  expect(await origin.stat(realPath(bytes.toString('latin1')))).toMatchObject({ sizeBytes: 1 });
});

test('a directory that is not there rejects, a file that went is null', async () => {
  const { origin, root } = originWith(['a.flac']);
  await expect(origin.list(realPath('gone'), filter, never)).rejects.toMatchObject({ code: 'not_found' });
  await expect(origin.list(realPath('a.flac'), filter, never)).rejects.toMatchObject({ code: 'not_found' });
  rmSync(path.join(root, 'a.flac'));
  expect(await origin.stat(realPath('a.flac'))).toBeNull();
});

test('an aborted listing rejects instead of answering with a part', async () => {
  const { origin } = originWith(Array.from({ length: 100 }, (_, index) => `${index}.flac`));
  await expect(origin.list(rootRealPath, filter, AbortSignal.abort())).rejects.toMatchObject({
    name: 'AbortError',
  });
});

test('R-43: a root that is gone, or no longer on the disk it was on, is unavailable', async () => {
  const { origin, root } = originWith(['a.flac']);
  const [mountPoint = ''] = await origin.mountPoints();
  expect(root.startsWith(mountPoint)).toBe(true);
  expect(await origin.probe(null)).toEqual([]);
  expect(await origin.probe([mountPoint])).toEqual([]);
  await expect(origin.probe([root])).rejects.toMatchObject({
    code: 'origin_unavailable',
    message: expect.stringMatching(/not mounted/),
  });
  rmSync(root, { recursive: true });
  await expect(origin.probe(null)).rejects.toMatchObject({ code: 'origin_unavailable' });
});

test('a disk inside the origin that is not mounted is named as missing', async () => {
  const { origin, root } = originWith(['usb/a.flac']);
  execFileSync('mount', ['-t', 'tmpfs', 'none', path.join(root, 'usb')]);
  const known = await origin.mountPoints();
  expect(known.slice(1)).toEqual([path.join(root, 'usb')]);
  expect(await origin.probe(known)).toEqual([]);
  execFileSync('umount', [path.join(root, 'usb')]);
  expect(await origin.probe(known)).toEqual([path.join(root, 'usb')]);
});

test('a file that goes while its directory is listed is left out', async () => {
  const { origin, root } = originWith(['a.flac', 'b.flac']);
  const vanishing: NameFilter = {
    ...filter,
    isMusic: (name) => {
      rmSync(path.join(root, 'b.flac'), { force: true });
      return filter.isMusic(name);
    },
  };
  const { files } = await origin.list(rootRealPath, vanishing, never);
  expect(files.map((file) => file.path)).toEqual(['a.flac']);
});

test('R-43: a directory that may not be read rejects, so that its files do not count as gone', async () => {
  const { origin, root } = originWith(['closed/a.flac']);
  chmodSync(root, 0o755);
  chmodSync(path.join(root, 'closed'), 0);
  const wasRoot = process.geteuid?.() === 0;
  // Nothing is closed to root.
  if (wasRoot) process.seteuid?.(65534);
  try {
    await expect(origin.list(realPath('closed'), filter, never)).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(origin.stat(realPath('closed/a.flac'))).rejects.toMatchObject({ code: 'permission_denied' });
  } finally {
    if (wasRoot) process.seteuid?.(0);
    chmodSync(path.join(root, 'closed'), 0o755);
  }
});

test('listing and looking change nothing on the origin', async () => {
  const { origin, root } = originWith(['a.flac', 'CD1/x.ogg']);
  const state = () =>
    readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => {
      const stat = statSync(path.join(root, name), { bigint: true });
      return [
        name,
        stat.mtimeNs,
        stat.ctimeNs,
        stat.size,
        stat.isFile() ? readFileSync(path.join(root, name), 'utf8') : '',
      ];
    });
  const before = state();
  await listed(origin);
  await listed(origin, realPath('CD1'));
  await origin.stat(realPath('a.flac'));
  await origin.probe(null);
  expect(state()).toEqual(before);
});
