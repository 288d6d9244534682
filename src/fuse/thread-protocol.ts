// Between the fuse-handler actor (main thread) and the fuse thread: messages, and the counters both see.
//
// The counters lie in shared memory, so that status never asks the fuse thread anything: slot 0 is its heartbeat (an
// Int32 that must move at least once a second), the rest are doubles written by the fuse thread alone.

import type { MessagePort } from 'node:worker_threads';
import type { Ownership } from '../platform/fuse-settings.ts';
import type { Negotiated } from './protocol/init.ts';
import { opcode } from './protocol/opcodes.ts';

/** What the thread is to serve. */
export interface FuseThreadData {
  /** The session's descriptor on /dev/fuse; owned by the main thread, never closed by the fuse thread. */
  readonly deviceFd: number;
  /** An eventfd that wakes the fuse thread: something waits in its message queue. */
  readonly wakeFd: number;
  readonly catalogPath: string;
  readonly stateDirectory: string;
  /** So long a name that went still leads to its file. */
  readonly formerNameMs: number;
  readonly caseInsensitive: boolean;
  /** What the lives of a session leave to each other; see session-memory.ts. */
  readonly memoryFd: number;
  /** Origins whose files are not read where they lie. */
  readonly fetched: readonly string[];
  /** Holds cache.db and chunks/; null: nothing is kept. */
  readonly cacheDirectory: string | null;
  /** The kernel may read files of local origins itself. */
  readonly passthrough: boolean;
  readonly ownership: Ownership;
  readonly failpoints: boolean;
  /** What is armed from the beginning. */
  readonly armed: readonly string[];
  readonly counters: SharedArrayBuffer;
  /** What the special files show; see shared-texts.ts. */
  readonly texts: SharedArrayBuffer;
}

export type FuseCommand =
  /** The first message. */
  | { readonly type: 'begin'; readonly data: FuseThreadData }
  /** See KernelSession.stop. */
  | { readonly type: 'stop'; readonly how: 'end' | 'hand-over' }
  /** A fetch thread is there, behind that port. */
  | { readonly type: 'connect'; readonly port: MessagePort }
  | { readonly type: 'set-failpoint'; readonly setting: string }
  | { readonly type: 'clear-failpoints' };

export type FuseEvent =
  /** The session is being served: INIT has been answered, or an agreed session was adopted. */
  | { readonly type: 'serving'; readonly negotiated: Negotiated }
  /** The first request of this life has been answered. */
  | { readonly type: 'answering' }
  /** Somebody opened `/.musicfs/refresh`. */
  | { readonly type: 'refresh-asked' }
  | { readonly type: 'stopped' }
  /** The kernel ended the session: ENODEV (unmounted) or ECONNABORTED. */
  | { readonly type: 'session-ended'; readonly errno: string }
  | { readonly type: 'failpoint-hits'; readonly hits: Readonly<Record<string, number>> };

const operations = Object.keys(opcode) as (keyof typeof opcode)[];
const slotOf = new Map<number, number>(operations.map((name, index) => [opcode[name], index]));
const named = [
  'statements',
  'openHandles',
  'passthroughOpens',
  'originOpens',
  'cachedReads',
  'waitedReads',
  'bytesRead',
  'bytesFetched',
  'cacheHits',
  'cacheMisses',
  'cacheBytes',
  'badReplies',
  'catalogErrors',
  'deadlyRequests',
  /** Written by the main thread: files that nobody reads are to be closed. */
  'descriptorsScarce',
] as const;

type NamedCounter = (typeof named)[number];

/** The doubles behind those of the operations and of unknown ones. */
const namedSlots = Object.fromEntries(
  named.map((name, index) => [name, operations.length + 1 + index]),
) as Record<NamedCounter, number>;

/** A view of the shared counters. */
export class FuseCounters {
  readonly memory: SharedArrayBuffer;
  private readonly heartbeatView: Int32Array;
  private readonly values: Float64Array;

  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(8 * (2 + operations.length + named.length));
    this.heartbeatView = new Int32Array(this.memory, 0, 1);
    this.values = new Float64Array(this.memory, 8);
  }

  beat(): void {
    Atomics.add(this.heartbeatView, 0, 1);
  }

  heartbeat(): number {
    return Atomics.load(this.heartbeatView, 0);
  }

  countRequest(operation: number): void {
    const slot = slotOf.get(operation) ?? operations.length;
    this.values[slot] = (this.values[slot] ?? 0) + 1;
  }

  set(name: NamedCounter, value: number): void {
    this.values[namedSlots[name]] = value;
  }

  add(name: NamedCounter, value: number): void {
    this.set(name, this.get(name) + value);
  }

  get(name: NamedCounter): number {
    return this.values[namedSlots[name]] ?? 0;
  }

  /** How many requests there have been. */
  allRequests(): number {
    return Object.values(this.requests()).reduce((sum, count) => sum + count, 0);
  }

  /** All counters, for a process that shares no memory with the main thread. */
  toArray(): number[] {
    return [...this.values];
  }

  /** Counters that came from such a process: its sign of life. */
  replace(counters: readonly number[]): void {
    this.values.set(counters.slice(0, this.values.length));
    this.beat();
  }

  /** Requests by operation, in lower case, those that never came left out. */
  requests(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const [index, name] of operations.entries()) {
      const count = this.values[index] ?? 0;
      if (count > 0) counts[name.toLowerCase()] = count;
    }
    const others = this.values[operations.length] ?? 0;
    if (others > 0) counts['other'] = others;
    return counts;
  }
}
