// a catalog that is damaged, or not ours to change. Whatever happens to it, nothing that exists is answered
// with ENOENT, ids are never given out twice, and the damaged file is kept.
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { makeBackup } from '../../src/catalog/backups.ts';
import { orderRecovery } from '../../src/catalog/recovery-order.ts';
import { damageHeader, damagePage } from '../fixtures/damage.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';
import { nextLife } from '../fixtures/next-life.ts';
import { isAlive } from '../fixtures/processes.ts';

const filesInAll = 200;
const twoHundredFiles = (root: string) => writeFlacLibrary(root, { files: filesInAll, albums: 20 });

const catalogOf = (library: Library) => path.join(library.stateDirectory, 'catalog.db');
const asideIn = (library: Library) =>
  readdirSync(library.stateDirectory).filter((name) => /^catalog\.db\.corrupt-\d+$/.test(name));
const inodes = async (library: Library) =>
  (await library.shell('find $M -printf "%i %P\\n" | sort')).split('\n');
const highestOf = (lines: readonly string[]) => Math.max(...lines.map((line) => Number(line.split(' ')[0])));
const sums = (library: Library, root: string) =>
  library.shell(`cd ${root}; find . -type f -print0 | xargs -0 sha256sum | cut -c1-64 | sort`);

async function killBoth(library: Library): Promise<void> {
  const { daemon, keeper } = await library.pids();
  process.kill(keeper, 'SIGKILL');
  process.kill(daemon, 'SIGKILL');
  await eventually('both are gone', () => !isAlive(keeper) && !isAlive(daemon));
}

const happened = (library: Library, event: string) =>
  eventually(event, () => library.log().findLast((line) => line.event === event));

test('R-04: after a stop in order nothing is checked; after a death the catalog is, while the mount answers', async () => {
  const library = await mountLibrary({ origin: twoHundredFiles });
  await library.unmount();
  await library.mount();
  const scans = () => library.log().filter(({ event }) => event === 'scan_ended').length;
  await eventually('it is compared with its origin, later than it would be checked', () => scans() === 2);
  await killBoth(library);
  expect(library.log().filter(({ event }) => event === 'catalog_checked')).toEqual([]);
  await library.mount();
  expect(await library.shell('find $M -type f | wc -l')).toBe(String(filesInAll));
  await happened(library, 'catalog_checked');
  expect((await library.status()).warnings).not.toContainEqual(expect.stringContaining('the catalog'));
}, 60_000);

test('R-04: damage that the check finds ends the daemon, and the next start builds the catalog anew', async () => {
  const library = await mountLibrary({ origin: twoHundredFiles });
  const before = await inodes(library);
  await killBoth(library);
  const database = new Database(catalogOf(library));
  database.pragma('wal_checkpoint(TRUNCATE)'); // what the log holds is read from there, however the file looks
  database.close();
  damagePage(catalogOf(library), 0.9);
  const damaged = readFileSync(catalogOf(library));
  await library.mount();
  const pids = await library.pids();
  const { reason } = await happened(library, 'catalog_damaged');
  await nextLife(library, pids);
  await eventually('all is scanned again', async () => (await library.status()).scan.complete);
  expect(readFileSync(path.join(library.stateDirectory, asideIn(library)[0] ?? '')).equals(damaged)).toBe(
    true,
  );
  expect(existsSync(`${catalogOf(library)}.recover`)).toBe(false);
  const after = await inodes(library);
  expect(after.map((line) => line.replace(/^\d+ /, '')).sort()).toEqual(
    before.map((line) => line.replace(/^\d+ /, '')).sort(),
  );
  const mine = after.filter((line) => !/^1 $|\.musicfs/.test(line));
  expect(Math.min(...mine.map((line) => Number(line.split(' ')[0])))).toBeGreaterThan(
    highestOf(ordinary(before)),
  );
  expect(await sums(library, '$M')).toBe(await sums(library, '$O'));
  const { warnings } = await library.status();
  expect(warnings.join('\n')).toContain(
    `the catalog was damaged (${String(reason)}): it is built anew by a scan`,
  );
  expect(library.log()).toContainEqual(expect.objectContaining({ event: 'catalog_recovered', level: 50 }));
}, 60_000);

test('R-04: a catalog that is no database any more is put right by the start itself, from the newest backup', async () => {
  const library = await mountLibrary({ origin: twoHundredFiles });
  const before = await inodes(library);
  await library.unmount();
  const database = new Database(catalogOf(library), { readonly: true });
  makeBackup(database, catalogOf(library), Date.now());
  database.close();
  damageHeader(catalogOf(library));
  await library.mount();
  expect(await inodes(library)).toEqual(before);
  expect(asideIn(library)).toHaveLength(1);
  expect((await library.status()).warnings.join('\n')).toMatch(
    /the backup .*backups\/catalog-\d+\.db took its place/,
  );
  expect(await sums(library, '$M')).toBe(await sums(library, '$O'));
}, 60_000);

test('R-04: until the origin was scanned again its names and listings are EIO, never ENOENT, never empty', async () => {
  const library = await mountLibrary({ origin: twoHundredFiles });
  await library.unmount();
  orderRecovery(catalogOf(library), 'damaged');
  const away = `${library.origin}.away`;
  renameSync(library.origin, away);
  await library.mount({ wait: false });
  const looks = await Promise.all(
    ['ls "$M"', 'stat "$M/Artist 0"', 'cat "$M/Artist 0/x.flac"'].map((look) => library.tryShell(look)),
  );
  for (const { code, stderr } of looks) {
    expect(code).not.toBe(0);
    expect(stderr).toContain('Input/output error');
  }
  expect(await library.shell('cat $M/.musicfs/status | head -c 1')).not.toBe('');
  renameSync(away, library.origin);
  await library.rescan();
  expect(await sums(library, '$M')).toBe(await sums(library, '$O'));
  expect((await library.tryShell('stat $M/nothing')).stderr).toContain('No such file');
}, 60_000);

test('R-52: the catalog of a newer program is refused with both schemas named, at once, and is as it was', async () => {
  const library = await mountLibrary({ origin: twoHundredFiles });
  await library.unmount();
  const database = new Database(catalogOf(library));
  database.pragma('user_version = 99');
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  const before = readFileSync(catalogOf(library));
  const { code, stderr } = await library.tryMount();
  expect(stderr).toMatch(/has schema 99, this program knows \d+: use the newer musicfs/);
  expect(code).toBe(1);
  expect(library.isMounted()).toBe(false);
  expect(readFileSync(catalogOf(library)).equals(before)).toBe(true);
  expect(asideIn(library)).toEqual([]);
}, 60_000);

const ordinary = (lines: readonly string[]) => lines.filter((line) => !line.includes('.musicfs'));
