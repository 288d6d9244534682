// One owner for a state directory: flock on `musicfs.lock`, taken before any store is opened and freed by the kernel
// when the owner dies. The text in the file is for people; only the lock decides.
import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
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
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    throw new MusicfsError('refused', `cannot open ${file}: ${errnoOf(error) ?? messageOf(error)}`, {
      cause: error,
    });
  }
  if (!tryLock(fd)) {
    closeSync(fd);
    const holder = holderOf(file);
    throw new MusicfsError(
      'already_exists',
      `state directory ${stateDirectory} is in use by ${holder}: unmount that one first, or pass another --state DIR`,
    );
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n${new Date().toISOString()}\n${mountPoint}\n`, 0);
  let isHeld = true;
  return {
    release() {
      if (isHeld) closeSync(fd);
      isHeld = false;
    },
  };
}

function holderOf(file: string): string {
  const [pid, , mountPoint] = readFileSync(file, 'utf8').split('\n');
  return `PID ${pid ?? 'unknown'}${mountPoint === undefined || mountPoint === '' ? '' : ` (mounted at ${mountPoint})`}`;
}
