// Copies of the catalog, one a day, seven of them: what a damaged one is restored from. `backups/catalog-<ms since
// 1970>.db` in the state directory; made by the check thread, read by recovery.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import type Database from 'better-sqlite3';
import { limits } from '../platform/limits.ts';

const namePattern = /^catalog-(\d+)\.db$/;

export interface Backup {
  readonly path: string;
  readonly madeAtMs: number;
}

/** Newest first. */
export function listBackups(catalogPath: string): Backup[] {
  const folder = folderOf(catalogPath);
  return namesIn(folder)
    .flatMap((name) => {
      const madeAtMs = Number(namePattern.exec(name)?.[1] ?? Number.NaN);
      return Number.isNaN(madeAtMs) ? [] : [{ path: path.join(folder, name), madeAtMs }];
    })
    .sort((a, b) => b.madeAtMs - a.madeAtMs);
}

/** A wall clock that was set back makes the newest one lie in the future: another is made then, too. */
export function isBackupDue(newestAtMs: number | null, nowMs: number): boolean {
  if (newestAtMs === null) return true;
  const ageMs = nowMs - newestAtMs;
  return ageMs < 0 || ageMs >= limits.backupEveryMs;
}

/**
 * Makes one from an open catalog, whole or not at all, and drops the oldest past the limit. Returns false when the disk
 * has no room to spare. Throws SQLite's error when the catalog cannot be read.
 */
export function makeBackup(database: Database.Database, catalogPath: string, nowMs: number): boolean {
  const folder = folderOf(catalogPath);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = path.join(folder, 'new.db');
  rmSync(temporary, { force: true }); // of one that was cut off
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < statSync(catalogPath).size * roomFactor) return false;
  database.pragma('query_only = OFF'); // it would keep the copy from being written, too
  database.prepare('VACUUM INTO ?').run(temporary);
  flush(temporary);
  renameSync(temporary, path.join(folder, `catalog-${nowMs}.db`));
  for (const { path: old } of listBackups(catalogPath).slice(limits.backupsKept)) rmSync(old);
  return true;
}

/** A backup must leave the catalog room to grow. */
const roomFactor = 3;

function flush(file: string): void {
  const fd = openSync(file, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function folderOf(catalogPath: string): string {
  return path.join(path.dirname(catalogPath), 'backups');
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // none was ever made
  }
}
