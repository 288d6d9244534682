// Opening catalog.db: one connection that writes, any number that read. Nothing is loaded.
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { type ErrorCode, MusicfsError, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { type MigrationOptions, migrate, schemaOf } from './schema.ts';

export type CatalogOptions = MigrationOptions;

/**
 * The connection of the writer thread. Creates and migrates; throws `newer_schema`, `refused` when it cannot be reached or
 * a migration failed (the file is then as it was), `catalog_corrupt` when it is damaged.
 */
export function openCatalogForWriting(
  path: string,
  nowMs: number,
  options: CatalogOptions = {},
): Database.Database {
  const database = open(path, {}, 'refused');
  let snapshot: string | null = null;
  try {
    // Before anything is written: a newer program's file stays as it is.
    const { found, isOutdated } = schemaOf(database, path, options);
    database.pragma('journal_mode = WAL');
    // Every acknowledged publication survives a power cut; a transaction holds hundreds of tracks, so it is cheap.
    database.pragma('synchronous = FULL');
    database.pragma(`cache_size = -${limits.sqliteWriterCacheKib}`);
    database.pragma(`wal_autocheckpoint = ${limits.walCheckpointPages}`);
    if (isOutdated) snapshot = takeSnapshot(database, path, found);
    migrate(database, path, nowMs, options);
  } catch (error) {
    database.close();
    if (snapshot !== null) putBack(snapshot, path);
    throw unreadable(path, error, 'refused');
  }
  return database;
}

/** A copy of the file as it is before the first step of a migration. */
function takeSnapshot(database: Database.Database, path: string, schema: number): string {
  const snapshot = `${path}.schema-${schema}`;
  database.pragma('wal_checkpoint(TRUNCATE)');
  copyFileSync(path, snapshot);
  return snapshot;
}

function putBack(snapshot: string, path: string): void {
  for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  renameSync(snapshot, path);
}

/** A connection that only reads; each statement sees the newest commit. Throws `catalog_corrupt` or `unavailable`. */
export function openCatalogForReading(path: string): Database.Database {
  const database = open(path, { readonly: true, fileMustExist: true }, 'unavailable');
  try {
    database.pragma(`cache_size = -${limits.sqliteReaderCacheKib}`);
    database.pragma('query_only = ON');
    return database;
  } catch (error) {
    database.close();
    throw unreadable(path, error, 'unavailable');
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

function open(path: string, options: Database.Options, code: ErrorCode): Database.Database {
  try {
    return new Database(path, { timeout: limits.sqliteBusyMs, ...options });
  } catch (error) {
    throw unreadable(path, error, code);
  }
}

/** `code` is for what says nothing about the file itself. */
function unreadable(path: string, error: unknown, code: ErrorCode): MusicfsError {
  const cause = error instanceof MusicfsError ? error.cause : error;
  if (error instanceof MusicfsError && !isDamage(cause)) return error;
  const text = `cannot open the catalog ${path}: ${messageOf(error)}`;
  return new MusicfsError(isDamage(cause) ? 'catalog_corrupt' : code, text, { cause });
}

/** SQLite found the file itself to be broken; a full or failing disk may be well again later. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^SQLITE_(CORRUPT|NOTADB)/.test(String(error.code));
}
