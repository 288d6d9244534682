// Messages from us to the kernel: header with unique 0 and the notification's code as (positive) error. Pure.
import { highHalf, lowHalf, type NodeId } from './node-id.ts';
import { notifyCode, structSize } from './opcodes.ts';

function message(code: number, bodyLength: number): Buffer {
  const bytes = Buffer.alloc(structSize.outHeader + bodyLength);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeInt32LE(code, 4);
  return bytes;
}

/**
 * Forget the attributes and, for a directory, the cached listing of a node. Offset 0 and length 0 mean everything;
 * a negative offset would leave the listing (measured).
 */
export function encodeInvalInode(node: NodeId): Buffer {
  const bytes = message(notifyCode.invalInode, 24);
  bytes.writeUInt32LE(lowHalf(node), 16);
  bytes.writeUInt32LE(highHalf(node), 20);
  return bytes;
}

/** Forget where a name of a directory leads, or that it leads nowhere. */
export function encodeInvalEntry(parent: NodeId, name: string): Buffer {
  const nameLength = Buffer.byteLength(name);
  const bytes = message(notifyCode.invalEntry, 16 + nameLength + 1);
  bytes.writeUInt32LE(lowHalf(parent), 16);
  bytes.writeUInt32LE(highHalf(parent), 20);
  bytes.writeUInt32LE(nameLength, 24);
  bytes.write(name, 32);
  return bytes;
}

/** Send again what was read from the device but never answered (Linux 6.9). Written once, before the first read. */
export function encodeResend(): Buffer {
  return message(notifyCode.resend, 0);
}
