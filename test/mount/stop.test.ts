// a stop in order, with whatever is under way.
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { hangingDisk } from '../fixtures/hanging-disk.ts';
import { mountLibrary } from '../fixtures/mounted.ts';
import { isAlive } from '../fixtures/processes.ts';

/** What a stop in order leaves of the catalog. */
function expectWholeCatalog(stateDirectory: string): void {
  const log = statSync(path.join(stateDirectory, 'catalog.db-wal'), { throwIfNoEntry: false });
  expect(log?.size ?? 0).toBe(0);
  const record: unknown = JSON.parse(readFileSync(path.join(stateDirectory, 'catalog.json'), 'utf8'));
  expect(record).toMatchObject({ clean: true });
}

test('R-03: a read that hangs when SIGTERM comes ends with the drain; afterwards all is in the catalog and nothing in its log', async () => {
  const { disk, hang, goOn } = await hangingDisk((root) => writeFlacLibrary(root, { files: 20, albums: 2 }));
  const library = await mountLibrary({ origin: disk.mountPoint });
  const { daemon } = await library.pids();
  const catalog = path.join(library.stateDirectory, 'catalog.db');
  expect(statSync(`${catalog}-wal`).size).toBeGreaterThan(0);
  await library.shell('sync; echo 3 > /proc/sys/vm/drop_caches');
  hang();
  const before = (await library.status()).fuse.requests['read'] ?? 0;
  const reading = library.tryShell('cat "$(find $M -type f | head -1)"', { limitMs: 30_000 });
  await eventually(
    'the read has come',
    async () => ((await library.status()).fuse.requests['read'] ?? 0) > before,
  );
  const toldAtMs = performance.now();
  process.kill(daemon, 'SIGTERM');
  const { code, stderr } = await reading;
  expect(performance.now() - toldAtMs).toBeLessThan(8_000); // a drain of 4 s, and a busy machine
  expect(code).toBe(1);
  expect(stderr).toMatch(/Input\/output error|not connected|connection abort/);
  await eventually('the daemon has ended', () => !isAlive(daemon));
  expect(performance.now() - toldAtMs).toBeLessThan(10_000);
  expect(library.log().some(({ event }) => event === 'stopped')).toBe(true);
  expectWholeCatalog(library.stateDirectory);
  goOn();
  await library.mount({ wait: false });
  expect(await library.shell('find $M -type f | wc -l')).toBe('20');
}, 60_000);

test('R-03: a fuse thread that is stuck is cut off, and the catalog is whole, although somebody else reads it', async () => {
  const library = await mountLibrary({ origin: (root) => writeFlacLibrary(root, { files: 20, albums: 2 }) });
  const { daemon } = await library.pids();
  // Without it the last connection to be closed would empty the log.
  const reader = new Database(path.join(library.stateDirectory, 'catalog.db'), { readonly: true });
  onTestFinished(() => void reader.close());
  expect(reader.prepare('SELECT count(*) FROM tracks').pluck().get()).toBe(20);
  await library.failpoint('fuse.thread.loop=hang;count=1');
  const toldAtMs = performance.now();
  process.kill(daemon, 'SIGTERM');
  await eventually('the daemon has ended', () => !isAlive(daemon));
  expect(performance.now() - toldAtMs).toBeLessThan(10_000);
  expectWholeCatalog(library.stateDirectory);
  expect(library.isMounted()).toBe(false);
});
