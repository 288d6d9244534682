// What stat and statfs show, in the form that fuse-native takes: sizes in bytes, times in milliseconds since 1970,
// inode numbers and the figures of statfs below 2^32. Pure.

import type { CatalogCounters, NodeAttributes } from '../../../catalog/tree-reader.ts';
import type { Ownership } from '../../../platform/fuse-settings.ts';
import { modeType } from '../../protocol/opcodes.ts';

export interface NativeStat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  readonly ino: number;
  readonly blksize: number;
  readonly blocks: number;
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
}

export interface NativeStatfs {
  readonly bsize: number;
  readonly frsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly namemax: number;
}

const blockSizeBytes = 131_072;
const statfsBlockBytes = 4096;
const mostOf32Bits = 2 ** 32 - 1;

export function statOf(
  node: NodeAttributes,
  { uid, gid, filePermissions, directoryPermissions }: Ownership,
): NativeStat {
  const mtime = milliseconds(node.mtimeSeconds, node.mtimeNanoseconds);
  return {
    mode: node.isDirectory ? modeType.directory | directoryPermissions : modeType.file | filePermissions,
    uid,
    gid,
    size: node.size,
    nlink: node.links,
    ino: node.id,
    blksize: blockSizeBytes,
    blocks: Math.ceil(node.size / 512),
    atime: mtime, // reading changes nothing
    mtime,
    ctime: milliseconds(node.ctimeSeconds, node.ctimeNanoseconds),
  };
}

export function statfsOf(counters: CatalogCounters, freeBytes: number): NativeStatfs {
  const free = Math.min(Math.max(1, Math.floor(freeBytes / statfsBlockBytes)), mostOf32Bits);
  return {
    bsize: statfsBlockBytes,
    frsize: statfsBlockBytes,
    blocks: Math.min(Math.ceil(counters.bytes / statfsBlockBytes), mostOf32Bits),
    bfree: free,
    bavail: free,
    files: Math.min(counters.files + counters.directories, mostOf32Bits),
    namemax: 255,
  };
}

/** fuse-native's times are unsigned: what is older than 1970 is shown as 1970. */
function milliseconds(seconds: number, nanoseconds: number): number {
  return Math.max(0, seconds * 1000 + Math.floor(nanoseconds / 1_000_000));
}
