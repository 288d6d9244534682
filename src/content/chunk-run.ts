// One sequential run of bytes of a file on its way into the cache. Used by the fetcher on the fetch thread, one for each
// transfer; the store makes it (`ChunkStore.beginRun`).
//
// The run is cut where fast-cdc.ts says. A run that begins at the file's start, or where a chunk with true ends stops, is
// cut like the whole file; any other begins with an edge. `flush` records what is not cut yet as an edge too, and goes on
// as if it had not: the chunk that comes of it takes the edge's place. While the store does not write, bytes are given up
// as they come, and the run begins anew behind them.
import { MusicfsError } from '../platform/errors.ts';
import type { ContentKey } from './content-key.ts';
import { Chunker } from './fast-cdc.ts';
import type { GroupWriter } from './group-writer.ts';
import type { Hash64 } from './manifest-page.ts';

/** Which file a run is of. */
export interface RunFile {
  readonly sizeBytes: number;
  readonly originId: string;
}

export interface ChunkRun {
  /** The next bytes of the run; what lies behind the file's end is ignored. Takes a millisecond for each 2 MB. Keeps none of it. */
  add(bytes: Uint8Array): void;
  /** Bytes in memory that are neither recorded nor given up: for back-pressure. */
  readonly uncommittedBytes: number;
  /**
   * Records everything that was added. Resolves to where the run is then, up to which everything is recorded or given
   * up; within a group's time, or what the disk's time limit makes of it. Rejects for a bug only.
   */
  flush(): Promise<number>;
  /** Flushes and forgets the run. May be called twice; nothing may be added after it. */
  end(): Promise<void>;
  /** Up to here everything is recorded, or given up because the store does not write. */
  committedTo(): number;
}

export interface RunParts {
  readonly content: ContentKey;
  readonly file: RunFile;
  readonly offset: number;
  /** Whether the whole file would be cut at `offset`. */
  readonly beginsAtCut: boolean;
  readonly hash: Hash64;
  readonly writer: GroupWriter;
  readonly isWriting: () => boolean;
  /** The file has no bytes: that is all there is to record. */
  readonly recordEmpty: () => void;
}

export class StoreRun implements ChunkRun {
  private readonly parts: RunParts;
  private chunker: Chunker | null = null;
  /** Where the next byte goes. */
  private position: number;
  /** Where the chunk that is not cut yet begins, and whether that is a cut. */
  private chunkStart: number;
  private startsAtCut: boolean;
  /** Up to here what is not cut yet was recorded as an edge. */
  private edgeEnd = 0;
  private queued = 0;
  private queuedBytes = 0;
  private settledTo: number;
  /** Given up, behind chunks that are still on their way. */
  private gaveUpTo = 0;
  private hasEnded = false;

  constructor(parts: RunParts) {
    this.parts = parts;
    this.position = parts.offset;
    this.chunkStart = parts.offset;
    this.startsAtCut = parts.beginsAtCut;
    this.settledTo = parts.offset;
  }

  add(bytes: Uint8Array): void {
    if (this.hasEnded) throw new MusicfsError('internal', 'bytes for a run that has ended');
    const left = this.parts.file.sizeBytes - this.position;
    const taken = bytes.length <= left ? bytes : bytes.subarray(0, Math.max(0, left));
    if (taken.length === 0) return;
    this.position += taken.length;
    if (!this.parts.isWriting()) return this.giveUp();
    this.chunker ??= new Chunker();
    this.chunker.add(taken, this.cut);
    if (this.position === this.parts.file.sizeBytes) this.chunker.finish(this.cut);
  }

  get uncommittedBytes(): number {
    return this.queuedBytes + Math.max(0, this.position - Math.max(this.chunkStart, this.edgeEnd));
  }

  async flush(): Promise<number> {
    const { file, writer, isWriting, recordEmpty } = this.parts;
    if (file.sizeBytes === 0) recordEmpty();
    if (this.position > Math.max(this.chunkStart, this.edgeEnd)) {
      if (isWriting() && this.chunker !== null) {
        this.queue(this.chunker.pending, this.chunkStart, true);
        this.edgeEnd = this.position;
      } else this.giveUp();
    }
    await writer.settle();
    return this.settledTo;
  }

  async end(): Promise<void> {
    if (this.hasEnded) return;
    this.hasEnded = true;
    try {
      await this.flush();
    } finally {
      this.chunker = null;
    }
  }

  committedTo(): number {
    return this.settledTo;
  }

  private readonly cut = (chunk: Uint8Array): void => {
    this.queue(chunk, this.chunkStart, !this.startsAtCut);
    this.chunkStart += chunk.length;
    this.startsAtCut = true;
  };

  private queue(view: Uint8Array, offset: number, isEdge: boolean): void {
    const { content, file, hash, writer } = this.parts;
    const bytes = writer.buffers.take(view.length);
    bytes.set(view);
    const end = offset + bytes.length;
    const settled = () => {
      writer.buffers.give(bytes);
      this.queued -= 1;
      this.queuedBytes -= bytes.length;
      this.settledTo = Math.max(this.settledTo, end);
      if (this.queued === 0) this.settledTo = Math.max(this.settledTo, this.gaveUpTo);
    };
    const isTaken = writer.add({ content, file, offset, bytes, hash: hash(view), isEdge, settled });
    if (!isTaken) {
      writer.buffers.give(bytes);
      return this.skipTo(end);
    }
    this.queued += 1;
    this.queuedBytes += bytes.length;
  }

  /** The store does not write: what is not cut yet will not be kept. */
  private giveUp(): void {
    this.chunker?.reset();
    this.chunkStart = this.position;
    this.startsAtCut = false;
    this.skipTo(this.position);
  }

  private skipTo(offset: number): void {
    if (this.queued === 0) this.settledTo = Math.max(this.settledTo, offset);
    else this.gaveUpTo = Math.max(this.gaveUpTo, offset);
  }
}
