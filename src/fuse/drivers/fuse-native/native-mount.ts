// The mount itself, through the npm package fuse-native 2.2.6 (libfuse 2.9). Runs in the process of the driver, whose
// main event loop the package needs; this is the only file that knows the package.
//
// What the package would do wrong is done here instead of by it:
//   - it hands no size to getxattr and listxattr, so that a small buffer would be read past its end
//   - it asks for the attributes of an open file by path
//   - of mount options it knows a few; the others ride along behind the name of the file system
//   - it unmounts through a shell: here nobody unmounts, that is the daemon's
// As root libfuse mounts by mount(2) and needs no other program.
import { readdirSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants as osConstants } from 'node:os';
import path from 'node:path';
import { limits } from '../../../platform/limits.ts';
import { loadLibrary, PollSet } from '../../../platform/native.ts';
import type { NativeStat, NativeStatfs } from './native-stat.ts';
import type { PathOperations, Reply } from './path-operations.ts';

/** The parts of the package's class that are used; `signal` ends a request. */
interface FuseClass {
  new (mountPoint: string, operations: Record<string, unknown>, options: Record<string, unknown>): FuseObject;
  readonly prototype: FuseObject;
}

interface FuseObject {
  mount(done: (error: Error | null) => void): void;
  _op_getattr(signal: Signal, path: string): void;
  _op_fgetattr?(signal: Signal, path: string, handle: number): void;
  _op_getxattr?(signal: Signal, path: string, name: string, area: Buffer): void;
  _op_listxattr?(signal: Signal, path: string, area: Buffer): void;
}

type Signal = (status: number, memory?: unknown) => void;

const { EROFS } = osConstants.errno;
/** Requests that the kernel refuses itself on a read-only mount; their last argument is the callback. */
const mutations = [
  ...['truncate', 'ftruncate', 'utimens', 'chown', 'chmod', 'mknod', 'setxattr', 'removexattr', 'write'],
  ...['create', 'unlink', 'rename', 'link', 'symlink', 'mkdir', 'rmdir'],
];

/** Mounts; resolves when the kernel has been answered for the first time. Rejects with the package's error. */
export function mountByPath(
  mountPoint: string,
  allowOther: boolean,
  operations: PathOperations,
): Promise<void> {
  const fuse = new (fuseClass())(mountPoint, handlersFor(operations), {
    timeout: false, // of our own: PendingReads
    subtype: 'musicfs',
    defaultPermissions: true,
    allowOther,
    maxRead: limits.pathDriverReadBytes,
    fsname: ['musicfs', ...options].join(','),
  });
  override(fuse, operations);
  return new Promise((resolve, reject) =>
    fuse.mount((error) => (error === null ? resolve() : reject(error))),
  );
}

const options = [
  ...['ro', 'nosuid', 'nodev', 'noatime'],
  'use_ino', // inode numbers are ours
  'direct_io', // pages are never shared between the versions of a file
  ...[`entry_timeout=${limits.pathDriverTtlSeconds}`, `attr_timeout=${limits.pathDriverTtlSeconds}`],
  'negative_timeout=0',
];

function handlersFor(operations: PathOperations): Record<string, unknown> {
  const refused = (...given: unknown[]) => (given.at(-1) as Reply)(-EROFS);
  return {
    getattr: (name: string, done: Reply<[NativeStat]>) => operations.getattr(name, done),
    readdir: (name: string, done: Reply<[string[], NativeStat[]]>) => operations.readdir(name, done),
    open: (name: string, flags: number, done: Reply<[number]>) => operations.open(name, flags, done),
    release: (_name: string, handle: number, done: Reply) => operations.release(handle, done),
    read: (_name: string, handle: number, area: Buffer, length: number, offset: number, done: Reply) =>
      operations.read(handle, area, length, offset, done),
    statfs: (_name: string, done: Reply<[NativeStatfs]>) => operations.statfs(done),
    ...Object.fromEntries(mutations.map((name) => [name, refused])),
    // Named here so that libfuse asks for them; answered by `override`.
    fgetattr: refused,
    getxattr: refused,
    listxattr: refused,
  };
}

function override(fuse: FuseObject, operations: PathOperations): void {
  fuse._op_fgetattr = (signal, name, handle) =>
    // The package's own conversion of a stat, with another source.
    fuseClass().prototype._op_getattr.call(
      {
        ops: {
          getattr: (_name: string, done: Reply<[NativeStat]>) => operations.fgetattr(name, handle, done),
        },
      } as unknown as FuseObject,
      signal,
      name,
    );
  // The memory is handed back with each answer.
  fuse._op_getxattr = (signal, name, attribute, area) =>
    operations.getxattr(name, attribute, area, (status) => signal(status, area.buffer));
  fuse._op_listxattr = (signal, name, area) =>
    operations.listxattr(name, area, (status) => signal(status, area.buffer));
}

let loaded: FuseClass | null = null;

/** The package's build wants libfuse.so.2; where the system has none, the one that comes with the package is taken. */
function fuseClass(): FuseClass {
  if (loaded !== null) return loaded;
  const require = createRequire(import.meta.url);
  try {
    loaded = require('fuse-native') as FuseClass;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_FAILED')) throw error;
    const { lib } = createRequire(require.resolve('fuse-native'))('fuse-shared-library') as { lib: string };
    loadLibrary(path.resolve(lib));
    loaded = require('fuse-native') as FuseClass;
  }
  return loaded;
}

const pollError = 0x008;

/** Whether the kernel has ended the session: libfuse's loop then ends and closes the device, and nobody is told. */
export function isSessionOver(): boolean {
  const devices = readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === '/dev/fuse';
    } catch {
      return false; // the listing's own descriptor, gone by now
    }
  });
  const poll = new PollSet(devices.map(Number));
  return (
    devices.length === 0 ||
    (poll.wait(0) > 0 && devices.every((_, index) => (poll.revents(index) & pollError) !== 0))
  );
}
