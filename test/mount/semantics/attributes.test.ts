// docs/SEMANTICS.md, section 2: attributes.
import { renameSync, statSync, unlinkSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { songBytes, writeAlbum, writeSong } from '../../fixtures/albums.ts';
import { writeMixedLibrary } from '../../fixtures/mixed-library.ts';
import { type Library, mountLibrary, mountSharedLibrary } from '../../fixtures/mounted.ts';
import type { RawEntry, RawTree } from '../../fixtures/programs/list-raw.ts';
import { TalkingChild } from '../../fixtures/talking-child.ts';

let library: Library;
let tree: RawTree;

beforeAll(async () => {
  library = await mountSharedLibrary({ origin: writeMixedLibrary });
  tree = await library.program<RawTree>('list-raw', [library.mountPoint]);
});
afterAll(() => library.remove());

const isDirectory = ({ stat }: RawEntry) => (stat.mode & 0o170000) === 0o040000;
const files = () =>
  Object.values(tree)
    .flat()
    .filter((entry) => !isDirectory(entry));
const album = 'Ann/One [FLAC]';

test('2.1: every file is as long as stat says before its first read', async () => {
  const differing = await library.shell(
    'find $M -type f -printf "%s %p\\n" | while read -r size file; do [ $(cat "$file" | wc -c) = $size ] || echo "$file"; done',
  );
  expect(differing).toBe('');
  expect(files().length).toBeGreaterThan(60);
});

test('2.2: an inode number stays with its track through change, re-tag, absence and remount, and with nobody else', async () => {
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 3) });
  const inode = (name: string) => own.shell(`stat -c %i "$M/${name}"`);
  const first = await inode(`${album}/01 - T1.flac`);
  const gone = await inode(`${album}/03 - T3.flac`);
  expect(await own.shell('stat -c %i $M')).toBe('1');
  writeSong(own.origin, 'One/1.flac', { artist: 'Ann', album: 'Two', title: 'Moved', track: 9 });
  unlinkSync(path.join(own.origin, 'One/3.flac'));
  writeSong(own.origin, 'One/4.flac', { artist: 'Ann', album: 'One', title: 'T3', track: 3, seed: 77 });
  await own.rescan();
  expect(await inode('Ann/Two [FLAC]/09 - Moved.flac')).toBe(first);
  expect(await own.shell(`cd "$M/${album}" && stat -c %i 03*`)).not.toBe(gone);
  const away = path.join(own.folder, 'away.flac');
  renameSync(path.join(own.origin, 'One/1.flac'), away);
  await own.rescan();
  await own.unmount();
  await own.mount();
  renameSync(away, path.join(own.origin, 'One/1.flac'));
  await own.rescan();
  expect(await inode('Ann/Two [FLAC]/09 - Moved.flac')).toBe(first);
});

test('2.3: inode numbers of a listing are those of stat, for . and .. too', () => {
  for (const [directory, entries] of Object.entries(tree)) {
    for (const { name, dIno, stat } of entries) {
      // Above the root of a mount stat sees another file system.
      if (directory !== '' || name !== '..') expect(stat.ino, `${directory}/${name}`).toBe(dIno);
    }
  }
});

test('2.4: when bytes change, so does the time or the size', async () => {
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 1) });
  const look = () => own.shell(`stat -c "%s %.9Y" "$M/${album}/01 - T1.flac"`);
  const before = await look();
  writeSong(own.origin, 'One/1.flac', { artist: 'Ann', album: 'One', title: 'T1', track: 1, seed: 99 });
  await own.rescan();
  expect(await look()).not.toBe(before);
});

test('2.5: the time of a file is that of the origin, to the nanosecond', async () => {
  const shown = await library.shell('stat -c %.9Y "$M/Beyoncé/Names [FLAC]/00 - Déjà Vu.flac"');
  const { mtimeNs } = statSync(path.join(library.origin, 'names/1.flac'), { bigint: true });
  expect(shown.replace('.', '')).toBe(String(mtimeNs));
});

test('2.6: the time of a directory moves with its names and with the content of its files', async () => {
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 2) });
  const time = () => own.shell(`stat -c %.9Y "$M/${album}"`).then(Number);
  const before = await time();
  writeSong(own.origin, 'One/3.flac', { artist: 'Ann', album: 'One', title: 'T3', track: 3 });
  await own.rescan();
  const withName = await time();
  writeSong(own.origin, 'One/3.flac', {
    artist: 'Ann',
    album: 'One',
    title: 'T3',
    track: 3,
    audioBytes: 9000,
  });
  await own.rescan();
  const withContent = await time();
  expect([withName > before, withContent > withName]).toEqual([true, true]);
});

test('2.7: reading changes nothing, change times do not go back, no birth time is told', async () => {
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 2) });
  const file = `"$M/${album}/01 - T1.flac"`;
  const look = () => own.shell(`stat -c "%.9X %.9Y %.9Z %W" ${file}`);
  const before = await look();
  const [accessed, modified, , born] = before.split(' ');
  expect([accessed, born]).toEqual([modified, '0']);
  await own.shell(`cat ${file} > /dev/null`);
  expect(await look()).toBe(before);
  const changed = async () => Number((await look()).split(' ')[2]);
  const first = await changed();
  utimesSync(path.join(own.origin, 'One/1.flac'), 1000, 1000);
  await own.rescan();
  expect(await changed()).toBeGreaterThan(first);
});

test('2.8: times are the same after a restart', async () => {
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 2) });
  const times = () => own.shell('cd $M && find . -printf "%A@ %T@ %C@ %P\\n"');
  const before = await times();
  await own.unmount();
  await own.mount();
  expect(await times()).toBe(before);
});

test('2.9, 2.10: types, modes, links, blocks', () => {
  for (const { name, stat } of files()) {
    expect(stat.mode.toString(8), name).toBe('100644');
    expect([stat.blksize, stat.blocks, stat.nlink], name).toEqual([131_072, Math.ceil(stat.size / 512), 1]);
  }
  for (const [directory, entries] of Object.entries(tree)) {
    const own = entries.find(({ name }) => name === '.');
    const below = entries.filter((entry) => !/^\.\.?$/.test(entry.name) && isDirectory(entry)).length;
    expect([own?.stat.mode.toString(8), own?.stat.nlink], directory).toEqual(['40755', 2 + below]);
  }
});

test('2.11: owner is who mounted; others get in with --allow-other only', async () => {
  const owners = new Set(
    Object.values(tree)
      .flat()
      .map(({ stat }) => `${stat.uid} ${stat.gid}`),
  );
  const stranger = 'setpriv --reuid 65534 --regid 65534 --clear-groups ls $M';
  const { '': root = [] } = tree;
  expect(root.filter(({ name }) => name !== '..').every(({ stat }) => stat.uid === 0 && stat.gid === 0)).toBe(
    true,
  );
  expect(owners.size).toBe(1);
  expect((await library.tryShell(stranger)).stderr).toContain('Permission denied');
  const open = await mountLibrary({ origin: library.origin, args: ['--allow-other'] });
  await open.shell(`chmod 755 ${open.folder} && ${stranger}`);
});

test('2.12, 9.7: an open file is described by the content it reads, also when the path has moved on', async () => {
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 1) });
  const shown = path.join(own.mountPoint, album, '01 - T1.flac');
  const before = songBytes({ artist: 'Ann', album: 'One', title: 'T1', track: 1 }).length;
  const handle = new TalkingChild(own.mountPoint, 'held-open', [shown]);
  await handle.ask('');
  writeSong(own.origin, 'tmp', { artist: 'Ann', album: 'One', title: 'T1', track: 1, audioBytes: 8000 });
  renameSync(path.join(own.origin, 'tmp'), path.join(own.origin, 'One/1.flac'));
  await own.rescan();
  expect(Number(await own.shell(`stat -c %s "${shown}"`))).toBeGreaterThan(before);
  expect(await handle.ask('size')).toEqual([before]);
});
