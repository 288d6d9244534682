// The thread that writes and names chunk files, one system call after the other: see disk-writer.ts.
import { closeSync, constants, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { errnoOf, messageOf } from '../platform/errors.ts';

export type DiskTask =
  /** A new file; nothing is left of one that failed, but for one that was there before (EEXIST). */
  | { readonly what: 'write'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly what: 'rename'; readonly from: string; readonly to: string };

/** null: it is done. */
export type DiskOutcome = { readonly code: string; readonly message: string } | null;

const { O_WRONLY, O_CREAT, O_EXCL } = constants;

function outcomeOf(task: DiskTask): DiskOutcome {
  try {
    if (task.what === 'rename') renameSync(task.from, task.to);
    else writeNew(task.path, task.bytes);
    return null;
  } catch (error) {
    return { code: errnoOf(error) ?? 'EIO', message: messageOf(error) };
  }
}

function writeNew(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  let isOpen = true;
  try {
    for (let done = 0; done < bytes.length; ) {
      const count = writeSync(fd, bytes, done);
      if (count === 0) throw new Error('the disk took no bytes');
      done += count;
    }
    isOpen = false; // whether close fails or not: the number may be another file's
    closeSync(fd);
  } catch (error) {
    for (const undo of [() => isOpen && closeSync(fd), () => unlinkSync(path)]) {
      try {
        undo();
      } catch {
        // What is left in tmp is removed by the next start.
      }
    }
    throw error;
  }
}

parentPort?.on('message', (tasks: readonly DiskTask[]) => parentPort?.postMessage(tasks.map(outcomeOf)));
