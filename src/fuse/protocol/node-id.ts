// What the kernel calls a node id, and what it means to us.
//
// 64 bits: the low 40 are the catalog's id of the file or directory (its inode number), the high 24 a file's content
// version (0 for directories, 1 for the root's id 1). Two versions of a file are thus two kernel inodes with one
// st_ino: an old handle goes on reading its own version, a new open gets the new one, and no page cache is shared.
// Held as two 32-bit halves, as a JavaScript number cannot hold all of it.

export interface NodeId {
  /** Catalog id, 1 … 2^40 - 1. */
  readonly id: number;
  /** Content version, 0 … 2^23 - 1. */
  readonly version: number;
}

const twoTo32 = 2 ** 32;

export function nodeIdFrom(low: number, high: number): NodeId {
  return { id: low + (high & 0xff) * twoTo32, version: high >>> 8 };
}

export function lowHalf({ id }: NodeId): number {
  return id % twoTo32;
}

export function highHalf({ id, version }: NodeId): number {
  return ((version << 8) | Math.floor(id / twoTo32)) >>> 0;
}
