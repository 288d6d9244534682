// Error codes as the numbers that drivers answer with. Used by drivers only; positive numbers.
import { constants as osConstants } from 'node:os';
import { type ErrorCode, errorCodes } from '../platform/errors.ts';

export function errnoNumber(code: ErrorCode): number {
  const name = errorCodes[code].errno ?? 'EIO';
  return (osConstants.errno as Readonly<Record<string, number>>)[name] ?? osConstants.errno.EIO;
}

/** SQLite's errors carry a code like SQLITE_CORRUPT. */
export function isDatabaseError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_');
}
