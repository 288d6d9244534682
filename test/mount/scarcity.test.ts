// When something runs out, or everything is asked at once: an error for whoever asked too much, and nothing else.
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generateCatalog } from '../../bench/generate-catalog.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { hangingDisk } from '../fixtures/hanging-disk.ts';
import { endOf, startChild } from '../fixtures/limited-child.ts';
import { lookupTimes } from '../fixtures/lookup-times.ts';
import { mountLibrary, musicfs, newLibrary } from '../fixtures/mounted.ts';
import { TalkingChild } from '../fixtures/talking-child.ts';

test('R-29: a daemon with 96 descriptors serves three times as many open files, and does not die', async () => {
  const filesInAll = 300;
  const library = newLibrary((root) => writeFlacLibrary(root, { files: filesInAll, albums: 10 }));
  // What has just changed is read by the daemon, not by the kernel: each open file costs a descriptor.
  await library.shell('find $O -type f -exec touch {} +');
  const words = [musicfs, 'mount', ...library.mountArguments(['--wait'])];
  const limited = startChild('prlimit', ['--nofile=96:96', ...words], library);
  const started = await endOf(limited, 'mount with 96 descriptors', { limitMs: 60_000 });
  expect(started.code, started.stderr).toBe(0);
  const { daemon } = await library.pids();
  expect(readFileSync(`/proc/${daemon}/limits`, 'utf8')).toMatch(/^Max open files\s+96\s+96\s/m);
  // All of them open at once, three times as many as it has descriptors.
  const files = (await library.shell('find $M -type f | sort')).split('\n');
  const holder = new TalkingChild(library.mountPoint, 'held-open', files);
  expect(await holder.ask('')).toBe('open');
  const read = await holder.ask<string[]>('hash', 60_000);
  expect(readdirSync(`/proc/${daemon}/fd`).length, 'it ran out').toBeGreaterThan(90);
  await holder.end();
  const sums = (root: string) => `find ${root} -type f -print0 | sort -z | xargs -0 sha256sum | cut -c1-64`;
  const expected = (await library.shell(sums('$M'))).split('\n');
  expect(expected.toSorted()).toEqual((await library.shell(sums('$O'))).split('\n').toSorted());
  expect(read).toEqual(expected);
  const status = await library.status();
  expect([status.pid, status.supervision.restartsTotal]).toEqual([daemon, 0]);
  expect(await library.shell('find $M -type f | wc -l')).toBe(String(filesInAll));
}, 120_000);

test('R-27: a thousand open files and a hundred reads that hang leave names and attributes as fast as they were', async () => {
  const { disk, hang, goOn } = await hangingDisk((root) =>
    writeFlacLibrary(root, { files: 1200, albums: 12 }),
  );
  const library = await mountLibrary({ origin: disk.mountPoint });
  const quiet = await lookupTimes(library);
  const files = (await library.shell('find $M -type f | sort')).split('\n');
  const holder = new TalkingChild(library.mountPoint, 'held-open', files.slice(0, 1000));
  expect(await holder.ask('')).toBe('open');
  await library.shell('sync; echo 3 > /proc/sys/vm/drop_caches');
  hang();
  const reads = async () => (await library.status()).fuse.requests['read'] ?? 0;
  const before = await reads();
  const reading = library.tryShell(
    'find $M -type f | sort | tail -100 | xargs -P 100 -d "\\n" -I F sh -c \'dd if="F" bs=64k iflag=direct status=none | sha256sum | cut -c1-64\'',
    { limitMs: 60_000 },
  );
  await eventually('a hundred reads wait', async () => (await reads()) - before >= 100);
  expect((await library.status()).session.openHandles).toBeGreaterThanOrEqual(1100);
  const busy = await lookupTimes(library);
  expect(busy.p99).toBeLessThan(Math.max(5, 5 * quiet.p99));
  goOn();
  const { code, stdout } = await reading;
  expect(code).toBe(0);
  const ofOrigin = await disk.shell('find $O -type f -print0 | xargs -0 sha256sum | cut -c1-64');
  const expected = new Set(ofOrigin.split('\n'));
  const sums = stdout.trim().split('\n');
  expect(sums).toHaveLength(100);
  expect(sums.filter((sum) => !expected.has(sum))).toEqual([]);
  await holder.end();
  expect((await library.status()).supervision.restartsTotal).toBe(0);
}, 120_000);

test('R-31: fifty times as many tracks, all of them listed, take no more memory', async () => {
  /** Resident MB of a daemon after a walk over a catalog of that size; its origin is not there, so nothing is scanned. */
  const residentMb = async (tracks: number) => {
    const library = newLibrary(() => undefined);
    mkdirSync(library.stateDirectory, { mode: 0o700 });
    await generateCatalog(library.stateDirectory, library.origin, tracks, AbortSignal.timeout(60_000));
    rmdirSync(library.origin);
    await library.mount({ wait: false });
    expect(await library.shell('find $M -type f -printf "%s\\n" | wc -l', { limitMs: 60_000 })).toBe(
      String(tracks),
    );
    const { rssBytes } = (await library.status()).process;
    await library.unmount();
    return rssBytes / 1024 / 1024;
  };
  const small = await residentMb(1_200);
  const large = await residentMb(60_000);
  expect(large - small).toBeLessThan(30);
  expect(large).toBeLessThan(200);
}, 180_000);
