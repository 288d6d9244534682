// Changes on the origin, as a scan brings them to the mount: at once, in whole, and at no cost while nothing changes.
import { mkdirSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { makeFlac } from '../fixtures/audio-files.ts';
import { driver, type WalkCost } from '../fixtures/driver-limits.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { startChild } from '../fixtures/limited-child.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';
import type { RawTree } from '../fixtures/programs/list-raw.ts';
import { TalkingChild } from '../fixtures/talking-child.ts';
import { undisturbed } from '../fixtures/undisturbed.ts';

const song = (artist: string, album: string, title: string, track: number, audioBytes = 3000) =>
  makeFlac(
    [
      ['ARTIST', artist],
      ['ALBUM', album],
      ['TITLE', title],
      ['TRACKNUMBER', String(track)],
    ],
    { audioBytes, seed: track },
  );

function writeAlbum(root: string, artist: string, album: string, tracks: number, from = 1): void {
  mkdirSync(path.join(root, album), { recursive: true });
  for (let track = from; track < from + tracks; track += 1) {
    writeFileSync(path.join(root, album, `${track}.flac`), song(artist, album, `T${track}`, track));
  }
}

const listing = (library: Library, below = '') =>
  library.shell(`ls "$M/${below}"`).then((text) => text.split('\n'));
const requests = async (library: Library) => (await library.status()).fuse.requests;
const lastScan = (library: Library) => library.log().findLast(({ event }) => event === 'scan_ended');

/** Returns a question: the requests by operation since it was asked the last time, all of them counted. */
async function settledRequests(library: Library): Promise<() => Promise<Record<string, number>>> {
  let marks = 1; // the look at a new mount
  const counted = async () => {
    marks += 1;
    await library.shell('stat -f $M');
    return eventually('all requests are counted', async () => {
      const { statfs = 0, ...others } = await requests(library);
      return statfs >= marks && others;
    });
  };
  let before = await counted();
  return async () => {
    const now = await counted();
    const since = Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
    before = now;
    return Object.fromEntries(since.filter(([, count]) => count !== 0));
  };
}

/** Of these counts the ones that are not within their range; operations without one must not come. */
function outsideOf(ranges: WalkCost, counts: Readonly<Record<string, number>>): Record<string, number> {
  const names = new Set([...Object.keys(ranges), ...Object.keys(counts)]);
  return Object.fromEntries(
    [...names]
      .map((name) => [name, counts[name] ?? 0] as const)
      .filter(([name, count]) => {
        const [least, most] = ranges[name] ?? [0, 0];
        return count < least || count > most;
      }),
  );
}

test('1.5, 5.1: what was added, changed, re-tagged and removed shows at once under a warm kernel cache', async () => {
  const library = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 3) });
  const walk = () => library.shell('find $M -printf "%P %s\\n"');
  await walk();
  const mtimeOf = (name: string) => library.shell(`stat -c %y "$M/${name}"`);
  const albumTime = await mtimeOf('Ann/One [FLAC]');
  const rootTime = await mtimeOf('');

  writeAlbum(library.origin, 'Bob', 'Two', 2);
  writeFileSync(path.join(library.origin, 'One/4.flac'), song('Ann', 'One', 'T4', 4));
  await library.rescan();
  expect(await listing(library)).toEqual(['Ann', 'Bob']);
  expect(await listing(library, 'Bob/Two [FLAC]')).toEqual(['01 - T1.flac', '02 - T2.flac']);
  expect(await listing(library, 'Ann/One [FLAC]')).toContain('04 - T4.flac');
  expect(await mtimeOf('Ann/One [FLAC]')).not.toBe(albumTime);
  expect(await mtimeOf('')).not.toBe(rootTime);

  const longer = song('Ann', 'One', 'T1', 1, 7000);
  writeFileSync(path.join(library.origin, 'One/1.flac'), longer);
  await library.rescan();
  expect(await library.shell('stat -c %s "$M/Ann/One [FLAC]/01 - T1.flac"')).toBe(String(longer.length));
  expect(await library.shell('cmp "$M/Ann/One [FLAC]/01 - T1.flac" $O/One/1.flac')).toBe('');

  writeFileSync(path.join(library.origin, 'One/2.flac'), song('Ann', 'Other', 'T2', 2));
  await library.rescan();
  expect(await listing(library, 'Ann')).toEqual(['One [FLAC]', 'Other [FLAC]']);
  expect(await listing(library, 'Ann/One [FLAC]')).not.toContain('02 - T2.flac');

  unlinkSync(path.join(library.origin, 'One/3.flac'));
  rmSync(path.join(library.origin, 'Two'), { recursive: true });
  expect(await library.rescan()).toContain('3 removed');
  expect(await listing(library)).toEqual(['Ann']);
  expect((await library.tryShell('stat $M/Bob')).stderr).toContain('No such file');
  expect(await listing(library, 'Ann/One [FLAC]')).toEqual(['01 - T1.flac', '04 - T4.flac']);
  expect(await walk()).toContain('Ann/Other [FLAC]/02 - T2.flac');
});

test('5.1: what is looked at all the time shows its change when the scan has ended, and nothing is left to be told', async () => {
  const library = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 20) });
  const sizes = () => library.shell('stat -c %s "$M/Ann/One [FLAC]/"*').then((text) => text.split('\n'));
  const [before = ''] = await sizes();
  // One after the other, so that whatever is kept for a while was kept just now for some of them.
  const looking = startChild(
    'bash',
    [
      '-c',
      'while :; do for file in "$M/Ann/One [FLAC]"/*; do stat "$file"; sleep 0.05; done; done > /dev/null',
    ],
    { env: { M: library.mountPoint } },
  );
  onTestFinished(() => {
    looking.kill('SIGKILL');
  });
  for (let track = 1; track <= 20; track += 1) {
    writeFileSync(
      path.join(library.origin, 'One', `${track}.flac`),
      song('Ann', 'One', `T${track}`, track, 5000),
    );
  }
  await library.rescan();
  expect((await sizes()).filter((size) => size === before)).toEqual([]);
  const catalog = new Database(path.join(library.stateDirectory, 'catalog.db'), { readonly: true });
  onTestFinished(() => {
    catalog.close();
  });
  const left = catalog.prepare<unknown[], number>('SELECT count(*) FROM invalidations').pluck();
  await eventually('all has been told', () => left.get() === 0);
});

test('2.2: a track keeps its inode number when it is changed, re-tagged, or comes back', async () => {
  const library = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 2) });
  const inode = (name: string) => library.shell(`stat -c %i "$M/${name}"`);
  const before = await inode('Ann/One [FLAC]/01 - T1.flac');
  const file = path.join(library.origin, 'One/1.flac');
  writeFileSync(file, song('Ann', 'Other', 'Renamed', 7));
  await library.rescan();
  expect(await inode('Ann/Other [FLAC]/07 - Renamed.flac')).toBe(before);
  renameSync(file, path.join(library.folder, 'away'));
  await library.rescan();
  renameSync(path.join(library.folder, 'away'), file);
  await library.rescan();
  expect(await inode('Ann/Other [FLAC]/07 - Renamed.flac')).toBe(before);
});

test('walks with stat cost what the driver promises, before and after a scan that finds nothing new and parses nothing', () =>
  undisturbed(walksTwice));

async function walksTwice(): Promise<void> {
  const library = await mountLibrary({
    origin: (root) => writeFlacLibrary(root, { files: 600, albums: 60 }),
  });
  const walk = async () => {
    const tree = await library.program<RawTree>('list-raw', [library.mountPoint]);
    return Object.values(tree)
      .flat()
      .filter(({ name }) => name !== '..').length;
  };
  const { files, directories } = await library.status();
  const entries = files + directories + (directories - 1); // each directory comes as a name and as "."
  // What the scan published is told to the kernel a second time a moment later, and only then counted.
  await eventually(
    'the kernel is told',
    async () => (await library.status()).fuse.notifications >= directories * driver.notificationsPerDirectory,
  );
  const asked = await settledRequests(library);
  const costOfWalk = async () => {
    expect(await walk()).toBe(entries);
    return asked();
  };
  const size = { directories, entries };
  expect(outsideOf(driver.firstWalk(size), await costOfWalk())).toEqual({});
  expect(outsideOf(driver.laterWalk(size), await costOfWalk())).toEqual({});

  const { parsed, preads } = lastScan(library) ?? {};
  expect(parsed).toBe(600);
  await library.rescan();
  expect(lastScan(library)).toMatchObject({ parsed, preads, added: 0, changed: 0, removed: 0, done: 600 });
  await asked();
  expect(outsideOf(driver.laterWalk(size), await costOfWalk())).toEqual({});
}

test.each([
  { fault: 'is empty', state: ['degraded', 'offline'] },
  { fault: 'is gone', state: ['degraded', 'offline'] },
])(
  '6.6, R-43: when the origin $fault nothing is removed, and all is well when it is back',
  async ({ fault, state }) => {
    const library = await mountLibrary({
      origin: (root) => writeFlacLibrary(root, { files: 90, albums: 9 }),
    });
    const walk = () => library.shell('find $M -printf "%i %s %P\\n" | sort');
    const before = await walk();
    const away = path.join(library.folder, 'away');
    renameSync(library.origin, away);
    if (fault === 'is empty') mkdirSync(library.origin);
    await library.run(['rescan', library.mountPoint, '--wait']);
    expect(await walk()).toBe(before);
    const outage = await library.status();
    expect(outage.files).toBe(90);
    expect(state).toContain(outage.state);
    expect(outage.warnings.join('\n')).toMatch(/origin|missing/);
    if (fault === 'is empty') rmSync(library.origin, { recursive: true });
    renameSync(away, library.origin);
    await library.rescan();
    expect(await walk()).toBe(before);
    expect((await library.status()).state).toBe('ready');
    expect(await library.shell('find $M -type f -print0 | xargs -0 cat | wc -c')).toBe(
      await library.shell('find $O -type f -print0 | xargs -0 cat | wc -c'),
    );
  },
);

test('R-43: more files than the guard allows are not removed at once; they stay listed and are named', async () => {
  const library = await mountLibrary({ origin: (root) => writeFlacLibrary(root, { files: 120, albums: 2 }) });
  rmSync(path.join(library.origin, 'Artist 0/Album 0'), { recursive: true });
  expect(await library.rescan()).toContain('60 removals held back');
  expect((await listing(library, 'Artist 0/Album 0 (1960) [FLAC]')).length).toBe(60);
  const { state, warnings } = await library.status();
  expect(state).toBe('degraded');
  expect(warnings.join('\n')).toContain('60 files are missing');
});

test('3.2: while scans publish, a listing has each name that stays exactly once', async () => {
  const library = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'Big', 300) });
  const album = path.join(library.mountPoint, 'Ann/Big [FLAC]');
  const names = path.join(library.folder, 'names.json');
  writeFileSync(names, JSON.stringify(await listing(library, 'Ann/Big [FLAC]')));
  const watcher = new TalkingChild(library.mountPoint, 'listing-watcher', [album, names]);
  await watcher.ask('');
  for (let round = 0; round < 4; round += 1) {
    writeAlbum(library.origin, 'Ann', 'Big', 40, 301 + 40 * round);
    if (round > 0) {
      const extra = readdirSync(path.join(library.origin, 'Big')).filter(
        (name) => Number.parseInt(name, 10) > 300,
      );
      for (const name of extra.slice(0, 30)) unlinkSync(path.join(library.origin, 'Big', name));
    }
    await library.rescan();
  }
  const [report] = (await watcher.end()) as [{ rounds: number; problems: string[] }];
  expect(report.problems).toEqual([]);
  expect(report.rounds).toBeGreaterThan(20);
});

test('the mount answers while the first scan runs, and shows what was published so far', async () => {
  const library = await mountLibrary({
    origin: (root) => writeFlacLibrary(root, { files: 1500, albums: 30 }),
    args: ['--failpoint', 'parser.file=delay(3)'],
    wait: false,
  });
  const files = () => library.shell('find $M -type f | wc -l', { limitMs: 15_000 }).then(Number);
  const some = await eventually('a part of the library', async () => (await files()) || undefined, 20_000);
  const { scan, state } = await library.status();
  expect(scan).toMatchObject({ running: true, complete: false });
  expect(state).toBe('syncing');
  expect(some).toBeLessThan(1500);
  const read = await library.shell('find $M -type f | head -20 | tr "\\n" "\\0" | xargs -0 cat | wc -c');
  expect(Number(read)).toBeGreaterThan(20 * 4096);
  await library.clearFailpoints();
  await eventually('the end of the scan', async () => (await library.status()).scan.complete, 20_000);
  expect(await files()).toBe(1500);
});
