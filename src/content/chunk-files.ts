// The chunk files below <cache>/chunks: writing, naming, reading and removing them, all on the pool, each call within its
// time. Used by the fetch thread only; who may do what when is decided by the store. The fuse thread reads for itself
// (chunk-reader.ts).
//
// Chunks are written to chunks/tmp, synced together, and renamed to their names: under a name there is a whole chunk or
// none. A name itself may be lost by a power cut: a row without a file is a miss. What a call that timed out still does on the disk leaves at most a file in tmp, or one that the index
// does not know, both of which are found later.
import path from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { errnoOf, MusicfsError } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { failureOf } from './cache-failure.ts';
import { pathOfName, temporaryFolder } from './chunk-name.ts';
import { maxChunkBytes } from './fast-cdc.ts';
import type { DiskSpace, FileOperations } from './file-operations.ts';

export interface ChunkFilesOptions {
  /** <state>/cache. */
  readonly directory: string;
  readonly operations: FileOperations;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** Ends what a failpoint holds up. */
  readonly signal: AbortSignal;
}

export class ChunkFiles {
  readonly root: string;
  private readonly options: ChunkFilesOptions;
  private written = 0;
  /** A probe that has not come back: the next one would only take another thread of the pool. */
  private isProbing = false;

  constructor(options: ChunkFilesOptions) {
    this.options = options;
    this.root = path.join(options.directory, 'chunks');
  }

  /** Makes the folders, and removes what a life before left unfinished. */
  async prepare(): Promise<void> {
    const { operations } = this.options;
    const folder = path.join(this.root, temporaryFolder);
    await this.timed(operations.makeDirectory(folder));
    for (const name of await this.timed(operations.list(folder))) {
      await this.timed(operations.unlink(path.join(folder, name)));
    }
  }

  /** Writes a new file in tmp; its path. Nothing is left of one that failed. */
  async write(bytes: Uint8Array): Promise<string> {
    const { operations, failpoints, signal } = this.options;
    await failpoints.pass('cas.put.before-write', undefined, signal);
    this.written += 1;
    const file = path.join(this.root, temporaryFolder, `${process.pid}-${this.written}`);
    try {
      await this.inPlace(file, () => operations.writeFile(file, bytes), limits.cacheSyncMs);
    } catch (error) {
      await this.discardAfter(error, file);
      throw error;
    }
    return file;
  }

  /** These files in tmp are on the disk then. Nothing is left of them when that fails. */
  async sync(temporaries: readonly string[]): Promise<void> {
    const { operations, failpoints, signal } = this.options;
    try {
      await failpoints.pass('cas.put.before-fsync', undefined, signal);
      await this.timed(operations.syncFileSystem(this.root), limits.cacheSyncMs);
    } catch (error) {
      await Promise.all(temporaries.map((temporary) => this.discardAfter(error, temporary)));
      throw error;
    }
  }

  /** Gives a file in tmp its name. Nothing is left of one that failed. */
  async publish(temporary: string, name: string): Promise<void> {
    const { operations, failpoints, signal } = this.options;
    const file = this.pathOf(name);
    try {
      await failpoints.pass('cas.put.before-rename', undefined, signal);
      try {
        await this.timed(operations.rename(temporary, file), limits.cacheSyncMs);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
        await this.timed(operations.makeDirectory(path.dirname(file)));
        await this.timed(operations.rename(temporary, file));
      }
    } catch (error) {
      await this.discardAfter(error, temporary);
      throw error;
    }
  }

  /** Its bytes, at most those of the longest chunk and one; null when there is no such file. */
  async read(name: string): Promise<Uint8Array | null> {
    const { operations } = this.options;
    const fd = await this.opened(this.pathOf(name));
    if (fd === null) return null;
    const area = Buffer.allocUnsafe(maxChunkBytes + 1);
    return this.using(fd, null, async () => {
      let done = 0;
      for (let count = 1; count > 0 && done < area.length; done += count) {
        count = await this.timed(operations.read(fd, area, done));
      }
      return area.subarray(0, done);
    });
  }

  /** One that is not there is removed already. */
  async remove(name: string): Promise<void> {
    try {
      await this.timed(this.options.operations.unlink(this.pathOf(name)));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** null when there is no such file. */
  async sizeBytes(name: string): Promise<number | null> {
    try {
      return await this.timed(this.options.operations.sizeBytes(this.pathOf(name)));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** The names in one of the 256 folders. */
  async list(folder: string): Promise<string[]> {
    try {
      return await this.timed(this.options.operations.list(path.join(this.root, folder)));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** Whether nothing was ever kept: there is no folder but tmp. */
  async isEmpty(): Promise<boolean> {
    return (await this.list('')).every((name) => name === temporaryFolder);
  }

  space(): Promise<DiskSpace> {
    return this.timed(this.options.operations.space(this.root));
  }

  /** Writes, reads and deletes 4 KiB. Throws what failed. */
  async probe(): Promise<void> {
    if (this.isProbing) throw new MusicfsError('deadline_exceeded', 'the last probe has not come back');
    this.isProbing = true;
    const probing = this.probeOnce();
    const ended = () => {
      this.isProbing = false;
    };
    probing.then(ended, ended);
    await this.timed(probing);
  }

  private async probeOnce(): Promise<void> {
    const { operations, failpoints, signal } = this.options;
    await failpoints.pass('cache.probe', undefined, signal);
    const file = path.join(this.root, temporaryFolder, `${process.pid}-probe`);
    const bytes = Buffer.alloc(probeBytes, 0x5a);
    await this.using(await this.inPlace(file, () => operations.create(file)), file, async (fd) => {
      await operations.write(fd, bytes, 0);
      await operations.sync(fd);
    });
    const area = Buffer.alloc(probeBytes);
    await this.using(await operations.open(file), file, (fd) => operations.read(fd, area, 0));
    if (!area.equals(bytes)) throw new MusicfsError('unavailable', 'the disk gave back other bytes');
    await operations.unlink(file);
  }

  private pathOf(name: string): string {
    return path.join(this.root, pathOfName(name));
  }

  /** Makes a new file. Somebody may have removed the folders, or a life of the same number may have left the file. */
  private async inPlace<T>(file: string, make: () => Promise<T>, limitMs?: number): Promise<T> {
    const { operations } = this.options;
    try {
      return await this.timed(make(), limitMs);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT') await this.timed(operations.makeDirectory(path.dirname(file)));
      else if (errno === 'EEXIST') await this.timed(operations.unlink(file));
      else throw error;
      return this.timed(make(), limitMs);
    }
  }

  private async opened(file: string): Promise<number | null> {
    try {
      return await this.timed(this.options.operations.open(file));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** Closes a descriptor behind its use. When something fails, the file goes as well, if it is named. */
  private async using<T>(fd: number, file: string | null, work: (fd: number) => Promise<T>): Promise<T> {
    const { operations } = this.options;
    let isOpen = true;
    try {
      const result = await work(fd);
      isOpen = false; // whether close fails or not: the number may be another file's
      await this.timed(operations.close(fd));
      return result;
    } catch (error) {
      if (isOpen) await this.afterwards(error, operations.close(fd));
      if (file !== null) await this.discardAfter(error, file);
      throw error;
    }
  }

  private discardAfter(error: unknown, file: string): Promise<void> {
    return this.afterwards(error, this.options.operations.unlink(file));
  }

  /** Cleaning up behind a failure; not waited for on a disk that does not answer. What is left the next start removes. */
  private async afterwards(error: unknown, call: Promise<unknown>): Promise<void> {
    const cleaning = call.then(
      () => undefined,
      () => undefined,
    );
    if (failureOf(error) !== 'hung') await this.timed(cleaning);
  }

  /** A call that a disk does not answer cannot be called back, only be waited for no longer. */
  private timed<T>(call: Promise<T>, limitMs: number = limits.cacheDiskMs): Promise<T> {
    return new Promise((resolve, reject) => {
      const undo = this.options.clock.after(limitMs, () =>
        reject(new MusicfsError('deadline_exceeded', 'the cache disk does not answer')),
      );
      call.then(
        (value) => {
          undo();
          resolve(value);
        },
        (error: unknown) => {
          undo();
          reject(error);
        },
      );
    });
  }
}

const probeBytes = 4096;

function isMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}
