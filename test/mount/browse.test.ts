// What a person and their programs see when they look around in a mount that stands still.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shownTime } from '../fixtures/driver-limits.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { encodedFormats, writeMixedLibrary } from '../fixtures/mixed-library.ts';
import { type Library, mountLibrary, mountSharedLibrary, newLibrary } from '../fixtures/mounted.ts';
import type { RawEntry, RawTree } from '../fixtures/programs/list-raw.ts';

let library: Library;
let raw: RawTree;
const filesInAll = 71 + 3;

beforeAll(async () => {
  library = await mountSharedLibrary({
    origin: (root) => {
      writeMixedLibrary(root);
      writeFileSync(path.join(root, 'broken.flac'), 'no music at all');
      writeFileSync(path.join(root, 'empty.mp3'), '');
      writeFileSync(
        path.join(root, 'formats', 'cut.m4a'),
        readFileSync(path.join(root, 'formats/tone.m4a')).subarray(0, 400),
      );
      writeFileSync(path.join(root, 'letter.docx'), 'no music, and nothing that lies beside it');
    },
  });
  raw = await library.program<RawTree>('list-raw', [library.mountPoint]);
});
afterAll(() => library.remove());

const isDirectory = ({ stat }: RawEntry) => (stat.mode & 0o170000) === 0o040000;
const everyEntry = () => Object.values(raw).flat();
const namesIn = (directory: string) => (raw[directory] ?? []).map(({ name }) => name);
const realNames = ({ name }: RawEntry) => name !== '.' && name !== '..';
const everyFile = () => everyEntry().filter((entry) => !isDirectory(entry));

test('files lie below artist and album as their tags say, in track order', () => {
  expect(namesIn('Artist 0/Album 0 (1960) [FLAC]')).toEqual([
    '.',
    '..',
    ...[0, 12, 24, 36, 48].map((title, index) => `0${index + 1} - Title ${title}.flac`),
  ]);
  expect(namesIn('Beyoncé/Names [FLAC]')).toContain('00 - Déjà Vu.flac');
  expect(namesIn('')).toContain('椎名林檎');
});

test('files without tags and files that cannot be read lie below Unsorted, with their own paths', () => {
  expect(namesIn('Unsorted/local')).toEqual(
    expect.arrayContaining(['broken.flac', 'empty.mp3', 'formats', 'loose']),
  );
  expect(namesIn('Unsorted/local/formats')).toContain('cut.m4a');
  expect(namesIn('Unsorted/local/loose')).toContain('no tags.flac');
  expect(namesIn('Unsorted/local/loose/deep/er')).toContain('no tags either.mp3');
});

test('only music and what lies beside it is listed', () => {
  expect(everyFile().filter(({ name }) => name.endsWith('.docx'))).toEqual([]);
});

test('find, tar, rsync and eight walkers at once see as many files as the catalog has', async () => {
  const { files, directories } = await library.status();
  const count = (script: string) => library.shell(script).then(Number);
  expect(files).toBe(filesInAll);
  expect(await count('find $M -type f | wc -l')).toBe(files);
  expect(await count('find $M -type d | wc -l')).toBe(directories);
  expect(await count('tar cf - -C $M . | tar tf - | grep -vc "/$"')).toBe(files);
  expect(await count(`rsync -nr --stats $M/ /nowhere/ | sed -n 's/.*files transferred: //p' | tr -d ,`)).toBe(
    files,
  );
  const walkers = Array.from({ length: 8 }, () => count('ls -lR $M | grep -c ^-'));
  expect(await Promise.all(walkers)).toEqual(Array(8).fill(files));
});

test('every byte is that of the origin', async () => {
  const differing = await library.shell(
    `find $M -type f -print0 | while IFS= read -r -d '' file; do
       real=$(getfattr --absolute-names --only-values -n user.musicfs.real_path "$file")
       cmp "$file" "$O/$real" || echo "$file"
     done`,
    { limitMs: 30_000 },
  );
  expect(differing).toBe('');
});

test('ffprobe reads every format, and mpv plays', async () => {
  for (const [index, format] of encodedFormats.entries()) {
    const probed = await library.shell(
      `ffprobe -v error -of json -show_format -show_streams "$M/Tester/Formats [${format.toUpperCase()}]/0${index + 1} - Tone ${format}.${format}"`,
    );
    const { format: found } = JSON.parse(probed) as { format: { duration: string; size: string } };
    expect(Number(found.duration), format).toBeGreaterThan(0.9);
  }
  const said = await library.shell(
    'mpv --no-config --ao=null --untimed --no-video "$M/Tester/Formats [OGG]/03 - Tone ogg.ogg"',
  );
  expect(said).toContain('Exiting... (End of file)');
});

test('sizes are exact, times are those of the origin, reading changes neither', async () => {
  const source = statSync(path.join(library.origin, 'names/1.flac'), { bigint: true });
  const shown = () =>
    library.shell('stat -c "%s %.9Y %.9X %A %u %g %h %o %b" "$M/Beyoncé/Names [FLAC]/00 - Déjà Vu.flac"');
  const mtime = shownTime(source.mtimeNs);
  const blocks = Math.ceil(Number(source.size) / 512);
  const expected = `${source.size} ${mtime} ${mtime} -rw-r--r-- 0 0 1 131072 ${blocks}`;
  expect(await shown()).toBe(expected);
  await library.shell('cat "$M/Beyoncé/Names [FLAC]/00 - Déjà Vu.flac" | wc -c');
  expect(await shown()).toBe(expected);
});

test('files are -rw-r--r--, directories drwxr-xr-x with a link for each of their directories', () => {
  for (const file of everyFile()) expect(file.stat.mode.toString(8), file.name).toBe('100644');
  for (const [directory, entries] of Object.entries(raw)) {
    const own = entries.find(({ name }) => name === '.');
    const below = entries.filter((entry) => realNames(entry) && isDirectory(entry)).length;
    expect(own?.stat.mode.toString(8), directory).toBe('40755');
    expect(own?.stat.nlink, directory).toBe(2 + below);
    expect(own?.stat.atimeNs).toBe(own?.stat.mtimeNs);
  }
});

test('a listing begins with . and .., and its inode numbers are those of stat', () => {
  for (const [directory, entries] of Object.entries(raw)) {
    expect(entries.slice(0, 2).map(({ name }) => name)).toEqual(['.', '..']);
    for (const { name, dIno, stat } of entries) {
      // Above the root of a mount stat sees another file system.
      if (directory !== '' || name !== '..') expect(stat.ino, `${directory}/${name}`).toBe(dIno);
    }
  }
  expect(raw['']?.[0]?.dIno).toBe(1);
  const numbers = everyEntry()
    .filter(realNames)
    .map(({ dIno }) => dIno);
  expect(new Set(numbers).size).toBe(numbers.length);
});

test('no two names of a directory are equal when case is folded, and all are NFC', () => {
  for (const [directory, entries] of Object.entries(raw)) {
    const folded = entries.map(({ name }) => name.normalize('NFC').toLowerCase());
    expect(new Set(folded).size, directory).toBe(folded.length);
    for (const { name } of entries) expect(name).toBe(name.normalize('NFC'));
  }
});

test('a name is found in NFD; one above 255 bytes is ENAMETOOLONG; others are ENOENT, also when asked again', async () => {
  const size = (name: string) => library.tryShell(`stat -c %s "$M/${name}"`);
  expect((await size('Beyoncé/Names [FLAC]/00 - Déjà Vu.flac'.normalize('NFD'))).code).toBe(0);
  expect((await size('n'.repeat(255))).stderr).toContain('No such file or directory');
  expect((await size('n'.repeat(256))).stderr).toContain('File name too long');
  expect((await size('é'.repeat(128))).stderr).toContain('File name too long');
  for (const name of ['Nobody', 'Nobody', 'nobody/at all', 'beyoncé', '.search2']) {
    expect((await size(name)).stderr, name).toContain('No such file or directory');
  }
  expect((await size('Beyoncé/Names [FLAC]/00 - Déjà Vu.flac/below')).stderr).toContain('Not a directory');
});

test('extended attributes tell where a file comes from; other names are ENODATA', async () => {
  const file = '"$M/Beyoncé/Names [FLAC]/00 - Déjà Vu.flac"';
  const listed = await library.shell(`getfattr --absolute-names -d ${file}`);
  expect(listed).toContain('user.musicfs.real_path="names/1.flac"');
  expect(listed).toContain('user.musicfs.state="ok"');
  expect((await library.tryShell(`getfattr -n user.other ${file}`)).stderr).toContain('No such attribute');
  const broken = await library.shell(
    'getfattr --only-values -n user.musicfs.state $M/Unsorted/local/broken.flac',
  );
  expect(broken).toBe('failed');
});

test('statfs tells of the library and asks no origin', async () => {
  const { files, directories } = await library.status();
  const [blockSize, blocks, nodes, longest, free] = (
    await library.shell('stat -f -c "%S %b %c %l %a" $M')
  ).split(' ');
  const bytes = everyFile().reduce((sum, { stat }) => sum + stat.size, 0);
  expect([blockSize, blocks, nodes, longest]).toEqual(
    [4096, Math.ceil(bytes / 4096), files + directories, 255].map(String),
  );
  expect(Number(free)).toBeGreaterThan(0);
  expect(await library.shell('findmnt -no OPTIONS $M')).toMatch(/^ro,nosuid,nodev,/);
});

test('inode numbers and times stay as they are over a remount', async () => {
  const own = await mountLibrary({ origin: writeMixedLibrary });
  const before = await own.program<RawTree>('list-raw', [own.mountPoint]);
  await own.unmount();
  await own.mount();
  const { '': rootBefore, ...treeBefore } = before;
  const { '': rootAfter, ...treeAfter } = await own.program<RawTree>('list-raw', [own.mountPoint]);
  expect(treeAfter).toEqual(treeBefore);
  const inside = (entries: readonly RawEntry[] = []) => entries.filter(({ name }) => name !== '..');
  expect(inside(rootAfter)).toEqual(inside(rootBefore)); // ".." of the root is not ours
});

test('everything is shown as the configured owner with the configured permissions, and the kernel acts on them', async () => {
  const own = newLibrary((root) => writeFlacLibrary(root, { files: 2, albums: 1 }));
  own.config = path.join(own.folder, 'musicfs.toml');
  const fuse = 'uid = 65534\ngid = 100\nfile_mode = "0440"\ndir_mode = "0550"';
  writeFileSync(
    own.config,
    `[mount]\nallow_other = true\n[fuse]\n${fuse}\n[[origins]]\npath = "${own.origin}"\n`,
  );
  await own.mount();
  await own.shell(`chmod 755 ${own.folder}`);
  const shown = await own.shell('find $M -printf "%y %m %U %G\\n" | sort -u');
  expect(shown.split('\n')).toEqual(['d 550 65534 100', 'f 440 65534 100']);
  const as = (uid: number, gid: number) =>
    own.tryShell(
      `setpriv --reuid ${uid} --regid ${gid} --clear-groups sh -c 'find $M -type f -exec cat {} + | wc -c'`,
    );
  const all = await own.shell('find $M -type f -exec cat {} + | wc -c');
  expect(Number(all)).toBeGreaterThan(0);
  expect((await as(65_534, 65_534)).stdout.trim()).toBe(all);
  expect((await as(65_533, 100)).stdout.trim()).toBe(all);
  expect((await as(65_533, 65_533)).stderr).toContain('Permission denied');
});
