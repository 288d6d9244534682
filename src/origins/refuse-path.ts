// The guard at the door of every origin: what leads out of its root, or is no path at all, is refused before any I/O.
// A RealPath has been checked where it came in; an origin checks again, as a mistake here would read foreign files.
import { type RealPath, realPath } from '../library/real-path.ts';
import { MusicfsError } from '../platform/errors.ts';

/** Throws `invalid_argument` on "..", ".", empty parts, NUL, and what is no byte. */
export function refuseBadPath(path: RealPath): void {
  try {
    realPath(path);
  } catch (error) {
    throw new MusicfsError('invalid_argument', 'a path that does not stay below its origin', {
      cause: error,
    });
  }
}

/** Throws `invalid_argument` unless both are safe integers from 0 on. */
export function refuseBadRange(offset: number, lengthBytes: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(lengthBytes) || offset < 0 || lengthBytes < 0)
    throw new MusicfsError('invalid_argument', `no range: ${lengthBytes} bytes at ${offset}`);
}
