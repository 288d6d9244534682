// What the system says of one file or name, and the small things that are done with descriptors: for whoever reads a directory
// as an origin (local-files.ts, versioned-file.ts).
import { close, constants, fstat } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { MusicfsError } from '../platform/errors.ts';
import { fileErrnoOf } from './file-failures.ts';
import type { FileVersion, OriginEntry, OriginEntryKind } from './origin.ts';

export interface Facts {
  readonly mode: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

const fstatAsync = promisify(fstat);

/** fstat(2) on the pool. */
export function factsOf(fd: number): Promise<Facts> {
  return fstatAsync(fd, { bigint: true });
}

/** Throws `version_gone` when it is another file, `unsupported_operation` when it is none. */
export function checkVersion(facts: Facts, version: FileVersion): void {
  if (kindOf(facts) !== 'file') throw new MusicfsError('unsupported_operation', 'that is no file');
  if (facts.size !== BigInt(version.sizeBytes) || String(facts.mtimeNs) !== version.mtimeNs)
    throw new MusicfsError('version_gone', 'the file is another one now');
}

export function entryOf(name: string, facts: Facts): OriginEntry {
  const kind = kindOf(facts);
  const sizeBytes = kind === 'file' ? Number(facts.size) : 0;
  return { name, kind, sizeBytes, mtimeNs: String(facts.mtimeNs), etag: null };
}

export function kindOf({ mode }: Facts): OriginEntryKind {
  switch (Number(mode) & constants.S_IFMT) {
    case constants.S_IFREG:
      return 'file';
    case constants.S_IFDIR:
      return 'directory';
    case constants.S_IFLNK:
      return 'link';
    default:
      return 'other';
  }
}

/** Null when it has gone. */
export async function lookAt(place: Buffer, name: string): Promise<Facts | null> {
  try {
    return await lstat(Buffer.concat([place, Buffer.from(name, 'latin1')]), { bigint: true });
  } catch (error) {
    if (fileErrnoOf(error) === 'ENOENT' || fileErrnoOf(error) === 'ENOTDIR') return null;
    throw error;
  }
}

/** The target of a link, null when the name is something else, undefined when there is no such name. */
export async function linkAt(place: Buffer, name: string): Promise<string | null | undefined> {
  try {
    const target = await readlink(Buffer.concat([place, Buffer.from(name, 'latin1')]), {
      encoding: 'buffer',
    });
    return target.toString('latin1');
  } catch (error) {
    if (fileErrnoOf(error) === 'EINVAL') return null;
    if (isNothing(error)) return undefined;
    throw error;
  }
}

/** There is no such name, or what would hold it is no directory, or a link by now. */
export function isNothing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(fileErrnoOf(error) ?? '');
}

/** Leads to what is open, whatever became of its path. */
export function placeOf(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Whoever waited for the work may have gone; the descriptor is the work's until it ends. */
export function closeAfter(work: Promise<unknown>, fd: number): void {
  void work.catch(() => undefined).finally(() => closeSoon(fd));
}

/** On the pool, as the end of a file on a dead share may wait for it. */
export function closeSoon(fd: number): void {
  if (fd >= 0) close(fd, () => undefined);
}
