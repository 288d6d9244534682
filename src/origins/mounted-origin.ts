// A directory on a mounted share (NFS, SMB, or whatever else may hang in the kernel) as an origin. Every file call is made
// in a process of its own, one at a time for the origin, which is started with the first call and ends when nobody calls.
//
// An aborted call rejects at once; the process then has a second to say that it stopped. If it does not, a system call hangs
// in there: it is killed and the next call gets a new one. Calls that were in it fail with `origin_unavailable`. A process
// that does not even die hangs in the kernel and is left behind; with four of them no new one is started, as each costs
// memory that nobody can get back, until one of them is gone.
//
// Nothing of the daemon itself ever waits for the share.
import { baseNameOf, type RealPath, realPath } from '../library/real-path.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { codeOf, MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { type CallMessage, type HostCall, HostChild } from './host-child.ts';
import type { HostRequest, HostResult } from './host-protocol.ts';
import { capabilitiesOf, type MountedKind } from './local-files.ts';
import type { FileVersion, IsWanted, Origin, OriginCapabilities, OriginEntry } from './origin.ts';
import { refuseBadPath, refuseBadRange } from './refuse-path.ts';
import { untilAborted } from './until-aborted.ts';

export interface MountedOriginOptions {
  readonly id: string;
  /** `local`: a directory on a file system that is neither NFS nor SMB, but may hang as these do. */
  readonly kind: MountedKind;
  /** Absolute path of the directory. */
  readonly root: string;
  /** What `identity` found when the origin was first scanned; null: whatever is mounted there is right. */
  readonly expectedIdentity: string | null;
  readonly clock?: Clock;
  readonly idleMs?: number;
}

/** A process that was killed, or let go, and is not gone yet. */
interface Departing {
  readonly child: HostChild;
  readonly sinceMs: number;
}

export class MountedOrigin implements Origin {
  readonly id: string;
  readonly kind: MountedKind;
  readonly displayName: string;
  readonly capabilities: OriginCapabilities;
  private readonly root: string;
  private readonly expectedIdentity: string | null;
  private readonly clock: Clock;
  private readonly idleMs: number;
  mountIdentity: string | null = null;
  /** What files were seen on in this life, while nothing was known from before. */
  private seenOn: string | null = null;
  private readonly closing = new AbortController();
  private child: HostChild | null = null;
  private readonly departing = new Set<Departing>();
  private undoIdle: (() => void) | null = null;

  constructor({ id, kind, root, expectedIdentity, clock, idleMs }: MountedOriginOptions) {
    this.id = id;
    this.kind = kind;
    this.capabilities = capabilitiesOf(kind);
    this.root = root;
    this.expectedIdentity = expectedIdentity;
    this.displayName = `${kind} ${root}`;
    this.clock = clock ?? systemClock;
    this.idleMs = idleMs ?? limits.hostIdleMs;
  }

  /** The process that serves it now, null when there is none. */
  get hostPid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Processes that were killed and are not gone. */
  get abandoned(): number {
    return this.departing.size;
  }

  async *list(
    directory: RealPath,
    isWanted: IsWanted,
    caller: AbortSignal,
  ): AsyncGenerator<readonly OriginEntry[]> {
    refuseBadPath(directory);
    const signal = this.signalOf(caller);
    const { call, first } = await this.begun({ type: 'list', path: directory }, signal);
    let hasEntries = false;
    try {
      let owed = 0;
      for (let next = first; ; next = await call.next(signal)) {
        const message = resultOrThrow(next);
        if (message.type === 'done') break;
        if (message.type === 'names') {
          owed = limits.listingPageEntries;
          call.answer(message.names.map(isWanted));
        } else if (message.type === 'page' && message.entries.length <= owed) {
          owed = 0;
          hasEntries ||= message.entries.length > 0;
          yield message.entries;
        } else throw call.refuse('what is no listing');
      }
    } finally {
      call.leave();
    }
    if (hasEntries) await this.rememberMount(caller);
  }

  async stat(path: RealPath, caller: AbortSignal): Promise<OriginEntry> {
    refuseBadPath(path);
    const { call, result } = await this.answered({ type: 'stat', path }, caller);
    if (result !== null && typeof result !== 'string' && result.name === baseNameOf(path)) return result;
    throw call.refuse('what was not looked for');
  }

  async followLink(path: RealPath, caller: AbortSignal): Promise<RealPath | null> {
    refuseBadPath(path);
    const { call, result } = await this.answered({ type: 'follow', path }, caller);
    if (result === null) return null;
    if (typeof result !== 'string') throw call.refuse('what is no path');
    try {
      return realPath(result);
    } catch {
      throw call.refuse('a path that leaves the root');
    }
  }

  async *readRange(
    path: RealPath,
    version: FileVersion,
    offset: number,
    lengthBytes: number,
    caller: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    refuseBadPath(path);
    refuseBadRange(offset, lengthBytes);
    const signal = this.signalOf(caller);
    let owed = Math.min(lengthBytes, version.sizeBytes - offset);
    if (owed <= 0) return;
    const { sizeBytes, mtimeNs, etag } = version; // whatever else the caller's value may hold
    const request = {
      type: 'read',
      path,
      version: { sizeBytes, mtimeNs, etag },
      offset,
      lengthBytes: owed,
    } as const;
    const { call, first } = await this.begun({ ...request, creditBytes: limits.hostCreditBytes }, signal);
    try {
      for (let next = first; ; next = await call.next(signal)) {
        const message = resultOrThrow(next);
        if (message.type === 'done' && owed === 0) return;
        if (message.type !== 'bytes' || message.bytes.length > owed)
          throw call.refuse('another number of bytes');
        owed -= message.bytes.length;
        const { length } = message.bytes; // the buffer is the receiver's from now on
        yield message.bytes;
        call.giveCredit(length);
      }
    } finally {
      call.leave();
    }
  }

  /** statfs of the root, in the process. Rejects with `origin_unavailable` when something else is mounted there. */
  async probe(signal: AbortSignal): Promise<void> {
    const found = await this.identity(signal);
    this.mountIdentity = found;
    const expected = this.expectedIdentity ?? this.seenOn;
    if (expected === null || found === expected) return;
    throw new MusicfsError(
      'origin_unavailable',
      `${this.displayName}: not mounted: it was on "${expected}", and is on "${found}"`,
    );
  }

  /** The same was mounted before files were listed and afterwards: from now on what lies there without it is not the share. */
  private async rememberMount(signal: AbortSignal): Promise<void> {
    if (this.expectedIdentity !== null || this.seenOn !== null || this.mountIdentity === null) return;
    const before = this.mountIdentity;
    try {
      if ((await this.identity(signal)) === before) this.seenOn = before;
    } catch (error) {
      if (codeOf(error) === 'internal') throw error; // otherwise the next listing remembers it
    }
  }

  /** What the root lies on, as a text to be kept and given as `expectedIdentity` later. Rejects as `probe`. */
  async identity(caller: AbortSignal): Promise<string> {
    const { call, result } = await this.answered({ type: 'identity' }, caller);
    if (typeof result === 'string') return result;
    throw call.refuse('what is no identity');
  }

  async close(): Promise<void> {
    this.closing.abort(new MusicfsError('origin_unavailable', `${this.displayName}: closed`));
    this.undoIdle?.();
    this.child?.kill('closed');
    const gone = Promise.all([...this.departing].map(({ child }) => child.gone));
    await new Promise<void>((resolve) => {
      void gone.then(() => resolve());
      this.clock.after(limits.hostDeathMs, resolve);
    });
  }

  private signalOf(caller: AbortSignal): AbortSignal {
    const signal = AbortSignal.any([caller, this.closing.signal]);
    signal.throwIfAborted();
    return signal;
  }

  private async answered(
    request: HostRequest,
    caller: AbortSignal,
  ): Promise<{ readonly call: HostCall; readonly result: HostResult }> {
    const signal = this.signalOf(caller);
    const { call, first } = await this.begun(request, signal);
    try {
      const message = resultOrThrow(first);
      if (message.type === 'done') return { call, result: message.result };
      throw call.refuse('what is no answer');
    } finally {
      call.leave();
    }
  }

  /**
   * Begins a call and waits for the first word about it. Once it is begun again in a new process, when the one that had
   * been idle turns out to have ended.
   */
  private async begun(
    request: HostRequest,
    signal: AbortSignal,
  ): Promise<{ readonly call: HostCall; readonly first: CallMessage }> {
    for (let isAgain = false; ; isAgain = true) {
      const wasIdle = this.child?.isUnused === true;
      const call = await this.begin(request, signal);
      try {
        return { call, first: await call.next(signal) };
      } catch (error) {
        call.leave();
        if (isAgain || !wasIdle || !call.isLost) throw error;
      }
    }
  }

  private async begin(request: HostRequest, signal: AbortSignal): Promise<HostCall> {
    while (this.child === null) await this.replace(signal);
    this.undoIdle?.();
    this.undoIdle = null;
    return this.child.begin(request);
  }

  private async replace(signal: AbortSignal): Promise<void> {
    if (this.departing.size >= limits.hostsAbandoned) await this.waitForRoom(signal);
    if (this.child !== null) return; // another call was faster
    const child: HostChild = new HostChild(
      { id: this.id, kind: this.kind, root: this.root },
      this.displayName,
      this.clock,
      { unused: () => this.closeWhenIdle(), over: () => this.departs(child) },
    );
    this.child = child;
  }

  /** One that was killed this very moment may only need its time to be gone. */
  private async waitForRoom(signal: AbortSignal): Promise<void> {
    const youngest = Math.max(...[...this.departing].map(({ sinceMs }) => sinceMs));
    const graceMs = youngest + limits.hostDeathMs - this.clock.monotonicMs();
    if (graceMs > 0) {
      const late = new Promise<void>((resolve) => void this.clock.after(graceMs, resolve));
      const gone = [...this.departing].map(({ child }) => child.gone);
      await untilAborted(Promise.race([late, ...gone]), signal);
    }
    if (this.departing.size < limits.hostsAbandoned) return;
    throw new MusicfsError(
      'origin_unavailable',
      `${this.displayName}: ${this.departing.size} processes hang in the kernel with system calls on it; no more are started`,
    );
  }

  /** It is remembered until it is gone. */
  private departs(child: HostChild): void {
    if (this.child === child) this.child = null;
    const departing = { child, sinceMs: this.clock.monotonicMs() };
    this.departing.add(departing);
    void child.gone.then(() => this.departing.delete(departing));
  }

  private closeWhenIdle(): void {
    this.undoIdle?.();
    this.undoIdle = this.clock.after(this.idleMs, () => {
      if (this.child?.isUnused === true) this.child.kill('nobody uses it');
    });
  }
}

/** A failure that the process told of is thrown here. */
function resultOrThrow(message: CallMessage): Exclude<CallMessage, { type: 'failed' }> {
  if (message.type === 'failed') throw new MusicfsError(message.code, message.message);
  return message;
}
