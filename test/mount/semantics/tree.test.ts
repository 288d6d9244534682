// docs/SEMANTICS.md, section 1: tree and names.
import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { songBytes, writeAlbum, writeSong } from '../../fixtures/albums.ts';
import { type Library, mountLibrary, mountSharedLibrary } from '../../fixtures/mounted.ts';
import type { RawTree } from '../../fixtures/programs/list-raw.ts';
import { TalkingChild } from '../../fixtures/talking-child.ts';

const longTitle = 'Ω'.repeat(200);
let library: Library;

beforeAll(async () => {
  library = await mountSharedLibrary({
    origin: (root) => {
      writeAlbum(root, 'Ann', 'One', 3);
      const odd = [
        'Café'.normalize('NFD'),
        'a/b\\c',
        'tab\there\u0001',
        longTitle,
        '..',
        'Song',
        'SONG',
        'song ',
      ];
      for (const [index, title] of odd.entries()) {
        writeSong(root, `odd/${index}.flac`, { artist: 'Odd', album: 'Names', title, track: 1, seed: index });
      }
    },
  });
});
afterAll(() => library.remove());

async function names(): Promise<Map<string, string[]>> {
  const tree = await library.program<RawTree>('list-raw', [library.mountPoint]);
  return new Map(
    Object.entries(tree).map(([directory, entries]) => [
      directory,
      entries.map(({ name }) => name).filter((name) => name !== '.' && name !== '..'),
    ]),
  );
}

test('1.1: a path exists exactly when the catalog says so, whatever has become of the origin', async () => {
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 3) });
  const walk = () => own.shell('find $M -printf "%i %s %P\\n"');
  const before = await walk();
  const { files, directories } = await own.status();
  expect(before.split('\n')).toHaveLength(files + directories);
  await own.unmount();
  renameSync(own.origin, `${own.origin}-away`);
  await own.mount({ wait: false });
  expect(await walk()).toBe(before);
  expect((await own.tryShell('stat "$M/Ann/One [FLAC]/04 - T4.flac"')).stderr).toContain('No such file');
});

test('1.2: names are clean UTF-8 in NFC of at most 255 bytes, and are found in NFD too', async () => {
  const all = [...(await names()).values()].flat();
  expect(all.length).toBeGreaterThan(10);
  for (const name of all) {
    expect(name, name).toBe(name.normalize('NFC'));
    expect(Buffer.byteLength(name), name).toBeLessThanOrEqual(255);
    expect(
      [...name].filter((letter) => letter < ' ' || letter === '\u007f' || letter === '/'),
      name,
    ).toEqual([]);
  }
  const cafe = all.find((name) => name.includes('Café')) ?? '';
  const inNfd = path.join('Odd/Names [FLAC]', cafe.normalize('NFD'));
  expect(inNfd).not.toBe(inNfd.normalize('NFC'));
  expect(await library.shell(`stat -c %s "$M/${inNfd}"`)).toBe(
    await library.shell(`stat -c %s "$M/Odd/Names [FLAC]/${cafe}"`),
  );
});

test('1.3: no two names of a directory are the same when case is folded', async () => {
  for (const [directory, listed] of await names()) {
    const folded = listed.map((name) => name.toLowerCase());
    expect(new Set(folded).size, directory).toBe(folded.length);
  }
  const songs = (await names()).get('Odd/Names [FLAC]')?.filter((name) => /song/i.test(name));
  expect(songs).toHaveLength(3);
});

test('1.4, 9.6: a name keeps its content when neighbours that want the same name come and go', async () => {
  const song = { artist: 'Ann', album: 'One', title: 'Same', track: 1 };
  const own = await mountLibrary({ origin: (root) => void writeSong(root, 'b.flac', { ...song, seed: 1 }) });
  const shown = '"$M/Ann/One [FLAC]/01 - Same.flac"';
  const look = () => own.shell(`stat -c %i ${shown}; sha256sum < ${shown}`);
  const before = await look();
  for (const name of ['a.flac', 'c.flac'])
    writeSong(own.origin, name, { ...song, seed: name.length + name.charCodeAt(0) });
  await own.rescan();
  expect(await own.shell('ls "$M/Ann/One [FLAC]" | wc -l')).toBe('3');
  expect(await look()).toBe(before);
  const others = await own.shell('cd "$M/Ann/One [FLAC]" && ls | grep -v "^01 - Same.flac$"');
  unlinkSync(path.join(own.origin, 'a.flac'));
  await own.rescan();
  expect(await look()).toBe(before);
  const left = await own.shell('cd "$M/Ann/One [FLAC]" && ls | grep -v "^01 - Same.flac$"');
  expect(others.split('\n')).toContain(left);
});

test('1.5: a re-tagged album shows its old names or its new ones, never some of each', async () => {
  const tracks = 24;
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', tracks) });
  const seen = new TalkingChild(own.mountPoint, 'listing-sets', [
    path.join(own.mountPoint, 'Ann/One [FLAC]'),
  ]);
  await seen.ask('');
  for (let track = 1; track <= tracks; track += 1) {
    writeFileSync(
      path.join(own.origin, `One/${track}.flac`),
      songBytes({ artist: 'Ann', album: 'One', title: `New ${track}`, track }),
    );
  }
  await own.rescan();
  const [sets] = (await seen.end()) as [string[][]];
  const withTitle = (pattern: RegExp) => sets.map((set) => set.filter((name) => pattern.test(name)).length);
  expect(withTitle(/- T\d+\.flac$/)).toEqual([tracks, 0]);
  expect(withTitle(/- New \d+\.flac$/)).toEqual([0, tracks]);
});

test('1.6: a file that is re-tagged keeps its inode and its readers, and answers to its former path, unlisted', async () => {
  const song = { artist: 'Ann', album: 'One', track: 1, seed: 1 };
  const own = await mountLibrary({
    origin: (root) => {
      writeSong(root, 'a.flac', { ...song, title: 'Old' });
      writeSong(root, 'b.flac', { ...song, title: 'Other', track: 2, seed: 2 });
    },
  });
  const [old, other] = ['Ann/One [FLAC]/01 - Old.flac', 'Ann/One [FLAC]/02 - Other.flac'];
  const inodeOf = (shown: string) => own.shell(`stat -c %i "$M/${shown}"`);
  const [inode, neighbour] = [await inodeOf(old), await inodeOf(other)];
  const reader = new TalkingChild(own.mountPoint, 'held-open', [path.join(own.mountPoint, old)]);
  await reader.ask('');
  const before = await reader.ask('hash');
  // A tagger writes another file and puts it in the place of the first.
  writeSong(own.origin, 'new.tmp', { ...song, artist: 'Bea', album: 'Two', title: 'New' });
  renameSync(path.join(own.origin, 'new.tmp'), path.join(own.origin, 'a.flac'));
  await own.rescan();
  expect(await inodeOf('Bea/Two [FLAC]/01 - New.flac')).toBe(inode);
  expect(await own.shell('cd $M && find . -type f | sort')).toBe(
    './Ann/One [FLAC]/02 - Other.flac\n./Bea/Two [FLAC]/01 - New.flac',
  );
  expect(await inodeOf(old)).toBe(inode);
  expect(await own.shell(`cmp "$M/${old}" "$O/a.flac"`)).toBe('');
  expect(await inodeOf(other)).toBe(neighbour);
  // What was opened before is read on as it was, or fails; it never turns into something else.
  expect([before, ['EIO']]).toContainEqual(await reader.ask('hash'));
  await reader.end();
});

test('1.7: .musicfs answers to its name at the root and is not listed', async () => {
  expect(await library.shell('ls -a $M')).not.toContain('.musicfs');
  expect(await library.shell('find $M -name .musicfs | wc -l')).toBe('0');
  expect(await library.shell('stat -c %F $M/.musicfs')).toBe('directory');
  expect((await library.tryShell('stat $M/Ann/.musicfs')).stderr).toContain('No such file');
});
