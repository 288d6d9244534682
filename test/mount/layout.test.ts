// Another template in the configuration: the tree is laid out anew while it is read.
import { readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeFlac, makeMp3 } from '../fixtures/audio-files.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { newLibrary } from '../fixtures/mounted.ts';
import { TalkingChild } from '../fixtures/talking-child.ts';

const names = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();

test('another template moves every name, keeps every inode, and an open file is read on', async () => {
  const library = newLibrary((root) => writeFlacLibrary(root, { files: 80, albums: 4 }));
  const config = path.join(library.folder, 'musicfs.toml');
  const configure = (template: string) => {
    const text = `[library]\ntemplate = "${template}"\n[[origins]]\npath = "${library.origin}"\n`;
    writeFileSync(`${config}.new`, text);
    renameSync(`${config}.new`, config);
  };
  configure('default');
  library.config = config;
  await library.mount();
  const before = names(library.mountPoint);
  expect(before).toHaveLength(80);
  const file = path.join(library.mountPoint, before[0] ?? '');
  const inode = statSync(file).ino;
  const inodes = new Set(before.map((name) => statSync(path.join(library.mountPoint, name)).ino));
  const child = new TalkingChild(library.mountPoint, 'held-open', [file]);
  await child.ask('');
  const [sizeBefore] = (await child.ask('size')) as [unknown];

  const preview = await library.run([
    'template',
    'preview',
    '$title',
    '--mount',
    library.mountPoint,
    '--json',
  ]);
  expect(JSON.parse(preview.stdout)).toMatchObject({ tracks: 80, changed: 80 });
  expect(names(library.mountPoint)).toEqual(before);

  configure('All/$album_artist - $album - $disc_track - $title');
  expect((await library.run(['restart', library.mountPoint])).code).toBe(0);
  const after = await eventually('every name is another one', () => {
    const now = names(library.mountPoint);
    return now.length === 80 && now.every((name) => name.startsWith('All/')) ? now : undefined;
  });
  expect(readdirSync(library.mountPoint)).toEqual(['All']);
  expect(new Set(after.map((name) => statSync(path.join(library.mountPoint, name)).ino))).toEqual(inodes);
  expect(inodes).toContain(inode);
  expect(await child.ask('size')).toEqual([sizeBefore]);
  await child.ask('hash');
  await child.end();
  await eventually('the log tells of it', () =>
    library.log().some(({ event }) => event === 'library_laid_out'),
  );
}, 60_000);

test('views show the same inodes under other names, and are given up again', async () => {
  const library = newLibrary((root) => writeFlacLibrary(root, { files: 8, albums: 2 }));
  const config = path.join(library.folder, 'musicfs.toml');
  const configure = (views: string) =>
    writeFileSync(config, `${views}\n[[origins]]\npath = "${library.origin}"\n`);
  configure(
    '[[library.views]]\nroot = "Genres"\neach = "genre"\ntemplate = "$genre/$album_artist/$album - $title"',
  );
  library.config = config;
  await library.mount();
  const below = path.join(library.mountPoint, 'Genres/Jazz/Artist 0');
  const viewed = readdirSync(below);
  expect(viewed).toHaveLength(8);
  const inodesOf = (root: string) => new Set(names(root).map((name) => statSync(path.join(root, name)).ino));
  const tree = path.join(library.mountPoint, 'Artist 0');
  expect(inodesOf(below)).toEqual(inodesOf(tree));
  expect(statSync(path.join(below, viewed[0] ?? '')).nlink).toBe(2);
  const sums = 'find . -type f -exec sha256sum {} + | cut -c1-64 | sort';
  const [inView, inTree] = await Promise.all(
    [below, tree].map((folder) => library.shell(`cd "${folder}" && ${sums}`)),
  );
  expect(inView).toBe(inTree);
  // Each file is counted once.
  expect(await library.shell('du -s --apparent-size -B1 $M | cut -f1')).toBe(
    await library.shell(`du -s --apparent-size -B1 "${tree}" | cut -f1`),
  );

  configure('');
  expect((await library.run(['restart', library.mountPoint])).code).toBe(0);
  await eventually('the view is gone', () => !readdirSync(library.mountPoint).includes('Genres'));
  expect(names(library.mountPoint)).toHaveLength(8);

  configure('[[library.views]]\nroot = "Genres"\neach = "title"\ntemplate = "$genre"');
  const { code, stderr } = await library.run(['restart', library.mountPoint]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('title is no field that may have several values'),
  ]);
}, 60_000);

test('a template that is wrong is refused with its column, and the mount stays as it was', async () => {
  const library = newLibrary((root) => writeFlacLibrary(root, { files: 2, albums: 1 }));
  const config = path.join(library.folder, 'musicfs.toml');
  writeFileSync(config, `[[origins]]\npath = "${library.origin}"\n`);
  library.config = config;
  await library.mount();
  const before = names(library.mountPoint);
  writeFileSync(config, `[library]\ntemplate = "$artist/$nope"\n[[origins]]\npath = "${library.origin}"\n`);
  const refused = await library.run(['restart', library.mountPoint]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/library\.template: column 9: /)]);
  expect(names(library.mountPoint)).toEqual(before);
});

test('a tag says where its file belongs, each artist of an album has it, and any case finds a name', async () => {
  const song = (tags: Readonly<Record<string, string | readonly string[]>>) =>
    makeFlac(
      Object.entries(tags).flatMap(([key, values]) => [values].flat().map((value) => [key, value] as const)),
      { audioBytes: 3000 },
    );
  const library = newLibrary((root) => {
    writeFileSync(path.join(root, 'a.flac'), song({ TITLE: 'A', Musicfs_Path: 'Mixes/Summer/One.mp3' }));
    const duo = { ALBUMARTIST: 'Ella & Louis', ALBUMARTISTS: ['Ella', 'Louis'], ALBUM: 'Porgy' };
    writeFileSync(path.join(root, 'b.flac'), song({ TITLE: 'Gone', ...duo }));
    writeFileSync(path.join(root, 'c.music'), song({ TITLE: 'C', ALBUM: 'X', ARTIST: 'Other' }));
    writeFileSync(path.join(root, 'd.mp3'), song({ TITLE: 'D', ALBUM: 'X', ARTIST: 'Other' }));
  });
  library.config = path.join(library.folder, 'musicfs.toml');
  const options = [
    'case = "sensitive"\ncase_insensitive = true\npath_field = "musicfs_path"\nmulti_artist = "all"',
    'extensions = ["flac", "music"]\nmax_path = 100',
  ].join('\n');
  writeFileSync(library.config, `[library]\n${options}\n[[origins]]\npath = "${library.origin}"\n`);
  await library.mount();
  expect(names(library.mountPoint)).toEqual([
    'Ella & Louis/Porgy [FLAC]/00 - Gone.flac',
    'Ella/Porgy [FLAC]/00 - Gone.flac',
    'Louis/Porgy [FLAC]/00 - Gone.flac',
    'Mixes/Summer/One.flac',
    'Other/X [MUSIC]/00 - C.music',
  ]);
  const at = (name: string) => path.join(library.mountPoint, name);
  expect(await library.shell('cmp "$M/mixes/SUMMER/one.FLAC" "$O/a.flac"')).toBe('');
  expect(statSync(at('LOUIS/porgy [flac]/00 - gone.flac')).ino).toBe(
    statSync(at('Ella/Porgy [FLAC]/00 - Gone.flac')).ino,
  );
  const explained = await library.run(['explain', at('Mixes/Summer/One.flac')]);
  expect(explained.stdout).toContain('its tag MUSICFS_PATH says where it belongs: "Mixes/Summer/One"');

  // A spelling that no notification names must not be remembered by the kernel.
  writeFileSync(path.join(library.origin, 'a.flac'), song({ TITLE: 'A', MUSICFS_PATH: 'Mixes/Winter/One' }));
  await library.rescan();
  expect(statSync(at('mixes/WINTER/ONE.flac')).isFile()).toBe(true);
  expect(readdirSync(at('Mixes'))).toEqual(['Winter']);
}, 60_000);

test('another code page for old tags reaches what was read before with rescan --full, by the same inodes', async () => {
  const library = newLibrary((root) => {
    const tags = [
      ['TPE1', '\xca\xe8\xed\xee'], // "Кино" in Windows-1251
      ['TALB', 'A'],
    ] as const;
    writeFileSync(path.join(root, 'a.mp3'), makeMp3(tags, { version: 3, latin1: true }));
  });
  library.config = path.join(library.folder, 'musicfs.toml');
  const origin = `[[origins]]\npath = "${library.origin}"\n`;
  writeFileSync(library.config, origin);
  await library.mount();
  const before = names(library.mountPoint);
  expect(before).toEqual(['\xca\xe8\xed\xee/A [MP3]/00 - a.mp3']);
  const { ino } = statSync(path.join(library.mountPoint, before[0] ?? ''));
  writeFileSync(library.config, `[library]\nlegacy_charset = "windows-1251"\n${origin}`);
  expect((await library.run(['restart', library.mountPoint])).code).toBe(0);
  await library.rescan();
  expect(names(library.mountPoint)).toEqual(before);
  expect((await library.run(['rescan', library.mountPoint, '--wait', '--full'])).stdout).toContain(
    '0 errors',
  );
  expect(names(library.mountPoint)).toEqual(['\u041a\u0438\u043d\u043e/A [MP3]/00 - a.mp3']);
  expect(statSync(path.join(library.mountPoint, '\u041a\u0438\u043d\u043e/A [MP3]/00 - a.mp3')).ino).toBe(
    ino,
  );
  expect(await library.shell('cmp "$M/\u041a\u0438\u043d\u043e/A [MP3]/00 - a.mp3" "$O/a.mp3"')).toBe('');
}, 60_000);
