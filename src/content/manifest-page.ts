// A page of a manifest: up to 256 extents of one content version, as MessagePack (https://msgpack.org). Written by the
// writer's index, read by the writer and by the fuse thread.
//
// The first 8 bytes are the xxHash64, big-endian, of all others, which are an array:
//   0  node       1  content version
// and then columns, each with an entry for every extent, in order of their offsets:
//   2  offset in the file          6  hashes, 8 bytes each, big-endian, as one byte string
//   3  length                      7  ordinals of chunk files of the same hash
//   4  bytes skipped in the chunk  8  rows of table chunks
//   5  bytes left behind it        9  flags: 1 = edge; 2 is reserved for chunks that an audio start anchors
// So the chunk's own length is column 4 + 3 + 5. Columns rather than records: a third smaller, and the reader finds an
// offset without making an object for each extent.
//
// A chunk proves itself by its hash, but only the page says where in which file it belongs, and SQLite has no checksums:
// hence those 8 bytes, and the content they are bound to. A rotten index is then no index, never other bytes.
import { decode, encode } from '@msgpack/msgpack';
import type { ContentKey } from './content-key.ts';
import type { Extent } from './extents.ts';

export const extentsPerPage = 256;

/** xxHash64, seed 0. */
export type Hash64 = (bytes: Uint8Array) => bigint;

const edgeFlag = 1;
const checksumBytes = 8;

export function encodePage(
  { node, version }: ContentKey,
  extents: readonly Extent[],
  hash: Hash64,
): Uint8Array {
  const hashes = Buffer.alloc(8 * extents.length);
  for (const [index, extent] of extents.entries()) hashes.writeBigUInt64BE(extent.hash, 8 * index);
  const body = encode([
    node,
    version,
    extents.map(({ offset }) => offset),
    extents.map(({ lengthBytes }) => lengthBytes),
    extents.map(({ skipBytes }) => skipBytes),
    extents.map(({ chunkBytes, skipBytes, lengthBytes }) => chunkBytes - skipBytes - lengthBytes),
    hashes,
    extents.map(({ ordinal }) => ordinal),
    extents.map(({ chunk }) => chunk),
    extents.map(({ isEdge }) => (isEdge ? edgeFlag : 0)),
  ]);
  const page = Buffer.alloc(checksumBytes + body.length);
  page.writeBigUInt64BE(hash(body));
  page.set(body, checksumBytes);
  return page;
}

/** A decoded page. Made once a page and kept by the reader, which asks it for one extent after the other. */
export class ManifestPage {
  readonly count: number;
  private readonly offsets: readonly number[];
  private readonly lengths: readonly number[];
  private readonly skips: readonly number[];
  private readonly tails: readonly number[];
  private readonly hashes: DataView;
  private readonly ordinals: readonly number[];
  private readonly chunks: readonly number[];
  private readonly flags: readonly number[];

  constructor(columns: Columns) {
    [this.offsets, this.lengths, this.skips, this.tails, this.ordinals, this.chunks, this.flags] =
      columns.numbers;
    this.hashes = new DataView(columns.hashes.buffer, columns.hashes.byteOffset, columns.hashes.byteLength);
    this.count = this.offsets.length;
  }

  /** The extent that holds the byte at `offset`, or -1. */
  find(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.offsets[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const index = low - 1;
    return index >= 0 && offset < this.offset(index) + this.lengthBytes(index) ? index : -1;
  }

  offset(index: number): number {
    return this.offsets[index] ?? 0;
  }

  lengthBytes(index: number): number {
    return this.lengths[index] ?? 0;
  }

  skipBytes(index: number): number {
    return this.skips[index] ?? 0;
  }

  chunkBytes(index: number): number {
    return this.skipBytes(index) + this.lengthBytes(index) + (this.tails[index] ?? 0);
  }

  chunk(index: number): number {
    return this.chunks[index] ?? 0;
  }

  hash(index: number): bigint {
    return this.hashes.getBigUint64(8 * index);
  }

  ordinal(index: number): number {
    return this.ordinals[index] ?? 0;
  }

  extent(index: number): Extent {
    return {
      offset: this.offset(index),
      lengthBytes: this.lengthBytes(index),
      skipBytes: this.skipBytes(index),
      chunkBytes: this.chunkBytes(index),
      chunk: this.chunk(index),
      hash: this.hash(index),
      ordinal: this.ordinal(index),
      isEdge: ((this.flags[index] ?? 0) & edgeFlag) !== 0,
    };
  }

  extents(): Extent[] {
    return Array.from({ length: this.count }, (_, index) => this.extent(index));
  }
}

type Column = readonly number[];

interface Columns {
  readonly numbers: readonly [Column, Column, Column, Column, Column, Column, Column];
  readonly hashes: Uint8Array;
}

/** null when the bytes are no page of that content. */
export function decodedPage(bytes: Uint8Array, content: ContentKey, hash: Hash64): ManifestPage | null {
  const body = bytes.subarray(checksumBytes);
  if (body.length === 0 || Buffer.from(bytes.buffer, bytes.byteOffset).readBigUInt64BE() !== hash(body))
    return null;
  const page = decoded(body);
  if (!Array.isArray(page) || page.length !== 10) return null;
  const [node, version, offsets, lengths, skips, tails, hashes, ordinals, chunks, flags]: unknown[] = page;
  if (node !== content.node || version !== content.version || !(hashes instanceof Uint8Array)) return null;
  const count = hashes.length / 8;
  const isRight = [offsets, lengths, skips, tails, ordinals, chunks, flags].every((column) =>
    isColumn(column, count),
  );
  if (!isRight) return null;
  const numbers = [offsets, lengths, skips, tails, ordinals, chunks, flags] as unknown as Columns['numbers'];
  return new ManifestPage({ numbers, hashes });
}

function decoded(bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch {
    return null; // whatever it says, these bytes are not ours
  }
}

function isColumn(value: unknown, count: number): boolean {
  return (
    Array.isArray(value) &&
    value.length === count &&
    value.every((each) => Number.isSafeInteger(each) && each >= 0)
  );
}
