// docs/SEMANTICS.md, section 3: listing.
import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeAlbum, writeSong } from '../../fixtures/albums.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { writeFlacLibrary } from '../../fixtures/flac-library.ts';
import { type Library, mountLibrary } from '../../fixtures/mounted.ts';
import type { RawTree } from '../../fixtures/programs/list-raw.ts';
import { TalkingChild } from '../../fixtures/talking-child.ts';
import { undisturbed } from '../../fixtures/undisturbed.ts';

const album = 'Ann/Big [FLAC]';
const mountAlbum = (tracks: number) =>
  mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'Big', tracks) });
const offsets = (library: Library) =>
  library.program<[string, string][]>('directory-offsets', ['all', path.join(library.mountPoint, album)]);
const namesFrom = (library: Library, offset: string) =>
  library.program<string[]>('directory-offsets', ['from', path.join(library.mountPoint, album), offset]);
const walk = (library: Library) => library.shell('find $M -printf "%s %P\\n"');

test('3.1: . and .. come first, then the tracks in their order', async () => {
  const library = await mountAlbum(12);
  const names = (await offsets(library)).map(([name]) => name);
  const tracks = Array.from(
    { length: 12 },
    (_, index) => `${String(index + 1).padStart(2, '0')} - T${index + 1}.flac`,
  );
  expect(names).toEqual(['.', '..', ...tracks]);
});

test('3.2: while names come and go, one that stays is returned exactly once by each listing', async () => {
  const library = await mountAlbum(200);
  const names = path.join(library.folder, 'names.json');
  writeFileSync(names, JSON.stringify((await library.shell(`ls "$M/${album}"`)).split('\n')));
  const watcher = new TalkingChild(library.mountPoint, 'listing-watcher', [
    path.join(library.mountPoint, album),
    names,
  ]);
  await watcher.ask('');
  for (let round = 0; round < 4; round += 1) {
    const extra = (index: number) => `extra/${round}-${index}.flac`;
    for (let index = 0; index < 30; index += 1) {
      const track = 5 * index + round;
      writeSong(library.origin, extra(index), {
        artist: 'Ann',
        album: 'Big',
        title: `X${round}`,
        track,
        seed: 1000 + track,
      });
    }
    await library.rescan();
    for (let index = 0; index < 30; index += 2) unlinkSync(path.join(library.origin, extra(index)));
    await library.rescan();
  }
  const [report] = (await watcher.end()) as [{ rounds: number; problems: string[] }];
  expect(report.problems).toEqual([]);
  expect(report.rounds).toBeGreaterThan(20);
});

test('3.3: an offset leads on from its entry when others change, when it has gone, and after a restart', async () => {
  const library = await mountAlbum(300);
  const before = await offsets(library);
  const [name, offset] = before[150] ?? ['', ''];
  const after = before.slice(151).map(([next]) => next);
  expect(await namesFrom(library, offset)).toEqual(after);
  writeSong(library.origin, 'new.flac', { artist: 'Ann', album: 'Big', title: 'Early', track: 1, seed: 999 });
  unlinkSync(path.join(library.origin, `Big/${Number.parseInt(name, 10)}.flac`));
  await library.rescan();
  expect(await library.shell(`ls "$M/${album}"`)).not.toContain(name);
  expect(await namesFrom(library, offset)).toEqual(after);
  await library.unmount();
  await library.mount();
  expect(await namesFrom(library, offset)).toEqual(after);
});

test('3.4: a page costs as much at the end of a directory as at its start', async () => {
  const library = await mountLibrary({
    origin: (root) => writeFlacLibrary(root, { files: 4000, albums: 1 }),
  });
  const directory = await library.shell('find $M -mindepth 2 -maxdepth 2 -type d');
  const statements = async () => {
    // Counters are written when the fuse thread comes to rest.
    await library.shell('stat -f $M');
    return (await library.status()).fuse.statements;
  };
  const all = await library.program<[string, string][]>('directory-offsets', ['all', directory]);
  await library.unmount();
  await library.mount();
  const costOfHundred = async (index: number) => {
    const begin = await statements();
    const offset = all[index]?.[1] ?? '';
    const names = await library.program<string[]>('directory-offsets', ['from', directory, offset]);
    const cost = (await statements()) - begin;
    return { names: names.length, cost };
  };
  const late = await costOfHundred(all.length - 101);
  const early = await costOfHundred(0);
  expect(late.names).toBe(100);
  // From the start 40 times as many names are read; the last hundred cost no more than their share and a page.
  expect(late.cost).toBeLessThan(early.cost / 4);
  expect(late.cost).toBeLessThan(30); // statements: two a page, of 20 names or more
});

test('3.5: attributes that come with a listing are those of stat', async () => {
  const library = await mountLibrary({ origin: (root) => writeFlacLibrary(root, { files: 60, albums: 6 }) });
  const names = path.join(library.folder, 'names');
  const format = '%n %s %i %h %f %.9X %.9Y %.9Z';
  await library.shell(`find $M -mindepth 1 -print0 > ${names}`);
  const look = () => library.shell(`xargs -0 stat -c '${format}' < ${names}`);
  const listed = await look(); // from what came with the listing
  const lookups = async () => (await library.status()).fuse.requests['lookup'] ?? 0;
  const before = await lookups();
  await library.shell('echo 2 > /proc/sys/vm/drop_caches');
  expect(await look()).toBe(listed); // each asked for by its name
  expect((await lookups()) - before).toBeGreaterThanOrEqual(60);
});

test('3.6, 9.9: listing neither fails nor waits for an origin that is gone or hangs', async () => {
  const disk = await mountLibrary({
    origin: (root) => writeFlacLibrary(root, { files: 60, albums: 6 }),
    args: ['--allow-other'], // the parsers are nobody
  });
  const library = await mountLibrary({ origin: disk.mountPoint });
  const before = await walk(library);
  const { daemon } = await disk.pids();
  await library.shell('echo 3 > /proc/sys/vm/drop_caches');
  process.kill(daemon, 'SIGSTOP');
  try {
    expect((await library.tryShell('find $M -printf "%s %P\\n"', { limitMs: 15_000 })).stdout.trimEnd()).toBe(
      before,
    );
  } finally {
    process.kill(daemon, 'SIGCONT');
  }
  await library.unmount();
  const gone = await mountAlbum(3);
  const listed = await walk(gone);
  renameSync(gone.origin, `${gone.origin}-away`);
  await gone.shell('echo 3 > /proc/sys/vm/drop_caches');
  expect(await walk(gone)).toBe(listed);
});

test('3.7: a second walk of an unchanged tree, with stat, asks nothing', () => undisturbed(secondWalk));

async function secondWalk(): Promise<void> {
  const library = await mountLibrary({
    origin: (root) => writeFlacLibrary(root, { files: 600, albums: 60 }),
  });
  const total = async () =>
    Object.values((await library.status()).fuse.requests).reduce((sum, count) => sum + count, 0);
  const { directories } = await library.status();
  await eventually(
    'the kernel is told',
    async () => (await library.status()).fuse.notifications >= directories,
  );
  // Not find: it asks for the file system's statistics too.
  const look = () => library.program<RawTree>('list-raw', [library.mountPoint]);
  const first = await look();
  const before = await total();
  expect(await look()).toEqual(first);
  expect(await total()).toBe(before);
  await library.rescan(); // which finds nothing new
  expect(await look()).toEqual(first);
  expect(await total()).toBe(before);
}
