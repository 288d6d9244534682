// Reads one open file in few, bounded, synchronous requests and keeps what it read. Used in the parser's child only:
// a read that never returns blocks the child, and the child can be killed.
//
// The head comes in one request, the tail of a longer file in a second one, which counts for the fingerprint. What
// lies between is fetched on demand, counted for the tags, and ends in ReadLimitError when the file wants too much.
import { readSync } from 'node:fs';
import { parserLimits } from './parser-limits.ts';

export class ReadLimitError extends Error {}

/** Bytes that only the origin has; `BoundedReader.needs` says which. */
export class NeedsMoreError extends Error {}

/** Bytes of a file from `offset` on. */
export interface HeldRange {
  readonly offset: number;
  readonly lengthBytes: number;
}

interface Window {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface ReadCounts {
  tagBytes: number;
  fingerprintBytes: number;
  requests: number;
}

const headArea = new Uint8Array(parserLimits.headBytes);
const tailArea = new Uint8Array(parserLimits.tailBytes);

export class BoundedReader {
  readonly size: number;
  readonly counts: ReadCounts = { tagBytes: 0, fingerprintBytes: 0, requests: 0 };
  /** What was asked for and is not held: the reading ends there. */
  needs: HeldRange | null = null;
  private readonly fd: number;
  /** What of the file is there; null: all of it. */
  private readonly heldRanges: readonly HeldRange[] | null;
  private readonly windows: Window[] = [];
  private followUpBytes: number = parserLimits.followUpMinBytes;
  /** Where the last read between head and tail ended. */
  private followUpEnd: number = parserLimits.headBytes;
  private tagRequests = 0;

  /** One reader at a time: head and tail share their memory with the next one. */
  constructor(fd: number, size: number, heldRanges: readonly HeldRange[] | null = null) {
    this.fd = fd;
    this.size = size;
    this.heldRanges = heldRanges;
    const head = this.request(headArea, 0, Math.min(size, headArea.length));
    this.counts.tagBytes += head.bytes.length;
    const tailStart = Math.max(size - tailArea.length, headArea.length);
    if (tailStart < size) {
      const tail = this.request(tailArea, tailStart, size - tailStart);
      this.counts.fingerprintBytes += tail.bytes.length;
    }
  }

  /** Up to `length` bytes for the tags; fewer only at the end of the file. Throws ReadLimitError. */
  readonly read = (offset: number, length: number): Uint8Array => {
    const wanted = Math.max(Math.min(length, this.size - offset), 0);
    const held = this.held(offset, wanted);
    if (held !== null) return held;
    // What was read before is not read again: only what follows it. A gap that is shorter than this read comes along, as
    // who walks in steps (the pages of Ogg) comes back for it.
    const missing = offset + this.heldFrom(offset, wanted);
    const isNear = missing > this.followUpEnd && missing - this.followUpEnd <= this.followUpBytes;
    const from = isNear ? this.followUpEnd : missing;
    const bytes = Math.min(Math.max(offset + wanted - from, this.followUpBytes), this.size - from);
    if (
      this.tagRequests >= parserLimits.fileRequests ||
      this.counts.tagBytes + bytes > parserLimits.fileBytes
    ) {
      throw new ReadLimitError('the tags need more reading than is allowed');
    }
    this.tagRequests += 1;
    this.followUpBytes = Math.min(this.followUpBytes * 2, parserLimits.followUpMaxBytes);
    const window = this.request(new Uint8Array(bytes), from, bytes);
    this.counts.tagBytes += window.bytes.length;
    this.followUpEnd = from + window.bytes.length;
    return this.held(offset, wanted) ?? this.joined(offset, this.heldFrom(offset, wanted));
  };

  /** The same for the fingerprint: counted apart and without limit, as its callers ask for 32 KiB a file. */
  readonly readForFingerprint = (offset: number, length: number): Uint8Array => {
    const wanted = Math.max(Math.min(length, this.size - offset), 0);
    const held = this.held(offset, wanted);
    if (held !== null) return held;
    const window = this.request(new Uint8Array(wanted), offset, wanted);
    this.counts.fingerprintBytes += window.bytes.length;
    return window.bytes;
  };

  private isThere(offset: number, length: number): boolean {
    return (
      this.heldRanges === null ||
      this.heldRanges.some(
        (range) => range.offset <= offset && offset + length <= range.offset + range.lengthBytes,
      )
    );
  }

  private held(offset: number, length: number): Uint8Array | null {
    for (const window of this.windows) {
      const start = offset - window.offset;
      if (start >= 0 && start + length <= window.bytes.length) {
        return window.bytes.subarray(start, start + length);
      }
    }
    if (length === 0) return new Uint8Array();
    return this.heldFrom(offset, length) < length ? null : this.joined(offset, length);
  }

  /** How many of these bytes are held from the first one on, in one window or in several. */
  private heldFrom(offset: number, length: number): number {
    let at = offset;
    for (;;) {
      const end = this.windowAt(at)?.end ?? at;
      if (end === at || end - offset >= length) return Math.min(end - offset, length);
      at = end;
    }
  }

  /** A copy of bytes that are held in several windows. */
  private joined(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = offset; at < offset + length; ) {
      const found = this.windowAt(at);
      if (found === undefined) return bytes.subarray(0, at - offset);
      const { window, end } = found;
      bytes.set(window.bytes.subarray(at - window.offset, offset + length - window.offset), at - offset);
      at = end;
    }
    return bytes;
  }

  /** The window with the byte at this offset that goes on longest, and its end. */
  private windowAt(offset: number): { readonly window: Window; readonly end: number } | undefined {
    let best: { window: Window; end: number } | undefined;
    for (const window of this.windows) {
      const end = window.offset + window.bytes.length;
      if (window.offset <= offset && offset < end && end > (best?.end ?? offset)) best = { window, end };
    }
    return best;
  }

  /** Whether these bytes stand, one after the other, in what was read of the file. */
  readonly hasRead = (bytes: Buffer): boolean =>
    this.windows.some(({ bytes: { buffer, byteOffset, length } }) =>
      Buffer.from(buffer, byteOffset, length).includes(bytes),
    );

  private request(area: Uint8Array, offset: number, length: number): Window {
    if (this.needs !== null || !this.isThere(offset, length)) {
      this.needs ??= { offset, lengthBytes: length };
      throw new NeedsMoreError('those bytes are not here');
    }
    let filled = 0;
    while (filled < length) {
      const count = readSync(this.fd, area, filled, length - filled, offset + filled);
      this.counts.requests += 1;
      // Shorter than fstat said: the file is being cut while we read it.
      if (count === 0) break;
      filled += count;
    }
    const window = { offset, bytes: area.subarray(0, filled) };
    this.windows.push(window);
    return window;
  }
}
