// What libfuse asks, by path → what the mount answers, by node id. Runs in the process of the driver; called by
// native-mount.ts.
//
// A path is looked up name by name each time, so nothing is remembered that could be wrong. An open file is a number
// that stands for one content version. Every request is answered exactly once, whatever happens: a damaged catalog is
// EIO (never ENOENT), and so is a bug, which is logged; an exception must not reach fuse-native, which would end the
// process and with it the mount.

import { constants as osConstants } from 'node:os';
import type { NodeAttributes } from '../../../catalog/tree-reader.ts';
import type { Clock } from '../../../platform/clock.ts';
import { type ErrorCode, MusicfsError, messageOf } from '../../../platform/errors.ts';
import type { Failpoints } from '../../../platform/failpoints.ts';
import type { Ownership } from '../../../platform/fuse-settings.ts';
import { limits } from '../../../platform/limits.ts';
import type { Logger } from '../../../platform/logger.ts';
import type { Answers } from '../../answers.ts';
import { errnoNumber, isDatabaseError } from '../../errno-numbers.ts';
import type { NodeId } from '../../protocol/node-id.ts';
import { opcode } from '../../protocol/opcodes.ts';
import type { FuseCounters } from '../../thread-protocol.ts';
import { PendingReads, type WaitingRead } from '../kernel/pending-reads.ts';
import { HandleTable } from './handle-table.ts';
import { type NativeStat, type NativeStatfs, statfsOf, statOf } from './native-stat.ts';

export interface PathOperationsOptions {
  readonly answers: Answers;
  readonly counters: FuseCounters;
  readonly failpoints: Failpoints;
  readonly clock: Clock;
  readonly log: Logger;
  readonly ownership: Ownership;
  /** Free space that statfs shows, in bytes. */
  readonly freeBytes: () => number;
}

/** Takes 0 or a negative errno, and with 0 the answer. */
export type Reply<A extends unknown[] = []> = (status: number, ...answer: A | []) => void;

interface NativeRead extends WaitingRead {
  /** libfuse's memory; ours until the request is answered. */
  readonly area: Uint8Array;
  readonly reply: Reply;
}

const { EROFS, ENFILE, ERANGE } = osConstants.errno;
const rootId = 1;
const accessModes = 3;
const entriesPerQuery = 1024;

export class PathOperations {
  private readonly options: PathOperationsOptions;
  private readonly answers: Answers;
  private readonly handles = new HandleTable(limits.pathDriverHandles);
  private readonly pending: PendingReads<NativeRead>;
  private reads = 0;

  constructor(options: PathOperationsOptions) {
    this.options = options;
    this.answers = options.answers;
    this.pending = new PendingReads<NativeRead>({
      clock: options.clock,
      read: ({ header, offset, size }, buffer) =>
        this.answers.read(header.node.id, header.node.version, offset, size, buffer),
      answer: ({ header, offset, size, area, reply }, outcome, buffer) => {
        if (typeof outcome === 'number') {
          area.set(buffer.subarray(0, outcome));
          return reply(outcome);
        }
        if (outcome === 'deadline_exceeded') {
          this.answers.gaveUp(header.node.id, header.node.version, offset, size);
        }
        reply(-errnoNumber(outcome));
      },
    });
  }

  /** Answers what waits for a disk: the mount ends. */
  close(): void {
    this.pending.cancelAll('origin_unavailable');
  }

  get openHandles(): number {
    return this.handles.size;
  }

  getattr(path: string, reply: Reply<[NativeStat]>): void {
    this.serve('getattr', reply, () => this.answerStat(this.find(path), reply));
  }

  /** stat of an open file: of the version that its handle reads. */
  fgetattr(path: string, handle: number, reply: Reply<[NativeStat]>): void {
    this.serve('getattr', reply, () => {
      const node = this.handles.get(handle);
      this.answerStat(
        node === undefined ? this.find(path) : this.answers.attributes(node.id, node.version),
        reply,
      );
    });
  }

  /** The whole directory, in its order; libfuse keeps it for the handle and cuts it into pages. */
  readdir(path: string, reply: Reply<[names: string[], stats: NativeStat[]]>): void {
    this.serve('readdir', reply, () => {
      const node = this.find(path);
      if (typeof node === 'string') return reply(-errnoNumber(node));
      if (!node.isDirectory) return reply(-errnoNumber('not_a_directory'));
      const names = ['.', '..'];
      const stats = [this.shown(node), { ...this.shown(node), ino: this.answers.parent(node.id) }];
      for (let after = 0; ; ) {
        const entries = this.answers.page(node.id, after, entriesPerQuery);
        for (const entry of entries) {
          names.push(entry.name);
          stats.push(this.shown(entry));
          after = entry.entryId;
        }
        if (entries.length < entriesPerQuery) return reply(0, names, stats);
      }
    });
  }

  open(path: string, flags: number, reply: Reply<[handle: number]>): void {
    this.serve('open', reply, () => {
      if ((flags & accessModes) !== 0) return reply(-EROFS);
      const node = this.find(path);
      if (typeof node === 'string') return reply(-errnoNumber(node));
      const refusal = this.answers.open(node.id, node.version);
      if (refusal !== null) return reply(-errnoNumber(refusal));
      const isFirst = !this.handles.has(node);
      const handle = this.handles.add({ id: node.id, version: node.version });
      if (handle === null) return reply(-ENFILE);
      if (isFirst) this.answers.hold(node.id, node.version);
      reply(0, handle);
    });
  }

  release(handle: number, reply: Reply): void {
    this.serve('release', reply, () => {
      const node = this.handles.remove(handle);
      if (node !== undefined && !this.handles.has(node)) this.answers.letGo(node.id, node.version);
      reply(0);
    });
  }

  /** `reply` takes the number of bytes in `area` or a negative errno. */
  read(handle: number, area: Uint8Array, length: number, offset: number, reply: Reply): void {
    this.serve('read', reply, () => {
      const node = this.handles.get(handle);
      if (node === undefined) return reply(-errnoNumber('bad_handle'));
      if (
        this.options.failpoints.enabled &&
        this.options.failpoints.check('fuse.read.before-reply')?.type === 'hang'
      )
        return;
      const outcome = this.answers.readNow(node.id, node.version, offset, length, area);
      if (outcome === 'fetch') throw new MusicfsError('internal', 'this driver reads local directories only');
      if (outcome === 'wait') this.pending.start(this.waiting(node, area, length, offset, reply));
      else reply(typeof outcome === 'number' ? outcome : -errnoNumber(outcome));
    });
  }

  statfs(reply: Reply<[NativeStatfs]>): void {
    this.serve('statfs', reply, () => reply(0, statfsOf(this.answers.counters(), this.options.freeBytes())));
  }

  /** `reply` takes the length of the value, which is in `area` unless that is empty, or a negative errno. */
  getxattr(path: string, name: string, area: Uint8Array, reply: Reply): void {
    this.serve('getxattr', reply, () => {
      const node = this.find(path);
      this.answerBytes(
        typeof node === 'string' ? node : this.answers.xattr(node.id, node.version, name),
        area,
        reply,
      );
    });
  }

  /** The same with the names, each NUL-ended. */
  listxattr(path: string, area: Uint8Array, reply: Reply): void {
    this.serve('listxattr', reply, () => {
      const node = this.find(path);
      this.answerBytes(
        typeof node === 'string' ? node : this.answers.xattrNames(node.id, node.version),
        area,
        reply,
      );
    });
  }

  private find(path: string): NodeAttributes | ErrorCode {
    let node = this.answers.attributes(rootId, 0);
    for (const name of path.split('/')) {
      if (name === '') continue;
      if (typeof node === 'string') return node;
      if (!node.isDirectory) return 'not_a_directory';
      node = this.answers.lookup(node.id, 0, Buffer.from(name));
    }
    return node;
  }

  private shown(node: NodeAttributes): NativeStat {
    return statOf(node, this.options.ownership);
  }

  private answerStat(node: NodeAttributes | ErrorCode, reply: Reply<[NativeStat]>): void {
    if (typeof node === 'string') this.refuse(reply, node);
    else reply(0, this.shown(node));
  }

  private answerBytes(value: Buffer | ErrorCode, area: Uint8Array, reply: Reply): void {
    if (typeof value === 'string') return this.refuse(reply, value);
    if (area.length === 0) return reply(value.length); // asks for the length only
    if (value.length > area.length) return reply(-ERANGE);
    area.set(value);
    reply(value.length);
  }

  private waiting(node: NodeId, area: Uint8Array, size: number, offset: number, reply: Reply): NativeRead {
    this.reads += 1;
    return { header: { uniqueLow: this.reads, uniqueHigh: 0, node }, offset, size, area, reply };
  }

  private refuse(reply: (status: number) => void, code: ErrorCode): void {
    reply(-errnoNumber(code));
  }

  private serve(operation: keyof typeof opcode, reply: (status: number) => void, work: () => void): void {
    const { counters, failpoints, log } = this.options;
    counters.countRequest(opcode[operation]);
    try {
      if (failpoints.enabled) failpoints.check('fuse.request.decoded');
      work();
    } catch (error) {
      if (isDatabaseError(error)) counters.add('catalogErrors', 1);
      else log.error({ event: 'request_failed', operation, error: messageOf(error) });
      this.refuse(reply, 'internal');
    }
  }
}
