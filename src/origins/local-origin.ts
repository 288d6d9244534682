// A local directory as an origin: what it lists and whether it is there. Only reads; there is no call that could change
// anything. Symbolic links and special files are not followed and not listed: what a link inside the root leads to is
// listed where it really is.
import { constants } from 'node:fs';
import { lstat, opendir, readdir, readFile } from 'node:fs/promises';
import { childPath, type RealPath } from '../library/real-path.ts';
import { errnoOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { parseMountTable } from '../platform/mount-table.ts';

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

/** Files looked at together: keeps the pool busy, bounds the promises. */
const statsAtOnce = 32;

export class LocalOrigin {
  readonly id: string;
  /** Absolute path of the root. */
  readonly root: string;
  private readonly rootBytes: Buffer;

  constructor(id: string, root: string) {
    this.id = id;
    this.root = root;
    this.rootBytes = Buffer.from(`${root}/`);
  }

  /**
   * One directory, whole or not at all: any failure but a name that went meanwhile rejects (`permission_denied`,
   * `not_found`, `origin_unavailable`). Stops between two looks when aborted.
   */
  async list(directory: RealPath, filter: NameFilter, signal: AbortSignal): Promise<OriginListing> {
    try {
      const entries = await readdir(this.bytesOf(directory), { withFileTypes: true, encoding: 'buffer' });
      const directories: RealPath[] = [];
      const music: RealPath[] = [];
      for (const entry of entries) {
        const path = childPath(directory, entry.name.toString('latin1'));
        if (filter.isIgnored(entry.name.toString('utf8'))) continue;
        if (entry.isDirectory()) directories.push(path);
        else if (entry.isFile() && filter.isMusic(path)) music.push(path);
      }
      const files: OriginFile[] = [];
      for (let at = 0; at < music.length; at += statsAtOnce) {
        signal.throwIfAborted();
        const looked = await Promise.all(music.slice(at, at + statsAtOnce).map((path) => this.look(path)));
        for (const file of looked) if (file !== null) files.push(file);
      }
      return { directories, files };
    } catch (error) {
      throw translated(error, this.root);
    }
  }

  /** A file as it is now, or null when there is none of that name. Rejects like `list`. */
  async stat(path: RealPath): Promise<OriginFile | null> {
    try {
      return await this.look(path);
    } catch (error) {
      throw translated(error, this.root);
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

  private async look(path: RealPath): Promise<OriginFile | null> {
    try {
      const found = await lstat(this.bytesOf(path), { bigint: true });
      if ((Number(found.mode) & constants.S_IFMT) !== constants.S_IFREG) return null;
      return { path, sizeBytes: Number(found.size), mtimeNs: found.mtimeNs.toString() };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null;
      throw error;
    }
  }

  private bytesOf(path: RealPath): Buffer {
    return Buffer.concat([this.rootBytes, Buffer.from(path, 'latin1')]);
  }
}

function translated(error: unknown, root: string): unknown {
  if (error instanceof MusicfsError || error instanceof DOMException) return error;
  switch (errnoOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new MusicfsError('not_found', `${root}: ${messageOf(error)}`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new MusicfsError('permission_denied', `${root}: ${messageOf(error)}`, { cause: error });
    default:
      return new MusicfsError('origin_unavailable', `${root}: ${messageOf(error)}`, { cause: error });
  }
}
