// Lets music-metadata parse out of a BoundedReader: every wait is over at once, as the bytes are in memory or come by
// a synchronous read. A file that asks for more than it may is told that it ends there. What the parser sees is a view
// of the file (parser-view.ts): ranges that nobody will look at are zeros, or not there, instead of being read.
import { AbstractTokenizer, EndOfStreamError, type IReadChunkOptions } from 'strtok3';
import { type BoundedReader, ReadLimitError } from './bounded-reader.ts';
import { parserLimits } from './parser-limits.ts';

/** A stretch of what the parser sees: of the file, or in its place. */
export type ViewPiece =
  | { readonly type: 'file'; readonly start: number; readonly end: number }
  | { readonly type: 'zeros'; readonly lengthBytes: number }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array };

export class ReaderTokenizer extends AbstractTokenizer {
  readonly fileInfo: { size: number; mimeType: string };
  /** The file asked for more than the limit: what was found may be incomplete. */
  isLimitHit = false;
  private readonly reader: BoundedReader;
  private readonly pieces: readonly ViewPiece[];

  /** The parser sees the pieces one after the other. */
  constructor(reader: BoundedReader, mimeType: string, pieces: readonly ViewPiece[]) {
    super({ maxBufferSize: parserLimits.bufferBytes });
    this.reader = reader;
    this.pieces = pieces;
    this.fileInfo = { size: pieces.reduce((sum, piece) => sum + lengthOf(piece), 0), mimeType };
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
    const end = position + available;
    let at = position;
    let pieceStart = 0;
    for (const piece of this.pieces) {
      const pieceEnd = pieceStart + lengthOf(piece);
      const length = Math.min(pieceEnd, end) - at;
      if (at >= pieceStart && length > 0) {
        const bytes = this.bytesOf(piece, at - pieceStart, length);
        if (bytes === null) target.fill(0, at - position, at - position + length);
        else target.set(bytes, at - position);
        at += bytes?.length ?? length;
        // The file asks for more than it may, or is being cut.
        if (bytes !== null && bytes.length < length) break;
      }
      pieceStart = pieceEnd;
    }
    if (at < end && options?.mayBeLess !== true) throw new EndOfStreamError();
    return at - position;
  }

  /** Null for zeros. */
  private bytesOf(piece: ViewPiece, offset: number, length: number): Uint8Array | null {
    switch (piece.type) {
      case 'file':
        return this.bytesAt(piece.start + offset, length);
      case 'bytes':
        return piece.bytes.subarray(offset, offset + length);
      case 'zeros':
        return null;
    }
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

function lengthOf(piece: ViewPiece): number {
  switch (piece.type) {
    case 'file':
      return piece.end - piece.start;
    case 'bytes':
      return piece.bytes.length;
    case 'zeros':
      return piece.lengthBytes;
  }
}
