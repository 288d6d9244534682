// Lets music-metadata read a file for its pictures, in few and bounded requests. Used in the extraction process only: a read
// that never returns blocks that process, and it can be killed.
//
// A file that asks for more than it may, or for what is not there, is told that it ends there. Its last bytes, which the parser
// looks at first of all in any file, are zeros where they are not there: they hold no picture worth their fetching.
import { readSync } from 'node:fs';
import { AbstractTokenizer, EndOfStreamError, type IReadChunkOptions } from 'strtok3';
import { limits } from '../platform/limits.ts';

/** Small requests are answered out of one larger read. */
const windowBytes = 64 * 1024;
/** Where tags are looked for that end with the file. */
const tailBytes = 1024;

export class PictureReader extends AbstractTokenizer {
  readonly fileInfo: { size: number; mimeType?: string };
  /** Something was asked for that the file has, and that is not there. */
  isShort = false;
  private readonly fd: number;
  private readonly heldBytes: number;
  private readonly area = Buffer.allocUnsafeSlow(windowBytes);
  private window = { start: 0, bytes: 0 };
  private readBytes = 0;

  /** `heldBytes` of the file are there, from its start. */
  constructor(fd: number, sizeBytes: number, heldBytes: number) {
    super({ maxBufferSize: limits.pictureReadBytes });
    this.fd = fd;
    this.heldBytes = Math.min(sizeBytes, heldBytes);
    this.fileInfo = { size: sizeBytes };
  }

  /** Up to so many bytes; fewer at the end. */
  readonly look = (offset: number, lengthBytes: number): Uint8Array => {
    const target = new Uint8Array(lengthBytes);
    return target.subarray(0, this.copy(target, { position: offset, mayBeLess: true }));
  };

  override async readBuffer(target: Uint8Array, options?: IReadChunkOptions): Promise<number> {
    const count = this.copy(target, options);
    this.position = (options?.position ?? this.position) + count;
    return count;
  }

  override async peekBuffer(target: Uint8Array, options?: IReadChunkOptions): Promise<number> {
    return this.copy(target, options);
  }

  override supportsRandomAccess(): boolean {
    return true;
  }

  setPosition(position: number): void {
    this.position = position;
  }

  private copy(target: Uint8Array, options: IReadChunkOptions | undefined): number {
    const position = options?.position ?? this.position;
    const wanted = options?.length ?? target.length;
    const length = Math.max(Math.min(wanted, this.fileInfo.size - position), 0);
    const count = this.filled(target, length, position);
    if (count < wanted && options?.mayBeLess !== true) throw new EndOfStreamError();
    return count;
  }

  private filled(target: Uint8Array, length: number, position: number): number {
    const there = Math.min(length, this.heldBytes - position);
    if (there < length) {
      if (position >= this.fileInfo.size - tailBytes) {
        target.fill(0, 0, length);
        return length;
      }
      this.isShort = true;
    }
    if (there <= 0) return 0;
    return there > windowBytes
      ? this.read(target, there, position)
      : this.fromWindow(target, there, position);
  }

  private fromWindow(target: Uint8Array, length: number, position: number): number {
    const { start, bytes } = this.window;
    if (position < start || position + length > start + bytes) {
      const ahead = Math.min(windowBytes, this.heldBytes - position);
      this.window = { start: position, bytes: this.read(this.area, ahead, position) };
    }
    const from = position - this.window.start;
    const held = this.area.subarray(from, Math.min(from + length, this.window.bytes));
    target.set(held);
    return held.length;
  }

  /** Fewer only when the file is shorter than it was. */
  private read(target: Uint8Array, length: number, position: number): number {
    if (this.readBytes + length > limits.pictureReadBytes) throw new EndOfStreamError();
    let done = 0;
    while (done < length) {
      const count = readSync(this.fd, target, done, length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    this.readBytes += done;
    return done;
  }
}
