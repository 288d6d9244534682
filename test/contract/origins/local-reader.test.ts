// The reader of local origins on real files: what it answers at once, what it waits for, and what it refuses.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type FileToRead, LocalReader } from '../../../src/origins/local-reader.ts';
import { limits } from '../../../src/platform/limits.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';
import { SimulatedClock } from '../../unit/supervision/simulated-clock.ts';

const area = Buffer.alloc(1024 * 1024);

/** A reader over a folder whose files are catalogued, as they are at that moment, under numbers from 1. */
function readerOver(files: Readonly<Record<string, Buffer>>) {
  const root = temporaryDirectory();
  const clock = new SimulatedClock();
  const catalogue = new Map<number, FileToRead>();
  const names = Object.keys(files);
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), bytes);
  }
  const entryOf = (name: string): FileToRead => {
    const { size, mtimeNs } = statSync(path.join(root, name), { bigint: true });
    return {
      originRoot: root,
      realPath: Buffer.from(name),
      size: Number(size),
      mtimeSeconds: Number(mtimeNs / 1_000_000_000n),
      mtimeNanoseconds: Number(mtimeNs % 1_000_000_000n),
    };
  };
  for (const [index, name] of names.entries()) catalogue.set(index + 1, entryOf(name));
  const reader = new LocalReader((id) => catalogue.get(id), clock);
  onTestFinished(() => reader.close());
  return { root, clock, reader, catalogue, file: (name: string) => path.join(root, name), entryOf };
}

/** Descriptors of this process that lead below a folder. */
function openBelow(root: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(root);
    } catch {
      return false; // the listing's own descriptor
    }
  }).length;
}

test('bytes that are in memory are answered at once, cut at the end of the file', () => {
  const bytes = filler(300_000);
  const { reader } = readerOver({ 'a.flac': bytes });
  expect(reader.readNow(1, 1, 0, 4096, area)).toBe(4096);
  expect(area.subarray(0, 4096).equals(bytes.subarray(0, 4096))).toBe(true);
  expect(reader.readNow(1, 1, 299_000, 4096, area)).toBe(1000);
  expect(area.subarray(0, 1000).equals(bytes.subarray(299_000))).toBe(true);
  expect(reader.readNow(1, 1, 300_000, 4096, area)).toBe(0);
  expect(reader.readNow(1, 1, 400_000, 4096, area)).toBe(0);
});

test('bytes that are on the disk only are waited for on the pool', async () => {
  const bytes = filler(400_000);
  const { reader, file } = readerOver({ 'a.flac': bytes });
  execFileSync('sync', [file('a.flac')]);
  // Drops this file's pages, and nobody else's.
  execFileSync('dd', [`of=${file('a.flac')}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], {
    stdio: 'ignore',
  });
  const first = reader.readNow(1, 1, 0, 400_000, area);
  expect([first, await reader.read(1, 1, 0, 400_000, area)]).toEqual(['wait', 400_000]);
  expect(area.subarray(0, 400_000).equals(bytes)).toBe(true);
  expect(reader.stats).toMatchObject({ opens: 1, waitedReads: 1 });
});

test('an open handle keeps the file that was replaced by rename; another version is gone', async () => {
  const old = filler(10_000, 1);
  const { reader, file } = readerOver({ 'a.flac': old });
  reader.hold(1, 1);
  writeFileSync(file('new'), filler(10_000, 2));
  utimesSync(file('new'), 1, 1);
  renameSync(file('new'), file('a.flac'));
  expect(await reader.read(1, 1, 0, 10_000, area)).toBe(10_000);
  expect(area.subarray(0, 10_000).equals(old)).toBe(true);
  reader.letGo(1, 1);
  expect(await reader.read(1, 1, 0, 100, area)).toBe('version_gone');
});

test('R-46: a file that was rewritten in place fails, also when size and handle are the same', async () => {
  const { reader, file } = readerOver({ 'a.flac': filler(10_000, 1) });
  reader.hold(1, 1);
  expect(reader.readNow(1, 1, 0, 100, area)).toBe(100);
  writeFileSync(file('a.flac'), filler(10_000, 2));
  utimesSync(file('a.flac'), 1, 1);
  expect(reader.readNow(1, 1, 0, 100, area)).toBe('version_gone');
  expect(await reader.read(1, 1, 200, 100, area)).toBe('version_gone');
});

test('a file that became shorter or longer is not the version it was', async () => {
  const { reader, file } = readerOver({ 'short.flac': filler(10_000), 'long.flac': filler(10_000) });
  truncateSync(file('short.flac'), 5_000);
  appendFileSync(file('long.flac'), 'x');
  expect(await reader.read(1, 1, 0, 10_000, area)).toBe('version_gone');
  expect(await reader.read(2, 1, 0, 10_000, area)).toBe('version_gone');
});

test('a link that leads out of the root is refused, one inside it is not followed out either', async () => {
  const { reader, file, root } = readerOver({ 'a.flac': filler(1000) });
  const outside = temporaryDirectory();
  writeFileSync(path.join(outside, 'secret'), filler(1000));
  rmSync(file('a.flac'));
  symlinkSync(path.join(outside, 'secret'), file('a.flac'));
  expect(reader.readNow(1, 1, 0, 100, area)).toBe('wait');
  expect(await reader.read(1, 1, 0, 100, area)).toBe('origin_unavailable');
  expect(openBelow(outside)).toBe(0);
  expect(openBelow(root)).toBe(0);
});

test('a fifo at the place of a file fails instead of waiting for a writer', async () => {
  const { reader, file } = readerOver({ 'a.flac': filler(1000) });
  rmSync(file('a.flac'));
  execFileSync('mkfifo', [file('a.flac')]);
  expect(await reader.read(1, 1, 0, 100, area)).toBe('version_gone');
});

test('a failed range answers the same for two seconds and is then tried again', async () => {
  const bytes = filler(1000);
  const { reader, file, clock, catalogue, entryOf } = readerOver({ 'a.flac': bytes });
  rmSync(file('a.flac'));
  expect(await reader.read(1, 1, 0, 1000, area)).toBe('origin_unavailable');
  writeFileSync(file('a.flac'), bytes);
  catalogue.set(1, entryOf('a.flac'));
  expect(reader.readNow(1, 1, 100, 10, area)).toBe('origin_unavailable');
  await clock.advance(limits.failedRangeMs + 1);
  expect(reader.readNow(1, 1, 100, 10, area)).toBe(10);
});

test('reading leaves no trace on the origin, not even the time of access', async () => {
  const { reader, file, catalogue, entryOf } = readerOver({ 'a.flac': filler(1000) });
  utimesSync(file('a.flac'), 1, 1_600_000_000); // an access before the change is what a read would correct
  catalogue.set(1, entryOf('a.flac'));
  const before = statSync(file('a.flac'), { bigint: true });
  expect(reader.readNow(1, 1, 0, 1000, area)).toBe(1000);
  expect(await reader.read(1, 1, 0, 1000, area)).toBe(1000);
  expect(statSync(file('a.flac'), { bigint: true })).toEqual(before);
});

test('a read that is under way when its file is let go ends well, and the file is closed then', async () => {
  const { reader, root } = readerOver({ 'a.flac': filler(1000) });
  reader.hold(1, 1);
  const reading = reader.read(1, 1, 0, 1000, area);
  reader.letGo(1, 1);
  expect(await reading).toBe(1000);
  expect(openBelow(root)).toBe(0);
});

test('two first reads at once open the file once', async () => {
  const { reader, root } = readerOver({ 'a.flac': filler(1000) });
  const areas = [Buffer.alloc(1000), Buffer.alloc(1000)];
  const reads = await Promise.all(areas.map((each) => reader.read(1, 1, 0, 1000, each)));
  expect(reads).toEqual([1000, 1000]);
  expect([openBelow(root), reader.stats.opens]).toEqual([1, 1]);
});

test('letting a version go closes its file', () => {
  const { reader, root } = readerOver({ 'a.flac': filler(1000) });
  reader.hold(1, 1);
  expect(openBelow(root)).toBe(1);
  reader.letGo(1, 1);
  expect(openBelow(root)).toBe(0);
});

test('a file without a known handle is closed when it has been idle', async () => {
  const { reader, root, clock } = readerOver({ 'a.flac': filler(1000) });
  expect(reader.readNow(1, 1, 0, 10, area)).toBe(10);
  await clock.advance(limits.originFileIdleMs - 1);
  reader.closeIdle();
  expect(openBelow(root)).toBe(1);
  await clock.advance(2);
  reader.closeIdle();
  expect(openBelow(root)).toBe(0);
});

test('R-29: when descriptors are scarce, a file that was only just read is closed, one that is held is not', () => {
  const { reader, root } = readerOver({ 'a.flac': filler(1000), 'b.flac': filler(1000) });
  reader.hold(1, 1);
  for (const node of [1, 2]) expect(reader.readNow(node, 1, 0, 10, area)).toBe(10);
  expect(openBelow(root)).toBe(2);
  reader.closeIdle(0);
  expect(openBelow(root)).toBe(1);
});

test('never more files than the limit are open', () => {
  const count = limits.openOriginFiles + 20;
  const names = Array.from({ length: count }, (_, index) => `${index}.flac`);
  const { reader, root } = readerOver(Object.fromEntries(names.map((name) => [name, Buffer.from(name)])));
  for (const [index, name] of names.entries()) {
    expect(reader.readNow(index + 1, 1, 0, 100, area)).toBe(name.length);
  }
  expect(openBelow(root)).toBe(limits.openOriginFiles);
});

test('R-41: first reads of files of another user, several at once, all get their bytes', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const { reader, root } = readerOver(Object.fromEntries(names.map((name) => [name, filler(5000, 1)])));
  chmodSync(root, 0o755);
  process.seteuid?.(65534); // whom the kernel refuses O_NOATIME, as nothing here is theirs
  try {
    const reads = names.map((_name, index) => reader.read(index + 1, 1, 0, 5000, Buffer.alloc(5000)));
    expect(await Promise.all(reads)).toEqual(names.map(() => 5000));
  } finally {
    process.seteuid?.(0);
  }
});
