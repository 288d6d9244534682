// Which bytes are meant, for everything that fetches, keeps and gives them.

/** A file of the tree in one content version: what a node id of the kernel says. */
export interface ContentKey {
  /** The node's id in the catalog. */
  readonly node: number;
  /** Its content version, from 1. */
  readonly version: number;
}

/** Bytes from `offset` on. Both are safe integers. */
export interface ByteRange {
  readonly offset: number;
  readonly lengthBytes: number;
}
