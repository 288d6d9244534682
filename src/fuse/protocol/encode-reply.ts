// A reply → its bytes, into a buffer the caller owns and reuses. Pure otherwise. Each function writes one whole reply
// (header of 16 bytes: len u32@0, error i32@4, unique u64@8) and returns its length in bytes. Layouts and sizes:
// include/uapi/linux/fuse.h, protocol 7.45.
import type { RequestHeader } from './decode-request.ts';
import { highHalf, lowHalf, type NodeId } from './node-id.ts';
import { direntType, modeType, structSize } from './opcodes.ts';

export type Unique = Pick<RequestHeader, 'uniqueLow' | 'uniqueHigh'>;

/** What stat shows, in the protocol's terms. */
export interface ReplyAttributes {
  readonly node: NodeId;
  readonly isDirectory: boolean;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
  readonly links: number;
  /** Permission bits, without the type. */
  readonly permissions: number;
  readonly uid: number;
  readonly gid: number;
}

const blockSizeBytes = 131_072;

function header(out: Buffer, { uniqueLow, uniqueHigh }: Unique, length: number, error: number): number {
  out.writeUInt32LE(length, 0);
  out.writeInt32LE(error, 4);
  out.writeUInt32LE(uniqueLow, 8);
  out.writeUInt32LE(uniqueHigh, 12);
  return length;
}

function u64(out: Buffer, value: number, at: number): void {
  out.writeUInt32LE(value % 2 ** 32, at);
  out.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

/** Signed: times before 1970 are negative. */
function i64(out: Buffer, value: number, at: number): void {
  if (value >= 0) u64(out, value, at);
  else out.writeBigInt64LE(BigInt(value), at);
}

function nodeId(out: Buffer, node: NodeId, at: number): void {
  out.writeUInt32LE(lowHalf(node), at);
  out.writeUInt32LE(highHalf(node), at + 4);
}

/** An error. `errno` is positive; 0 says "done" for replies without a body. */
export function encodeStatus(out: Buffer, unique: Unique, errno: number): number {
  return header(out, unique, structSize.outHeader, -errno);
}

/** The header of a reply whose data follows in another memory area. */
export function encodeDataHeader(out: Buffer, unique: Unique, dataLength: number): number {
  header(out, unique, structSize.outHeader + dataLength, 0);
  return structSize.outHeader;
}

/** A reply that is nothing but these bytes. */
export function encodeBytes(out: Buffer, unique: Unique, bytes: Uint8Array): number {
  out.set(bytes, structSize.outHeader);
  return header(out, unique, structSize.outHeader + bytes.length, 0);
}

function attributes(out: Buffer, at: number, a: ReplyAttributes): void {
  u64(out, a.node.id, at);
  u64(out, a.size, at + 8);
  u64(out, Math.ceil(a.size / 512), at + 16);
  i64(out, a.mtimeSeconds, at + 24); // atime is mtime: reading changes nothing
  i64(out, a.mtimeSeconds, at + 32);
  i64(out, a.ctimeSeconds, at + 40);
  out.writeUInt32LE(a.mtimeNanoseconds, at + 48);
  out.writeUInt32LE(a.mtimeNanoseconds, at + 52);
  out.writeUInt32LE(a.ctimeNanoseconds, at + 56);
  out.writeUInt32LE((a.isDirectory ? modeType.directory : modeType.file) | a.permissions, at + 60);
  out.writeUInt32LE(a.links, at + 64);
  out.writeUInt32LE(a.uid, at + 68);
  out.writeUInt32LE(a.gid, at + 72);
  out.writeUInt32LE(0, at + 76);
  out.writeUInt32LE(blockSizeBytes, at + 80);
  out.writeUInt32LE(0, at + 84);
}

function entry(out: Buffer, at: number, a: ReplyAttributes, ttlSeconds: number): void {
  nodeId(out, a.node, at);
  u64(out, 0, at + 8); // generation
  u64(out, ttlSeconds, at + 16);
  u64(out, ttlSeconds, at + 24);
  u64(out, 0, at + 32);
  attributes(out, at + 40, a);
}

/** LOOKUP: the name leads to this node with these attributes, both for so long. */
export function encodeEntry(out: Buffer, unique: Unique, a: ReplyAttributes, ttlSeconds: number): number {
  entry(out, structSize.outHeader, a, ttlSeconds);
  return header(out, unique, structSize.outHeader + structSize.entryOut, 0);
}

/** LOOKUP: there is no such name, and the kernel may remember that for so long. */
export function encodeNegativeEntry(out: Buffer, unique: Unique, ttlSeconds: number): number {
  out.fill(0, structSize.outHeader, structSize.outHeader + structSize.entryOut);
  u64(out, ttlSeconds, structSize.outHeader + 16);
  return header(out, unique, structSize.outHeader + structSize.entryOut, 0);
}

export function encodeAttributes(
  out: Buffer,
  unique: Unique,
  a: ReplyAttributes,
  ttlSeconds: number,
): number {
  u64(out, ttlSeconds, structSize.outHeader);
  u64(out, 0, structSize.outHeader + 8);
  attributes(out, structSize.outHeader + 16, a);
  return header(out, unique, structSize.outHeader + structSize.attrOut, 0);
}

/** OPEN. The handle is the content version, so that any process can serve it. */
export function encodeOpen(
  out: Buffer,
  unique: Unique,
  handle: number,
  flags: number,
  backingId = 0,
): number {
  const body = structSize.outHeader;
  u64(out, handle, body);
  out.writeUInt32LE(flags, body + 8);
  out.writeUInt32LE(backingId, body + 12);
  return header(out, unique, body + structSize.openOut, 0);
}

export interface FileSystemStatistics {
  readonly blockSizeBytes: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  readonly files: number;
  readonly nameLength: number;
}

export function encodeStatfs(out: Buffer, unique: Unique, s: FileSystemStatistics): number {
  const body = structSize.outHeader;
  out.fill(0, body, body + structSize.statfsOut);
  u64(out, s.blocks, body);
  u64(out, s.freeBlocks, body + 8);
  u64(out, s.freeBlocks, body + 16);
  u64(out, s.files, body + 24);
  u64(out, 0, body + 32);
  out.writeUInt32LE(s.blockSizeBytes, body + 40);
  out.writeUInt32LE(s.nameLength, body + 44);
  out.writeUInt32LE(s.blockSizeBytes, body + 48);
  return header(out, unique, body + structSize.statfsOut, 0);
}

/** GETXATTR and LISTXATTR with size 0: how many bytes the value has. */
export function encodeXattrSize(out: Buffer, unique: Unique, sizeBytes: number): number {
  const body = structSize.outHeader;
  out.writeUInt32LE(sizeBytes, body);
  out.writeUInt32LE(0, body + 4);
  return header(out, unique, body + 8, 0);
}

/**
 * A page of READDIR or READDIRPLUS, filled name by name. The kernel takes exactly `size` bytes at most; each record
 * is padded to 8 bytes and carries the offset that leads behind it.
 */
export class DirectoryPage {
  private readonly out: Buffer;
  private readonly end: number;
  private position = structSize.outHeader;

  /** `out` must have room for the reply header and `sizeBytes`. */
  constructor(out: Buffer, sizeBytes: number) {
    this.out = out;
    this.end = structSize.outHeader + sizeBytes;
  }

  /** Adds a name without attributes; false when the page is full. */
  addName(name: string, ino: number, isDirectory: boolean, offset: number): boolean {
    const nameBytes = Buffer.byteLength(name);
    const length = padded(structSize.dirent + nameBytes);
    if (this.position + length > this.end) return false;
    this.dirent(this.position, name, nameBytes, ino, isDirectory, offset, length);
    this.position += length;
    return true;
  }

  /** Adds a name with attributes (null: none, for "." and ".."); false when the page is full. */
  addEntry(
    name: string,
    ino: number,
    isDirectory: boolean,
    offset: number,
    a: ReplyAttributes | null,
    ttlSeconds: number,
  ): boolean {
    const nameBytes = Buffer.byteLength(name);
    const length = padded(structSize.direntplus + nameBytes);
    if (this.position + length > this.end) return false;
    if (a === null) this.out.fill(0, this.position, this.position + structSize.entryOut);
    else entry(this.out, this.position, a, ttlSeconds);
    this.dirent(
      this.position + structSize.entryOut,
      name,
      nameBytes,
      ino,
      isDirectory,
      offset,
      length - structSize.entryOut,
    );
    this.position += length;
    return true;
  }

  /** Writes the header; returns the length of the reply. */
  finish(unique: Unique): number {
    return header(this.out, unique, this.position, 0);
  }

  private dirent(
    at: number,
    name: string,
    nameBytes: number,
    ino: number,
    isDirectory: boolean,
    offset: number,
    length: number,
  ): void {
    u64(this.out, ino, at);
    u64(this.out, offset, at + 8);
    this.out.writeUInt32LE(nameBytes, at + 16);
    this.out.writeUInt32LE(isDirectory ? direntType.directory : direntType.file, at + 20);
    this.out.write(name, at + structSize.dirent);
    this.out.fill(0, at + structSize.dirent + nameBytes, at + length);
  }
}

function padded(length: number): number {
  return (length + 7) & ~7;
}
