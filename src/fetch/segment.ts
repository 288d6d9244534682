// A part of a file on its way: the bytes that have come so far, and who waits for them.
import type { BufferPool } from '../platform/buffer-pool.ts';
import { MusicfsError } from '../platform/errors.ts';

/** Bytes of the buffers that a segment consists of. */
export const slabBytes = 256 * 1024;

interface Waiter {
  /** Satisfied when everything before it has come. */
  readonly end: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class Segment {
  readonly offset: number;
  readonly end: number;
  /** Bytes have come up to here. */
  arrivedTo: number;
  /** Bytes up to here were given to the store. */
  private fedTo: number;
  failure: unknown = null;
  /** Ends the transfer; another one for another transfer. */
  abort = new AbortController();
  private readonly pool: BufferPool<ArrayBuffer>;
  /** Each holds `slabBytes`, the last one what is left. */
  private slabs: Uint8Array<ArrayBuffer>[] = [];
  private isReleased = false;
  private readonly waiters = new Set<Waiter>();

  constructor(offset: number, end: number, pool: BufferPool<ArrayBuffer>) {
    this.offset = offset;
    this.end = end;
    this.arrivedTo = offset;
    this.fedTo = offset;
    this.pool = pool;
  }

  get isDone(): boolean {
    return this.arrivedTo === this.end;
  }

  get isWaitedFor(): boolean {
    return this.waiters.size > 0;
  }

  get heldBytes(): number {
    return this.arrivedTo - this.offset;
  }

  /** Takes the next bytes up, as far as they belong to it; keeps none of the buffer. */
  push(bytes: Uint8Array): void {
    if (this.isReleased) return;
    for (let taken = 0; taken < bytes.length && !this.isDone; ) {
      const at = this.arrivedTo - this.offset;
      const slab = Math.floor(at / slabBytes);
      const room = this.slabs[slab] ?? this.pool.take(Math.min(slabBytes, this.end - this.arrivedTo));
      this.slabs[slab] = room;
      const part = bytes.subarray(taken, taken + room.length - (at % slabBytes));
      room.set(part, at % slabBytes);
      taken += part.length;
      this.arrivedTo += part.length;
    }
    for (const waiter of this.waiters) {
      if (waiter.end > this.arrivedTo) continue;
      this.waiters.delete(waiter);
      waiter.resolve();
    }
  }

  fail(reason: unknown): void {
    this.failure = reason;
    for (const waiter of this.waiters) waiter.reject(reason);
    this.waiters.clear();
  }

  /** Calls `use` with the bytes that were not given to the store yet. It may keep none of the views. */
  feed(use: (bytes: Uint8Array) => void): void {
    if (this.isReleased) return;
    const from = this.fedTo;
    this.fedTo = this.arrivedTo;
    for (const part of this.parts(from, this.arrivedTo)) use(part);
  }

  /** Copies what it has of the range from `offset` on into `area`. Returns how many bytes. */
  copy(offset: number, end: number, area: Uint8Array): number {
    const from = Math.max(offset, this.offset);
    const to = Math.min(end, this.arrivedTo);
    if (from !== offset || to <= from || this.isReleased) return 0;
    let at = 0;
    for (const part of this.parts(from, to)) {
      area.set(part, at);
      at += part.length;
    }
    return at;
  }

  /** Its memory is another's from now on; what still comes is ignored. */
  release(): void {
    this.isReleased = true;
    for (const slab of this.slabs) this.pool.give(slab);
    this.slabs = [];
  }

  /** Resolves when everything before `end` has come. Rejects when the transfer failed, or when aborted. */
  wait(end: number, signal: AbortSignal): Promise<void> {
    if (this.arrivedTo >= end) return Promise.resolve();
    if (this.failure !== null) return Promise.reject(this.failure as Error);
    return new Promise((resolve, reject) => {
      const aborted = () => {
        this.waiters.delete(waiter);
        reject(signal.reason as Error);
        // The last one who waited gave up: nobody needs the rest.
        if (!this.isWaitedFor && !this.isDone) this.abort.abort(signal.reason);
      };
      const waiter: Waiter = {
        end,
        resolve: () => {
          signal.removeEventListener('abort', aborted);
          resolve();
        },
        reject: (reason) => {
          signal.removeEventListener('abort', aborted);
          reject(reason as Error);
        },
      };
      this.waiters.add(waiter);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  /** What has come between two offsets, in the buffers that it lies in. */
  private *parts(from: number, to: number): Generator<Uint8Array> {
    for (let at = from; at < to; ) {
      const inside = (at - this.offset) % slabBytes;
      const slab = this.slabs[Math.floor((at - this.offset) / slabBytes)];
      if (slab === undefined) throw new MusicfsError('internal', 'a segment lost a part');
      const part = slab.subarray(inside, inside + to - at);
      yield part;
      at += part.length;
    }
  }
}
