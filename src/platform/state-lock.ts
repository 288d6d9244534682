// One owner for a state directory: flock on `musicfs.lock`, taken before any store is opened and freed by the kernel
// when the owner dies. The text in the file is for people; only the lock decides.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, MusicfsError, messageOf } from './errors.ts';
import { tryLock } from './native.ts';

export interface StateLock {
  release(): void;
}

/**
 * Takes the lock of a state directory for this process. Throws `already_exists` naming the holder's PID and mount
 * point, `refused` when the file cannot be opened. Closed on exec: children do not hold it.
 */
export function lockState(stateDirectory: string, mountPoint: string): StateLock {
  const file = path.join(stateDirectory, 'musicfs.lock');
  for (;;) {
    const fd = openLock(file);
    if (!tryLock(fd)) {
      closeSync(fd);
      throw new MusicfsError(
        'already_exists',
        `state directory ${stateDirectory} is in use by ${holderOf(file)}: unmount that one first, or pass another --state DIR`,
      );
    }
    // The holder before us takes the file away when it ends: what we locked must still be what stands there.
    if (statSync(file, { throwIfNoEntry: false })?.ino !== fstatSync(fd).ino) {
      closeSync(fd);
      continue;
    }
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n${new Date().toISOString()}\n${mountPoint}\n`, 0);
    return heldLock(file, fd);
  }
}

function openLock(file: string): number {
  try {
    return openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    throw new MusicfsError('refused', `cannot open ${file}: ${errnoOf(error) ?? messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Releasing takes the file away while the lock is still held, so that nobody's file is taken. */
function heldLock(file: string, fd: number): StateLock {
  let isHeld = true;
  return {
    release() {
      if (!isHeld) return;
      isHeld = false;
      rmSync(file, { force: true });
      closeSync(fd);
    },
  };
}

function holderOf(file: string): string {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // It ended this very moment.
  }
  const [pid = '', , mountPoint = ''] = text.split('\n');
  return `PID ${pid === '' ? 'unknown' : pid}${mountPoint === '' ? '' : ` (mounted at ${mountPoint})`}`;
}
