// Scans over what nobody wants to meet: damaged files, files that kill their reader, and death in the middle.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { limits } from '../../src/platform/limits.ts';
import { makeAiff, makeFlac, makeMp3, makeOgg, makeWav } from '../fixtures/audio-files.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { hangingDisk } from '../fixtures/hanging-disk.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';
import { mutated, randomOf } from '../fixtures/mutations.ts';
import { nextLife } from '../fixtures/next-life.ts';
import { printedSeed } from '../fixtures/printed-seed.ts';
import { isAlive } from '../fixtures/processes.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

const tags = [
  ['ARTIST', 'Mutant'],
  ['ALBUM', 'Damage'],
  ['TITLE', 'Ouch'],
] as const;
const id3 = [
  ['TPE1', 'Mutant'],
  ['TALB', 'Damage'],
  ['TIT2', 'Ouch'],
] as const;

function writeDamagedFiles(root: string, count: number, seed: number): void {
  const random = randomOf(seed);
  const whole: readonly [extension: string, bytes: Buffer][] = [
    ['flac', makeFlac(tags, { padding: 100, picture: 500 })],
    ['mp3', makeMp3(id3, { version: 3, picture: 500 })],
    ['mp3', makeMp3(id3, { version: 4 })],
    ['ogg', makeOgg(tags)],
    ['wav', makeWav([['INAM', 'Ouch']])],
    ['aiff', makeAiff([['NAME', 'Ouch']])],
  ];
  for (let index = 0; index < count; index += 1) {
    const [extension, bytes] = whole[index % whole.length] ?? ['flac', Buffer.alloc(0)];
    const folder = path.join(root, `damaged ${index % 10}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `${index}.${extension}`), mutated(bytes, random));
  }
}

test('R-48: a thousand damaged files are scanned, each is listed with its bytes, and the daemon lives on', async () => {
  const { seed } = printedSeed('damage');
  const library = await mountLibrary({ origin: (root) => writeFlacLibrary(root, { files: 10, albums: 2 }) });
  const { daemon } = await library.pids();
  writeDamagedFiles(library.origin, 1000, seed);
  expect(await library.rescan()).toContain('1,010 files');
  const status = await library.status();
  expect(status.pid).toBe(daemon);
  expect(status.files).toBe(1010);
  expect(status.supervision.restartsTotal).toBe(0);
  expect(await library.shell('find $M -type f | wc -l')).toBe('1010');
  const sums = (root: string) =>
    library.shell(`cd ${root}; find . -type f -print0 | xargs -0 sha256sum | cut -c1-64 | sort`);
  expect(await sums('$M')).toBe(await sums('$O'));
});

test.each(['abort', 'crash'])(
  'R-48: a file whose parser dies (%s) is failed, listed, and read again when it changes',
  async (death) => {
    const library = await mountLibrary({
      origin: (root) => writeFlacLibrary(root, { files: 10, albums: 2 }),
    });
    const { daemon } = await library.pids();
    await library.failpoint(`parser.file=${death}`);
    writeFileSync(path.join(library.origin, 'killer.flac'), makeFlac(tags));
    expect(await library.rescan()).toContain('1 added');
    const file = '$M/Unsorted/local/killer.flac';
    expect(await library.shell(`getfattr --only-values -n user.musicfs.state ${file}`)).toBe('failed');
    expect(await library.shell(`cmp ${file} $O/killer.flac`)).toBe('');
    const status = await library.status();
    expect(status).toMatchObject({ pid: daemon, files: 11, supervision: { restartsTotal: 0 } });
    expect(status.scan.errors).toBe(1);
    const deaths = library.log().filter(({ event }) => event === 'parser_child_died');
    expect(deaths).toHaveLength(2);
    await library.clearFailpoints();
    await library.shell('touch $O/killer.flac');
    await library.rescan();
    expect(await library.shell('ls "$M/Mutant/Damage [FLAC]"')).toBe('00 - Ouch.flac');
  },
);

test('R-05: a daemon killed in mid-scan keeps what it published; the next one reads the rest only', async () => {
  const { seed } = printedSeed('moments of death');
  const random = randomOf(seed);
  const filesInAll = 4000;
  const library = await mountLibrary({
    origin: (root) => writeFlacLibrary(root, { files: filesInAll, albums: 80 }),
    wait: false,
  });
  let published = 0;
  for (let kill = 0; kill < 2; kill += 1) {
    if (kill > 0) await library.mount({ wait: false });
    await library.failpoint('parser.file=delay(1)');
    const enough = published + 1 + random(limits.publishBatchFiles);
    await eventually('some of it is published', async () => (await library.status()).files >= enough, 20_000);
    expect((await library.status()).scan.running).toBe(true);
    await killDaemon(library);
    const kept = publishedIn(library);
    expect(kept).toBeGreaterThanOrEqual(enough);
    expect(kept).toBeLessThan(filesInAll);
    published = kept;
  }
  await library.mount();
  const ended = library.log().findLast(({ event }) => event === 'scan_ended');
  expect(ended).toMatchObject({
    done: filesInAll,
    added: filesInAll - published,
    parsed: filesInAll - published,
  });
  const { files, scan } = await library.status();
  expect({ files, errors: scan.errors, complete: scan.complete }).toEqual({
    files: filesInAll,
    errors: 0,
    complete: true,
  });
  expect(await library.shell('find $M -type f | wc -l')).toBe(String(filesInAll));
}, 60_000);

test('R-05: death after any batch loses no more than the batches under way', async () => {
  const filesInAll = 3000;
  const library = await mountLibrary({
    origin: (root) => writeFlacLibrary(root, { files: 10, albums: 1 }),
  });
  writeFlacLibrary(library.origin, { files: filesInAll, albums: 60 });
  const { daemon } = await library.pids();
  await library.failpoint('scan.batch.after=abort;after=1');
  await library.startScan();
  await eventually('the daemon dies after its second batch', () => !isAlive(daemon), 20_000);
  const kept = publishedIn(library);
  expect(kept).toBeGreaterThanOrEqual(2 * limits.publishBatchFiles);
  await eventually('the next life has taken over', () => library.pids());
  await library.rescan();
  const parsed = library.log().findLast(({ event }) => event === 'scan_ended')?.['parsed'];
  expect(parsed).toBeLessThanOrEqual(filesInAll - kept + 10);
  expect(await library.shell('find $M -type f | wc -l')).toBe(String((await library.status()).files));
}, 60_000);

test('R-05: a first scan that dies again and again ends complete by itself, and reads few files twice', async () => {
  const [filesInAll, kills] = [3000, 3];
  const { disk } = await hangingDisk((root) => writeFlacLibrary(root, { files: filesInAll, albums: 60 }));
  const opens = async () => (await disk.status()).fuse.requests['open'] ?? 0;
  const before = await opens();
  // What is looked at for its picture is opened too.
  const config = path.join(temporaryDirectory(), 'musicfs.toml');
  writeFileSync(config, '[artwork]\nenabled = false\n');
  const library = await mountLibrary({ origin: disk.mountPoint, wait: false, args: ['--config', config] });
  for (let kill = 0; kill < kills; kill += 1) {
    const pids = await library.pids();
    await library.failpoint('scan.batch.after=abort');
    await nextLife(library, pids);
  }
  const { files } = await eventually(
    'the first scan is complete',
    async () => {
      const { scan, files } = await library.status();
      return scan.complete && { files };
    },
    30_000,
  );
  expect(files).toBe(filesInAll);
  expect(publishedIn(library)).toBe(filesInAll);
  const parsed = (await opens()) - before;
  expect(parsed).toBeGreaterThanOrEqual(filesInAll); // the disk counts what is read of it
  expect(parsed).toBeLessThanOrEqual(filesInAll + kills * limits.publishBatchFiles);
}, 90_000);

async function killDaemon(library: Library): Promise<void> {
  const { daemon, keeper } = await library.pids();
  process.kill(keeper, 'SIGKILL'); // first, as it would start the next life at once
  process.kill(daemon, 'SIGKILL');
  await eventually('daemon and keeper are gone', () => !isAlive(daemon) && !isAlive(keeper));
}

/** What a dead daemon's catalog holds, once it has passed SQLite's own check. */
function publishedIn(library: Library): number {
  const catalog = new Database(path.join(library.stateDirectory, 'catalog.db'), { readonly: true });
  try {
    expect(catalog.pragma('integrity_check', { simple: true })).toBe('ok');
    return (
      catalog.prepare<[], number>('SELECT count(*) FROM tracks WHERE removed_at IS NULL').pluck().get() ?? 0
    );
  } finally {
    catalog.close();
  }
}
