// docs/SEMANTICS.md, section 4: opening and reading. Kernel passthrough has tests of its own (../passthrough.test.ts): the
// files here are young, so the daemon reads them.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { songBytes, writeAlbum, writeSong } from '../../fixtures/albums.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { writeMixedLibrary } from '../../fixtures/mixed-library.ts';
import { type Library, mountLibrary, mountSharedLibrary } from '../../fixtures/mounted.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { TalkingChild } from '../../fixtures/talking-child.ts';

const song = { artist: 'Ann', album: 'One', title: 'T1', track: 1 };
const below = 'Ann/One [FLAC]/01 - T1.flac';
const large = 3_000_000;
const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
let library: Library;

beforeAll(async () => {
  library = await mountSharedLibrary({
    origin: (root) => {
      writeMixedLibrary(root);
      writeSong(root, 'large.flac', { ...song, audioBytes: large });
    },
  });
});
afterAll(() => library.remove());

const mountOne = (audioBytes = large) =>
  mountLibrary({ origin: (root) => void writeSong(root, 'a.flac', { ...song, audioBytes }) });

async function holding(own: Library): Promise<TalkingChild> {
  const child = new TalkingChild(own.mountPoint, 'held-open', [path.join(own.mountPoint, below)]);
  await child.ask('');
  return child;
}

function replace(own: Library, seed: number, audioBytes = large): Buffer {
  const bytes = writeSong(own.origin, 'tmp', { ...song, seed, audioBytes });
  renameSync(path.join(own.origin, 'tmp'), path.join(own.origin, 'a.flac'));
  return bytes;
}

test('4.1, 4.2, 9.2: a handle reads its own version to its end while a new open gets the new one', async () => {
  const own = await mountOne();
  const first = readFileSync(path.join(own.origin, 'a.flac'));
  const old = await holding(own);
  await old.ask('head 4096');
  const second = replace(own, 5, 2_000_000);
  await own.rescan();
  const fresh = await holding(own);
  expect(await fresh.ask('hash')).toEqual([hashOf(second)]);
  expect(await old.ask('hash')).toEqual([hashOf(first)]);
  expect([await old.ask('size'), await fresh.ask('size')]).toEqual([[first.length], [second.length]]);
});

test('4.3, 4.4: what was rewritten in place fails under an old handle, before and after it is published', async () => {
  const own = await mountOne();
  const old = await holding(own);
  await old.ask('head 4096');
  const second = songBytes({ ...song, seed: 6, audioBytes: large });
  writeFileSync(path.join(own.origin, 'a.flac'), second);
  expect(await old.ask('hash')).toEqual(['EIO']);
  await own.rescan();
  expect(await old.ask('hash')).toEqual(['EIO']);
  expect(await own.shell(`sha256sum < "$M/${below}"`)).toBe(`${hashOf(second)}  -`);
});

test('4.4: a file that is not what was catalogued is not read, and opens again when it is', async () => {
  const own = await mountOne();
  const file = path.join(own.origin, 'a.flac');
  const { mtime } = statSync(file);
  const bytes = readFileSync(file);
  truncateSync(file, 1_000_000);
  expect((await own.tryShell(`cat "$M/${below}" > /dev/null`)).stderr).toContain('Input/output error');
  writeFileSync(file, bytes);
  await own.shell(`touch -d @${mtime.getTime() / 1000} "$O/a.flac"`);
  await own.rescan();
  expect(await own.shell(`sha256sum < "$M/${below}"`)).toBe(`${hashOf(bytes)}  -`);
});

test.each(['warm', 'cold'])(
  '4.5, 4.10, 4.12: every way of reading gives the same bytes (%s)',
  async (cache) => {
    if (cache === 'cold') await library.shell('sync; echo 3 > /proc/sys/vm/drop_caches');
    const said = await library.program<Record<string, string>>('read-ways', [
      path.join(library.mountPoint, below),
      path.join(library.origin, 'large.flac'),
      String(printedSeed('ranges read').seed),
      path.join(library.folder, 'copy'),
    ]);
    expect(said).toEqual({
      whole: 'equal',
      'pread at borders': 'equal',
      'pread at random': 'equal',
      'pread with O_DIRECT': 'equal',
      readv: 'equal',
      'mmap, shared': 'equal',
      'mmap, private': 'equal',
      'mmap, shared and writable': 'EACCES',
      sendfile: 'equal',
      copy_file_range: 'EXDEV', // the kernel's word between two file systems; cp goes on by reading
      splice: 'equal',
      'data begins at': '10',
      'hole begins at': 'the end',
      fsync: 'ok',
    });
    await library.shell(
      `cp "$M/${below}" ${library.folder}/copied && cmp ${library.folder}/copied "$O/large.flac"`,
    );
  },
);

test('4.6: every file is that of the origin, byte for byte', async () => {
  const differing = await library.shell(
    `find $M -type f -print0 | while IFS= read -r -d '' file; do
       cmp "$file" "$O/$(getfattr --absolute-names --only-values -n user.musicfs.real_path "$file")" || echo "$file"
     done`,
    { limitMs: 30_000 },
  );
  expect(differing).toBe('');
});

test('4.7: stat and open read nothing; a read in the middle reads little more than was asked', async () => {
  const own = await mountOne(20_000_000);
  const bytesRead = async () => (await own.status()).fuse.bytesRead;
  const old = await holding(own);
  await own.shell(`stat "$M/${below}"`);
  await old.ask('size');
  expect(await bytesRead()).toBe(0);
  await own.shell(`dd if="$M/${below}" of=/dev/null bs=4096 skip=2000 count=1 status=none`);
  const read = await bytesRead();
  expect(read).toBeGreaterThanOrEqual(4096);
  expect(read).toBeLessThanOrEqual(1024 * 1024); // one read-ahead
});

test('4.9: a disk that hangs does not slow those who read from another', async () => {
  const disk = await mountLibrary({
    origin: (root) => void writeSong(root, 'a.flac', song),
    args: ['--allow-other'], // the parsers are nobody
  });
  const own = await mountLibrary({
    origin: disk.mountPoint,
    args: ['--origin', path.join(library.origin, 'Artist 0')],
  });
  await own.shell('sync; echo 3 > /proc/sys/vm/drop_caches');
  const { daemon } = await disk.pids();
  process.kill(daemon, 'SIGSTOP');
  const reading = own.tryShell(`cat "$M/${below}"`, { limitMs: 30_000 });
  try {
    await eventually('a read hangs', async () => ((await own.status()).fuse.requests['read'] ?? 0) > 0);
    await own.shell('find "$M/Artist 0" -type f -print0 | xargs -0 cat | wc -c', { limitMs: 15_000 });
  } finally {
    process.kill(daemon, 'SIGCONT');
  }
  expect((await reading).code).toBe(0);
});

test('4.11: a page that cannot be had raises SIGBUS; a shared mapping for writing is refused', async () => {
  const own = await mountOne();
  rmSync(path.join(own.origin, 'a.flac'));
  await own.shell('echo 3 > /proc/sys/vm/drop_caches');
  const { program, args } = own.programOf('touch-mapping', [path.join(own.mountPoint, below), '100000']);
  const { code, stderr } = await own.tryShell(
    `${program} ${args.map((arg) => `'${arg}'`).join(' ')}; echo $? >&2`,
  );
  expect([code, stderr]).toEqual([0, expect.stringMatching(/13[58]\s*$/)]); // 128 + SIGBUS, or the abort of its handler
});

test('4.13: locks work between processes and reach no origin; fsync succeeds', async () => {
  const lock = `flock --nonblock --exclusive "$M/${below}" -c`;
  const { stdout } = await library.tryShell(
    `${lock} '${lock} true || echo held; flock -n "$O/large.flac" true && echo free'`,
  );
  expect(stdout).toBe('held\nfree\n');
  await library.shell(`sync "$M/${below}"`);
});

test('4.14, 7.1: every file opens with its origin gone; the first read that needs bytes says EIO', async () => {
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 3) });
  await own.unmount();
  renameSync(own.origin, `${own.origin}-away`);
  await own.mount({ wait: false });
  const old = await holding(own);
  expect(await old.ask('hash')).toEqual(['EIO']);
  renameSync(`${own.origin}-away`, own.origin);
  const bytes = readFileSync(path.join(own.origin, 'One/1.flac'));
  await eventually('it reads again', async () => (await old.ask<string[]>('hash'))[0] === hashOf(bytes));
  unlinkSync(path.join(own.origin, 'One/1.flac'));
});
