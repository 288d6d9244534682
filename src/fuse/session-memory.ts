// What a later life must know to go on with a session, in a file in memory that travels with the session's descriptor:
// whoever has the one has the other, so it needs no disk, and can never belong to another boot or mount.
//
// The kernel asks INIT only once a mount, and wants the same answer for each handle of a file; both are remembered here.
// Written on the fuse thread, before the kernel hears of what it says; by the main thread only while no such thread runs.
//
// Layout, little-endian:
//   0     u32 length of the record, the record as JSON (one page write, so it is whole or as before)
//   2048  u64 the resent request that is being served this moment, 0: none
//   2056  u32 the newest backing id that was written down
//   4096  open nodes, see drivers/kernel/open-nodes.ts
import { fstatSync, readSync, writeSync } from 'node:fs';
import * as v from 'valibot';
import type { Negotiated } from './protocol/init.ts';

const schema = v.object({
  format: v.literal(1),
  /** "major:minor" of the mount, as mountinfo shows it. */
  device: v.string(),
  /** Which life of the daemon this is, from 1. */
  lives: v.number(),
  /** What INIT agreed on; null: it has not been answered yet. */
  negotiated: v.nullable(
    v.object({
      minor: v.number(),
      flags: v.number(),
      flags2: v.number(),
      maxReadahead: v.number(),
      maxPages: v.number(),
      hasResend: v.boolean(),
      hasPassthrough: v.boolean(),
      hasNoOpendir: v.boolean(),
    }),
  ),
  /** The last life left nothing unanswered. */
  isHandedOver: v.boolean(),
});

export type SessionRecord = v.InferOutput<typeof schema>;

const recordBytes = 2048;
const servedAt = 2048;
export const newestBackingAt = 2056;
/** Where the open nodes begin. */
export const openNodesAt = 4096;

export class SessionMemory {
  readonly fd: number;
  private readonly unique = Buffer.alloc(8);

  /** `fd`: a file in memory, empty for a new session; it stays the caller's. */
  constructor(fd: number) {
    this.fd = fd;
  }

  /** Null when the file is new, or was written by a version that we do not know. */
  record(): SessionRecord | null {
    if (fstatSync(this.fd).size < recordBytes) return null;
    const bytes = Buffer.alloc(recordBytes);
    readSync(this.fd, bytes, 0, recordBytes, 0);
    const text = bytes.toString('utf8', 4, 4 + Math.min(bytes.readUInt32LE(0), recordBytes - 4));
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
    return parsed.success ? parsed.output : null;
  }

  /** Replaces the record. Synchronous: it is there when this returns. */
  save(record: SessionRecord): void {
    const bytes = Buffer.alloc(openNodesAt);
    bytes.writeUInt32LE(bytes.write(JSON.stringify(record), 4, recordBytes - 4), 0);
    const isNew = fstatSync(this.fd).size === 0;
    writeSync(this.fd, bytes, 0, isNew ? openNodesAt : recordBytes, 0);
  }

  agreed(negotiated: Negotiated): void {
    const record = this.record();
    if (record !== null) this.save({ ...record, negotiated });
  }

  /** The request that a dead life was serving, if it was one that had been sent again; "" if none. */
  lastServed(): string {
    readSync(this.fd, this.unique, 0, 8, servedAt);
    return requestKey(this.unique.readUInt32LE(0), this.unique.readUInt32LE(4));
  }

  /** Notes what is being served; 0, 0 when it is done. */
  serving(uniqueLow: number, uniqueHigh: number): void {
    this.unique.writeUInt32LE(uniqueLow, 0);
    this.unique.writeUInt32LE(uniqueHigh, 4);
    writeSync(this.fd, this.unique, 0, 8, servedAt);
  }
}

/** Names a request; '' for none. */
export function requestKey(uniqueLow: number, uniqueHigh: number): string {
  return uniqueLow === 0 && uniqueHigh === 0 ? '' : `${uniqueHigh}.${uniqueLow}`;
}

/** A new session's memory. */
export function beginSession(fd: number, device: string): SessionMemory {
  const memory = new SessionMemory(fd);
  memory.save({ format: 1, device, lives: 0, negotiated: null, isHandedOver: true });
  return memory;
}
