// The kernel driver: serves one FUSE session on a /dev/fuse descriptor. Runs on the fuse thread.
//
// Concepts. One read(2) gives one request, one write answers it. Names and attributes are answered where they are
// read, at once; a read that needs a disk goes to the pool and is answered when it is there. While nothing waits on
// the pool the thread sleeps in poll(2) itself, which is the shortest way from a request to its answer; while
// something does, the poll too is done on the pool, so that the event loop can hand in the results.
//
// Known dead-locks, and why they cannot happen here:
//   - a notification written by the thread that answers requests waits for itself: notifications are the main side's
//   - a blocking read(2) cannot be stopped: the descriptor is non-blocking and polled together with an eventfd
//   - a path below the mount point waits for itself: nothing here ever names one
import { constants as osConstants } from 'node:os';
import type { NodeAttributes } from '../../../catalog/tree-reader.ts';
import type { Clock } from '../../../platform/clock.ts';
import { type ErrorCode, errorCodes } from '../../../platform/errors.ts';
import type { Failpoints } from '../../../platform/failpoints.ts';
import { limits } from '../../../platform/limits.ts';
import { drainEventfd, errnoName, PollSet, readInto, Vector } from '../../../platform/native.ts';
import type { Answers } from '../../answers.ts';
import { decodeRequest, type Request } from '../../protocol/decode-request.ts';
import * as reply from '../../protocol/encode-reply.ts';
import { encodeInit, type Negotiated, negotiate } from '../../protocol/init.ts';
import { encodeResend } from '../../protocol/notifications.ts';
import { openFlag, structSize } from '../../protocol/opcodes.ts';
import type { FuseCounters } from '../../thread-protocol.ts';
import { PendingReads } from './pending-reads.ts';

export interface KernelSessionOptions {
  readonly deviceFd: number;
  readonly wakeFd: number;
  readonly answers: Answers;
  readonly counters: FuseCounters;
  readonly failpoints: Failpoints;
  readonly clock: Clock;
  readonly uid: number;
  readonly gid: number;
  /** What an earlier life agreed on, when this one takes its session over. */
  readonly adopted: Negotiated | null;
  /** Called before the INIT reply is written; what it stores must be there when it returns. */
  readonly saveNegotiated: (negotiated: Negotiated) => void;
  readonly onServing: (negotiated: Negotiated) => void;
  /** The kernel ended the session; nothing is read any more. */
  readonly onEnded: (errno: string) => void;
  /** Called about once a second at least, and after each burst of requests: the sign of life. */
  readonly onBeat: () => void;
  /** Free space that statfs shows, in bytes. */
  readonly freeBytes: () => number;
}

const { ENOSYS, EROFS, ESTALE, EINVAL, ERANGE, EPROTO } = osConstants.errno;
/** What read(2) on the device may answer in passing. */
const passing: ReadonlySet<string> = new Set(['EINTR', 'ENOENT']);
/** Requests served before the event loop gets its turn, when results from the pool may be waiting. */
const requestsPerTurn = 256;
const entriesPerQuery = 128;
const writeAccess = 2;
const accessModes = 3;
const filePermissions = 0o644;
const directoryPermissions = 0o755;
/** Offsets 1 and 2 lead behind "." and ".."; an entry's own offset is its id above these. */
const firstEntryOffset = 2;
const statfsBlockBytes = 4096;

function errnoOf(code: ErrorCode): number {
  const name = errorCodes[code].errno ?? 'EIO';
  return (osConstants.errno as Readonly<Record<string, number>>)[name] ?? osConstants.errno.EIO;
}

/** SQLite's errors carry a code like SQLITE_CORRUPT. */
function isDatabaseError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_');
}

export class KernelSession {
  private readonly options: KernelSessionOptions;
  private readonly answers: Answers;
  private readonly request = Buffer.allocUnsafeSlow(limits.requestBufferBytes);
  private readonly out = Buffer.allocUnsafeSlow(structSize.outHeader + limits.readRequestBytes);
  private readonly header = Buffer.allocUnsafeSlow(structSize.outHeader);
  private readonly area = Buffer.allocUnsafeSlow(limits.readRequestBytes);
  private readonly vector = new Vector();
  private readonly poll: PollSet;
  private readonly pending: PendingReads;
  private negotiated: Negotiated | null;
  private state: 'idle' | 'running' | 'stopping' | 'ended' = 'idle';
  private isLast = false;
  private onStopped: () => void = () => undefined;

  constructor(options: KernelSessionOptions) {
    this.options = options;
    this.answers = options.answers;
    this.negotiated = options.adopted;
    this.poll = new PollSet([options.deviceFd, options.wakeFd]);
    this.pending = new PendingReads({
      clock: options.clock,
      read: ({ header, offset, size }, buffer) =>
        this.answers.read(header.node.id, header.node.version, offset, size, buffer),
      answer: ({ header, offset, size }, outcome, buffer) => {
        if (typeof outcome === 'number') this.data(header, buffer, outcome);
        else this.error(header, errnoOf(outcome));
        if (outcome === 'deadline_exceeded') {
          this.answers.gaveUp(header.node.id, header.node.version, offset, size);
        }
      },
    });
  }

  /** Begins to serve and returns. An adopted session first asks again for what its dead life left unanswered. */
  start(): void {
    if (this.state !== 'idle') return;
    this.state = 'running';
    if (this.negotiated !== null) {
      if (this.negotiated.hasResend) {
        const resend = encodeResend();
        this.vector.write(this.options.deviceFd, resend, resend.length);
      }
      this.options.onServing(this.negotiated);
    }
    setImmediate(() => this.turn());
  }

  /**
   * Stops reading. What waits for a disk is answered EIO when the session ends with us; otherwise it stays unanswered, as
   * the next life is sent it again. Resolves when the thread holds nothing of the session.
   */
  stop(isLast: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.isLast = isLast;
      if (this.state === 'ended' || this.state === 'idle') return resolve();
      this.state = 'stopping';
      this.onStopped = resolve;
      setImmediate(() => this.turn());
    });
  }

  private turn(): void {
    if (this.state === 'stopping') {
      if (this.isLast) this.pending.cancelAll('origin_unavailable');
      else this.pending.abandonAll();
      this.state = 'ended';
      this.onStopped();
    }
    if (this.state !== 'running') return;
    if (this.options.failpoints.check('fuse.thread.loop')?.type === 'hang') return;
    for (let served = 0; served < requestsPerTurn; ) {
      const inThisDrain = this.drain();
      this.options.onBeat();
      if (this.state !== 'running') return;
      served += inThisDrain;
      if (inThisDrain === requestsPerTurn) continue;
      if (this.pending.size > 0) {
        void this.poll.waitAsync(limits.fusePollMs).then(() => this.afterPoll());
        return;
      }
      if (this.poll.wait(limits.fusePollMs) <= 0) break;
      if (this.poll.revents(1) === 0) continue;
      drainEventfd(this.options.wakeFd);
      break;
    }
    setImmediate(() => this.turn()); // messages, timers and results have their turn
  }

  private afterPoll(): void {
    if (this.poll.revents(1) !== 0) drainEventfd(this.options.wakeFd);
    setImmediate(() => this.turn());
  }

  /** Serves what is there, at most a turn's share. Returns how many requests that were. */
  private drain(): number {
    let served = 0;
    while (served < requestsPerTurn) {
      const length = readInto(this.options.deviceFd, this.request);
      if (length < 0) {
        const errno = errnoName(-length);
        if (errno === 'EAGAIN') return served;
        if (passing.has(errno)) continue;
        this.state = 'ended';
        this.pending.cancelAll('origin_unavailable');
        this.options.onEnded(errno);
        return served;
      }
      const request = decodeRequest(this.request, length);
      if (request === null) continue;
      served += 1;
      this.options.counters.countRequest(request.opcode);
      if (this.options.failpoints.enabled) this.options.failpoints.check('fuse.request.decoded');
      this.serveOrRefuse(request);
    }
    return served;
  }

  /** A damaged catalog fails the request (never ENOENT), not the thread; anything else that throws is a bug. */
  private serveOrRefuse(request: Request): void {
    try {
      this.serve(request);
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
      this.options.counters.add('catalogErrors', 1);
      this.error(request, errnoOf('catalog_corrupt'));
    }
  }

  private serve(request: Request): void {
    const { id, version } = request.node;
    switch (request.type) {
      case 'init':
        return this.init(request);
      case 'lookup':
        return this.lookup(request);
      case 'getattr': {
        const node = this.answers.attributes(id, version);
        if (typeof node === 'string') return this.error(request, errnoOf(node));
        return this.send(reply.encodeAttributes(this.out, request, this.shown(node), limits.entryTtlSeconds));
      }
      case 'open':
        return this.open(request);
      case 'read':
        return this.read(request);
      case 'release':
        this.answers.release(id, version);
        return this.error(request, 0);
      case 'readdir':
      case 'readdirplus':
        return this.list(request);
      case 'opendir':
        if (this.negotiated?.hasNoOpendir === true) return this.error(request, ENOSYS);
        return this.send(reply.encodeOpen(this.out, request, 0, openFlag.keepCache | openFlag.cacheDir));
      case 'statfs':
        return this.statfs(request);
      case 'access':
        return this.error(request, (request.mask & writeAccess) !== 0 ? EROFS : 0);
      case 'getxattr':
        return this.value(request, this.answers.xattr(id, version, request.name.toString('utf8')));
      case 'listxattr':
        return this.value(request, this.answers.xattrNames(id, version));
      case 'interrupt':
        this.pending.interrupt(request.targetLow, request.targetHigh);
        return;
      case 'readlink':
      case 'malformed':
        return this.error(request, EINVAL);
      case 'mutation':
        return this.error(request, EROFS);
      case 'unsupported':
        return this.error(request, ENOSYS);
      case 'releasedir':
      case 'destroy':
        return this.error(request, 0);
      case 'forget':
        return; // node ids are persistent: there is nothing to forget, and no reply
    }
  }

  private init(request: Extract<Request, { type: 'init' }>): void {
    const outcome = negotiate(request.init);
    if (outcome.type === 'too-old') return this.error(request, EPROTO);
    if (outcome.type === 'agreed') this.options.saveNegotiated(outcome.negotiated);
    this.send(encodeInit(this.out, request, outcome));
    if (outcome.type === 'agreed') {
      this.negotiated = outcome.negotiated;
      this.options.onServing(outcome.negotiated);
    }
  }

  private lookup(request: Extract<Request, { type: 'lookup' }>): void {
    const node = this.answers.lookup(request.node.id, request.node.version, request.name);
    if (node === 'not_found') {
      return this.send(reply.encodeNegativeEntry(this.out, request, limits.negativeTtlSeconds));
    }
    if (typeof node === 'string') return this.error(request, errnoOf(node));
    // Notifications carry a name as it is stored: another spelling of it (NFD) must be asked for again each time.
    const isAsStored = !('name' in node) || request.name.equals(Buffer.from(node.name));
    const ttlSeconds = isAsStored ? limits.entryTtlSeconds : 0;
    this.send(reply.encodeEntry(this.out, request, this.shown(node), ttlSeconds));
  }

  private open(request: Extract<Request, { type: 'open' }>): void {
    const { id, version } = request.node;
    if ((request.flags & accessModes) !== 0) return this.error(request, EROFS);
    const refusal = this.answers.open(id, version);
    // ESTALE makes the kernel look the path up again and open what is there now.
    if (refusal !== null) return this.error(request, refusal === 'version_gone' ? ESTALE : errnoOf(refusal));
    this.send(reply.encodeOpen(this.out, request, version, openFlag.keepCache | openFlag.noFlush));
  }

  private read(request: Extract<Request, { type: 'read' }>): void {
    const { offset } = request;
    if (offset < 0) return this.error(request, EINVAL);
    const size = Math.min(request.size, limits.readRequestBytes);
    if (this.options.failpoints.enabled) {
      const wait = this.options.failpoints.check('fuse.read.before-reply');
      if (wait?.type === 'hang') return;
    }
    const { id, version } = request.node;
    const outcome = this.answers.readNow(id, version, offset, size, this.area);
    if (outcome === 'wait') this.pending.start({ header: request, offset, size });
    else if (typeof outcome === 'number') this.data(request, this.area, outcome);
    else this.error(request, errnoOf(outcome));
  }

  private list(request: Extract<Request, { type: 'readdir' | 'readdirplus' }>): void {
    const directory = request.node.id;
    const size = Math.min(request.size, limits.readRequestBytes);
    const page = new reply.DirectoryPage(this.out, size);
    const isPlus = request.type === 'readdirplus';
    const add = (
      name: string,
      node: Pick<NodeAttributes, 'id' | 'isDirectory'>,
      offset: number,
      shown: reply.ReplyAttributes | null,
    ) =>
      isPlus
        ? page.addEntry(name, node.id, node.isDirectory, offset, shown, limits.entryTtlSeconds)
        : page.addName(name, node.id, node.isDirectory, offset);
    let { offset } = request;
    if (offset < 0) return this.send(page.finish(request));
    if (offset === 0) {
      if (!add('.', { id: directory, isDirectory: true }, 1, null)) return this.error(request, EINVAL);
      offset = 1;
    }
    if (offset === 1) {
      const parent = this.answers.parent(directory);
      if (!add('..', { id: parent, isDirectory: true }, firstEntryOffset, null))
        return this.send(page.finish(request));
      offset = firstEntryOffset;
    }
    for (;;) {
      const entries = this.answers.page(directory, offset - firstEntryOffset, entriesPerQuery);
      for (const entry of entries) {
        const next = entry.entryId + firstEntryOffset;
        if (!add(entry.name, entry, next, isPlus ? this.shown(entry) : null))
          return this.send(page.finish(request));
        offset = next;
      }
      if (entries.length < entriesPerQuery) return this.send(page.finish(request));
    }
  }

  private statfs(request: Request): void {
    const counters = this.answers.counters();
    this.send(
      reply.encodeStatfs(this.out, request, {
        blockSizeBytes: statfsBlockBytes,
        blocks: Math.ceil(counters.bytes / statfsBlockBytes),
        freeBlocks: Math.max(1, Math.floor(this.options.freeBytes() / statfsBlockBytes)),
        files: counters.files + counters.directories,
        nameLength: 255,
      }),
    );
  }

  /** GETXATTR and LISTXATTR: size 0 asks for the length only. */
  private value(request: Request & { readonly size: number }, value: Buffer | ErrorCode): void {
    if (typeof value === 'string') return this.error(request, errnoOf(value));
    if (request.size === 0) return this.send(reply.encodeXattrSize(this.out, request, value.length));
    if (value.length > request.size) return this.error(request, ERANGE);
    this.send(reply.encodeBytes(this.out, request, value));
  }

  private shown(node: NodeAttributes): reply.ReplyAttributes {
    return {
      ...node,
      node: { id: node.id, version: node.version },
      permissions: node.isDirectory ? directoryPermissions : filePermissions,
      uid: this.options.uid,
      gid: this.options.gid,
    };
  }

  private error(request: reply.Unique, errno: number): void {
    this.send(reply.encodeStatus(this.out, request, errno));
  }

  private data(request: reply.Unique, body: Buffer, length: number): void {
    reply.encodeDataHeader(this.header, request, length);
    this.checked(
      this.vector.write(this.options.deviceFd, this.header, structSize.outHeader, body, 0, length),
    );
  }

  private send(length: number): void {
    this.checked(this.vector.write(this.options.deviceFd, this.out, length));
  }

  /** ENOENT says that the request is gone (interrupted, aborted, answered before): fine. EINVAL is a bug of ours. */
  private checked(written: number): void {
    if (written === -EINVAL) this.options.counters.add('badReplies', 1);
  }
}
