// `npm run bench`: the figures that are reported, not asserted. Same work, same run, medians of three; the table goes to
// the terminal, everything to .cache/bench.json. Work counters stand beside the times.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { needPrograms } from '../scripts/system-packages.ts';
import { makeFlac } from '../test/fixtures/audio-files.ts';
import { writeFlacLibrary } from '../test/fixtures/flac-library.ts';
import { generateCatalog } from './generate-catalog.ts';
import { dropCaches, median, secondsOf } from './measure.ts';
import { residentMb, statusOf, withBindfs, withMusicfs } from './mounts.ts';

const files = 20_000;
const albums = 1_700;
const rounds = 3;
const bigFileBytes = 1024 ** 3;
const idleSeconds = 10;

const rows: { what: string; value: string; note: string }[] = [];
const report = (what: string, value: string, note = '') => {
  rows.push({ what, value, note });
  console.log(`${what.padEnd(52)} ${value.padStart(14)}  ${note}`);
};

const line = needPrograms(['bindfs']);
if (line !== null || process.getuid?.() !== 0) {
  console.error(
    line === null ? 'the bench mounts file systems, which needs root' : `the bench needs a peer: ${line}`,
  );
  process.exit(1);
}
const work = mkdtempSync(path.join(tmpdir(), 'musicfs-bench-'));
try {
  await run();
  mkdirSync('.cache', { recursive: true });
  writeFileSync('.cache/bench.json', JSON.stringify({ at: new Date().toISOString(), rows }, null, 2));
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const library = path.join(work, 'library');
  writeFlacLibrary(library, { files, albums });
  const state = scan(library);
  walk(library, state);
  read();
  await start();
}

/** Three scans into an empty catalog, files in the page cache. Returns the state of the last. */
function scan(library: string): string {
  const rates: number[] = [];
  let state = '';
  for (let round = 0; round < rounds; round += 1) {
    state = path.join(work, `scan-${round}`);
    withMusicfs({ origin: library, state, wait: true }, () => undefined);
    const events = readFileSync(path.join(state, 'musicfsd.log'), 'utf8')
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { event: string; time: string; bytesReadForTags?: number });
    const at = (event: string) => Date.parse(events.find((entry) => entry.event === event)?.time ?? '');
    rates.push((files * 1000) / (at('scan_ended') - at('scan_started')));
    if (round === rounds - 1) {
      const bytes = events.find(({ event }) => event === 'scan_ended')?.bytesReadForTags ?? 0;
      report(
        'scan, warm files',
        `${Math.round(median(rates))} /s`,
        `${Math.round(bytes / files)} bytes read a file`,
      );
    }
  }
  return state;
}

function walk(library: string, state: string): void {
  const find = (root: string) => secondsOf('find', [root, '-type', 'f', '-printf', '%s\n']);
  const cold = { fs: [] as number[], bindfs: [] as number[], ours: [] as number[] };
  const again = { fs: [] as number[], bindfs: [] as number[], ours: [] as number[] };
  let requests: Readonly<Record<string, number>> = {};
  for (let round = 0; round < rounds; round += 1) {
    dropCaches();
    cold.fs.push(find(library));
    again.fs.push(find(library));
    withBindfs(library, (root) => {
      dropCaches();
      cold.bindfs.push(find(root));
      again.bindfs.push(find(root));
    });
    withMusicfs({ origin: library, state }, ({ mountPoint }) => {
      waitForQuiet(mountPoint);
      dropCaches();
      cold.ours.push(find(mountPoint));
      ({ requests } = statusOf(mountPoint).fuse);
      again.ours.push(find(mountPoint));
    });
  }
  const seconds = (values: readonly number[]) => `${median(values).toFixed(2)} s`;
  report(`walk with stat, ${files} files, cold: musicfs`, seconds(cold.ours), JSON.stringify(requests));
  report('  bindfs', seconds(cold.bindfs));
  report('  the file system itself', seconds(cold.fs));
  report('the same again: musicfs', seconds(again.ours));
  report('  bindfs', seconds(again.bindfs));
  report('  the file system itself', seconds(again.fs));
}

/** A file of 1 GiB with a FLAC head, read in 1 MiB pieces past the page cache of the mount. */
function read(): void {
  const origin = path.join(work, 'big');
  mkdirSync(origin);
  const file = path.join(origin, 'big.flac');
  const head = makeFlac(
    [
      ['TITLE', 'Big'],
      ['ARTIST', 'One'],
      ['ALBUM', 'File'],
    ],
    { audioBytes: 4096 },
  );
  writeFileSync(file, head);
  execFileSync(
    'dd',
    [
      'if=/dev/urandom',
      `of=${file}`,
      'bs=1M',
      `count=${bigFileBytes / 1024 ** 2}`,
      'oflag=append',
      'conv=notrunc',
    ],
    { stdio: 'ignore' },
  );
  const megabytes = (bigFileBytes + head.length) / 1e6;
  const direct = (name: string) =>
    megabytes / secondsOf('dd', [`if=${name}`, 'of=/dev/null', 'bs=1M', 'iflag=direct']);
  const buffered = (name: string) => megabytes / secondsOf('dd', [`if=${name}`, 'of=/dev/null', 'bs=1M']);
  const speeds = new Map<string, number[]>();
  const measure = (who: string, name: string) => {
    const add = (what: string, value: number) =>
      speeds.set(`${what}: ${who}`, [...(speeds.get(`${what}: ${who}`) ?? []), value]);
    dropCaches();
    add('O_DIRECT 1 MiB, cold', direct(name));
    buffered(file); // the origin's pages are in memory now
    add('O_DIRECT 1 MiB, origin in memory', direct(name));
    dropCaches();
    add('buffered, cold', buffered(name));
    add('buffered, warm', buffered(name));
  };
  const state = path.join(work, 'big-state');
  for (let round = 0; round < rounds; round += 1) {
    measure('the file itself', file);
    withBindfs(origin, (root) => measure('bindfs', path.join(root, 'big.flac')));
    withMusicfs({ origin, state, wait: true }, ({ mountPoint }) => {
      const name = execFileSync('find', [mountPoint, '-name', '*.flac'], { encoding: 'utf8' }).trim();
      measure('musicfs', name);
    });
  }
  for (const [what, values] of [...speeds].sort(([a], [b]) => a.localeCompare(b))) {
    report(what, `${Math.round(median(values))} MB/s`);
  }
}

/** From the mount command to the first listing, with small and large catalogs; then the daemon's memory when idle. */
async function start(): Promise<void> {
  const empty = path.join(work, 'empty');
  mkdirSync(empty);
  for (const tracks of [1_000, 200_000]) {
    const state = path.join(work, `catalog-${tracks}`);
    mkdirSync(state);
    await generateCatalog(state, empty, tracks);
    const mounts: number[] = [];
    const listings: number[] = [];
    const memory: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      withMusicfs({ origin: empty, state }, ({ mountPoint, mountSeconds }) => {
        const listed = secondsOf('ls', [mountPoint]);
        if (round === 0) return; // warms the compile cache
        mounts.push(mountSeconds * 1000);
        listings.push((mountSeconds + listed) * 1000);
        execFileSync('sleep', [String(idleSeconds)]);
        memory.push(residentMb(statusOf(mountPoint).pid));
      });
    }
    report(`mount, ${tracks} tracks`, `${Math.round(median(mounts))} ms`);
    report(`start to first listing, ${tracks} tracks`, `${Math.round(median(listings))} ms`);
    report(`idle memory of the daemon (RSS), ${tracks} tracks`, `${Math.round(median(memory))} MB`);
  }
}

/** The scan at the start has ended and its notifications are written. */
function waitForQuiet(mountPoint: string): void {
  let before = -1;
  for (let tries = 0; tries < 100; tries += 1) {
    const { fuse, scan } = statusOf(mountPoint);
    if (!scan.running && fuse.statements === before) return;
    before = fuse.statements;
    execFileSync('sleep', ['0.2']);
  }
}
