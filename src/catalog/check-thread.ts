// A thread of one task: is the catalog in order, or make a backup of it. Both read every page, which may take seconds,
// so neither runs where anybody waits. Started by the catalog-writer actor through catalog-check; answers once and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import { isBackupDue, listBackups, makeBackup } from './backups.ts';
import { isDamage, openCatalogForReading } from './open-catalog.ts';
import { quickCheck } from './recover-catalog.ts';

export interface CheckTask {
  readonly type: 'check' | 'backup';
  readonly path: string;
}

export type CheckVerdict =
  | { readonly type: 'sound' }
  | { readonly type: 'damaged'; readonly reason: string }
  /** A backup was made; or not, as none is due. */
  | { readonly type: 'kept'; readonly isNew: boolean }
  /** The disk has no room for a backup, or fails otherwise. Says nothing about the catalog. */
  | { readonly type: 'failed'; readonly reason: string };

function verdictOf({ type, path }: CheckTask): CheckVerdict {
  try {
    const database = openCatalogForReading(path);
    try {
      if (type === 'backup') {
        const nowMs = Date.now();
        if (!isBackupDue(listBackups(path)[0]?.madeAtMs ?? null, nowMs))
          return { type: 'kept', isNew: false };
        if (makeBackup(database, path, nowMs)) return { type: 'kept', isNew: true };
        return { type: 'failed', reason: 'no room for a backup' };
      }
      const reason = quickCheck(database);
      return reason === null ? { type: 'sound' } : { type: 'damaged', reason };
    } finally {
      database.close();
    }
  } catch (error) {
    const cause = error instanceof MusicfsError ? error.cause : error;
    return { type: isDamage(cause) ? 'damaged' : 'failed', reason: messageOf(error) };
  }
}

// Given by catalog-check, which is typed.
parentPort?.postMessage(verdictOf(workerData as CheckTask));
