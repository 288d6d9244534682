// A local directory as an origin: what it lists and whether it is there. Only reads; there is no call that could change
// anything. Symbolic links and special files are not followed and not listed: what a link inside the root leads to is
// listed where it really is.
import { opendir, readFile } from 'node:fs/promises';
import { bytesToText, childPath, type RealPath } from '../library/real-path.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { parseMountTable } from '../platform/mount-table.ts';
import { LocalFilesOrigin } from './local-files.ts';

/** A file as a listing shows it. Times in nanoseconds since 1970, decimal. */
export interface OriginFile {
  readonly path: RealPath;
  readonly sizeBytes: number;
  readonly mtimeNs: string;
  readonly etag?: string | null;
}

export interface OriginListing {
  readonly directories: readonly RealPath[];
  readonly files: readonly OriginFile[];
}

/** Which names a listing is about, so that a file nobody wants is not even looked at. */
export interface NameFilter {
  readonly isIgnored: (name: string) => boolean;
  readonly isMusic: (path: RealPath) => boolean;
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
  async list(directory: RealPath, filter: NameFilter, signal: AbortSignal): Promise<OriginListing> {
    const directories: RealPath[] = [];
    const files: OriginFile[] = [];
    const isWanted = (name: string) =>
      !filter.isIgnored(bytesToText(name)) && filter.isMusic(childPath(directory, name));
    for await (const page of this.files.list(directory, isWanted, signal)) {
      for (const { name, kind, sizeBytes, mtimeNs } of page) {
        const path = childPath(directory, name);
        if (kind === 'file') files.push({ path, sizeBytes, mtimeNs });
        else if (kind === 'directory' && !filter.isIgnored(bytesToText(name))) directories.push(path);
      }
    }
    return { directories, files };
  }

  /** A file as it is now, or null when there is none of that name. Rejects like `list`. */
  async stat(path: RealPath): Promise<OriginFile | null> {
    try {
      const { kind, sizeBytes, mtimeNs } = await this.files.stat(path, new AbortController().signal);
      return kind === 'file' ? { path, sizeBytes, mtimeNs } : null;
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
