// Bytes of one read(2) on /dev/fuse → a request. Pure: no state, no I/O; whatever the bytes are, it returns.
//
// A request is a header of 40 bytes
//   len u32@0, opcode u32@4, unique u64@8, nodeid u64@16, uid u32@24, gid u32@28, pid u32@32, extensions u16@36
// followed by the operation's own structure and, for some, NUL-ended names. `unique` names the request and is only
// ever copied back, so it stays two 32-bit halves. Source: include/uapi/linux/fuse.h, protocol 7.45.
import { type NodeId, nodeIdFrom } from './node-id.ts';
import { mutatingOpcodes, opcode, structSize } from './opcodes.ts';

export interface RequestHeader {
  readonly opcode: number;
  readonly uniqueLow: number;
  readonly uniqueHigh: number;
  readonly node: NodeId;
}

export interface KernelInit {
  readonly major: number;
  readonly minor: number;
  readonly maxReadahead: number;
  readonly flags: number;
  /** The high word of the flags; 0 from kernels before 7.36. */
  readonly flags2: number;
}

export interface ListRequest {
  /** Directory offset after which to go on; 0 = from the start. Offsets above 2^53 arrive as -1. */
  readonly offset: number;
  readonly size: number;
}

export type Request = RequestHeader &
  (
    | { readonly type: 'init'; readonly init: KernelInit }
    | { readonly type: 'lookup'; readonly name: Buffer }
    /** The kernel let these nodes go. */
    | { readonly type: 'forget'; readonly nodes: readonly NodeId[] }
    | { readonly type: 'getattr' }
    | { readonly type: 'readlink' }
    | { readonly type: 'open'; readonly flags: number }
    | { readonly type: 'read'; readonly offset: number; readonly size: number }
    | { readonly type: 'release' }
    | { readonly type: 'opendir' }
    | { readonly type: 'releasedir' }
    | ({ readonly type: 'readdir' } & ListRequest)
    | ({ readonly type: 'readdirplus' } & ListRequest)
    | { readonly type: 'statfs' }
    | { readonly type: 'access'; readonly mask: number }
    | { readonly type: 'getxattr'; readonly size: number; readonly name: Buffer }
    | { readonly type: 'listxattr'; readonly size: number }
    | { readonly type: 'interrupt'; readonly targetLow: number; readonly targetHigh: number }
    | { readonly type: 'destroy' }
    /** Would change something. */
    | { readonly type: 'mutation' }
    /**
     * Answered ENOSYS once, so that the kernel stops asking. STATX too: it is only sent for a birth time, which is not
     * reported, and what it answers is never cached.
     */
    | { readonly type: 'unsupported' }
    /** Too short for what its header says: answered EINVAL when the header is whole. */
    | { readonly type: 'malformed' }
  );

/** Decodes `bytes[0, length)`. Returns null when there is not even a header. Names are views of `bytes`. */
export function decodeRequest(bytes: Buffer, length: number): Request | null {
  if (length < structSize.inHeader || bytes.length < length) return null;
  const header: RequestHeader = {
    opcode: bytes.readUInt32LE(4),
    uniqueLow: bytes.readUInt32LE(8),
    uniqueHigh: bytes.readUInt32LE(12),
    node: nodeIdFrom(bytes.readUInt32LE(16), bytes.readUInt32LE(20)),
  };
  const extensionBytes = 8 * bytes.readUInt16LE(36);
  const declared = bytes.readUInt32LE(0);
  const end = declared - extensionBytes;
  const start = structSize.inHeader;
  if (declared !== length || end < start) return { ...header, type: 'malformed' };
  return decodeBody(header, bytes.subarray(start, end));
}

/** Shortest body of each operation that has a structure of its own, in bytes. */
const bodySize: Readonly<Record<number, number>> = {
  [opcode.init]: 16,
  [opcode.lookup]: 2,
  [opcode.open]: 8,
  [opcode.batchForget]: 8,
  [opcode.read]: 40,
  [opcode.readdir]: 40,
  [opcode.readdirplus]: 40,
  [opcode.access]: 4,
  [opcode.getxattr]: 10,
  [opcode.listxattr]: 8,
  [opcode.interrupt]: 8,
};

function decodeBody(header: RequestHeader, body: Buffer): Request {
  if (body.length < (bodySize[header.opcode] ?? 0)) return { ...header, type: 'malformed' };
  switch (header.opcode) {
    case opcode.init:
      return { ...header, type: 'init', init: decodeInit(body) };
    case opcode.lookup:
      return { ...header, type: 'lookup', name: nameFrom(body, 0) };
    case opcode.forget:
      return { ...header, type: 'forget', nodes: [header.node] };
    case opcode.batchForget:
      return { ...header, type: 'forget', nodes: decodeForgotten(body) };
    case opcode.getattr:
      return { ...header, type: 'getattr' };
    case opcode.readlink:
      return { ...header, type: 'readlink' };
    case opcode.open:
      return { ...header, type: 'open', flags: body.readUInt32LE(0) };
    case opcode.read:
      return { ...header, type: 'read', offset: offsetFrom(body, 8), size: body.readUInt32LE(16) };
    case opcode.release:
      return { ...header, type: 'release' };
    case opcode.opendir:
      return { ...header, type: 'opendir' };
    case opcode.releasedir:
      return { ...header, type: 'releasedir' };
    case opcode.readdir:
      return { ...header, type: 'readdir', offset: offsetFrom(body, 8), size: body.readUInt32LE(16) };
    case opcode.readdirplus:
      return { ...header, type: 'readdirplus', offset: offsetFrom(body, 8), size: body.readUInt32LE(16) };
    case opcode.statfs:
      return { ...header, type: 'statfs' };
    case opcode.access:
      return { ...header, type: 'access', mask: body.readUInt32LE(0) };
    case opcode.getxattr:
      return { ...header, type: 'getxattr', size: body.readUInt32LE(0), name: nameFrom(body, 8) };
    case opcode.listxattr:
      return { ...header, type: 'listxattr', size: body.readUInt32LE(0) };
    case opcode.interrupt:
      return {
        ...header,
        type: 'interrupt',
        targetLow: body.readUInt32LE(0),
        targetHigh: body.readUInt32LE(4),
      };
    case opcode.destroy:
      return { ...header, type: 'destroy' };
    default:
      return { ...header, type: mutatingOpcodes.has(header.opcode) ? 'mutation' : 'unsupported' };
  }
}

/** count u32@0, then from 8 on {nodeid u64, lookups u64} each; as many as there are bytes for. */
function decodeForgotten(body: Buffer): NodeId[] {
  const fitting = Math.floor((body.length - forgetListAt) / forgetOneBytes);
  return Array.from({ length: Math.min(body.readUInt32LE(0), fitting) }, (_, index) => {
    const at = forgetListAt + index * forgetOneBytes;
    return nodeIdFrom(body.readUInt32LE(at), body.readUInt32LE(at + 4));
  });
}

const forgetListAt = 8;
const forgetOneBytes = 16;

function decodeInit(body: Buffer): KernelInit {
  return {
    major: body.readUInt32LE(0),
    minor: body.readUInt32LE(4),
    maxReadahead: body.readUInt32LE(8),
    flags: body.readUInt32LE(12),
    flags2: body.length >= 20 ? body.readUInt32LE(16) : 0,
  };
}

/** A 64-bit offset as a number, -1 when it is beyond what a file or directory of ours can have. */
function offsetFrom(body: Buffer, at: number): number {
  const high = body.readUInt32LE(at + 4);
  return high >= 0x20_0000 ? -1 : high * 2 ** 32 + body.readUInt32LE(at);
}

/** The bytes up to the NUL, or all that is left when there is none. */
function nameFrom(body: Buffer, at: number): Buffer {
  const nul = body.indexOf(0, at);
  return body.subarray(at, nul === -1 ? body.length : nul);
}
