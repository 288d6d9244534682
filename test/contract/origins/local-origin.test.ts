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
import { realPath, rootRealPath } from '../../../src/library/real-path.ts';
import { defaultScan, WantedFiles } from '../../../src/library/scan-settings.ts';
import { LocalOrigin } from '../../../src/origins/local-origin.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const wanted = new WantedFiles({ ...defaultScan, sidecars: [], wantsPlaylists: false });
const isWanted = (name: string) => wanted.isWanted(name);
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
  const { directories, files, links } = await origin.list(directory, isWanted, never);
  return {
    directories: [...directories].sort(),
    files: files.map((file) => file.path).sort(),
    links: [...links].sort(),
  };
};

test('a listing has music files with size and time, and folders; nothing else', async () => {
  const { origin, root } = originWith(['b.MP3', 'a.flac', 'cover.jpg', 'CD1/x.ogg', '._c.flac']);
  execFileSync('mkfifo', [path.join(root, 'pipe.flac')]);
  expect(await listed(origin)).toEqual({ directories: ['CD1'], files: ['a.flac', 'b.MP3'], links: [] });
  const { files } = await origin.list(rootRealPath, isWanted, never);
  const { size, mtimeNs } = statSync(path.join(root, 'a.flac'), { bigint: true });
  expect(files.find((file) => file.path === 'a.flac')).toEqual({
    path: 'a.flac',
    sizeBytes: Number(size),
    mtimeNs: String(mtimeNs),
    etag: null,
  });
});

test('the file of rules stands by itself, and so does what only has its name', async () => {
  const { origin, root } = originWith(['a/.musicfsignore', 'a/a.flac', 'b/.musicfsignore/c.flac']);
  symlinkSync('../a/.musicfsignore', path.join(root, 'a/link'));
  mkdirSync(path.join(root, 'c'));
  symlinkSync('../a/.musicfsignore', path.join(root, 'c/.musicfsignore'));
  const ruled = async (folder: string) => (await origin.list(realPath(folder), isWanted, never)).ignoreFile;
  expect(await ruled('a')).toMatchObject({ path: 'a/.musicfsignore', sizeBytes: 16 });
  expect([await ruled('b'), await ruled('c'), await ruled('')]).toEqual(['odd', 'odd', null]);
  expect((await listed(origin, realPath('a'))).files).toEqual(['a/a.flac']);
  expect((await listed(origin, realPath('b'))).directories).toEqual([]);
});

test('the first bytes of a file are read of that version only, and through no link', async () => {
  const { origin, root } = originWith(['rules', 'other']);
  const found = await origin.stat(realPath('rules'));
  if (found === null) throw new Error('it is there');
  expect(Buffer.from(await origin.read(found, 3, never)).toString()).toBe('rul');
  expect(Buffer.from(await origin.read(found, 300, never)).toString()).toBe('rules');
  writeFileSync(path.join(root, 'rules'), 'longer than before');
  await expect(origin.read(found, 300, never)).rejects.toMatchObject({ code: 'version_gone' });
  rmSync(path.join(root, 'rules'));
  symlinkSync('other', path.join(root, 'rules'));
  await expect(origin.read(found, 300, never)).rejects.toMatchObject({ code: 'not_found' });
});

test('links are shown as links, whatever their names, and nothing behind them', async () => {
  const { origin, root } = originWith(['CD1/x.ogg']);
  symlinkSync(root, path.join(root, 'CD1/circle'));
  symlinkSync('x.ogg', path.join(root, 'CD1/again.ogg'));
  symlinkSync('/etc', path.join(root, 'out'));
  expect(await listed(origin)).toEqual({ directories: ['CD1'], files: [], links: ['out'] });
  expect(await listed(origin, realPath('CD1'))).toEqual({
    directories: [],
    files: ['CD1/x.ogg'],
    links: ['CD1/again.ogg', 'CD1/circle'],
  });
  await expect(origin.list(realPath('CD1/circle'), isWanted, never)).rejects.toMatchObject({
    code: 'not_found',
  });
});

test('a link leads to a place below the root that no link leads to, or nowhere', async () => {
  const { origin, root } = originWith(['store/x.flac', 'music/y.flac', 'deep/a/b/z.flac']);
  const link = (at: string, target: string) => symlinkSync(target, path.join(root, at));
  const place = (at: string) => origin.followLink(realPath(at), never);
  link('music/x.flac', '../store/x.flac');
  link('music/absolute.flac', path.join(root, 'store/x.flac'));
  link('music/chain.flac', 'x.flac');
  link('music/store', '../store');
  link('through.flac', 'music/store/../music/chain.flac');
  link('dots', './deep//a/../a/b/');
  link('self', '.');
  for (const at of [
    'music/x.flac',
    'music/absolute.flac',
    'music/chain.flac',
    'through.flac',
    'music/store/x.flac',
  ])
    expect([at, await place(at)]).toEqual([at, 'store/x.flac']);
  expect([await place('music/store'), await place('dots'), await place('self')]).toEqual([
    'store',
    'deep/a/b',
    '',
  ]);
  expect(await place('music/y.flac')).toBe('music/y.flac');

  link('out', '/etc/passwd');
  link('above', '../');
  link('above-and-back', `../${path.basename(root)}/store`);
  link('beside', `${root}-other/x`);
  link('nothing', 'store/none.flac');
  link('through-a-file', 'store/x.flac/more');
  link('one', 'two');
  link('two', 'one');
  link('inside-out', 'out');
  for (const at of [
    'out',
    'above',
    'above-and-back',
    'beside',
    'nothing',
    'through-a-file',
    'one',
    'inside-out',
  ])
    expect([at, await place(at)]).toEqual([at, null]);
  expect(await place('none')).toBeNull();

  for (let step = 0; step < 45; step += 1) link(`step-${step}`, step === 0 ? 'store' : `step-${step - 1}`);
  expect([await place('step-39'), await place('step-40')]).toEqual(['store', null]);
  await expect(origin.followLink(realPath('one'), AbortSignal.abort())).rejects.toMatchObject({
    name: 'AbortError',
  });
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
  await expect(origin.list(realPath('gone'), isWanted, never)).rejects.toMatchObject({ code: 'not_found' });
  await expect(origin.list(realPath('a.flac'), isWanted, never)).rejects.toMatchObject({ code: 'not_found' });
  rmSync(path.join(root, 'a.flac'));
  expect(await origin.stat(realPath('a.flac'))).toBeNull();
});

test('an aborted listing rejects instead of answering with a part', async () => {
  const { origin } = originWith(Array.from({ length: 100 }, (_, index) => `${index}.flac`));
  await expect(origin.list(rootRealPath, isWanted, AbortSignal.abort())).rejects.toMatchObject({
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
  const vanishing = (name: string) => {
    rmSync(path.join(root, 'b.flac'), { force: true });
    return isWanted(name);
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
    await expect(origin.list(realPath('closed'), isWanted, never)).rejects.toMatchObject({
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
