// Buffers that are used again and again. The engine counts the bytes of every new buffer and collects its whole heap for
// each few of them: where bytes stream through, that took as much time as all the rest (measured: a core of two, 95
// collections for 512 MB).
//
// Whoever takes a buffer gives it back once, when nobody looks at it any more. One that is never given back is collected
// like any other.

export class BufferPool<Memory extends ArrayBuffer | SharedArrayBuffer> {
  private readonly stepBytes: number;
  private readonly allocate: (sizeBytes: number) => Memory;
  private readonly free = new Map<number, Memory[]>();
  private wasUsed = false;

  /** Buffers come in multiples of `stepBytes`. */
  constructor(stepBytes: number, allocate: (sizeBytes: number) => Memory) {
    this.stepBytes = stepBytes;
    this.allocate = allocate;
  }

  /** So many bytes, which hold anything. */
  take(lengthBytes: number): Uint8Array<Memory> {
    this.wasUsed = true;
    const sizeBytes = Math.ceil(lengthBytes / this.stepBytes) * this.stepBytes;
    const memory = this.free.get(sizeBytes)?.pop() ?? this.allocate(sizeBytes);
    return new Uint8Array(memory, 0, lengthBytes);
  }

  /** What `take` returned. */
  give({ buffer }: Uint8Array<Memory>): void {
    const alike = this.free.get(buffer.byteLength);
    if (alike === undefined) this.free.set(buffer.byteLength, [buffer]);
    else alike.push(buffer);
  }

  /** Called now and then: what is free goes when nothing was taken since the last time. */
  trim(): void {
    if (!this.wasUsed) this.free.clear();
    this.wasUsed = false;
  }
}

/** Of this thread alone: copying is faster by a half. */
export const ownMemory = (sizeBytes: number): ArrayBuffer => Buffer.allocUnsafeSlow(sizeBytes).buffer;
/** For other threads to look at. */
export const sharedMemory = (sizeBytes: number): SharedArrayBuffer => new SharedArrayBuffer(sizeBytes);
