// Another template in the configuration: the tree is laid out anew while it is read.
import { readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
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
