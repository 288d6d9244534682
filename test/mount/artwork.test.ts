// Pictures of albums on a real mount: from files beside the tracks and from their tags, exact from the first look.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { flacWith, front } from '../contract/artwork/pictured-music.ts';
import { blue, plain } from '../contract/artwork/pictures.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type Library, mountLibrary, newLibrary } from '../fixtures/mounted.ts';
import { childrenOf, commandOf, isAlive } from '../fixtures/processes.ts';

const jpeg = await plain(640, 480).jpeg().toBuffer();
const png = await plain(400, 400, blue).png().toBuffer();

function song(root: string, album: string, track: number, picture?: Buffer): void {
  const folder = path.join(root, album);
  mkdirSync(folder, { recursive: true });
  const tags = [
    ['ARTIST', 'Artist'],
    ['ALBUM', album],
    ['TITLE', `T${track}`],
    ['TRACKNUMBER', String(track)],
  ] as const;
  writeFileSync(
    path.join(folder, `${track}.flac`),
    flacWith(picture === undefined ? [] : [[front, picture]], tags),
  );
}

const below = (library: Library, album: string, name: string) =>
  path.join(library.mountPoint, 'Artist', `${album} [FLAC]`, name);
const shown = (library: Library, album: string, name = 'cover.jpg') =>
  eventually(
    `${album} has its ${name}`,
    () => {
      try {
        return readFileSync(below(library, album, name));
      } catch {
        return undefined;
      }
    },
    20_000,
  );

test('every album that has a picture shows it, in three sizes, and the others have none', async () => {
  const library = await mountLibrary({
    origin: (root) => {
      song(root, 'Tagged', 1, jpeg);
      song(root, 'Tagged', 2, png);
      song(root, 'Beside', 1);
      writeFileSync(path.join(root, 'Beside/folder.png'), png);
      song(root, 'Own', 1, png);
      writeFileSync(path.join(root, 'Own/cover.jpg'), jpeg);
      song(root, 'Broken', 1);
      writeFileSync(path.join(root, 'Broken/cover.jpg'), jpeg.subarray(0, 200));
      song(root, 'Bare', 1);
    },
  });
  expect(await shown(library, 'Tagged')).toEqual(jpeg); // the very bytes
  const made = await shown(library, 'Beside');
  expect(await sharp(made).metadata()).toMatchObject({ format: 'jpeg', width: 400, height: 400 });
  // A real file of that name is that file; the smaller ones are made of what the album has.
  expect(readFileSync(below(library, 'Own', 'cover.jpg'))).toEqual(jpeg);
  for (const [name, width, height] of [
    ['cover_medium.jpg', 300, 225],
    ['cover_thumb.jpg', 150, 113],
  ] as const) {
    for (const album of ['Tagged', 'Own']) {
      const bytes = await shown(library, album, name);
      expect(statSync(below(library, album, name)).size).toBe(bytes.length);
      expect(await sharp(bytes).metadata(), `${album} ${name}`).toMatchObject({
        format: 'jpeg',
        width,
        height,
      });
    }
  }
  expect(readdirSync(below(library, 'Tagged', '.')).sort()).toEqual([
    '01 - T1.flac',
    '02 - T2.flac',
    'cover.jpg',
  ]);
  expect(readdirSync(below(library, 'Bare', '.'))).toEqual(['01 - T1.flac']);
  expect(readdirSync(below(library, 'Broken', '.')).sort()).toEqual(['01 - T1.flac', 'cover.jpg']);
  expect(() => statSync(below(library, 'Broken', 'cover_thumb.jpg'))).toThrow('ENOENT');
  expect(library.log().some(({ event }) => event === 'picture_refused')).toBe(true);

  // Another picture: the same inode, other bytes, for whoever opens it from now on.
  const { ino } = statSync(below(library, 'Tagged', 'cover.jpg'));
  song(library.origin, 'Tagged', 1, png);
  await library.rescan();
  await eventually(
    'the new one is shown',
    async () => !readFileSync(below(library, 'Tagged', 'cover.jpg')).equals(jpeg),
    20_000,
  );
  expect(statSync(below(library, 'Tagged', 'cover.jpg')).ino).toBe(ino);
  // An album that goes takes its pictures along.
  rmSync(path.join(library.origin, 'Beside'), { recursive: true });
  await library.rescan();
  await eventually(
    'it is gone',
    () => !readdirSync(path.join(library.mountPoint, 'Artist')).includes('Beside [FLAC]'),
  );
}, 90_000);

test('other settings take effect with a restart: sizes are listed, other names, and none at all', async () => {
  const library = newLibrary((root) => song(root, 'Tagged', 1, jpeg));
  library.config = path.join(library.folder, 'musicfs.toml');
  const configure = (lines: string) =>
    writeFileSync(library.config ?? '', `[artwork]\n${lines}\n[[origins]]\npath = "${library.origin}"\n`);
  const listed = () => readdirSync(below(library, 'Tagged', '.')).sort();
  configure('');
  await library.mount();
  await shown(library, 'Tagged');
  expect(listed()).toEqual(['01 - T1.flac', 'cover.jpg']);
  const restart = async (lines: string, names: readonly string[]) => {
    configure(lines);
    expect((await library.run(['restart', library.mountPoint])).code).toBe(0);
    await eventually(lines, () => listed().join() === names.join(), 30_000);
  };
  await restart('list_sizes = true\nnames = ["folder.jpg"]', [
    '01 - T1.flac',
    'cover_medium.jpg',
    'cover_thumb.jpg',
    'folder.jpg',
  ]);
  await restart('enabled = false', ['01 - T1.flac']);
}, 90_000);

test('a daemon that dies while pictures are made shows them in its next life, and keeps what it has over a restart', async () => {
  const library = await mountLibrary({
    origin: (root) => {
      for (let album = 1; album <= 12; album += 1) song(root, `A${album}`, 1, jpeg);
    },
  });
  await library.failpoint('artwork.store=delay(300)');
  await shown(library, 'A1');
  const { daemon } = await library.pids();
  const processes = childrenOf(daemon).filter((pid) => /rendition|extraction/.test(commandOf(pid)));
  process.kill(daemon, 'SIGKILL');
  for (let album = 1; album <= 12; album += 1) expect(await shown(library, `A${album}`)).toEqual(jpeg);
  await eventually('its processes have ended', () => !processes.some(isAlive));
  const before = statSync(below(library, 'A7', 'cover.jpg'));
  expect((await library.run(['restart', library.mountPoint])).code).toBe(0);
  const after = statSync(below(library, 'A7', 'cover.jpg'));
  expect([after.ino, after.mtimeMs, after.size]).toEqual([before.ino, before.mtimeMs, before.size]);
  expect(readFileSync(below(library, 'A7', 'cover.jpg'))).toEqual(jpeg);
}, 90_000);
