// Bytes: the same in whatever way they are read, and of one version for as long as a file is open.
import { createHash } from 'node:crypto';
import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFlac } from '../fixtures/audio-files.ts';
import { driver } from '../fixtures/driver-limits.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type Library, mountLibrary, mountSharedLibrary } from '../fixtures/mounted.ts';
import { printedSeed } from '../fixtures/printed-seed.ts';
import { TalkingChild } from '../fixtures/talking-child.ts';

const gib = 2 ** 30;
const hugeBytes = 5 * gib;
let library: Library;

const song = (title: string, audioBytes: number, seed: number) =>
  makeFlac(
    [
      ['ARTIST', 'Reader'],
      ['ALBUM', 'Bytes'],
      ['TITLE', title],
    ],
    { audioBytes, seed },
  );
const shownAs = (title: string) => `Reader/Bytes [FLAC]/00 - ${title}.flac`;

beforeAll(async () => {
  library = await mountSharedLibrary({
    origin: (root) => {
      writeFlacLibrary(root, { files: 1000, albums: 20 });
      writeFileSync(path.join(root, 'long.flac'), song('Long', 3_000_001, 11));
      const huge = path.join(root, 'huge.flac');
      writeFileSync(huge, song('Huge', 100_000, 12));
      truncateSync(huge, hugeBytes);
      const fd = openSync(huge, 'r+');
      writeSync(fd, 'across four GiB', 4 * gib - 8);
      writeSync(fd, 'the end', hugeBytes - 7);
      closeSync(fd);
    },
  });
});
afterAll(() => library.remove());

test.each(['warm', 'cold'])(
  '4.5, 4.10: every way of reading gives the bytes of the origin (%s page cache)',
  async (cache) => {
    const { seed } = printedSeed('ranges read');
    if (cache === 'cold') {
      // Of this file only: what is dropped for all would disturb whoever counts requests at this moment.
      await library.shell(
        `sync; for file in "$M/${shownAs('Long')}" "$O/long.flac"; do dd if="$file" iflag=nocache count=0 status=none; done`,
      );
    }
    const said = await library.program<Record<string, string>>('read-ways', [
      path.join(library.mountPoint, shownAs('Long')),
      path.join(library.origin, 'long.flac'),
      String(seed),
      path.join(library.folder, 'copy'),
    ]);
    expect(said).toEqual({
      whole: 'equal',
      'pread at borders': 'equal',
      'pread at random': 'equal',
      'pread with O_DIRECT': 'equal',
      readv: 'equal',
      'mmap, shared': driver.sharedMapping,
      'mmap, private': 'equal',
      'mmap, shared and writable': 'EACCES',
      sendfile: 'equal',
      copy_file_range: 'EXDEV', // the kernel's word between two file systems; cp goes on by reading
      splice: 'equal',
      'data begins at': '10',
      'hole begins at': 'the end',
      fsync: 'ok',
    });
  },
);

test('cp and dd with large blocks make equal copies', async () => {
  await library.shell(`
    cp "$M/${shownAs('Long')}" "$O/../copy1" && cmp "$O/long.flac" "$O/../copy1"
    dd if="$M/${shownAs('Long')}" of="$O/../copy2" bs=1M iflag=direct status=none && cmp "$O/long.flac" "$O/../copy2"
    dd if="$M/${shownAs('Long')}" of="$O/../copy3" bs=4M status=none && cmp "$O/long.flac" "$O/../copy3"`);
});

test('a file of 5 GiB is read at its ends and across 4 GiB', async () => {
  const file = `"$M/${shownAs('Huge')}"`;
  expect(await library.shell(`stat -c %s ${file}`)).toBe(String(hugeBytes));
  const part = (offset: number, length: number) =>
    library.shell(`tail -c +${offset + 1} ${file} | head -c ${length} | tr '\\0' .`);
  expect(await part(0, 4)).toBe('fLaC');
  expect(await part(4 * gib - 10, 19)).toBe('..across four GiB..');
  expect(await part(hugeBytes - 9, 100)).toBe('..the end');
});

test('a thousand files open at once all read right, and all handles are given back', async () => {
  const listed = await library.shell(`find "$M" -path "*Artist*" -type f | sort`);
  const files = listed.split('\n');
  expect(files).toHaveLength(1000);
  const holder = new TalkingChild(library.mountPoint, 'held-open', files);
  expect(await holder.ask('')).toBe('open');
  expect(
    (
      await eventually('the handles are counted', async () => {
        const { session } = await library.status();
        return session.openHandles >= 1000 && session;
      })
    ).openHandles,
  ).toBe(1000);
  const hashes = await holder.ask<string[]>('hash');
  const direct = await library.shell(
    `find "$M" -path "*Artist*" -type f | sort | while IFS= read -r file; do sha256sum < "$file"; done`,
    { limitMs: 30_000 },
  );
  expect(hashes).toEqual(direct.split('\n').map((line) => line.slice(0, 64)));
  await holder.end();
  await eventually('no handle is left', async () => (await library.status()).session.openHandles === 0);
});

test('4.9: eight processes read at random and each gets the right bytes', async () => {
  const { seed } = printedSeed('random readers');
  const readers = Array.from({ length: 8 }, (_, index) =>
    library.program<Record<string, string>>('read-ways', [
      path.join(library.mountPoint, shownAs('Long')),
      path.join(library.origin, 'long.flac'),
      String(seed + index),
      path.join(library.folder, `copy-of-${index}`),
    ]),
  );
  for (const said of await Promise.all(readers)) expect(said['pread at random']).toBe('equal');
});

test('4.1, 2.12: a handle keeps its bytes and its size when the file is replaced; a new one gets the new', async () => {
  const first = song('Replaced', 700_000, 21);
  const second = song('Replaced', 500_000, 22);
  const own = await mountLibrary({ origin: (root) => writeFileSync(path.join(root, 'a.flac'), first) });
  const shown = path.join(own.mountPoint, shownAs('Replaced'));
  const old = new TalkingChild(own.mountPoint, 'held-open', [shown]);
  await old.ask('');
  expect(await old.ask('head 4096')).toBe(4096);
  writeFileSync(path.join(own.origin, 'tmp'), second);
  renameSync(path.join(own.origin, 'tmp'), path.join(own.origin, 'a.flac'));
  await own.rescan();
  expect(await own.shell(`sha256sum < "${shown}"; stat -c %s "${shown}"`)).toBe(
    `${hashOf(second)}  -\n${second.length}`,
  );
  expect(await old.ask('hash')).toEqual([hashOf(first)]);
  expect(await old.ask('size')).toEqual([driver.fstatShows === 'its version' ? first.length : second.length]);
  const fresh = new TalkingChild(own.mountPoint, 'held-open', [shown]);
  await fresh.ask('');
  expect(await fresh.ask('hash')).toEqual([hashOf(second)]);
  expect(await fresh.ask('size')).toEqual([second.length]);
});

test('4.1: a file rewritten in place while it is open gives its old bytes or EIO, never a mix', async () => {
  const first = song('Rewritten', 3_000_000, 31);
  const second = song('Rewritten', 3_000_000, 32);
  const own = await mountLibrary({ origin: (root) => writeFileSync(path.join(root, 'a.flac'), first) });
  const shown = path.join(own.mountPoint, shownAs('Rewritten'));
  const old = new TalkingChild(own.mountPoint, 'held-open', [shown]);
  await old.ask('');
  await old.ask('head 4096');
  writeFileSync(path.join(own.origin, 'a.flac'), second);
  expect([hashOf(first), 'EIO']).toContain((await old.ask<string[]>('hash'))[0]);
  await own.rescan();
  expect([hashOf(first), 'EIO']).toContain((await old.ask<string[]>('hash'))[0]);
  expect(await own.shell(`sha256sum < "${shown}"`)).toBe(`${hashOf(second)}  -`);
});

test('2.4: a file that was only touched reads on and shows its new time', async () => {
  const own = await mountLibrary({
    origin: (root) => writeFileSync(path.join(root, 'a.flac'), song('Touched', 9000, 41)),
  });
  const shown = path.join(own.mountPoint, shownAs('Touched'));
  utimesSync(path.join(own.origin, 'a.flac'), 1_000_000_000, 1_000_000_000);
  await own.rescan();
  expect(await own.shell(`stat -c %Y "${shown}"; sha256sum < "${shown}"`)).toBe(
    `1000000000\n${hashOf(readFileSync(path.join(own.origin, 'a.flac')))}  -`,
  );
});

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
