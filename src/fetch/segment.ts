// A part of a file on its way: the bytes that have come so far, and who waits for them.
import { MusicfsError } from '../platform/errors.ts';

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
  /** Pieces up to here were given to the store. */
  fedPieces = 0;
  failure: unknown = null;
  /** Ends the transfer; another one for another transfer. */
  abort = new AbortController();
  private readonly pieces: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  private readonly waiters = new Set<Waiter>();

  constructor(offset: number, end: number) {
    this.offset = offset;
    this.end = end;
    this.arrivedTo = offset;
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

  /** The buffer becomes the segment's. */
  push(bytes: Uint8Array): void {
    this.pieces.push({ at: this.arrivedTo, bytes });
    this.arrivedTo += bytes.length;
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

  /** Pieces that were not given to the store yet. */
  takeUnfed(): Uint8Array[] {
    const unfed = this.pieces.slice(this.fedPieces).map(({ bytes }) => bytes);
    this.fedPieces = this.pieces.length;
    return unfed;
  }

  /** Copies what it has of the range from `offset` on into `area`. Returns how many bytes. */
  copy(offset: number, end: number, area: Uint8Array): number {
    const from = Math.max(offset, this.offset);
    const to = Math.min(end, this.arrivedTo);
    if (from !== offset || to <= from) return 0;
    let piece = this.pieceOf(from);
    for (let at = from; at < to; piece += 1) {
      const held = this.pieces[piece];
      if (held === undefined) throw new MusicfsError('internal', 'a segment lost a piece');
      const part = held.bytes.subarray(at - held.at, to - held.at);
      area.set(part, at - from);
      at += part.length;
    }
    return to - from;
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

  /** The last piece that begins at or before `offset`. */
  private pieceOf(offset: number): number {
    let low = 0;
    let high = this.pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.pieces[middle]?.at ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
