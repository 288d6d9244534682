// Kernel passthrough: the kernel reads local files itself, and everything else stays as it was.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { type AgedOrigin, agedFiles, agedOrigin, agedShownAs } from '../fixtures/aged-origins.ts';
import { makeFlac } from '../fixtures/audio-files.ts';
import { descriptorsOf } from '../fixtures/descriptors.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';
import { TalkingChild } from '../fixtures/talking-child.ts';

vi.setConfig({ testTimeout: 120_000 }); // the first may have to wait until its files are old enough

const aged = async (name: AgedOrigin, args: readonly string[] = []) =>
  mountLibrary({ origin: await agedOrigin(name), args });
const bytesOf = (number: number): Buffer => agedFiles[`${number}.flac`] ?? Buffer.alloc(0);
const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const shown = (library: Library, number = 1) => path.join(library.mountPoint, agedShownAs(number));
const reads = async (library: Library) => (await library.status()).fuse.requests['read'] ?? 0;
const handedOver = async (library: Library) => (await library.status()).fuse.passthroughOpens;

async function holding(library: Library, number = 1): Promise<TalkingChild> {
  const child = new TalkingChild(library.mountPoint, 'held-open', [shown(library, number)]);
  await child.ask('');
  return child;
}

/** Private views of the origin that a process has open: directories of mounts that are in no table. */
function viewsOf(pid: number): number {
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[0]);
  return descriptorsOf(pid).filter(({ place, info }) => {
    const id = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1];
    return place.startsWith('/') && !place.startsWith('/memfd:') && !mounts.includes(id);
  }).length;
}

test('4.10: whole files that stood still are read by the kernel, in every way, without one read request', async () => {
  const library = await aged('whole');
  expect((await library.status()).session.kernelFeatures).toContain('passthrough');
  await library.shell('echo 3 > /proc/sys/vm/drop_caches');
  const said = await library.program<Record<string, string>>('read-ways', [
    shown(library),
    path.join(library.origin, '1.flac'),
    '1',
    path.join(library.folder, 'copy'),
  ]);
  expect(said).toMatchObject({
    whole: 'equal',
    'pread at borders': 'equal',
    'pread at random': 'equal',
    readv: 'equal',
    'mmap, shared': 'equal',
    'mmap, private': 'equal',
    'mmap, shared and writable': 'EACCES',
    sendfile: 'equal',
    splice: 'equal',
  });
  // As on the origin's own disk, such a read wants aligned memory.
  await library.shell(`cmp <(dd if="${shown(library)}" bs=64k iflag=direct status=none) "$O/1.flac"`);
  expect(await reads(library)).toBe(0);
  expect(await handedOver(library)).toBeGreaterThan(0);
  await eventually(
    'every handle is given back',
    async () => (await library.status()).session.openHandles === 0,
  );
  const { daemon } = await library.pids();
  const open = execFileSync('find', [`/proc/${daemon}/fd`, '-lname', `${library.origin}/*`], {
    encoding: 'utf8',
  });
  expect(open).toBe('');
});

test('4.1: an open file that is replaced by rename keeps its bytes, a new open gets the new ones', async () => {
  const library = await aged('replaced');
  const old = await holding(library);
  const second = makeFlac(
    [
      ['TITLE', 'Title 1'],
      ['ARTIST', 'Aged'],
      ['ALBUM', 'Files'],
      ['TRACKNUMBER', '1'],
    ],
    {
      audioBytes: 500_000,
      seed: 7,
    },
  );
  writeFileSync(path.join(library.origin, 'tmp'), second);
  renameSync(path.join(library.origin, 'tmp'), path.join(library.origin, '1.flac'));
  await library.rescan();
  const fresh = await holding(library);
  expect(await fresh.ask('hash')).toEqual([hashOf(second)]);
  expect(await reads(library)).toBeGreaterThan(0); // the new one is too young
  expect(await old.ask('hash')).toEqual([hashOf(bytesOf(1))]);
  expect(await old.ask('size')).toEqual([bytesOf(1).length]);
});

test('4.1: a rewrite in place shows through to an open handle, as documented, and not without passthrough', async () => {
  const origin = await agedOrigin('in-place');
  const configuration = (library: Library, mode: string) => {
    const file = path.join(library.folder, 'config.toml');
    writeFileSync(file, `[fuse]\npassthrough = "${mode}"\n`);
    return ['--config', file];
  };
  const through = await mountLibrary({ origin });
  const strict = await mountLibrary({ origin, wait: false, args: configuration(through, 'never') });
  await eventually('the first scan', async () => (await strict.status()).scan.complete);
  const handles = [await holding(through), await holding(strict)];
  for (const handle of handles) await handle.ask('head 4096');
  const second = Buffer.from(bytesOf(1)).fill(1, 500_000);
  writeFileSync(path.join(origin, '1.flac'), second);
  expect(await handles[0]?.ask('hash')).toEqual([hashOf(second)]);
  expect(await handles[1]?.ask('hash')).toEqual(['EIO']);
  expect([await handedOver(through), await handedOver(strict)]).toEqual([1, 0]);
});

test('a file opened many times at once, over a death of the fuse thread, is read by the kernel throughout', async () => {
  const library = await aged('restart');
  const first = await holding(library);
  await library.failpoint('fuse.request.decoded=crash;count=1');
  await library.shell('stat -f $M');
  await eventually(
    'the thread lives again',
    async () => (await library.status()).supervision.restartsTotal > 0,
  );
  const others = await Promise.all(Array.from({ length: 8 }, () => holding(library)));
  for (const handle of [first, ...others]) expect(await handle.ask('hash')).toEqual([hashOf(bytesOf(1))]);
  expect([await reads(library), (await library.status()).session.openHandles]).toEqual([0, 9]);
  expect(viewsOf((await library.pids()).daemon)).toBe(0); // the first life's is closed, and this one needed none
  for (const handle of [first, ...others]) await handle.end();
  await eventually('all are closed', async () => (await library.status()).session.openHandles === 0);
});

test('a file whose opener died with the fuse thread before it was answered can be opened', async () => {
  const library = await aged('mixed');
  await library.failpoint('fuse.open.passthrough=crash;count=1');
  expect(await library.shell(`sha256sum < "${shown(library)}"`)).toBe(`${hashOf(bytesOf(1))}  -`);
  await eventually('control is back', () => library.status());
  expect([await reads(library), (await library.status()).supervision.restartsTotal > 0]).toEqual([0, true]);
});

test('a file the kernel refuses is read by the daemon, by all who open it meanwhile, and by the kernel later', async () => {
  const library = await aged('refused');
  await library.failpoint('fuse.open.passthrough=error(internal);count=1');
  const first = await holding(library);
  const second = await holding(library);
  expect([await first.ask('hash'), await second.ask('hash')]).toEqual([
    [hashOf(bytesOf(1))],
    [hashOf(bytesOf(1))],
  ]);
  expect([await handedOver(library), (await reads(library)) > 0]).toEqual([0, true]);
  await first.end();
  await second.end();
  await eventually('both are closed', async () => (await library.status()).session.openHandles === 0);
  const third = await holding(library);
  expect([await third.ask('hash'), await handedOver(library)]).toEqual([[hashOf(bytesOf(1))], 1]);
});

test('9.1: what the kernel reads leaves no time of access on the origin', async () => {
  const library = await aged('traces');
  const file = path.join(library.origin, '2.flac');
  const before = statSync(file, { bigint: true });
  await library.shell(`sha256sum < "${shown(library, 2)}"`);
  expect([await handedOver(library), await reads(library)]).toEqual([1, 0]);
  expect(statSync(file, { bigint: true })).toEqual(before);
});

test('a file that changed within the last minute is read by the daemon', async () => {
  const origin = await agedOrigin('never');
  utimesSync(path.join(origin, '3.flac'), 1_000_000, 1_000_000); // an old time, but set just now
  const library = await mountLibrary({ origin });
  expect(await library.shell(`sha256sum < "${shown(library, 3)}"`)).toBe(`${hashOf(bytesOf(3))}  -`);
  expect([await handedOver(library), (await reads(library)) > 0]).toEqual([0, true]);
});
