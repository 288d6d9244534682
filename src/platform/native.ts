// System calls that Node does not offer, through koffi, which only this file and native-mount.ts import.
//
// Each function is a thin, typed face of one call (man section 2). The ones on the hot path return a negative errno
// instead of throwing, as an exception a request would cost more than the request. `…Async` runs on libuv's pool.
// Layouts are those of Linux on x64 and arm64 (both little-endian, LP64).
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import koffi from 'koffi';

const libc = koffi.load(null);

/** A function that only some C libraries have; null where it is missing. */
function optional(prototype: string): ((...values: number[]) => number) | null {
  try {
    return libc.func(prototype);
  } catch {
    return null;
  }
}

const openat2Number = 437; // the same on every architecture
const resolveNoMagiclinks = 0x02;
const resolveNoSymlinks = 0x04;
const resolveBeneath = 0x08;
/** AT_FDCWD, which an absolute path does not depend on. */
const currentDirectory = -100;
const resolveCached = 0x20; // Linux 5.12: answer EAGAIN rather than touch a disk
const rwfNowait = 0x08;

const nativePoll = libc.func('int poll(_Inout_ void *fds, unsigned long nfds, int timeout)');
const nativeRead = libc.func('int64_t read(int fd, _Out_ void *buffer, size_t count)');
const nativeWritev = libc.func('int64_t writev(int fd, void *iov, int count)');
const nativePreadv2 = libc.func('int64_t preadv2(int fd, void *iov, int count, int64_t offset, int flags)');
const nativePread = libc.func('int64_t pread(int fd, _Out_ void *buffer, size_t count, int64_t offset)');
const nativeEventfd = libc.func('int eventfd(unsigned int initial, int flags)');
const nativeFlock = libc.func('int flock(int fd, int operation)');
const nativeMallocTrim = optional('int malloc_trim(size_t keep)');
const nativeExit = libc.func('void _exit(int status)');
const nativeMemfd = libc.func('int memfd_create(const char *name, unsigned int flags)');
const nativePrctl = libc.func('int prctl(int option, ...)');
const nativeFstatfs = libc.func('int fstatfs(int fd, _Out_ void *facts)');
const nativeSyncfs = libc.func('int syncfs(int fd)');
const nativeOpenat2 = libc.func('long syscall(long number, long dirfd, void *path, void *how, size_t size)');

// Of two names for one number (EAGAIN, EWOULDBLOCK) the first in the alphabet is meant.
const errnoNames = new Map(
  Object.entries(osConstants.errno)
    .reverse()
    .map(([name, value]) => [value, name]),
);

/** The name of an errno value, "E0" style when unknown. */
export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `E${errno}`;
}

/** An Error as Node's own system calls throw: `.code` is the errno's name, `.errno` negative, `.syscall` the call. */
export function systemError(syscall: string, errno: number, detail = ''): Error {
  const code = errnoName(errno);
  const text = detail === '' ? `${code}: ${syscall}` : `${code}: ${syscall} ${detail}`;
  return Object.assign(new Error(text), { code, errno: -errno, syscall });
}

/** A result ≥ 0, or the negative errno of the native call just made on this thread. */
export function orErrno(result: number | bigint): number {
  return Number(result) < 0 ? -koffi.errno() : Number(result);
}

const pollIn = 0x001;
const pollError = 0x008 | 0x010; // POLLERR, POLLHUP

/** A reusable pollfd array: `{fd, events}` in, `revents(i)` out. */
export class PollSet {
  private readonly memory: Buffer;
  private readonly count: number;

  constructor(fds: readonly number[]) {
    this.count = fds.length;
    this.memory = Buffer.alloc(8 * fds.length);
    for (const [index, fd] of fds.entries()) {
      this.memory.writeInt32LE(fd, 8 * index);
      this.memory.writeInt16LE(pollIn, 8 * index + 4);
    }
  }

  revents(index: number): number {
    return this.memory.readInt16LE(8 * index + 6);
  }

  /** Blocks this thread for at most `timeoutMs`. Returns the number of ready descriptors or a negative errno. */
  wait(timeoutMs: number): number {
    return orErrno(nativePoll(this.memory, this.count, timeoutMs));
  }

  /** The same on a pool thread; the event loop goes on. Resolves to the number of ready descriptors (0 on error). */
  waitAsync(timeoutMs: number): Promise<number> {
    return new Promise((resolve) => {
      nativePoll.async(this.memory, this.count, timeoutMs, (error: Error | null, ready: number) =>
        resolve(error === null && ready > 0 ? ready : 0),
      );
    });
  }
}

/** Whether whatever a descriptor leads to has ended: for a FUSE session, that it was unmounted or aborted. */
export function isHungUp(fd: number): boolean {
  const one = new PollSet([fd]);
  return one.wait(0) > 0 && (one.revents(0) & pollError) !== 0;
}

/** read(2) into `buffer`; bytes read or a negative errno. */
export function readInto(fd: number, buffer: Uint8Array): number {
  return orErrno(nativeRead(fd, buffer, buffer.length));
}

/** Up to two memory areas written or read in one call. Keeps the addresses, so the areas must not be resized. */
export class Vector {
  private readonly iov = Buffer.alloc(32);
  private readonly addresses = new WeakMap<Uint8Array, bigint>();

  private fill(index: number, area: Uint8Array, start: number, length: number): void {
    let address = this.addresses.get(area);
    if (address === undefined) {
      address = koffi.address(area);
      this.addresses.set(area, address);
    }
    this.iov.writeBigUInt64LE(address + BigInt(start), 16 * index);
    this.iov.writeUInt32LE(length, 16 * index + 8);
  }

  /** writev(2) of `head[0, headLength)` then `body[bodyStart, +bodyLength)`; bytes written or a negative errno. */
  write(
    fd: number,
    head: Uint8Array,
    headLength: number,
    body?: Uint8Array,
    bodyStart = 0,
    bodyLength = 0,
  ): number {
    this.fill(0, head, 0, headLength);
    if (body === undefined || bodyLength === 0) return orErrno(nativeWritev(fd, this.iov, 1));
    this.fill(1, body, bodyStart, bodyLength);
    return orErrno(nativeWritev(fd, this.iov, 2));
  }

  /** preadv2(2) with RWF_NOWAIT: only bytes that are in memory now; -EAGAIN when none are. */
  readNowait(fd: number, area: Uint8Array, start: number, length: number, offset: number): number {
    this.fill(0, area, start, length);
    return orErrno(nativePreadv2(fd, this.iov, 1, offset, rwfNowait));
  }
}

/** A new eventfd counter, non-blocking and close-on-exec. Throws a system error. */
export function createEventfd(): number {
  const fd = orErrno(nativeEventfd(0, 0o4000 | 0o2000000));
  if (fd < 0) throw systemError('eventfd', -fd);
  return fd;
}

const eventfdOne = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
const eventfdSink = Buffer.alloc(8);
const eventfdVector = new Vector();

/** Adds one to an eventfd: wakes whoever polls it. Never blocks. */
export function signalEventfd(fd: number): void {
  eventfdVector.write(fd, eventfdOne, 8);
}

/** Sets an eventfd back to zero. */
export function drainEventfd(fd: number): void {
  readInto(fd, eventfdSink);
}

/** flock(LOCK_EX | LOCK_NB); false when somebody else holds it. Freed by the kernel when the descriptor closes. */
export function tryLock(fd: number): boolean {
  const result = orErrno(nativeFlock(fd, 2 | 4));
  if (result === 0) return true;
  if (errnoName(-result) === 'EAGAIN') return false;
  throw systemError('flock', -result);
}

/** Has this process killed when the one that started it ends. One that has ended before is not noticed. */
export function endWithParent(): void {
  const result = orErrno(nativePrctl(setParentDeathSignal, 'unsigned long', osConstants.signals.SIGKILL));
  if (result < 0) throw systemError('prctl', -result);
}

const setParentDeathSignal = 1;

const loadedLibraries: unknown[] = []; // what is forgotten may be unloaded

/** Loads a shared library, so that a module that needs one of its name finds it. Throws when it cannot be loaded. */
export function loadLibrary(file: string): void {
  loadedLibraries.push(koffi.load(file));
}

/**
 * Ends the process at once. `process.exit` waits for the threads of libuv's pool, one of which may hang in a read of a
 * dead disk; whoever calls this has closed and flushed what matters.
 */
export function exitNow(status: number): never {
  nativeExit(status);
  throw new Error('unreachable');
}

/**
 * Closes what a thread that died without closing it left open: regular files below these folders and private views of
 * them, which would keep their disks from being unmounted. For the moment when nobody else reads them.
 */
export function closeLeftovers(folders: readonly string[]): void {
  const visible = new Set(
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.slice(0, line.indexOf(' '))),
  );
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    try {
      const stat = fstatSync(fd);
      const place = readlinkSync(`/proc/self/fd/${name}`);
      const isFile = stat.isFile() && folders.some((folder) => place.startsWith(`${folder}/`));
      if (isFile || (stat.isDirectory() && !visible.has(mountIdOf(fd)))) closeSync(fd);
    } catch {
      // The listing's own descriptor, gone by now.
    }
  }
}

/** The mount a descriptor was opened through; one that is private is in no mount table. */
function mountIdOf(fd: number): string {
  return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
}

/** Gives memory that was freed back to the system (malloc_trim, glibc only): 1 ms, 6 MB after a start or a scan. */
export function releaseFreeMemory(): void {
  nativeMallocTrim?.(0);
}

const openHow = Buffer.alloc(24);
const errnos = osConstants.errno;

function fillOpenHow(how: Buffer, flags: number, resolve: number): Buffer {
  how.writeBigUInt64LE(BigInt(flags | 0o2000000), 0);
  how.writeBigUInt64LE(0n, 8);
  how.writeUInt32LE(resolveNoMagiclinks | resolve, 16);
  return how;
}

function nulEnded(path: Uint8Array): Buffer {
  const bytes = Buffer.alloc(path.length + 1);
  bytes.set(path);
  return bytes;
}

/**
 * Opens a path below an open directory; neither "..", nor a link, nor a mount trick leads out of it (openat2 with
 * RESOLVE_BENEATH). Close-on-exec is always set. Throws a system error (`.code` = ENOENT, EACCES, EXDEV for a way
 * out, …). Kernels before 5.6 have no openat2: there the opened file's real place is checked afterwards.
 */
export function openBeneath(rootFd: number, relativePath: Uint8Array, flags: number): number {
  const how = fillOpenHow(openHow, flags, resolveBeneath);
  const fd = orErrno(nativeOpenat2(openat2Number, rootFd, nulEnded(relativePath), how, 24));
  if (fd === -errnos.ENOSYS) return openAndCheck(rootFd, relativePath, flags);
  if (fd < 0) throw systemError('openat2', -fd);
  return fd;
}

/**
 * The same, only when no disk need be waited for (RESOLVE_CACHED, Linux 5.12): a descriptor or a negative errno,
 * -EAGAIN meaning "ask openBeneathAsync".
 */
export function openBeneathCached(rootFd: number, relativePath: Uint8Array, flags: number): number {
  return openCachedAt(rootFd, relativePath, flags, resolveBeneath);
}

/** The same for an absolute path, wherever it leads. */
export function openCached(path: Uint8Array, flags: number): number {
  return openCachedAt(currentDirectory, path, flags, 0);
}

function openCachedAt(at: number, path: Uint8Array, flags: number, resolve: number): number {
  const how = fillOpenHow(openHow, flags, resolveCached | resolve);
  const fd = orErrno(nativeOpenat2(openat2Number, at, nulEnded(path), how, 24));
  return fd === -errnos.ENOSYS || fd === -errnos.EINVAL ? -errnos.EAGAIN : fd;
}

/**
 * The same on a pool thread. Resolves to a descriptor or a negative errno. With `links` refused, no link is followed on
 * the way either (-ELOOP); the last one can still be had as itself, with O_PATH and O_NOFOLLOW.
 */
export function openBeneathAsync(
  rootFd: number,
  relativePath: Uint8Array,
  flags: number,
  links: 'followed' | 'refused' = 'followed',
): Promise<number> {
  const path = nulEnded(relativePath);
  const resolving = links === 'refused' ? resolveBeneath | resolveNoSymlinks : resolveBeneath;
  const how = fillOpenHow(Buffer.alloc(24), flags, resolving);
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, result: number | bigint) => {
      if (error !== null) return reject(error);
      const fd = orErrno(result);
      try {
        resolve(fd === -errnos.ENOSYS ? openAndCheck(rootFd, relativePath, flags, links) : fd);
      } catch (failure) {
        resolve(failure instanceof Error && 'errno' in failure ? Number(failure.errno) : -errnos.EIO);
      }
    };
    nativeOpenat2.async(openat2Number, rootFd, path, how, 24, done);
  });
}

function openAndCheck(
  rootFd: number,
  relativePath: Uint8Array,
  flags: number,
  links: 'followed' | 'refused' = 'followed',
): number {
  const root = readlinkSync(`/proc/self/fd/${rootFd}`, 'buffer');
  const wanted = Buffer.concat([root, Buffer.from('/'), relativePath]);
  const fd = openSync(wanted, flags);
  const place = readlinkSync(`/proc/self/fd/${fd}`, 'buffer');
  const isBeneath = place.subarray(0, root.length + 1).equals(wanted.subarray(0, root.length + 1));
  const isWanted = place.equals(wanted) || (relativePath.length === 1 && place.equals(root)); // "." is the root
  if (links === 'refused' ? isWanted : isBeneath) return fd;
  closeSync(fd);
  throw systemError('open', errnos.EXDEV);
}

/** pread(2) on a pool thread into a buffer the caller leaves alone meanwhile. Resolves to bytes or a negative errno. */
export function preadAsync(fd: number, area: Uint8Array, length: number, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    nativePread.async(fd, area, length, offset, (error: Error | null, result: number | bigint) => {
      if (error !== null) reject(error);
      else resolve(orErrno(result));
    });
  });
}

/** syncfs(2) on a pool thread: the whole file system of that descriptor. Rejects with a system error. */
export function syncFileSystemAsync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    nativeSyncfs.async(fd, (error: Error | null, result: number) => {
      if (error !== null) return reject(error);
      const errno = orErrno(result);
      if (errno < 0) reject(systemError('syncfs', -errno));
      else resolve();
    });
  });
}

/** What statfs(2) says of the file system that a descriptor is on: its type, and its id where it has one, in hex. */
export interface FileSystemFacts {
  readonly type: number;
  /** "0" when the file system gives itself none, as most network ones do. */
  readonly id: string;
}

/** fstatfs(2) on a pool thread: a dead share never answers. Resolves to the facts or a negative errno. */
export function fileSystemOfAsync(fd: number): Promise<FileSystemFacts | number> {
  const facts = Buffer.alloc(120); // struct statfs: type, bsize, five counts of 8 bytes, fsid, …
  return new Promise((resolve, reject) => {
    nativeFstatfs.async(fd, facts, (error: Error | null, result: number) => {
      if (error !== null) return reject(error);
      const errno = orErrno(result);
      if (errno < 0) return resolve(errno);
      const type = Number(facts.readBigUInt64LE(0) & 0xffff_ffffn);
      resolve({ type, id: facts.readBigUInt64LE(56).toString(16) });
    });
  });
}

/** An unnamed file in memory, close-on-exec. Throws a system error. */
export function createMemoryFile(name: string): number {
  const fd = orErrno(nativeMemfd(name, 1));
  if (fd < 0) throw systemError('memfd_create', -fd);
  return fd;
}
