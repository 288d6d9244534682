// Request → reply for the kernel driver: asks Answers, encodes, writes. Called by the session's loop on the fuse thread.
//
// Names and attributes are answered before `serve` returns; a read or an open that needs a disk is answered when it is
// there, and everything it waits in has a bound and a deadline.

import { constants as osConstants } from 'node:os';
import type { NodeAttributes } from '../../../catalog/tree-reader.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { ErrorCode } from '../../../platform/errors.ts';
import type { Failpoints } from '../../../platform/failpoints.ts';
import type { Ownership } from '../../../platform/fuse-settings.ts';
import { limits } from '../../../platform/limits.ts';
import { Vector } from '../../../platform/native.ts';
import type { Answers } from '../../answers.ts';
import { errnoNumber, isDatabaseError } from '../../errno-numbers.ts';
import type { Request } from '../../protocol/decode-request.ts';
import * as reply from '../../protocol/encode-reply.ts';
import { openFlag, structSize } from '../../protocol/opcodes.ts';
import type { FuseCounters } from '../../thread-protocol.ts';
import { encodeListing } from './list-directory.ts';
import { noBacking } from './open-nodes.ts';
import type { Opens } from './opens.ts';
import { PendingReads } from './pending-reads.ts';

export interface RequestServerOptions {
  readonly deviceFd: number;
  readonly answers: Answers;
  readonly opens: Opens;
  readonly counters: FuseCounters;
  readonly failpoints: Failpoints;
  readonly clock: Clock;
  readonly ownership: Ownership;
  /** Free space that statfs shows, in bytes. */
  readonly freeBytes: () => number;
  /** OPENDIR may be refused for good. */
  readonly hasNoOpendir: () => boolean;
  /** INIT is the session's own: it answers. */
  readonly onInit: (request: Extract<Request, { type: 'init' }>) => void;
}

const { EIO, ENOENT, ENOSYS, EROFS, ESTALE, EINVAL, ERANGE } = osConstants.errno;
const writeAccess = 2;
const accessModes = 3;
const statfsBlockBytes = 4096;

export class RequestServer {
  private readonly options: RequestServerOptions;
  private readonly answers: Answers;
  private readonly opens: Opens;
  private readonly out = Buffer.allocUnsafeSlow(structSize.outHeader + limits.readRequestBytes);
  private readonly header = Buffer.allocUnsafeSlow(structSize.outHeader);
  private readonly area = Buffer.allocUnsafeSlow(limits.readRequestBytes);
  private readonly vector = new Vector();
  private readonly pending: PendingReads;

  constructor(options: RequestServerOptions) {
    this.options = options;
    this.answers = options.answers;
    this.opens = options.opens;
    this.pending = new PendingReads({
      clock: options.clock,
      read: ({ header, offset, size }, buffer) =>
        this.answers.read(header.node.id, header.node.version, offset, size, buffer),
      fetch: ({ header, offset, size }, signal) =>
        this.answers.fetch(header.node.id, header.node.version, offset, size, signal),
      answer: ({ header, offset, size }, outcome, bytes) => {
        if (typeof outcome === 'number') this.data(header, bytes, outcome);
        else this.error(header, errnoNumber(outcome));
        if (outcome === 'deadline_exceeded') {
          this.answers.gaveUp(header.node.id, header.node.version, offset, size);
        }
      },
    });
  }

  /** Requests that wait for a disk or an origin. */
  get waiting(): number {
    return this.pending.size + this.opens.waiting;
  }

  /** Answers what still waits, as the mount ends. */
  cancelAll(): void {
    this.pending.cancelAll('origin_unavailable');
    this.opens.settleAll();
  }

  /** Forgets what still waits without an answer: the next life of the session is sent it again. */
  abandonAll(): void {
    this.pending.abandonAll();
    this.opens.abandonAll();
  }

  /** A damaged catalog fails the request (never ENOENT), not the thread; anything else that throws is a bug. */
  serve(request: Request): void {
    try {
      this.answer(request);
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
      this.options.counters.add('catalogErrors', 1);
      this.error(request, errnoNumber('catalog_corrupt'));
    }
  }

  /** Fails a request that must not be tried. */
  refuse(request: Request): void {
    if (request.type === 'read') {
      this.answers.gaveUp(request.node.id, request.node.version, request.offset, request.size);
    }
    this.error(request, EIO);
  }

  private answer(request: Request): void {
    const { id, version } = request.node;
    switch (request.type) {
      case 'init':
        return this.options.onInit(request);
      case 'lookup':
        return this.lookup(request);
      case 'getattr': {
        const node = this.answers.attributes(id, version);
        if (typeof node === 'string') return this.error(request, errnoNumber(node));
        return this.send(reply.encodeAttributes(this.out, request, this.shown(node), this.ttlOf(node)));
      }
      case 'open':
        return this.open(request);
      case 'read':
        return this.read(request);
      case 'release':
        this.error(request, 0);
        return this.opens.release(request.node);
      case 'readdir':
      case 'readdirplus':
        return this.list(request);
      case 'opendir':
        if (this.options.hasNoOpendir()) return this.error(request, ENOSYS);
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
        for (const node of request.nodes) this.opens.forget(node); // no reply
        return;
    }
  }

  private lookup(request: Extract<Request, { type: 'lookup' }>): void {
    const node = this.answers.lookup(request.node.id, request.node.version, request.name);
    if (node === 'not_found') {
      return this.send(reply.encodeNegativeEntry(this.out, request, limits.negativeTtlSeconds));
    }
    if (typeof node === 'string') return this.error(request, errnoNumber(node));
    // Notifications carry a name as it is stored: another spelling of it (NFD) must be asked for again each time.
    const isAsStored = !('name' in node) || request.name.equals(Buffer.from(node.name));
    const isGone = 'isGone' in node;
    const ttlSeconds = isGone ? limits.negativeTtlSeconds : isAsStored ? this.ttlOf(node) : 0;
    this.send(reply.encodeEntry(this.out, request, this.shown(node), ttlSeconds));
  }

  private open(request: Extract<Request, { type: 'open' }>): void {
    const { id, version } = request.node;
    if ((request.flags & accessModes) !== 0) return this.error(request, EROFS);
    const refusal = this.answers.open(id, version);
    // ESTALE makes the kernel look the path up again and open what is there now.
    if (refusal !== null)
      return this.error(request, refusal === 'version_gone' ? ESTALE : errnoNumber(refusal));
    const { node, uniqueLow, uniqueHigh } = request;
    this.opens.open(node, (backingId) => {
      const cached = this.answers.isVolatile(node.id) ? openFlag.directIo : openFlag.keepCache;
      const how = backingId === noBacking ? cached : openFlag.passthrough;
      const unique = { uniqueLow, uniqueHigh };
      const length = reply.encodeOpen(this.out, unique, version, how | openFlag.noFlush, backingId);
      // Its opener was killed meanwhile: no RELEASE will come.
      if (this.written(length) === -ENOENT) this.opens.release(node);
    });
  }

  private read(request: Extract<Request, { type: 'read' }>): void {
    const { offset } = request;
    if (offset < 0) return this.error(request, EINVAL);
    const size = Math.min(request.size, limits.readRequestBytes);
    if (this.options.failpoints.enabled) {
      const wait = this.options.failpoints.check('fuse.read.before-reply', String(request.node.id));
      if (wait?.type === 'hang') return;
    }
    const { id, version } = request.node;
    const outcome = this.answers.readNow(id, version, offset, size, this.area);
    if (outcome === 'wait') this.pending.start({ header: request, offset, size });
    else if (outcome === 'fetch') this.pending.start({ header: request, offset, size }, 'origin');
    else if (typeof outcome === 'number') this.data(request, this.area, outcome);
    else this.error(request, errnoNumber(outcome));
  }

  private list(request: Extract<Request, { type: 'readdir' | 'readdirplus' }>): void {
    const length = this.answers.inOneState(() =>
      encodeListing(this.out, request, this.answers, {
        directoryId: request.node.id,
        offset: request.offset,
        sizeBytes: Math.min(request.size, limits.readRequestBytes),
        isPlus: request.type === 'readdirplus',
        shown: (node) => this.shown(node),
      }),
    );
    if (length === null) return this.error(request, EINVAL);
    this.send(length);
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
    if (typeof value === 'string') return this.error(request, errnoNumber(value));
    if (request.size === 0) return this.send(reply.encodeXattrSize(this.out, request, value.length));
    if (value.length > request.size) return this.error(request, ERANGE);
    this.send(reply.encodeBytes(this.out, request, value));
  }

  private ttlOf({ id }: NodeAttributes): number {
    return this.answers.isVolatile(id) ? 0 : limits.entryTtlSeconds;
  }

  private shown(node: NodeAttributes): reply.ReplyAttributes {
    const { uid, gid, filePermissions, directoryPermissions } = this.options.ownership;
    return {
      ...node,
      ...{ uid, gid, permissions: node.isDirectory ? directoryPermissions : filePermissions },
      node: { id: node.id, version: node.version },
    };
  }

  private error(request: reply.Unique, errno: number): void {
    this.send(reply.encodeStatus(this.out, request, errno));
  }

  private data(request: reply.Unique, body: Uint8Array, length: number): void {
    reply.encodeDataHeader(this.header, request, length);
    this.checked(
      this.vector.write(this.options.deviceFd, this.header, structSize.outHeader, body, 0, length),
    );
  }

  private send(length: number): void {
    this.written(length);
  }

  /** Writes the reply in `out`. Returns what write(2) did: -ENOENT when nobody waits for it any more. */
  private written(length: number): number {
    return this.checked(this.vector.write(this.options.deviceFd, this.out, length));
  }

  /** ENOENT says that the request is gone (interrupted, aborted, answered before): fine. EINVAL is a bug of ours. */
  private checked(written: number): number {
    if (written === -EINVAL) this.options.counters.add('badReplies', 1);
    return written;
  }
}
