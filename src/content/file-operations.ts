// What the chunk store does to its disk, so that tests can make any of it fail. None of it waits in the caller's turn:
// files are written and named by a thread of their own (disk-writer.ts), the rest are single system calls on libuv's
// pool. Failures are Node's system errors.
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { syncFileSystemAsync } from '../platform/native.ts';
import { DiskWriter } from './disk-writer.ts';

export interface DiskSpace {
  /** What is left for this user. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface FileOperations {
  /** With those above it; one that exists is fine. */
  makeDirectory(path: string): Promise<unknown>;
  list(path: string): Promise<string[]>;
  /** A new file of these bytes, which must stay until then. Nothing is left of one that failed, but where it was there before (EEXIST). */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** A new file, to be written. */
  create(path: string): Promise<number>;
  /** A file to be read, or a folder to be synced. */
  open(path: string): Promise<number>;
  /** The number of bytes written, which may be fewer. */
  write(fd: number, bytes: Uint8Array, position: number): Promise<number>;
  /** The number of bytes read; 0 at the end. */
  read(fd: number, area: Uint8Array, position: number): Promise<number>;
  sync(fd: number): Promise<void>;
  /** Everything that was written to the file system that holds this folder is on the disk. */
  syncFileSystem(path: string): Promise<void>;
  close(fd: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  sizeBytes(path: string): Promise<number>;
  space(path: string): Promise<DiskSpace>;
  /** Before each statement and each commit on cache.db; what it throws, the statement throws. */
  beforeStatement(): void;
}

const { O_WRONLY, O_CREAT, O_EXCL, O_RDONLY, O_NOFOLLOW } = fs.constants;
const open = promisify(fs.open);
const write = promisify(fs.write);
const read = promisify(fs.read);
const statfs = promisify(fs.statfs);
const mkdir = promisify(fs.mkdir);
const stat = promisify(fs.lstat);

const writer = new DiskWriter();

export const fileOperations: FileOperations = {
  makeDirectory: (path) => mkdir(path, { recursive: true, mode: 0o700 }),
  list: promisify(fs.readdir),
  writeFile: (path, bytes) => writer.run({ what: 'write', path, bytes }),
  create: (path) => open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600),
  open: (path) => open(path, O_RDONLY | O_NOFOLLOW),
  write: async (fd, bytes, position) =>
    (await write(fd, bytes, position, bytes.length - position, position)).bytesWritten,
  read: async (fd, area, position) =>
    (await read(fd, area, position, area.length - position, position)).bytesRead,
  sync: promisify(fs.fsync),
  syncFileSystem: async (path) => {
    const fd = await open(path, O_RDONLY);
    try {
      await syncFileSystemAsync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  close: promisify(fs.close),
  rename: (from, to) => writer.run({ what: 'rename', from, to }),
  unlink: promisify(fs.unlink),
  sizeBytes: async (path) => (await stat(path)).size,
  space: async (path) => {
    const { bavail, blocks, bsize } = await statfs(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
  beforeStatement: () => undefined,
};
