// Opens the catalog for the writer's thread, and puts a damaged one right first.
//
// Damaged is: what an order of the life before says, what SQLite refuses to open as a database, an empty file where one
// stood. Such a file is moved aside as `catalog.db.corrupt-<ms since 1970>` and never written again. The newest backup
// that passes its check takes its place; without one an empty catalog does, which the scans fill.
//
// Until every origin has been scanned the catalog is "recovering": it does not know every name that exists, so readers
// are answered EIO where it knows none (tree-reader), and each name it adds is told to the kernel, which may remember
// another node under it (tree-writer). Ids go on above the last ones given out, and so do content versions of files
// that change after a restore: the kernel may hold pages of versions that the backup has not heard of.
import { chmodSync, copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type Database from 'better-sqlite3';
import { codeOf, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { listBackups } from './backups.ts';
import { type CatalogRecord, type IssuedIds, readRecord } from './catalog-record.ts';
import { type CatalogOptions, openCatalogForReading, openCatalogForWriting } from './open-catalog.ts';
import { forgetRecoveryOrder, recoveryOrder } from './recovery-order.ts';
import { recovering, schemaVersion } from './schema.ts';

/** What was done about a damaged catalog. */
export interface Recovery {
  readonly reason: string;
  /** Where the damaged file is now; null when there was none to keep. */
  readonly keptAs: string | null;
  /** The backup that was restored; null when the catalog starts from nothing. */
  readonly restoredFrom: string | null;
}

export interface OpenedCatalog {
  readonly database: Database.Database;
  /** It was closed in order, or is new: there is nothing to be checked. */
  readonly isClean: boolean;
  readonly recovery: Recovery | null;
}

export interface OpenOptions extends CatalogOptions {
  /** Nobody else has the file open: it may be put aside. */
  readonly mayRecover: boolean;
}

/** Throws what `openCatalogForWriting` throws. */
export function openOrRecover(catalogPath: string, nowMs: number, options: OpenOptions): OpenedCatalog {
  const record = readRecord(catalogPath);
  const reason = options.mayRecover ? damageOf(catalogPath) : null;
  if (reason !== null) return recovered(catalogPath, nowMs, reason, record, options);
  const isNew = !existsSync(catalogPath);
  try {
    const database = openCatalogForWriting(catalogPath, nowMs, options);
    if (!isNew) return { database, isClean: record?.clean ?? false, recovery: null };
    // Somebody took the file away to have it built anew.
    const wasThere = record !== null && record.nodes > 0;
    if (wasThere) continueAfter(database, record, recovering.fromNothing);
    return {
      database,
      isClean: true,
      recovery: wasThere ? { reason: 'catalog.db was gone', keptAs: null, restoredFrom: null } : null,
    };
  } catch (error) {
    if (!options.mayRecover || codeOf(error) !== 'catalog_corrupt') throw error;
    return recovered(catalogPath, nowMs, messageOf(error), record, options);
  }
}

function damageOf(catalogPath: string): string | null {
  const order = recoveryOrder(catalogPath);
  if (order !== null) return order;
  const stat = statSync(catalogPath, { throwIfNoEntry: false });
  // SQLite takes an empty file for a new database; with a record it once was a full one.
  if (stat?.size === 0 && !existsSync(`${catalogPath}-wal`) && readRecord(catalogPath) !== null) {
    return 'catalog.db is empty';
  }
  return null;
}

function recovered(
  catalogPath: string,
  nowMs: number,
  reason: string,
  record: CatalogRecord | null,
  options: CatalogOptions,
): OpenedCatalog {
  const ids = highest(record, idsIn(catalogPath));
  const keptAs = moveAside(catalogPath, nowMs);
  const backup = listBackups(catalogPath).find(({ path: file }) => isSound(file)) ?? null;
  if (backup !== null) {
    copyFileSync(backup.path, `${catalogPath}.new`);
    renameSync(`${catalogPath}.new`, catalogPath);
  }
  const database = openCatalogForWriting(catalogPath, nowMs, options);
  continueAfter(database, ids, backup === null ? recovering.fromNothing : recovering.restored);
  forgetRecoveryOrder(catalogPath);
  return { database, isClean: true, recovery: { reason, keptAs, restoredFrom: backup?.path ?? null } };
}

/** The ids a damaged catalog has given out, as far as it can still say. */
function idsIn(catalogPath: string): IssuedIds | null {
  if (!existsSync(catalogPath)) return null;
  try {
    const database = openCatalogForReading(catalogPath);
    try {
      return issuedIds(database);
    } finally {
      database.close();
    }
  } catch {
    return null; // the record says it
  }
}

function highest(...known: readonly (IssuedIds | null)[]): IssuedIds {
  return {
    nodes: Math.max(0, ...known.map((ids) => ids?.nodes ?? 0)),
    entries: Math.max(0, ...known.map((ids) => ids?.entries ?? 0)),
  };
}

/** The log belongs to the file: without it, the file is an older one. */
function moveAside(catalogPath: string, nowMs: number): string | null {
  rmSync(`${catalogPath}-shm`, { force: true });
  if (!existsSync(catalogPath)) return null;
  const aside = `${catalogPath}.corrupt-${nowMs}`;
  const log = statSync(`${catalogPath}-wal`, { throwIfNoEntry: false });
  if (log?.size === 0) rmSync(`${catalogPath}-wal`);
  else if (log !== undefined) renameSync(`${catalogPath}-wal`, `${aside}-wal`);
  renameSync(catalogPath, aside);
  chmodSync(aside, 0o400);
  const folder = path.dirname(catalogPath);
  const kept = readdirSync(folder)
    .filter((name) => /^catalog\.db\.corrupt-\d+$/.test(name))
    .sort();
  for (const old of kept.slice(0, -limits.corruptCatalogsKept)) {
    for (const suffix of ['', '-wal']) rmSync(path.join(folder, `${old}${suffix}`), { force: true });
  }
  return aside;
}

/** A backup is used only when every page of it is in order and this program knows its schema. */
function isSound(file: string): boolean {
  try {
    const database = openCatalogForReading(file);
    try {
      const schema = Number(database.pragma('user_version', { simple: true }));
      return schema > 0 && schema <= schemaVersion && quickCheck(database) === null;
    } finally {
      database.close();
    }
  } catch {
    return false;
  }
}

/** What SQLite's own check finds wrong first, or null. Reads every page. */
export function quickCheck(database: Database.Database): string | null {
  const found = String(database.pragma('quick_check(1)', { simple: true }));
  return found === 'ok' ? null : found;
}

/** The highest ids that were ever given out. */
export function issuedIds(database: Database.Database): IssuedIds {
  const highestOf = database
    .prepare<unknown[], number>('SELECT seq FROM sqlite_sequence WHERE name = ?')
    .pluck();
  return { nodes: highestOf.get('nodes') ?? 0, entries: highestOf.get('entries') ?? 0 };
}

/** Content versions that a file may have gone through since the backup. */
const versionStep = 4096;

function continueAfter(
  database: Database.Database,
  ids: IssuedIds,
  how: (typeof recovering)[keyof typeof recovering],
): void {
  const own = issuedIds(database);
  const forget = database.prepare('DELETE FROM sqlite_sequence WHERE name = ?');
  const insert = database.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)');
  const set = database.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)');
  const floor = database.prepare("SELECT value FROM meta WHERE key = 'version_floor'").pluck();
  database.transaction(() => {
    for (const table of ['nodes', 'entries'] as const) {
      forget.run(table);
      insert.run(table, Math.max(own[table], ids[table]));
    }
    set.run('recovering', how);
    set.run('version_floor', Number(floor.get() ?? 0) + versionStep);
  })();
}
