// Opening an origin's root directory for those that read below it.
import { constants, open, openSync } from 'node:fs';
import { errnoOf } from '../platform/errors.ts';
import { openBeneathCached } from '../platform/native.ts';

const rootFlags = 0o10000000 | constants.O_DIRECTORY; // O_PATH: the same value on x64 and arm64
/** The root of all paths: what leads to an origin must be in memory too, or the pool is asked. */
const slash = openSync('/', rootFlags);

/** Without waiting for a disk: a descriptor (O_PATH), or a negative errno when that cannot be. */
export function openRootNow(path: string): number {
  return openBeneathCached(slash, Buffer.from(path.slice(1)), rootFlags);
}

/** The same on the pool; undefined when there is no such directory. */
export function openRootLater(path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    open(path, rootFlags, (error, fd) =>
      resolve(error === null && errnoOf(error) === undefined ? fd : undefined),
    );
  });
}
