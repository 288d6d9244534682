// Verified chunks in memory, the most recently used ones, for the fuse thread. Buffers are used again rather than made
// anew: making one of 64 KiB costs as much as hashing it.

/** Buffers come in sizes of this and its multiples. */
const unitBytes = 16 * 1024;
const evictedForFit = 4;

export class MemoryTier {
  private readonly mostBytes: number;
  /** The least recently used first. */
  private readonly entries = new Map<number, Buffer>();
  private readonly spare = new Map<number, Buffer[]>();
  /** Of all buffers, used or spare. */
  private bytes = 0;

  constructor(mostBytes: number) {
    this.mostBytes = mostBytes;
  }

  get heldBytes(): number {
    return this.bytes;
  }

  /** The chunk's buffer, whose first bytes are the chunk; valid until the next `take`. */
  get(chunk: number): Buffer | undefined {
    const buffer = this.entries.get(chunk);
    if (buffer === undefined) return undefined;
    this.entries.delete(chunk);
    this.entries.set(chunk, buffer);
    return buffer;
  }

  /** A buffer of at least so many bytes, for `put` or `give`. What is least recently used makes room. */
  take(lengthBytes: number): Buffer {
    const capacity = Math.ceil(lengthBytes / unitBytes) * unitBytes;
    for (let evicted = 0; ; evicted += 1) {
      const spare = this.fitting(capacity);
      if (spare !== undefined) return spare;
      if (this.bytes + capacity <= this.mostBytes) break;
      // What goes first may fit: only when several did not, others are dropped for one that does.
      if (evicted < evictedForFit ? !this.evict() : !this.makeRoom(capacity)) break;
    }
    this.bytes += capacity;
    return Buffer.allocUnsafeSlow(capacity);
  }

  put(chunk: number, buffer: Buffer): void {
    const known = this.entries.get(chunk);
    this.entries.delete(chunk);
    this.entries.set(chunk, buffer);
    if (known !== undefined) this.keepSpare(known);
    this.trim();
  }

  /** A buffer that was taken and is not needed after all. */
  give(buffer: Buffer): void {
    this.keepSpare(buffer);
    this.trim();
  }

  clear(): void {
    this.entries.clear();
    this.spare.clear();
    this.bytes = 0;
  }

  /** The smallest spare buffer that is large enough, and not twice as large. */
  private fitting(capacity: number): Buffer | undefined {
    for (let size = capacity; size <= 2 * capacity; size += unitBytes) {
      const spare = this.spare.get(size)?.pop();
      if (spare !== undefined) return spare;
    }
    return undefined;
  }

  /** Buffers that several took at once may be more than there is room for. */
  private trim(): void {
    while (this.bytes > this.mostBytes && (this.dropSpare(0) || this.evict()));
  }

  /** Frees the least recently used chunk, or a spare buffer of another size. */
  private makeRoom(capacity: number): boolean {
    return this.dropSpare(capacity) || this.evict();
  }

  private evict(): boolean {
    for (const [chunk, buffer] of this.entries) {
      this.entries.delete(chunk);
      this.keepSpare(buffer);
      return true;
    }
    return false;
  }

  private keepSpare(buffer: Buffer): void {
    const alike = this.spare.get(buffer.length) ?? [];
    this.spare.set(buffer.length, alike);
    alike.push(buffer);
  }

  private dropSpare(exceptCapacity: number): boolean {
    for (const [capacity, buffers] of this.spare) {
      if (capacity === exceptCapacity || buffers.pop() === undefined) continue;
      this.bytes -= capacity;
      return true;
    }
    return false;
  }
}
