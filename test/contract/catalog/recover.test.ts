import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isBackupDue, listBackups, makeBackup } from '../../../src/catalog/backups.ts';
import { readRecord, recordPathOf, reserved, writeRecord } from '../../../src/catalog/catalog-record.ts';
import type { CheckTask, CheckVerdict } from '../../../src/catalog/check-thread.ts';
import { openCatalogForWriting } from '../../../src/catalog/open-catalog.ts';
import { issuedIds, type OpenedCatalog, openOrRecover } from '../../../src/catalog/recover-catalog.ts';
import { orderRecovery, recoveryOrder } from '../../../src/catalog/recovery-order.ts';
import { TreeReader } from '../../../src/catalog/tree-reader.ts';
import { limits } from '../../../src/platform/limits.ts';
import { damageHeader, damagePage } from '../../fixtures/damage.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';
import { randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const nowMs = 1_800_000_000_000;
const dayMs = 24 * 3600 * 1000;

/** A closed catalog of two hundred tracks, as a writer that died leaves it: the record covers its ids and more. */
function deadCatalog(): { file: string; tree: Map<string, number>; ids: ReturnType<typeof issuedIds> } {
  const catalog = new LibraryCatalog();
  const tracks = Array.from({ length: 200 }, (_, index) =>
    track(`${index}`, `Title ${index}`, { tags: { album: `Album ${index % 20}`, track: index } }),
  );
  catalog.publish(...tracks);
  const tree = new Map([...catalog.tree()].map(([name, { id }]) => [name, id]));
  catalog.database.pragma('wal_checkpoint(TRUNCATE)');
  const ids = issuedIds(catalog.database);
  writeRecord(catalog.file, reserved(ids));
  return { file: catalog.file, tree, ids };
}

function backUp(file: string, atMs: number): void {
  const database = openCatalogForWriting(file, nowMs);
  expect(makeBackup(database, file, atMs)).toBe(true);
  database.close();
}

/** In a copy of its own, as the fixture has the original open. */
function copied(file: string): string {
  const copy = path.join(temporaryDirectory(), 'catalog.db');
  writeFileSync(copy, readFileSync(file));
  writeFileSync(recordPathOf(copy), readFileSync(recordPathOf(file)));
  return copy;
}

function open(file: string): OpenedCatalog {
  const opened = openOrRecover(file, nowMs, { mayRecover: true });
  onTestFinished(() => void opened.database.close());
  return opened;
}

function check(task: CheckTask): Promise<CheckVerdict> {
  const thread = new Worker(new URL('../../../src/catalog/check-thread.ts', import.meta.url), {
    workerData: task,
  });
  return new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}

const asideOf = (file: string) =>
  readdirSync(path.dirname(file)).filter((name) => name.startsWith('catalog.db.corrupt-'));

describe('damage in the middle of the file', () => {
  test('R-04: is found by the check, wherever it lies; the file is kept and the backup takes its place', async () => {
    const { seed } = printedSeed('places of damage');
    const random = randomOf(seed);
    const { file: original, tree } = deadCatalog();
    for (let round = 0; round < 20; round += 1) {
      const file = copied(original);
      backUp(file, nowMs - dayMs);
      damagePage(file, random(1000) / 1000);
      const damaged = readFileSync(file);
      const verdict = await check({ type: 'check', path: file });
      expect(verdict.type).toBe('damaged');
      orderRecovery(file, 'found by the check');
      const { database, recovery } = open(file);
      expect(recovery).toMatchObject({ reason: 'found by the check', restoredFrom: expect.any(String) });
      expect(readFileSync(recovery?.keptAs ?? '').equals(damaged)).toBe(true);
      expect(recoveryOrder(file)).toBe(null);
      const reader = new TreeReader(database);
      for (const [name, id] of tree) expect(reader.node(id), name).toBeDefined();
    }
  }, 60_000);

  test('R-04: a sound catalog passes', async () => {
    const { file } = deadCatalog();
    expect(await check({ type: 'check', path: file })).toEqual({ type: 'sound' });
  });
});

describe('a catalog that cannot be opened', () => {
  test('R-04: is put aside at once; without a backup an empty one takes its place, with ids above all earlier ones', () => {
    const { file: original, ids } = deadCatalog();
    const file = copied(original);
    damageHeader(file);
    const damaged = readFileSync(file);
    const { database, recovery } = open(file);
    expect(recovery).toMatchObject({ restoredFrom: null, reason: expect.stringContaining('not a database') });
    expect(asideOf(file)).toEqual([`catalog.db.corrupt-${nowMs}`]);
    expect(readFileSync(recovery?.keptAs ?? '').equals(damaged)).toBe(true);
    expect(statSync(recovery?.keptAs ?? '').mode & 0o222).toBe(0);
    const next = issuedIds(database);
    expect(next.nodes).toBeGreaterThanOrEqual(reserved(ids).nodes);
    expect(next.entries).toBeGreaterThanOrEqual(reserved(ids).entries);
  });

  test('R-04: a backup that is damaged too is passed over for an older one', () => {
    const { file: original } = deadCatalog();
    const file = copied(original);
    backUp(file, nowMs - 2 * dayMs);
    backUp(file, nowMs - dayMs);
    const [newest, older] = listBackups(file);
    damagePage(newest?.path ?? '', 0.5);
    damageHeader(file);
    expect(open(file).recovery?.restoredFrom).toBe(older?.path);
  });

  test('R-04: is left alone while others have it open', () => {
    const { file: original } = deadCatalog();
    const file = copied(original);
    damageHeader(file);
    expect(() => openOrRecover(file, nowMs, { mayRecover: false })).toThrow(
      expect.objectContaining({ code: 'catalog_corrupt' }),
    );
    expect(asideOf(file)).toEqual([]);
  });

  test('R-04: one that has become empty, or was taken away, is not taken for a new one', () => {
    const { file: original, ids } = deadCatalog();
    const file = copied(original);
    writeFileSync(file, '');
    const emptied = open(file);
    expect(emptied.recovery?.reason).toBe('catalog.db is empty');
    expect(issuedIds(emptied.database).nodes).toBeGreaterThan(ids.nodes);
    const other = path.join(temporaryDirectory(), 'catalog.db');
    writeRecord(other, { clean: true, ...ids });
    const gone = open(other);
    expect(gone.recovery?.reason).toBe('catalog.db was gone');
    expect(issuedIds(gone.database)).toEqual(ids);
  });

  test('R-04: only the newest damaged files are kept', () => {
    const { file: original } = deadCatalog();
    const file = copied(original);
    for (let round = 0; round < limits.corruptCatalogsKept + 2; round += 1) {
      orderRecovery(file, 'again');
      openOrRecover(file, nowMs + round, { mayRecover: true }).database.close();
    }
    expect(asideOf(file)).toHaveLength(limits.corruptCatalogsKept);
    expect(asideOf(file)).not.toContain(`catalog.db.corrupt-${nowMs}`);
  });
});

describe('while the catalog recovers', () => {
  /** A catalog in the place of a damaged one, both its sides open. */
  function recovering(withBackup: boolean): LibraryCatalog {
    const { file: original } = deadCatalog();
    const file = copied(original);
    if (withBackup) backUp(file, nowMs - dayMs);
    orderRecovery(file, 'damaged');
    open(file).database.close();
    return new LibraryCatalog('/music', path.dirname(file));
  }
  const unknown = expect.objectContaining({ code: 'catalog_corrupt' });

  test('R-04: what it does not know is no ENOENT, and nothing looks empty, until every origin was scanned', () => {
    const catalog = recovering(false);
    expect(() => catalog.reader.lookup(1, 'Artist')).toThrow(unknown);
    expect(() => catalog.reader.nodeVersion(5, 1)).toThrow(unknown);
    expect(() => catalog.reader.page(1, 0, 10)).toThrow(unknown);
    catalog.publish(track('a', 'A'));
    expect(catalog.reader.lookup(1, 'Artist')).toBeDefined();
    expect(() => catalog.reader.page(1, 0, 10)).toThrow(unknown);
    catalog.publisher.endRecovery();
    expect(catalog.reader.lookup(1, 'Other')).toBe(undefined);
    expect(catalog.reader.page(1, 0, 10).map(({ name }) => name)).toEqual(['Artist']);
  });

  test('R-04: a backup is listed as it is, and only names it does not know fail', () => {
    const catalog = recovering(true);
    expect(catalog.files()).toHaveLength(200);
    expect(() => catalog.reader.lookup(1, 'Other')).toThrow(unknown);
    catalog.publisher.endRecovery();
    expect(catalog.reader.lookup(1, 'Other')).toBe(undefined);
  });

  test('R-04: the kernel is told each name that appears, as it may know another node by it', () => {
    const catalog = recovering(false);
    const { invalidations } = catalog.publish(track('a', 'A'));
    expect(invalidations).toContainEqual(expect.objectContaining({ parent: 1, name: 'Artist' }));
    catalog.publisher.endRecovery();
    const later = catalog.publish(track('b', 'B', { tags: { artist: 'Late' } }));
    expect(later.invalidations).not.toContainEqual(expect.objectContaining({ name: 'Late' }));
  });

  test('R-04: a file that changed since the backup gets a version that no earlier one had', () => {
    const catalog = recovering(true);
    catalog.publish(track('1', 'Title 1', { sizeBytes: 77, tags: { album: 'Album 1', track: 1 } }));
    const node = catalog.reader.node(catalog.nodeOf('1'));
    expect(node?.version).toBe(4096);
    catalog.publish(track('1', 'Title 1', { sizeBytes: 78, tags: { album: 'Album 1', track: 1 } }));
    expect(catalog.reader.node(catalog.nodeOf('1'))?.version).toBe(4097);
  });
});

describe('backups', () => {
  test('the newest seven are kept, none is half made, and each is a whole catalog', async () => {
    const { file: original } = deadCatalog();
    const file = copied(original);
    for (let day = 0; day < limits.backupsKept + 2; day += 1) backUp(file, nowMs + day * dayMs);
    const kept = listBackups(file);
    expect(kept.map(({ madeAtMs }) => madeAtMs)).toEqual(
      Array.from(
        { length: limits.backupsKept },
        (_, index) => nowMs + (limits.backupsKept + 1 - index) * dayMs,
      ),
    );
    expect(readdirSync(path.dirname(kept[0]?.path ?? ''))).toHaveLength(limits.backupsKept);
    for (const backup of kept)
      expect(await check({ type: 'check', path: backup.path })).toEqual({ type: 'sound' });
  });

  test('one is made by the thread when it is due, and not before', async () => {
    const { file: original } = deadCatalog();
    const file = copied(original);
    expect(await check({ type: 'backup', path: file })).toEqual({ type: 'kept', isNew: true });
    expect(await check({ type: 'backup', path: file })).toEqual({ type: 'kept', isNew: false });
    expect(listBackups(file)).toHaveLength(1);
  });

  test('R-32: one that lies in the future, as the clock was set back, does not keep today from having its own', () => {
    expect(isBackupDue(nowMs, nowMs + dayMs)).toBe(true);
    expect(isBackupDue(nowMs, nowMs + dayMs - 1)).toBe(false);
    expect(isBackupDue(nowMs, nowMs - 3600 * 1000)).toBe(true);
    expect(isBackupDue(null, nowMs)).toBe(true);
  });
});

test('a record that cannot be understood counts as none', () => {
  const file = path.join(temporaryDirectory(), 'catalog.db');
  for (const text of [
    '',
    '{',
    '[]',
    '{"clean":true,"nodes":-1,"entries":0}',
    '{"clean":1,"nodes":1,"entries":1}',
  ]) {
    writeFileSync(recordPathOf(file), text);
    expect(readRecord(file), text).toBe(null);
  }
  writeRecord(file, { clean: true, nodes: 5, entries: 7 });
  expect(readRecord(file)).toEqual({ clean: true, nodes: 5, entries: 7 });
  expect(existsSync(`${recordPathOf(file)}.new`)).toBe(false);
});
