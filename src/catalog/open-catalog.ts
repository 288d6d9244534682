// Opening catalog.db: one connection that writes, any number that read. Nothing is loaded.
import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { migrate } from './schema.ts';

/** The connection of the writer thread. Creates and migrates; throws `newer_schema` or `catalog_corrupt`. */
export function openCatalogForWriting(
  path: string,
  nowMs: number,
  failpoints?: Failpoints,
): Database.Database {
  const database = open(path, {});
  try {
    database.pragma('journal_mode = WAL');
    // Every acknowledged publication survives a power cut; a transaction holds hundreds of tracks, so it is cheap.
    database.pragma('synchronous = FULL');
    database.pragma(`cache_size = -${limits.sqliteWriterCacheKib}`);
    database.pragma(`wal_autocheckpoint = ${limits.walCheckpointPages}`);
    migrate(database, path, nowMs, failpoints);
  } catch (error) {
    database.close();
    if (error instanceof MusicfsError) throw error;
    throw unreadable(path, error);
  }
  return database;
}

/** A connection that only reads; each statement sees the newest commit. Throws `catalog_corrupt`. */
export function openCatalogForReading(path: string): Database.Database {
  const database = open(path, { readonly: true, fileMustExist: true });
  try {
    database.pragma(`cache_size = -${limits.sqliteReaderCacheKib}`);
    database.pragma('query_only = ON');
    return database;
  } catch (error) {
    database.close();
    throw unreadable(path, error);
  }
}

/** Whether the catalog at `path` has files of that origin. False when there is no catalog. */
export function isOriginKnown(path: string, originName: string): boolean {
  if (!existsSync(path)) return false;
  const database = openCatalogForReading(path);
  try {
    // A start that was cut off before its first migration leaves a file without tables.
    if (Number(database.pragma('user_version', { simple: true })) === 0) return false;
    const files = database.prepare<unknown[], number>('SELECT files FROM origins WHERE name = ?').pluck();
    return (files.get(originName) ?? 0) > 0;
  } finally {
    database.close();
  }
}

function open(path: string, options: Database.Options): Database.Database {
  try {
    return new Database(path, { timeout: limits.sqliteBusyMs, ...options });
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): MusicfsError {
  return new MusicfsError(
    'catalog_corrupt',
    `cannot open the catalog ${path}: ${messageOf(cause)}. Move the file away to have it built anew by a scan`,
    { cause },
  );
}
