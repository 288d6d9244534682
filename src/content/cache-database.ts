// Opening cache.db for the one that writes it, and putting a damaged one aside. Used by the store on the fetch thread.
// The file can always be built anew, so one that is damaged or from a newer program is moved out of the way (and never
// written again); only a disk that fails makes opening fail.
import { chmodSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { failureOf } from './cache-failure.ts';
import { cacheIndexName, cacheMigrations } from './cache-schema.ts';

export interface OpenedCacheIndex {
  readonly database: Database.Database;
  /** What was put aside, and why; null when the file was sound or there was none. */
  readonly setAside: { readonly reason: string; readonly keptAs: string | null } | null;
}

/** Throws SQLite's error or Node's when the disk is at fault. */
export function openCacheIndex(directory: string, nowMs: number): OpenedCacheIndex {
  const file = path.join(directory, cacheIndexName);
  try {
    return { database: openSound(file), setAside: null };
  } catch (error) {
    if (!(error instanceof NewerSchema) && failureOf(error) !== 'damaged') throw error;
    return replaceCacheIndex(directory, messageOf(error), nowMs);
  }
}

/** Puts the file aside, which nobody has open any more but readers, and begins a new one. */
export function replaceCacheIndex(directory: string, reason: string, nowMs: number): OpenedCacheIndex {
  const file = path.join(directory, cacheIndexName);
  const keptAs = moveAside(file, nowMs);
  return { database: openSound(file), setAside: { reason, keptAs } };
}

/** Which file lies at the path now; null: none. */
export function identityOf(file: string): string | null {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}.${stat.ino}`;
}

class NewerSchema extends Error {}

function openSound(file: string): Database.Database {
  const database = new Database(file, { timeout: limits.sqliteBusyMs });
  try {
    const found = Number(database.pragma('user_version', { simple: true }));
    if (found > cacheMigrations.length) {
      throw new NewerSchema(`schema ${found} of a newer program, this one knows ${cacheMigrations.length}`);
    }
    database.pragma('journal_mode = WAL');
    // A power cut may cost the last commits: their chunks are found again, or fetched again.
    database.pragma('synchronous = NORMAL');
    database.pragma(`cache_size = -${limits.sqliteWriterCacheKib}`);
    database.pragma(`wal_autocheckpoint = ${limits.cacheCheckpointPages}`);
    migrate(database, found);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function migrate(database: Database.Database, found: number): void {
  for (const [index, sql] of cacheMigrations.entries()) {
    if (index < found) continue;
    database.transaction(() => {
      database.exec(sql);
      if (index === 0) {
        const set = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
        set.run('generation', Math.floor(Math.random() * Number.MAX_SAFE_INTEGER));
        set.run('indexed', 0);
        set.run('clean', 1);
      }
      database.pragma(`user_version = ${index + 1}`);
    })();
  }
}

/** The log belongs to the file: without it, the file is an older one. */
function moveAside(file: string, nowMs: number): string | null {
  rmSync(`${file}-shm`, { force: true });
  const aside = `${file}.corrupt-${nowMs}`;
  if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${aside}-wal`);
  if (!existsSync(file)) return null;
  renameSync(file, aside);
  chmodSync(aside, 0o400);
  const folder = path.dirname(file);
  const kept = readdirSync(folder)
    .filter((name) => /^cache\.db\.corrupt-\d+$/.test(name))
    .sort();
  for (const old of kept.slice(0, -limits.corruptCacheIndexesKept)) {
    for (const suffix of ['', '-wal']) rmSync(path.join(folder, `${old}${suffix}`), { force: true });
  }
  return aside;
}
