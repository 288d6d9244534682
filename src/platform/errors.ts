// The one error class and the table that says what each code means to a caller.
//
// Every failure that leaves a module carries one of these codes. fuse/ turns a code into an errno, control/ into a
// gRPC status; nobody else translates outward. Foreign errors are translated where they enter, by code, never by
// message text. An unknown error is `internal`: a bug, logged once with its cause.

type RetryClass = 'never' | 'backoff' | 'reopen' | 'caller' | 'other_holder' | 'later';

interface ErrorMeaning {
  /** Name of the errno a reader of the mount sees; null where the code never reaches the mount. */
  readonly errno: string | null;
  /** Name of the gRPC status code a control client sees. */
  readonly grpc: string;
  readonly retry: RetryClass;
  readonly level: 'debug' | 'warn' | 'error';
  readonly meaning: string;
}

const meaning = (
  errno: string | null,
  grpc: string,
  retry: RetryClass,
  level: ErrorMeaning['level'],
  text: string,
): ErrorMeaning => ({ errno, grpc, retry, level, meaning: text });

/** code → errno, gRPC status, retry class, log level, meaning. The codes are stable for ever. */
export const errorCodes = {
  not_found: meaning('ENOENT', 'NOT_FOUND', 'never', 'debug', 'no such entry'),
  not_a_directory: meaning('ENOTDIR', 'FAILED_PRECONDITION', 'never', 'debug', 'a file stands in the path'),
  is_a_directory: meaning('EISDIR', 'FAILED_PRECONDITION', 'never', 'debug', 'a directory cannot be read'),
  read_only: meaning('EROFS', 'FAILED_PRECONDITION', 'never', 'debug', 'the mount does not write'),
  permission_denied: meaning('EACCES', 'PERMISSION_DENIED', 'never', 'debug', 'policy or origin refuses'),
  invalid_argument: meaning(
    'EINVAL',
    'INVALID_ARGUMENT',
    'never',
    'debug',
    'the caller asked something malformed',
  ),
  name_too_long: meaning('ENAMETOOLONG', 'INVALID_ARGUMENT', 'never', 'debug', 'a name above 255 bytes'),
  bad_handle: meaning('EBADF', 'NOT_FOUND', 'never', 'error', 'a handle that no version can explain'),
  version_gone: meaning('EIO', 'ABORTED', 'reopen', 'warn', 'the bytes of this version can no longer be had'),
  origin_unavailable: meaning('EIO', 'UNAVAILABLE', 'backoff', 'warn', 'no holder can serve the bytes now'),
  unavailable: meaning('EIO', 'UNAVAILABLE', 'backoff', 'warn', 'a part of the daemon is down right now'),
  name_resolution: meaning(
    'EIO',
    'UNAVAILABLE',
    'backoff',
    'warn',
    "an origin's host name has no address now",
  ),
  stale_handle: meaning(
    'EIO',
    'UNAVAILABLE',
    'reopen',
    'warn',
    'a mounted share forgot the file: open it anew',
  ),
  origin_rate_limited: meaning('EIO', 'UNAVAILABLE', 'later', 'warn', 'the origin asks for a pause'),
  deadline_exceeded: meaning('EIO', 'DEADLINE_EXCEEDED', 'caller', 'warn', 'our own time limit passed'),
  cancelled: meaning('EINTR', 'CANCELLED', 'never', 'debug', 'the caller gave up'),
  overloaded: meaning('EIO', 'RESOURCE_EXHAUSTED', 'backoff', 'warn', 'a bounded queue stayed full'),
  storage_full: meaning(null, 'RESOURCE_EXHAUSTED', 'later', 'warn', 'no room on a disk of ours'),
  catalog_corrupt: meaning('EIO', 'DATA_LOSS', 'never', 'error', 'the catalog failed its check'),
  no_such_attribute: meaning('ENODATA', 'NOT_FOUND', 'never', 'debug', 'extended attribute absent'),
  range_too_small: meaning(
    'ERANGE',
    'INVALID_ARGUMENT',
    'never',
    'debug',
    "the caller's buffer is too small",
  ),
  unsupported_here: meaning('EOPNOTSUPP', 'UNIMPLEMENTED', 'never', 'debug', 'not on this file'),
  unsupported_operation: meaning('ENOSYS', 'UNIMPLEMENTED', 'never', 'debug', 'never offered'),
  config_invalid: meaning(null, 'INVALID_ARGUMENT', 'never', 'error', 'the configuration is refused'),
  already_exists: meaning(null, 'FAILED_PRECONDITION', 'never', 'warn', 'somebody else owns it already'),
  newer_schema: meaning(
    null,
    'FAILED_PRECONDITION',
    'never',
    'error',
    'the database is from a newer version',
  ),
  refused: meaning(
    null,
    'FAILED_PRECONDITION',
    'never',
    'error',
    'refused to start: a precondition is not met',
  ),
  internal: meaning('EIO', 'INTERNAL', 'never', 'error', 'a bug'),
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errorCodes;

/** The one failure type. `message` is one clear line for a person, with the way out where there is one. */
export class MusicfsError extends Error {
  readonly code: ErrorCode;
  /** With `origin_rate_limited`: how long the origin wants to be left alone, when it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; retryAfterMs?: number }) {
    super(message, options);
    this.name = 'MusicfsError';
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** The code of any thrown value; what is not ours is `internal`, an aborted wait is `cancelled`. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof MusicfsError) return error.code;
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'deadline_exceeded';
  if (error instanceof DOMException && error.name === 'AbortError') return 'cancelled';
  return 'internal';
}

/** One line of text for any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name of a failed system call ("ENOENT"), or undefined when the value is no system error. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}
