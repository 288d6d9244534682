// Files that musicfs made itself and shows in the mount, such as covers: `<state>/made/ab/abcdef…`, named by the SHA-256 of
// their bytes. Who makes one puts it here and then records its path in the catalog; what the catalog does not know is swept.
//
// A file under its name is whole and never changes, so its size and time are those that the mount shows. It is written below
// `tmp`, synced, and renamed. One store a directory: what is put and what is swept go one after the other, so that nothing is
// removed between being found and being recorded. That span is told by the time of the file's last change (ctime), which a
// put renews also of a file that is there already; the time that is shown (mtime) stays.
import { randomUUID, webcrypto } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, opendir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import PQueue from 'p-queue';
import { type Clock, systemClock } from '../platform/clock.ts';
import { errnoOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';

export interface MadeFile {
  /** Below the store's directory. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Nanoseconds since 1970 in decimal digits. */
  readonly mtimeNs: string;
}

export interface SweepOutcome {
  /** Files that nobody knew, or that were left unfinished. */
  readonly removed: number;
  readonly kept: number;
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants;
const temporaryFolder = 'tmp';
const folderPattern = /^[0-9a-f]{2}$/;
const filePattern = /^[0-9a-f]{64}$/;

export class MadeStore {
  private readonly directory: string;
  private readonly clock: Clock;
  private readonly queue = new PQueue({ concurrency: 1 });
  private puts = 0;

  /** `directory` is made when it is needed, in one that is there. */
  constructor(directory: string, clock: Clock = systemClock) {
    this.directory = directory;
    this.clock = clock;
  }

  /**
   * Keeps these bytes, at least for the next 10 minutes. The same bytes are kept once, with the time of the first put. They
   * must not change until it settles. Rejects with `storage_full`, `invalid_argument` when they are more than 32 MB,
   * `overloaded` when too many wait, `deadline_exceeded` when the disk does not answer, `unavailable` for its other failures,
   * and with the signal's reason.
   */
  async put(bytes: Uint8Array, signal: AbortSignal): Promise<MadeFile> {
    signal.throwIfAborted();
    if (bytes.length > limits.madeFileBytes)
      throw new MusicfsError('invalid_argument', `${bytes.length} bytes are too many for one file`);
    if (this.puts >= limits.madeFilesWaiting)
      throw new MusicfsError('overloaded', 'too many files wait to be written');
    this.puts += 1;
    try {
      const digest = await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>); // on the pool
      const name = Buffer.from(digest).toString('hex');
      return await this.queue.add(() => this.translated(() => this.kept(name, bytes, signal)), { signal });
    } finally {
      this.puts -= 1;
    }
  }

  /**
   * Removes the files of which `isReferenced` knows nothing and that nobody put within the last 10 minutes, and unfinished
   * ones. One file after the other, so that puts come in between. Rejects as `put` does, and as `isReferenced` does.
   */
  async sweep(
    isReferenced: (path: string) => boolean | Promise<boolean>,
    signal: AbortSignal,
  ): Promise<SweepOutcome> {
    const outcome = { removed: 0, kept: 0 };
    for (const folder of await this.namesIn('', signal)) {
      const isTemporary = folder === temporaryFolder;
      if (!isTemporary && !folderPattern.test(folder)) continue;
      for (const name of await this.namesIn(folder, signal)) {
        signal.throwIfAborted();
        const file = path.join(folder, name);
        if (!isTemporary && !filePattern.test(name)) continue;
        const isKept = !isTemporary && (await isReferenced(file));
        if (
          !isKept &&
          (await this.queue.add(() => this.translated(() => this.removedIfOld(file)), { signal }))
        )
          outcome.removed += 1;
        else outcome.kept += 1;
      }
    }
    return outcome;
  }

  private async kept(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<MadeFile> {
    const file = path.join(name.slice(0, 2), name);
    return (await this.renewed(file, bytes.length)) ?? (await this.written(file, bytes, signal));
  }

  /** A file that is there already; null when there is none, or one that was cut. */
  private async renewed(file: string, sizeBytes: number): Promise<MadeFile | null> {
    try {
      return await this.using(this.absolute(file), O_RDONLY, async (handle) => {
        const stat = await handle.stat({ bigint: true });
        if (!stat.isFile() || stat.size !== BigInt(sizeBytes)) return null;
        await handle.chmod(0o600); // its ctime is now
        return { path: file, sizeBytes, mtimeNs: stat.mtimeNs.toString() };
      });
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT' || errno === 'ELOOP') return null;
      throw error;
    }
  }

  private async written(file: string, bytes: Uint8Array, signal: AbortSignal): Promise<MadeFile> {
    const temporary = this.absolute(path.join(temporaryFolder, randomUUID()));
    for (const folder of ['', temporaryFolder, path.dirname(file)]) await this.folderThere(folder);
    try {
      const mtimeNs = await this.using(temporary, O_WRONLY | O_CREAT | O_EXCL, async (handle) => {
        await handle.writeFile(bytes, { signal });
        await handle.sync();
        return (await handle.stat({ bigint: true })).mtimeNs.toString();
      });
      await this.timed(rename(temporary, this.absolute(file)));
      for (const folder of [path.dirname(file), ''])
        await this.using(this.absolute(folder), O_RDONLY | O_DIRECTORY, (handle) => handle.sync());
      return { path: file, sizeBytes: bytes.length, mtimeNs };
    } catch (error) {
      // On a disk that does not answer it stays, for the sweep.
      if (!(error instanceof MusicfsError)) await this.timed(unlink(temporary)).catch(() => undefined);
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Not made recursively: of a disk that takes nothing Node would then say that it is not there. */
  private async folderThere(folder: string): Promise<void> {
    try {
      await this.timed(mkdir(this.absolute(folder), { mode: 0o700 }));
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }

  /** Whether it was removed. In one turn of the queue with the look at its age. */
  private async removedIfOld(file: string): Promise<boolean> {
    try {
      const { ctimeMs } = await this.timed(lstat(this.absolute(file)));
      if (this.clock.wallMs() - ctimeMs < limits.madeFileGraceMs) return false;
      await this.timed(unlink(this.absolute(file)));
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Empty for a folder that is not there, or none. */
  private async namesIn(folder: string, signal: AbortSignal): Promise<string[]> {
    return this.translated(async () => {
      const names: string[] = [];
      try {
        const directory = await this.timed(opendir(this.absolute(folder)));
        try {
          for (let entry = await this.timed(directory.read()); entry !== null; ) {
            signal.throwIfAborted();
            names.push(entry.name);
            entry = await this.timed(directory.read());
          }
        } finally {
          void directory.close().catch(() => undefined); // after a read that does not come back it would wait as well
        }
      } catch (error) {
        const errno = errnoOf(error);
        if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error;
      }
      return names;
    });
  }

  private absolute(file: string): string {
    return path.join(this.directory, file);
  }

  /** A file that is opened for one piece of work. No link is followed in its place. */
  private async using<T>(file: string, flags: number, work: (handle: FileHandle) => Promise<T>): Promise<T> {
    const opening = open(file, flags | O_NOFOLLOW, 0o600);
    const handle = await this.timed(opening, () => void opening.then((late) => late.close()).catch(() => {}));
    const working = work(handle);
    const closed = working.then(
      () => handle.close(),
      () => handle.close(),
    );
    closed.catch(() => undefined); // what a failing close means, the sync before it has said
    const result = await this.timed(working);
    await this.timed(closed);
    return result;
  }

  /** A call that a disk does not answer cannot be called back, only be waited for no longer. */
  private timed<T>(call: Promise<T>, onLate: () => void = () => {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const undo = this.clock.after(limits.madeDiskMs, () => {
        onLate();
        reject(new MusicfsError('deadline_exceeded', 'the disk of the state directory does not answer'));
      });
      call.then(resolve, reject).finally(undo);
    });
  }

  private async translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      const isFull = errno === 'ENOSPC' || errno === 'EDQUOT';
      throw new MusicfsError(
        isFull ? 'storage_full' : 'unavailable',
        isFull
          ? `no room below ${this.directory} (${errno}): free some, or set state.dir to another disk`
          : `${this.directory} cannot be written: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
}
