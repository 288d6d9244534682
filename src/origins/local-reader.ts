// Bytes of files on a local origin, for the thread that faces the kernel.
//
// What is in the page cache is answered at once (openat2 RESOLVE_CACHED, preadv2 RWF_NOWAIT); everything that would
// wait for a disk goes to the pool, so a disk that spins up never delays a listing. Every read is checked against the
// content version it is for: the file's size and time are compared when it is opened and after each read, so that a
// file rewritten in place fails rather than mixes. A file that was replaced by rename is read on while it is held open.
//
// Never here: a write, a path outside the origin's root, a blocking read in `readNow`.
import { closeSync, constants, fstatSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import type { Clock } from '../platform/clock.ts';
import { type ErrorCode, MusicfsError } from '../platform/errors.ts';
import { damage, Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { openBeneathAsync, openBeneathCached, preadAsync, Vector } from '../platform/native.ts';
import { FailedRanges } from './failed-ranges.ts';
import { openRootLater, openRootNow } from './origin-root.ts';

/** Which bytes: the file and how it looked when it was catalogued. */
export interface FileToRead {
  readonly originRoot: string;
  readonly realPath: Buffer;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
}

interface OpenFile {
  readonly fd: number;
  readonly size: number;
  readonly mtimeNs: bigint;
  lastUsedMs: number;
  /** Pool reads under way: the descriptor must not be closed under them. */
  reading: number;
  isDoomed: boolean;
}

/** Work counters: what the origin was asked. */
export interface ReaderStats {
  opens: number;
  cachedReads: number;
  waitedReads: number;
  bytes: number;
}

const { EAGAIN, EMFILE, ENFILE, EPERM, EINTR, EOPNOTSUPP } = osConstants.errno;
const baseFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export class LocalReader {
  readonly stats: ReaderStats = { opens: 0, cachedReads: 0, waitedReads: 0, bytes: 0 };
  private readonly locate: (id: number, version: number) => FileToRead | undefined;
  private readonly clock: Clock;
  private readonly files = new Map<string, OpenFile>();
  /** Content versions that somebody has open. */
  private readonly held = new Set<string>();
  private readonly failures: FailedRanges;
  private readonly vector = new Vector();
  private readonly failpoints: Failpoints;
  /** O_NOATIME needs ownership; refused once, it is not asked for again. */
  private noAtime: number = constants.O_NOATIME;

  constructor(
    locate: (id: number, version: number) => FileToRead | undefined,
    clock: Clock,
    failpoints = new Failpoints(false),
  ) {
    this.locate = locate;
    this.clock = clock;
    this.failpoints = failpoints;
    this.failures = new FailedRanges(clock);
  }

  /**
   * Reads into `area` from its start without waiting for a disk. Returns the bytes read (fewer than asked only at the
   * end of the file), 'wait' when a disk is needed (then call `read`), or an error code.
   */
  readNow(
    id: number,
    version: number,
    offset: number,
    length: number,
    area: Uint8Array,
  ): number | 'wait' | ErrorCode {
    if (this.failpoints.enabled && this.isToFail()) return 'wait';
    const key = keyOf(id, version);
    const failed = this.failures.find(key, offset, length);
    if (failed !== undefined) return failed;
    const file = this.files.get(key) ?? this.openNow(key, id, version);
    if (file === 'wait' || typeof file === 'string') return file;
    file.lastUsedMs = this.clock.monotonicMs();
    const wanted = Math.min(length, file.size - offset);
    if (wanted <= 0) return 0;
    const got = this.vector.readNowait(file.fd, area, 0, wanted, offset);
    if (got < wanted && (got >= 0 || got === -EAGAIN || got === -EOPNOTSUPP || got === -EINTR)) return 'wait';
    if (got < 0) return this.failures.add(key, offset, length, 'origin_unavailable');
    if (!isUnchanged(file)) return this.failures.add(key, offset, length, 'version_gone');
    this.stats.cachedReads += 1;
    this.stats.bytes += got;
    return got;
  }

  /**
   * The same, waiting on the pool. `area` belongs to the read until it settles, also after an abort: a system call on
   * a disk cannot be called back, so an aborted read ends when the disk answers. Never rejects.
   */
  async read(
    id: number,
    version: number,
    offset: number,
    length: number,
    area: Uint8Array,
  ): Promise<number | ErrorCode> {
    const key = keyOf(id, version);
    let wrongBytes = 0;
    if (this.failpoints.enabled) {
      const due = await this.passFailpoints(id);
      if (typeof due === 'string') return this.failures.add(key, offset, length, due);
      wrongBytes = due;
    }
    const file = this.files.get(key) ?? (await this.openLater(key, id, version));
    if (typeof file === 'string') return this.failures.add(key, offset, length, file);
    const wanted = Math.min(length, file.size - offset);
    file.reading += 1;
    try {
      for (let done = 0; done < wanted; ) {
        const got = await preadAsync(file.fd, area.subarray(done), wanted - done, offset + done);
        if (got === -EINTR) continue;
        if (got < 0) return this.failures.add(key, offset, length, 'origin_unavailable');
        if (got === 0) return this.failures.add(key, offset, length, 'version_gone'); // shorter than it was catalogued
        done += got;
      }
      if (!isUnchanged(file)) return this.failures.add(key, offset, length, 'version_gone');
      if (wrongBytes > 0) damage(area.subarray(0, Math.max(wanted, 0)), wrongBytes);
      this.stats.waitedReads += 1;
      this.stats.bytes += Math.max(wanted, 0);
      return Math.max(wanted, 0);
    } finally {
      file.reading -= 1;
      file.lastUsedMs = this.clock.monotonicMs();
      if (file.isDoomed && file.reading === 0) closeSync(file.fd);
    }
  }

  /**
   * Somebody opened that version. If no disk need be waited for, the file is opened with it, so that it keeps its content
   * even when it is replaced before the first read.
   */
  hold(id: number, version: number): void {
    const key = keyOf(id, version);
    this.held.add(key);
    if (!this.files.has(key)) this.openNow(key, id, version);
  }

  /** Nobody has it open any more: the file is let go at once. A missed call costs a minute of an open file. */
  letGo(id: number, version: number): void {
    const key = keyOf(id, version);
    this.held.delete(key);
    const file = this.files.get(key);
    if (file !== undefined) this.drop(key, file);
  }

  /** Closes what has no known handle and has not been read for `idleMs`. */
  closeIdle(idleMs: number = limits.originFileIdleMs): void {
    const before = this.clock.monotonicMs() - idleMs;
    for (const [key, file] of this.files) {
      if (file.lastUsedMs <= before && !this.held.has(key)) this.drop(key, file);
    }
  }

  close(): void {
    for (const [key, file] of this.files) this.drop(key, file);
  }

  private isToFail(): boolean {
    return this.failpoints.isArmed('origin.read.open') || this.failpoints.isArmed('origin.read.body');
  }

  /** What is due for a read of that node: an error code, or how many bytes are to be damaged. */
  private async passFailpoints(id: number): Promise<ErrorCode | number> {
    try {
      await this.failpoints.pass('origin.read.open', String(id));
      return await this.failpoints.pass('origin.read.body', String(id));
    } catch (error) {
      if (error instanceof MusicfsError) return error.code;
      throw error;
    }
  }

  private openNow(key: string, id: number, version: number): OpenFile | 'wait' | ErrorCode {
    const wanted = this.locate(id, version);
    if (wanted === undefined) return 'version_gone';
    const root = openRootNow(wanted.originRoot);
    if (root < 0) return 'wait';
    const fd = openBeneathCached(root, wanted.realPath, baseFlags | this.noAtime);
    closeSync(root);
    return fd < 0 ? 'wait' : this.keep(key, fd, wanted);
  }

  private async openLater(key: string, id: number, version: number): Promise<OpenFile | ErrorCode> {
    const wanted = this.locate(id, version);
    if (wanted === undefined) return 'version_gone';
    const root = await openRootLater(wanted.originRoot);
    if (root === undefined) return 'origin_unavailable';
    try {
      for (;;) {
        const flags = baseFlags | this.noAtime;
        const fd = await openBeneathAsync(root, wanted.realPath, flags);
        if (fd >= 0)
          return this.files.get(key) === undefined ? this.keep(key, fd, wanted) : this.second(key, fd);
        // Several may be refused at once.
        if (fd === -EPERM && flags !== baseFlags) this.noAtime = 0;
        else if ((fd === -EMFILE || fd === -ENFILE) && this.dropOldest()) continue;
        else if (fd !== -EINTR)
          return fd === -osConstants.errno.EACCES ? 'permission_denied' : 'origin_unavailable';
      }
    } finally {
      closeSync(root);
    }
  }

  /** Two first reads at once open the file twice: the later descriptor is not needed. */
  private second(key: string, fd: number): OpenFile | ErrorCode {
    closeSync(fd);
    return this.files.get(key) ?? 'origin_unavailable';
  }

  private keep(key: string, fd: number, wanted: FileToRead): OpenFile | ErrorCode {
    const stat = fstatSync(fd, { bigint: true });
    const mtimeNs = BigInt(wanted.mtimeSeconds) * 1_000_000_000n + BigInt(wanted.mtimeNanoseconds);
    if (!stat.isFile() || stat.size !== BigInt(wanted.size) || stat.mtimeNs !== mtimeNs) {
      closeSync(fd);
      return 'version_gone';
    }
    if (this.files.size >= limits.openOriginFiles) this.dropOldest();
    this.stats.opens += 1;
    const file: OpenFile = {
      fd,
      size: wanted.size,
      mtimeNs,
      lastUsedMs: this.clock.monotonicMs(),
      reading: 0,
      isDoomed: false,
    };
    this.files.set(key, file);
    return file;
  }

  private drop(key: string, file: OpenFile): void {
    this.files.delete(key);
    if (file.reading > 0) file.isDoomed = true;
    else closeSync(file.fd);
  }

  private dropOldest(): boolean {
    let oldest: [string, OpenFile] | undefined;
    for (const entry of this.files) {
      if (
        entry[1].reading === 0 &&
        entry[1].lastUsedMs < (oldest?.[1].lastUsedMs ?? Number.POSITIVE_INFINITY)
      ) {
        oldest = entry;
      }
    }
    if (oldest === undefined) return false;
    this.drop(...oldest);
    return true;
  }

  /** A read of that range took too long: for a moment it is not tried again, as the kernel asks twice. */
  gaveUp(id: number, version: number, start: number, length: number): void {
    this.failures.add(keyOf(id, version), start, length, 'deadline_exceeded');
  }
}

function keyOf(id: number, version: number): string {
  return `${id}.${version}`;
}

function isUnchanged(file: OpenFile): boolean {
  const stat = fstatSync(file.fd, { bigint: true });
  return stat.size === BigInt(file.size) && stat.mtimeNs === file.mtimeNs;
}
