// Whether everything a daemon writes can be written, asked before anything is touched. Called by `musicfs mount`.
import { accessSync, constants, existsSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, MusicfsError, messageOf } from './errors.ts';

const filesOfState = [
  'musicfs.lock',
  'catalog.db',
  'catalog.db-wal',
  'catalog.db-shm',
  'catalog.json',
  'session.json',
  'musicfsd.log',
];

/**
 * Throws `refused` naming the first path that this user cannot use, whose it is, the mode it has and the one it needs.
 * The state directory exists; the socket's may be missing, then its parent must let it be made.
 */
export function checkStateAccess(stateDirectory: string, socketPath: string): void {
  checkDirectory(stateDirectory);
  for (const name of filesOfState) {
    const file = path.join(stateDirectory, name);
    if (existsSync(file)) checkAccess(file, constants.R_OK | constants.W_OK, 0o600);
  }
  checkDirectory(nearestExisting(path.dirname(socketPath)));
  checkCache(path.join(stateDirectory, 'cache'));
}

/** Nothing depends on the cache's disk, so one that is dead or read-only is no reason to refuse; another owner is. */
function checkCache(cache: string): void {
  const wholeAccess = constants.R_OK | constants.W_OK | constants.X_OK;
  for (const directory of [cache, path.join(cache, 'chunks')]) {
    if (existsSync(directory)) checkAccess(directory, wholeAccess, 0o700, 'EACCES');
  }
  for (const name of ['cache.db', 'cache.db-wal', 'cache.db-shm']) {
    const file = path.join(cache, name);
    if (existsSync(file)) checkAccess(file, constants.R_OK | constants.W_OK, 0o600, 'EACCES');
  }
}

function checkDirectory(directory: string): void {
  checkAccess(directory, constants.R_OK | constants.W_OK | constants.X_OK, 0o700);
}

/** `only`: the one error that counts. */
function checkAccess(file: string, access: number, neededMode: number, only?: string): void {
  try {
    accessSync(file, access);
  } catch (error) {
    if (only !== undefined && errnoOf(error) !== only) return;
    const { uid, mode } = statOf(file);
    const reason = errnoOf(error) ?? messageOf(error);
    throw new MusicfsError(
      'refused',
      `cannot write ${file} (${reason}): it is of uid ${uid} with mode ${octal(mode)}, and must be of uid ${process.getuid?.() ?? 0} with mode ${octal(neededMode)}; chown and chmod it, or pass another --state DIR`,
      { cause: error },
    );
  }
}

function statOf(file: string): Pick<Stats, 'uid' | 'mode'> {
  return statSync(file, { throwIfNoEntry: false }) ?? { uid: 0, mode: 0 };
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** Of a path that cannot be looked at, too: what is in the way is then what it lies in. */
function nearestExisting(directory: string): string {
  return existsSync(directory) || directory === path.dirname(directory)
    ? directory
    : nearestExisting(path.dirname(directory));
}
