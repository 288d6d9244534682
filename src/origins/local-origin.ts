// A local directory as an origin: what it lists and whether it is there. Only reads; there is no call that could change
// anything. Symbolic links are listed as what they are, special files not at all.
import { opendir, readFile } from 'node:fs/promises';
import { ignoreFileName } from '../library/ignore-rules.ts';
import { childPath, type RealPath } from '../library/real-path.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { parseMountTable } from '../platform/mount-table.ts';
import { LocalFilesOrigin } from './local-files.ts';
import type { IsWanted, OriginEntry } from './origin.ts';

/** A file as a listing shows it. Times in nanoseconds since 1970, decimal. */
export interface OriginFile {
  readonly path: RealPath;
  readonly sizeBytes: number;
  readonly mtimeNs: string;
  readonly etag?: string | null;
}

export interface OriginListing {
  readonly directories: readonly RealPath[];
  /** Without the file of rules. */
  readonly files: readonly OriginFile[];
  /** The `.musicfsignore` of the directory; `odd`: something of that name which is no file. */
  readonly ignoreFile: OriginFile | 'odd' | null;
  /** Symbolic links, of origins that can follow them. */
  readonly links: readonly RealPath[];
}

/** What the entries of one directory are to a walk, in the order of the bytes of their names. */
export function listingOf(directory: RealPath, entries: readonly OriginEntry[]): OriginListing {
  const directories: RealPath[] = [];
  const files: OriginFile[] = [];
  const links: RealPath[] = [];
  let ignoreFile: OriginListing['ignoreFile'] = null;
  for (const entry of entries.toSorted(byName)) {
    const path = childPath(directory, entry.name);
    if (entry.name === ignoreFileName) ignoreFile = entry.kind === 'file' ? fileOf(path, entry) : 'odd';
    else if (entry.kind === 'file') files.push(fileOf(path, entry));
    else if (entry.kind === 'directory') directories.push(path);
    else if (entry.kind === 'link') links.push(path);
  }
  return { directories, files, ignoreFile, links };
}

/** Each character of a name is one of its bytes. */
function byName({ name: one }: OriginEntry, { name: other }: OriginEntry): number {
  return one < other ? -1 : Number(one > other);
}

export function fileOf(path: RealPath, { sizeBytes, mtimeNs, etag }: OriginEntry): OriginFile {
  return { path, sizeBytes, mtimeNs, etag };
}

export class LocalOrigin {
  readonly id: string;
  /** Absolute path of the root. */
  readonly root: string;
  private readonly files: LocalFilesOrigin;

  constructor(id: string, root: string) {
    this.id = id;
    this.root = root;
    this.files = new LocalFilesOrigin({ id, kind: 'local', root });
  }

  /**
   * One directory, whole or not at all: any failure but a name that went meanwhile rejects (`permission_denied`,
   * `not_found`, `origin_unavailable`). Stops between two looks when aborted.
   */
  async list(directory: RealPath, isWanted: IsWanted, signal: AbortSignal): Promise<OriginListing> {
    const entries: OriginEntry[] = [];
    for await (const page of this.files.list(directory, isWanted, signal)) entries.push(...page);
    return listingOf(directory, entries);
  }

  /** The first bytes of a file, at most so many. Rejects with `version_gone` when it is another one by now. */
  async read(
    { path, sizeBytes, mtimeNs }: OriginFile,
    mostBytes: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const version = { sizeBytes, mtimeNs, etag: null };
    const pieces: Uint8Array[] = [];
    for await (const bytes of this.files.readRange(path, version, 0, mostBytes, signal)) pieces.push(bytes);
    return Buffer.concat(pieces);
  }

  /** See Origin.followLink. */
  followLink(path: RealPath, signal: AbortSignal): Promise<RealPath | null> {
    return this.files.followLink(path, signal);
  }

  /** A file as it is now, or null when there is none of that name. Rejects like `list`. */
  async stat(path: RealPath): Promise<OriginFile | null> {
    try {
      const entry = await this.files.stat(path, new AbortController().signal);
      return entry.kind === 'file' ? fileOf(path, entry) : null;
    } catch (error) {
      if (codeOf(error) === 'not_found') return null;
      throw error;
    }
  }

  /**
   * Whether the root is there, can be listed, and is still on the disk it was on. `known` is what `mountPoints` said when
   * the origin was last scanned whole, null when it never was. A disk that is not mounted leaves its empty mount point
   * behind, which must not be taken for an empty library. Rejects with `origin_unavailable`. Resolves to the mount points
   * inside the origin that are missing now: what lies below them is not gone either.
   */
  async probe(known: readonly string[] | null): Promise<string[]> {
    try {
      const root = await opendir(this.root);
      await root.close();
    } catch (error) {
      throw new MusicfsError('origin_unavailable', `${this.root}: ${messageOf(error)}`, { cause: error });
    }
    const [holding = '/', ...inside] = known ?? [];
    const now = await this.mountPoints();
    if ((now[0] ?? '/').length < holding.length) {
      throw new MusicfsError('origin_unavailable', `${this.root}: ${holding} is not mounted`);
    }
    return inside.filter((point) => !now.includes(point));
  }

  /** Where the file system that holds the root is mounted, then every mount point inside the origin. */
  async mountPoints(): Promise<string[]> {
    const points = parseMountTable(await readFile('/proc/self/mountinfo', 'utf8')).map(({ point }) => point);
    const holding = points.filter((point) => point === '/' || `${this.root}/`.startsWith(`${point}/`));
    const longest = holding.reduce((best, point) => (point.length > best.length ? point : best), '/');
    return [longest, ...new Set(points.filter((point) => point.startsWith(`${this.root}/`)))];
  }
}
