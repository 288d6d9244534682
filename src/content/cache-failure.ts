// What a failure of the cache's disk or index means for the cache. By code, never by message.
import { errnoOf, MusicfsError } from '../platform/errors.ts';

/**
 * full: no room now · denied: this disk takes no writes · hung: it does not answer · damaged: cache.db is not what was
 * written · passing: anything else, which may be well the next time.
 */
export type CacheFailure = 'full' | 'denied' | 'hung' | 'damaged' | 'passing';

const byErrno: Readonly<Record<string, CacheFailure>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'denied',
  EACCES: 'denied',
  EPERM: 'denied',
};

const bySqlite: readonly (readonly [code: RegExp, CacheFailure])[] = [
  [/^SQLITE_FULL/, 'full'],
  [/^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/, 'damaged'],
  [/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)/, 'denied'],
  [/^SQLITE_(IOERR|BUSY|LOCKED|NOMEM|PROTOCOL)/, 'passing'],
  // Tables that are missing: another file lies in its place.
  [/^SQLITE_(ERROR|SCHEMA)/, 'damaged'],
];

/** Rethrows what is no failure of a disk: a bug, or a crash on purpose. */
export function failureOf(error: unknown): CacheFailure {
  const errno = errnoOf(error);
  if (errno !== undefined) return byErrno[errno] ?? 'passing';
  if (error instanceof MusicfsError) return error.code === 'deadline_exceeded' ? 'hung' : 'passing';
  if (error instanceof Error && error.name === 'AbortError') return 'passing'; // the store is being closed
  const code = sqliteCodeOf(error);
  const found = bySqlite.find(([pattern]) => pattern.test(code));
  if (found === undefined) throw error;
  return found[1];
}

function sqliteCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** For calls that have an answer to give: what failed, as an error of ours. Rethrows what is no failure of a disk. */
export function unavailable(what: string, error: unknown): MusicfsError {
  failureOf(error);
  return new MusicfsError('unavailable', what, { cause: error });
}
