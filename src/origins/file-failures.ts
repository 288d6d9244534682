// What a failed system call on an origin's files means, by errno. A number never heard of passes: the origin may be well
// again the next time.
import { errnoOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { systemError } from '../platform/native.ts';

/** Errors of network file systems that Node has no name for; the numbers are the same on x64 and arm64. */
const unnamed: Readonly<Record<number, string>> = { 112: 'EHOSTDOWN', 116: 'ESTALE' };

/** The errno name of a failed system call, whoever made it; undefined when the value is no system error. */
export function fileErrnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const number = 'errno' in error && typeof error.errno === 'number' ? -error.errno : 0;
  return unnamed[number] ?? errnoOf(error) ?? (number > 0 ? `E${number}` : undefined);
}

/**
 * The failure as a MusicfsError; what is one already, or the reason of an abort, comes back as it is. `about` is what was
 * asked for, without secrets.
 */
export function fileFailure(error: unknown, about: string): unknown {
  if (error instanceof MusicfsError || error instanceof DOMException) return error;
  const errno = fileErrnoOf(error);
  if (errno === undefined) return error; // a bug
  return new MusicfsError(codeOfErrno(errno), `${about}: ${messageOf(error)}`, { cause: error });
}

function codeOfErrno(errno: string): MusicfsError['code'] {
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
    // A link on the way, which is not followed, or a way out.
    case 'ELOOP':
    case 'EXDEV':
      return 'not_found';
    case 'EACCES':
    case 'EPERM':
      return 'permission_denied';
    case 'EISDIR':
    case 'ENXIO': // a socket, or a device that is not there
    case 'ENODEV':
      return 'unsupported_operation';
    case 'ENAMETOOLONG':
      return 'invalid_argument';
    case 'ESTALE':
      return 'stale_handle';
    default:
      return 'origin_unavailable';
  }
}

/** A result ≥ 0 of a native call; throws the system error that a negative one stands for. */
export function orThrow(result: number, syscall: string): number {
  if (result < 0) throw systemError(syscall, -result);
  return result;
}
