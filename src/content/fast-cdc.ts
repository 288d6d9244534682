// Where a run of bytes is cut into chunks: FastCDC with normalised chunking (Xia et al., USENIX ATC 2016; two bytes a step
// as in IEEE TPDS 2020, 31(9)). Used by the writer's runs. Pure: no clock, no disk.
//
// A fingerprint of 32 bits rolls over the bytes: fp = fp * 2 + gear[byte], so that a byte is forgotten after 32 further
// ones. The first 16 KiB of a chunk are skipped. From there up to 64 KiB a cut needs 18 bits of the fingerprint to be
// zero, behind that only 14, and at 256 KiB it is made anyway; the byte that completes the pattern is the last one of its
// chunk. So most chunks of music are 64 to 100 KiB long, and after a change of the file the cuts fall into step again.
// All of this is part of the cache's format; test/unit/content/fast-cdc.test.ts holds it to golden vectors.
//
// Two bytes a step: the fingerprint of the first byte is kept doubled and compared with a doubled mask, which saves a
// shift. The masks leave bit 31 free, so that nothing is lost by doubling.
import { gearTable } from './gear-table.ts';

export const minChunkBytes = 16 * 1024;
export const normalChunkBytes = 64 * 1024;
export const maxChunkBytes = 256 * 1024;

/** Bits 13 to 30: one position in 2^18 fits. */
const strictMask = 0x7fffe000;
/** Bits 17 to 30: one position in 2^14 fits. */
const looseMask = 0x7ffe0000;

const gear = Int32Array.from(gearTable, (value) => value | 0);
const doubledGear = Int32Array.from(gear, (value) => value << 1);

/** Bytes that are taken up before the next look for a cut: bounds what is moved to the front behind one. */
const stepBytes = 32 * 1024;

/**
 * Cuts one run, however it is handed over. What has been added and not yet cut is `pending`; `emit` gets a view that is
 * valid during the call only.
 */
export class Chunker {
  private readonly buffer = new Uint8Array(maxChunkBytes);
  private length = 0;
  /** Up to here no cut was found; even, as two bytes are looked at together. */
  private scanned = minChunkBytes;
  private fingerprint = 0;

  /** The beginning of the next chunk, as far as it is known: a view that the next call changes. */
  get pending(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  get pendingBytes(): number {
    return this.length;
  }

  add(bytes: Uint8Array, emit: (chunk: Uint8Array) => void): void {
    for (let taken = 0; taken < bytes.length; ) {
      const count = Math.min(stepBytes, bytes.length - taken, maxChunkBytes - this.length);
      this.buffer.set(
        taken === 0 && count === bytes.length ? bytes : bytes.subarray(taken, taken + count),
        this.length,
      );
      this.length += count;
      taken += count;
      for (let cut = this.findCut(); cut > 0; cut = this.findCut()) this.cutAt(cut, emit);
    }
  }

  /** What is pending becomes a chunk: the file ends here, or somebody cannot wait for a cut. */
  finish(emit: (chunk: Uint8Array) => void): void {
    if (this.length > 0) this.cutAt(this.length, emit);
  }

  /** Forgets what is pending. */
  reset(): void {
    this.length = 0;
    this.scanned = minChunkBytes;
    this.fingerprint = 0;
  }

  private cutAt(end: number, emit: (chunk: Uint8Array) => void): void {
    emit(this.buffer.subarray(0, end));
    this.buffer.copyWithin(0, end, this.length);
    const left = this.length - end;
    this.reset();
    this.length = left;
  }

  /** The length of the chunk that begins the buffer, or 0 while its end is not known. */
  private findCut(): number {
    const { buffer, length } = this;
    let at = this.scanned;
    let fingerprint = this.fingerprint;
    for (const [region, mask] of regions) {
      const end = Math.min(length & ~1, region);
      const doubledMask = mask << 1;
      while (at < end) {
        fingerprint = ((fingerprint << 2) + (doubledGear[buffer[at] as number] as number)) | 0;
        if ((fingerprint & doubledMask) === 0) return at + 1;
        fingerprint = (fingerprint + (gear[buffer[at + 1] as number] as number)) | 0;
        if ((fingerprint & mask) === 0) return at + 2;
        at += 2;
      }
    }
    this.scanned = at;
    this.fingerprint = fingerprint;
    return length === maxChunkBytes ? maxChunkBytes : 0;
  }
}

const regions = [
  [normalChunkBytes, strictMask],
  [maxChunkBytes, looseMask],
] as const;
