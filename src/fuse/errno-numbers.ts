// Error codes as the numbers that drivers answer with. Used by drivers only; positive numbers.
import { constants as osConstants } from 'node:os';
import { type ErrorCode, errorCodes, MusicfsError } from '../platform/errors.ts';

export function errnoNumber(code: ErrorCode): number {
  const name = errorCodes[code].errno ?? 'EIO';
  return (osConstants.errno as Readonly<Record<string, number>>)[name] ?? osConstants.errno.EIO;
}

/** The catalog could not answer: SQLite failed (its codes begin so), or it does not know everything again yet. */
export function isDatabaseError(error: unknown): boolean {
  if (error instanceof MusicfsError) return error.code === 'catalog_corrupt';
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_');
}
