// What the daemon and the process of a mounted share say to each other, over a socket. Pure.
//
// A packet: u32 length of what follows, big-endian (packet-reader.ts), u8 type, u32 id of the call, body. Bodies are JSON
// or, of `bytes` and `wanted`, raw. The daemon begins a call with a new id; the process ends it with `done` or `failed`,
// also after an abort, and only when no system call is under way for it any more.
//
//   daemon → process   begin   id 0, first of all: which directory
//                      call    what to do
//                      wanted  one byte a name of the last `names`: 1 is wanted
//                      credit  u32: so many bytes more may be sent for a read
//                      abort
//   process → daemon   ready   id 0, first of all
//                      names   of a listing: names that are no directories and no links; then it waits for `wanted`
//                      page    of a listing: entries
//                      bytes   of a read; never more than there is credit for
//                      done    with the result, failed with the error
//
// Nothing in it can grow: a listing goes page by page, each asked for, and a read by credit. What the process says is
// checked here, as what it reads may have got the better of it.
import {
  array,
  custom,
  type GenericSchema,
  literal,
  maxLength,
  minValue,
  null_,
  nullable,
  number,
  object,
  picklist,
  pipe,
  regex,
  safeInteger,
  safeParse,
  string,
  union,
} from 'valibot';
import { type ErrorCode, errorCodes } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { MountedKind } from './local-files.ts';
import type { FileVersion, OriginEntry } from './origin.ts';
import { ProtocolViolation } from './packet-reader.ts';

export interface HostedDirectory {
  readonly id: string;
  readonly kind: MountedKind;
  readonly root: string;
}

export type HostRequest =
  | { readonly type: 'list'; readonly path: string }
  | { readonly type: 'stat'; readonly path: string }
  | { readonly type: 'follow'; readonly path: string }
  | {
      readonly type: 'read';
      readonly path: string;
      readonly version: FileVersion;
      readonly offset: number;
      readonly lengthBytes: number;
      readonly creditBytes: number;
    }
  | { readonly type: 'identity' };

export type DaemonMessage =
  | { readonly type: 'begin'; readonly id: 0; readonly directory: HostedDirectory }
  | { readonly type: 'call'; readonly id: number; readonly request: HostRequest }
  | { readonly type: 'wanted'; readonly id: number; readonly answers: readonly boolean[] }
  | { readonly type: 'credit'; readonly id: number; readonly bytes: number }
  | { readonly type: 'abort'; readonly id: number };

export type HostMessage =
  | { readonly type: 'ready'; readonly id: 0 }
  | { readonly type: 'names'; readonly id: number; readonly names: readonly string[] }
  | { readonly type: 'page'; readonly id: number; readonly entries: readonly OriginEntry[] }
  | { readonly type: 'bytes'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: 'done'; readonly id: number; readonly result: HostResult }
  | { readonly type: 'failed'; readonly id: number; readonly code: ErrorCode; readonly message: string };

/** What a look found, the identity of the mount, where a link leads, or null. */
export type HostResult = OriginEntry | string | null;

/** A page of names at their longest, each byte as six characters of JSON. */
export const longestMessageBytes = 8 * 1024 * 1024;

const types = {
  begin: 1,
  call: 2,
  wanted: 3,
  credit: 4,
  abort: 5,
  ready: 16,
  names: 17,
  page: 18,
  bytes: 19,
  done: 20,
  failed: 21,
} as const;

export function encodeMessage(message: DaemonMessage | HostMessage): Buffer {
  const body = bodyOf(message);
  const packet = Buffer.allocUnsafe(9 + body.length);
  packet.writeUInt32BE(5 + body.length, 0);
  packet.writeUInt8(types[message.type], 4);
  packet.writeUInt32BE(message.id, 5);
  packet.set(body, 9);
  return packet;
}

function bodyOf(message: DaemonMessage | HostMessage): Uint8Array {
  switch (message.type) {
    case 'begin':
      return json(message.directory);
    case 'call':
      return json(message.request);
    case 'wanted':
      return Uint8Array.from(message.answers, Number);
    case 'credit': {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(message.bytes);
      return bytes;
    }
    case 'abort':
    case 'ready':
      return new Uint8Array();
    case 'names':
      return json(message.names);
    case 'page':
      return json(message.entries);
    case 'bytes':
      return message.bytes;
    case 'done':
      return json(message.result);
    case 'failed':
      return json({ code: message.code, message: message.message });
  }
}

/** What the daemon said. It is believed: nobody else can write to that socket. */
export function parseDaemonMessage(packet: Buffer): DaemonMessage {
  const id = packet.readUInt32BE(1);
  const body = packet.subarray(5);
  switch (packet.readUInt8(0)) {
    case types.begin:
      return { type: 'begin', id: 0, directory: JSON.parse(body.toString('utf8')) as HostedDirectory };
    case types.call:
      return { type: 'call', id, request: JSON.parse(body.toString('utf8')) as HostRequest };
    case types.wanted:
      return { type: 'wanted', id, answers: Array.from(body, (answer) => answer === 1) };
    case types.credit:
      return { type: 'credit', id, bytes: body.readUInt32BE(0) };
    case types.abort:
      return { type: 'abort', id };
    default:
      throw new ProtocolViolation('a message of no known type');
  }
}

/** What the process said. Throws ProtocolViolation on anything it could not mean. */
export function parseHostMessage(packet: Buffer): HostMessage {
  const id = packet.readUInt32BE(1);
  const body = packet.subarray(5);
  switch (packet.readUInt8(0)) {
    case types.ready:
      return { type: 'ready', id: 0 };
    case types.names:
      return { type: 'names', id, names: parsed(names, body) };
    case types.page:
      return { type: 'page', id, entries: parsed(page, body) };
    case types.bytes:
      if (body.length === 0 || body.length > limits.originReadBlockBytes)
        throw new ProtocolViolation('bytes of an impossible length');
      return { type: 'bytes', id, bytes: body };
    case types.done:
      return { type: 'done', id, result: parsed(result, body) };
    case types.failed:
      return { type: 'failed', id, ...parsed(failure, body) };
    default:
      throw new ProtocolViolation('a message of no known type');
  }
}

/** FUSE allows the longest; others have 255. */
const longestNameBytes = 1024;

/** One part of a path, bytes in latin1. */
const name = pipe(string(), regex(/^(?!\.{1,2}$)[\x01-\x2e\x30-\xff]+$/), maxLength(longestNameBytes));
const names = pipe(array(name), maxLength(limits.listingPageEntries));
const entryFields = {
  kind: picklist(['file', 'directory', 'link', 'other'] as const),
  sizeBytes: pipe(number(), safeInteger(), minValue(0)),
  mtimeNs: pipe(string(), regex(/^-?\d{1,20}$/)),
  etag: null_(),
};
const page = pipe(array(object({ name, ...entryFields })), maxLength(limits.listingPageEntries));
/** The root has no name. */
const looked = object({ name: union([name, literal('')]), ...entryFields });
const result = nullable(union([looked, pipe(string(), maxLength(4096))]));
const failure = object({
  code: custom<ErrorCode>((code) => typeof code === 'string' && Object.hasOwn(errorCodes, code)),
  message: pipe(string(), maxLength(8192)),
});

function parsed<T>(schema: GenericSchema<unknown, T>, body: Buffer): T {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new ProtocolViolation('a message that is no JSON');
  }
  const outcome = safeParse(schema, value);
  if (!outcome.success) throw new ProtocolViolation('a message that makes no sense');
  return outcome.output;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
