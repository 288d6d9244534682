// What runs out, or fails below: disk for the state, descriptors, the origin's disk. Reads go on or fail with an honest
// errno; nothing dies, nothing wrong is served, and all is well again when the cause is gone.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { allWays, CheckedReaders } from '../fixtures/checked-readers.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { Library, mountLibrary } from '../fixtures/mounted.ts';
import { FreshFiles } from './harness/scene.ts';

const files = { files: 60, albums: 6 };

/** Every file of the mount against the origin, read past the page cache. */
const differing = (library: Library) =>
  library.shell(
    `cd $M; find . -type f -print0 | while IFS= read -r -d '' F; do
       R=$(getfattr --only-values -n user.musicfs.real_path "$F")
       dd if="$F" iflag=direct bs=64k status=none | cmp -s - "$O/$R" || echo "$F"
     done`,
    { limitMs: 60_000 },
  );

test('the disk of the state fills up in mid-scan: reads go on, the scan is done when there is room', async () => {
  const library = new Library((root) => writeFlacLibrary(root, files));
  onTestFinished(async () => {
    await library.remove();
  });
  mkdirSync(library.stateDirectory, { mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=0700', 'musicfs-test', library.stateDirectory]);
  await library.mount();
  const { daemon } = await library.pids();
  const filler = path.join(library.stateDirectory, 'filler');
  await library.tryShell(`dd if=/dev/zero of=${filler} bs=64k status=none`);
  const fresh = new FreshFiles(library.origin, 1_500);
  fresh.write();
  await library.startScan();
  await eventually(
    'the scan is interrupted',
    () => library.log().some(({ event }) => event === 'scan_interrupted') || noRoomForLines(library),
    20_000,
  );
  expect(await differing(library)).toBe('');
  const full = await library.status();
  expect(full.pid).toBe(daemon);
  expect(full.files).toBeLessThan(files.files + fresh.count);
  rmSync(filler);
  await eventually(
    'the scan is done',
    async () => {
      const { scan, files: listed } = await library.status();
      if (!scan.running) await library.startScan();
      return listed === files.files + fresh.count;
    },
    60_000,
  );
  expect((await library.status()).pid).toBe(daemon);
  expect(await library.shell('find $M/Fresh -type f | wc -l')).toBe(String(fresh.count));
  await library.unmount();
}, 120_000);

/** The log is on the full disk too: whether the scan has stopped is then seen by its having no more than it had. */
async function noRoomForLines(library: Library): Promise<boolean> {
  const { scan, files: listed } = await library.status();
  return !scan.running && listed < files.files + 1_500;
}

test('R-29: with few descriptors reads deliver the right bytes or fail cleanly, and nothing dies', async () => {
  const library = new Library((root) => writeFlacLibrary(root, { files: 200, albums: 10 }));
  onTestFinished(() => library.remove());
  const line = ['mount', ...library.mountArguments(['--wait'])].map((word) => `'${word}'`).join(' ');
  const musicfs = path.resolve(import.meta.dirname, '../../bin/musicfs');
  await library.shell(`ulimit -n 160; exec ${musicfs} ${line}`, { limitMs: 60_000, env: library.env });
  const { daemon } = await eventually('the daemon takes calls', () => library.pids());
  expect(await library.shell(`grep 'open files' /proc/${daemon}/limits | awk '{print $5}'`)).toBe('160');
  const { stdout } = await library.tryShell(
    `cd $M; find . -type f | xargs -P 100 -d '\\n' -I F sh -c 'exec 3<"F" && sleep 1 && cat <&3 | sha256sum' 2>&1 | sort | uniq -c | wc -l; true`,
    { limitMs: 60_000 },
  );
  expect(Number(stdout)).toBeGreaterThan(1);
  expect(await differing(library)).toBe('');
  const status = await library.status();
  expect(status).toMatchObject({ pid: daemon, files: 200, supervision: { restartsTotal: 0 } });
}, 120_000);

test('R-18: a disk that fails now and then costs EIO, never a wrong byte or name', async () => {
  const library = await mountLibrary({ origin: (root) => writeFlacLibrary(root, files) });
  // Who touches a page of a mapping that cannot be read is ended by SIGBUS.
  const ways = allWays.filter((way) => way !== 'mapped');
  const readers = await CheckedReaders.over(library, files.files, { ways });
  await library.failpoint('origin.read.body=error(origin_unavailable);p=0.2;seed=3');
  await readers.comeRound();
  expect(readers.counts.failed).toBeGreaterThan(0);
  expect(readers.errors.filter(({ errno }) => errno !== 'EIO')).toEqual([]);
  await library.clearFailpoints();
  // A range that failed is not tried again for two seconds.
  await eventually('all is read again', async () => (await differing(library)) === '');
  await readers.comeRound(); // the last errors are counted with it
  const { failed } = readers.counts;
  await readers.comeRound();
  expect(readers.counts.failed).toBe(failed);
  await readers.stop();
  expect((await library.status()).supervision.restartsTotal).toBe(0);
}, 60_000);
