// The packets of SFTP version 3 that reading needs, in both directions. Pure. What the server sends is checked: it may be
// hostile. (The client of the ssh2 package takes every name for UTF-8, which loses those that are not.)
// Format: https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02
//
// A packet: u32 length of what follows, u8 type, u32 id (which VERSION and INIT lack), fields. Big-endian; a string is u32
// length and bytes. Attributes: u32 flags, then what the flags say is there: 1 u64 size, 2 u32 uid and u32 gid, 4 u32 mode,
// 8 u32 atime and u32 mtime, 2^31 u32 count of extensions, each two strings.

import { ProtocolViolation } from './packet-reader.ts';

export const requests = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  lstat: 7,
  fstat: 8,
  opendir: 11,
  readdir: 12,
  stat: 17,
} as const;

/** Numbers of STATUS replies. */
export const statusCodes = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
} as const;

export interface Attributes {
  /** null: the server does not say. */
  readonly sizeBytes: number | null;
  readonly mode: number | null;
  readonly mtimeSeconds: number | null;
}

export interface NamedAttributes {
  /** Bytes in latin1. */
  readonly name: string;
  readonly attributes: Attributes;
}

export type Reply =
  | { readonly type: 'version'; readonly version: number }
  | { readonly type: 'status'; readonly id: number; readonly code: number }
  | { readonly type: 'handle'; readonly id: number; readonly handle: Buffer }
  | { readonly type: 'data'; readonly id: number; readonly bytes: Buffer }
  | { readonly type: 'names'; readonly id: number; readonly entries: readonly NamedAttributes[] }
  | { readonly type: 'attributes'; readonly id: number; readonly attributes: Attributes };

export const protocolVersion = 3;

/** Longest packet of OpenSSH, whose replies are the longest there are. */
export const longestPacketBytes = 256 * 1024;
const longestHandleBytes = 256;

/** A string field, or a number: u32, as u64 when it is a bigint. */
type Field = Buffer | number | bigint;

export function encodeRequest(type: number, id: number, ...fields: readonly Field[]): Buffer {
  const parts = fields.map((field) => {
    if (typeof field === 'number') return u32(field);
    if (typeof field === 'bigint') return u64(field);
    return Buffer.concat([u32(field.length), field]);
  });
  const body = Buffer.concat([Buffer.of(type), u32(id), ...parts]);
  return Buffer.concat([u32(body.length), body]);
}

/** Throws ProtocolViolation on what is no reply. */
export function parseReply(packet: Buffer): Reply {
  const fields = new Fields(packet);
  const type = fields.u8();
  if (type === 2) return { type: 'version', version: fields.u32() };
  const id = fields.u32();
  switch (type) {
    case 101:
      return { type: 'status', id, code: fields.u32() };
    case 102: {
      const handle = Buffer.from(fields.string());
      if (handle.length > longestHandleBytes) throw new ProtocolViolation('a handle that is too long');
      return { type: 'handle', id, handle };
    }
    case 103:
      return { type: 'data', id, bytes: fields.string() };
    case 104:
      return { type: 'names', id, entries: namesOf(fields) };
    case 105:
      return { type: 'attributes', id, attributes: attributesOf(fields) };
    default:
      throw new ProtocolViolation(`a packet of type ${type}`);
  }
}

function namesOf(fields: Fields): NamedAttributes[] {
  const entries: NamedAttributes[] = [];
  for (let count = fields.u32(); count > 0; count -= 1) {
    const name = fields.string().toString('latin1');
    if (name === '' || /[\0/]/.test(name)) throw new ProtocolViolation('a name that is none');
    fields.string(); // as `ls -l` would show it
    entries.push({ name, attributes: attributesOf(fields) });
  }
  return entries;
}

function attributesOf(fields: Fields): Attributes {
  const flags = fields.u32();
  const size = flags & 1 ? fields.u64() : null;
  if (size !== null && size > BigInt(Number.MAX_SAFE_INTEGER))
    throw new ProtocolViolation('an impossible size');
  if (flags & 2) {
    fields.u32();
    fields.u32();
  }
  const mode = flags & 4 ? fields.u32() : null;
  if (flags & 8) fields.u32();
  const mtimeSeconds = flags & 8 ? fields.u32() : null;
  const extensions = flags & 0x8000_0000 ? fields.u32() : 0;
  for (let count = extensions; count > 0; count -= 1) {
    fields.string();
    fields.string();
  }
  return { sizeBytes: size === null ? null : Number(size), mode, mtimeSeconds };
}

/** Reads fields one after the other; past the end of the packet is a violation. */
class Fields {
  private readonly packet: Buffer;
  private at = 0;

  constructor(packet: Buffer) {
    this.packet = packet;
  }

  u8(): number {
    return this.packet.readUInt8(this.take(1));
  }

  u32(): number {
    return this.packet.readUInt32BE(this.take(4));
  }

  u64(): bigint {
    return this.packet.readBigUInt64BE(this.take(8));
  }

  string(): Buffer {
    const length = this.u32();
    const start = this.take(length);
    return this.packet.subarray(start, start + length);
  }

  private take(bytes: number): number {
    const start = this.at;
    if (start + bytes > this.packet.length) throw new ProtocolViolation('a packet that ends too early');
    this.at += bytes;
    return start;
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
