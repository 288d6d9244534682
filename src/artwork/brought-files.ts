// The files of one album where the extraction process can open them: below the root of their origin, or, of an origin over a
// network, as copies of ours, which go with the album. Used by make-album-art.ts.
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { extensionOf, type RealPath, realPath } from '../library/real-path.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { FileToOpen } from './extraction-protocol.ts';

/** A file of an origin as the catalog knows it. */
export interface ArtFile {
  readonly origin: string;
  readonly path: RealPath;
  readonly sizeBytes: number;
  /** Nanoseconds since 1970 in decimal digits. */
  readonly mtimeNs: string;
  readonly etag?: string | null;
}

interface CopiedRange {
  readonly offset: number;
  readonly lengthBytes: number;
}

/** How files of origins are come by. */
export interface ArtOrigins {
  /** Where the files of an origin are read; null: they are copied. Undefined: there is no such origin. */
  readonly rootOf: (origin: string) => string | null | undefined;
  /** Puts ranges of a file into a file of ours, which may hold others already. Rejects with what the origin says. */
  readonly copy: (
    file: ArtFile,
    ranges: readonly CopiedRange[],
    target: string,
    signal: AbortSignal,
  ) => Promise<unknown>;
}

export interface BroughtFile extends FileToOpen {
  /** Bytes of it that are there, from its start. */
  readonly heldBytes: number;
}

/** Copies are named one after the other, for the whole life of the process. */
let lastName = 0;

export class BroughtFiles {
  private readonly directory: string;
  private readonly origins: ArtOrigins;
  private readonly copies = new Map<ArtFile, BroughtFile>();

  /** `directory`: one of ours for copies; it is made when it is needed. */
  constructor(directory: string, origins: ArtOrigins) {
    this.directory = directory;
    this.origins = origins;
  }

  /**
   * The file with at least so many of its first bytes; null when its origin is none of ours. Rejects with what the origin
   * says of it.
   */
  async bring(file: ArtFile, wantedBytes: number, signal: AbortSignal): Promise<BroughtFile | null> {
    const root = this.origins.rootOf(file.origin);
    if (root === undefined) return null;
    const { path: name, sizeBytes, mtimeNs } = file;
    if (root !== null) return { rootPath: root, path: name, sizeBytes, mtimeNs, heldBytes: sizeBytes };
    const lengthBytes = Math.min(sizeBytes, wantedBytes);
    const copy = this.copies.get(file) ?? (await this.emptyCopy(file));
    this.copies.set(file, copy);
    if (copy.heldBytes >= lengthBytes) return copy;
    const offset = copy.heldBytes;
    const target = path.join(this.directory, copy.path);
    await this.origins.copy(file, [{ offset, lengthBytes: lengthBytes - offset }], target, signal);
    const longer = { ...copy, heldBytes: lengthBytes };
    this.copies.set(file, longer);
    return longer;
  }

  /** No copy is left. */
  async remove(): Promise<void> {
    const names = [...this.copies.values()].map(({ path: name }) => path.join(this.directory, name));
    this.copies.clear();
    // What stays is removed by the next life.
    await Promise.all(names.map((name) => rm(name, { force: true }).catch(() => undefined)));
  }

  private async emptyCopy({ path: name, sizeBytes }: ArtFile): Promise<BroughtFile> {
    try {
      await mkdir(this.directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new MusicfsError('unavailable', `no room for the copy of a file: ${messageOf(error)}`, {
        cause: error,
      });
    }
    lastName += 1;
    const copyName = realPath(`${lastName}.${extensionOf(name)}`);
    return { rootPath: this.directory, path: copyName, sizeBytes, mtimeNs: null, heldBytes: 0 };
  }
}

/** Of a music file: its beginning, and when that is not enough, all that is looked at. */
export const stepsIntoFile: readonly number[] = [limits.pictureHeadBytes, limits.pictureReadBytes];
