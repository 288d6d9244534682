// Lets music-metadata parse out of a BoundedReader: every wait is over at once, as the bytes are in memory or come by
// a synchronous read. A file that asks for more than it may is told that it ends there. Ranges that nobody will look at
// (pictures) are zeros instead of being read.
import { AbstractTokenizer, EndOfStreamError, type IReadChunkOptions } from 'strtok3';
import type { ByteRange } from '../library/id3-pictures.ts';
import { type BoundedReader, ReadLimitError } from './bounded-reader.ts';
import { parserLimits } from './parser-limits.ts';

export class ReaderTokenizer extends AbstractTokenizer {
  readonly fileInfo: { size: number; mimeType: string };
  /** The file asked for more than the limit: what was found may be incomplete. */
  isLimitHit = false;
  private readonly reader: BoundedReader;
  private readonly holes: readonly ByteRange[];

  /** `sizeBytes` is where the parser sees the end; at most the reader's. `holes` are in order. */
  constructor(reader: BoundedReader, sizeBytes: number, mimeType: string, holes: readonly ByteRange[]) {
    super({ maxBufferSize: parserLimits.bufferBytes });
    this.reader = reader;
    this.holes = holes;
    this.fileInfo = { size: sizeBytes, mimeType };
  }

  override async readBuffer(target: Uint8Array, options?: IReadChunkOptions): Promise<number> {
    const position = options?.position ?? this.position;
    const count = this.copy(target, position, options);
    this.position = position + count;
    return count;
  }

  override async peekBuffer(target: Uint8Array, options?: IReadChunkOptions): Promise<number> {
    return this.copy(target, options?.position ?? this.position, options);
  }

  override supportsRandomAccess(): boolean {
    return true;
  }

  setPosition(position: number): void {
    this.position = position;
  }

  private copy(target: Uint8Array, position: number, options: IReadChunkOptions | undefined): number {
    const length = options?.length ?? target.length;
    const available = Math.max(Math.min(length, this.fileInfo.size - position), 0);
    if (available < length && options?.mayBeLess !== true) throw new EndOfStreamError();
    let at = position;
    const end = position + available;
    for (const hole of this.holes) {
      if (hole.end <= at || hole.start >= end) continue;
      if (hole.start > at) target.set(this.bytesAt(at, hole.start - at), at - position);
      target.fill(0, Math.max(hole.start, at) - position, Math.min(hole.end, end) - position);
      at = Math.min(hole.end, end);
    }
    const bytes = this.bytesAt(at, end - at);
    if (at + bytes.length < end && options?.mayBeLess !== true) throw new EndOfStreamError();
    target.set(bytes, at - position);
    return at + bytes.length - position;
  }

  private bytesAt(position: number, length: number): Uint8Array {
    try {
      return this.reader.read(position, length);
    } catch (error) {
      if (!(error instanceof ReadLimitError)) throw error;
      this.isLimitHit = true;
      throw new EndOfStreamError();
    }
  }
}
