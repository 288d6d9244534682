// The mount under load that no player makes: verified random reads by many, thousands of handles, and files that change
// all the time under those who read them.
import { closeSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeFlac } from '../fixtures/audio-files.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { mountLibrary } from '../fixtures/mounted.ts';
import { printedSeed } from '../fixtures/printed-seed.ts';
import { TalkingChild } from '../fixtures/talking-child.ts';

test('64 jobs of fio find what fio wrote on the origin', async () => {
  const library = await mountLibrary({ origin: () => undefined, wait: false });
  const jobs = (directory: string, more: string) =>
    `fio --name=music --numjobs=64 --size=1M --directory="${directory}" --filename_format='f.$jobnum.flac' --bs=4k --verify=crc32c --verify_fatal=1 --thread --group_reporting ${more}`;
  await library.shell(jobs('$O', '--rw=write --do_verify=0'), { limitMs: 60_000 });
  await library.rescan();
  const unsorted = '$M/Unsorted/local';
  expect(await library.shell(`ls ${unsorted} | wc -l`)).toBe('64');
  await library.shell('echo 3 > /proc/sys/vm/drop_caches');
  const verify = (way: string) =>
    library.tryShell(jobs(unsorted, `--rw=read --verify_only --readonly ${way}`), { limitMs: 60_000 });
  for (const way of ['--direct=1', '--ioengine=mmap', '--ioengine=psync'])
    expect((await verify(way)).code).toBe(0);
  // And would say so otherwise.
  await library.shell(`printf x | dd of="$O/f.7.flac" bs=1 seek=500000 conv=notrunc status=none`);
  await library.rescan();
  expect((await verify('--direct=1')).code).not.toBe(0);
}, 120_000);

test('ten thousand handles are open at once, read right, and are all given back', async () => {
  const library = await mountLibrary({
    origin: (root) => writeFlacLibrary(root, { files: 500, albums: 10 }),
  });
  const { program, args } = library.programOf('many-handles', [library.mountPoint, '10000']);
  const said = await library.shell(`ulimit -n 20000; ${program} ${args.map((arg) => `'${arg}'`).join(' ')}`, {
    limitMs: 60_000,
  });
  expect(JSON.parse(said)).toEqual({ handles: 10_000, different: 0 });
  await eventually('none is open', async () => (await library.status()).session.openHandles === 0);
}, 120_000);

/** The file as version `version`: from the second block on, each block begins with that number. */
function contents(version: number): Buffer {
  const bytes = Buffer.concat([
    makeFlac(
      [
        ['ARTIST', 'Ann'],
        ['ALBUM', 'One'],
        ['TITLE', 'T'],
        ['TRACKNUMBER', '1'],
      ],
      { audioBytes: 300_000 + 1000 * (version % 50), seed: 1 },
    ),
  ]);
  for (let at = 4096; at + 4 <= bytes.length; at += 4096) bytes.writeUInt32LE(version, at);
  return bytes;
}

test('4.1: R-46, while a file is replaced, rewritten and cut over and over, one open sees one version or EIO', async () => {
  let random = printedSeed('changes of a file').seed;
  const next = (below: number) => {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
    return random % below;
  };
  const library = await mountLibrary({
    origin: (root) => writeFileSync(path.join(root, 'a.flac'), contents(1)),
  });
  const file = path.join(library.origin, 'a.flac');
  const readers = Array.from(
    { length: 4 },
    () =>
      new TalkingChild(library.mountPoint, 'versioned-reader', [
        path.join(library.mountPoint, 'Ann/One [FLAC]/01 - T.flac'),
      ]),
  );
  await Promise.all(readers.map((reader) => reader.ask('')));
  for (let version = 2; version <= 20; version += 1) {
    change(file, version, next);
    await library.rescan();
  }
  const reports = (await Promise.all(readers.map((reader) => reader.end()))).flat() as {
    rounds: number;
    versions: number;
    problems: string[];
  }[];
  expect(reports.flatMap(({ problems }) => problems)).toEqual([]);
  for (const { rounds, versions } of reports) expect([rounds > 20, versions > 3]).toEqual([true, true]);
}, 120_000);

/** As careful and careless taggers do it. */
function change(file: string, version: number, next: (below: number) => number): void {
  const bytes = contents(version);
  if (next(2) === 0) {
    writeFileSync(`${file}.tmp`, bytes);
    renameSync(`${file}.tmp`, file);
    return;
  }
  const fd = openSync(file, next(2) === 0 ? 'w' : 'r+');
  for (let at = 0; at < bytes.length; at += 50_000)
    writeSync(fd, bytes, at, Math.min(50_000, bytes.length - at), at);
  closeSync(fd);
}
