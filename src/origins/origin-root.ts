// Opening an origin's root directory for those that read below it.
import { constants, open } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { errnoOf } from '../platform/errors.ts';
import { openCached } from '../platform/native.ts';

const rootFlags = 0o10000000 | constants.O_DIRECTORY; // O_PATH: the same value on x64 and arm64

/**
 * Without waiting for a disk: a descriptor (O_PATH), or a negative errno when that cannot be. What leads to the origin
 * must be in memory too, or the pool is asked.
 */
export function openRootNow(path: string): number {
  return openCached(Buffer.from(path), rootFlags);
}

/** The same on the pool; undefined when there is no such directory. */
export function openRootLater(path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    open(path, rootFlags, (error, fd) =>
      resolve(error === null && errnoOf(error) === undefined ? fd : undefined),
    );
  });
}

/** The same, telling why not: a descriptor or a negative errno. */
export function openRootAsync(path: string): Promise<number> {
  return new Promise((resolve) => {
    open(path, rootFlags, (error, fd) =>
      resolve(error === null ? fd : (error.errno ?? -osConstants.errno.EIO)),
    );
  });
}
