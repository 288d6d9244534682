// Which bytes of a file lie in which chunks: the arithmetic of extents. Pure; used by the writer's index and by verify.
//
// An extent is a piece of a file that a chunk, or a part of one, holds. The extents of a content version are sorted by
// offset and never overlap; what lies between them is not held. A chunk whose ends are not where fast-cdc.ts would cut
// the whole file is an *edge*: it holds bytes like any other, but gives way to a better one.
import type { ByteRange } from './content-key.ts';

export interface Extent {
  /** In the file. */
  readonly offset: number;
  readonly lengthBytes: number;
  /** Where the piece begins in the chunk; 0 unless the chunk gave way to others in front. */
  readonly skipBytes: number;
  /** The whole chunk's length, which is what its hash is of. */
  readonly chunkBytes: number;
  /** The row in table chunks. */
  readonly chunk: number;
  /** xxHash64 of the chunk, and which of the files of that hash it is. */
  readonly hash: bigint;
  readonly ordinal: number;
  readonly isEdge: boolean;
}

/** A piece of a file that is to be held. */
interface Piece {
  readonly offset: number;
  readonly lengthBytes: number;
  readonly isEdge: boolean;
}

const endOf = (piece: ByteRange): number => piece.offset + piece.lengthBytes;
const isWithin = (inner: ByteRange, outer: ByteRange): boolean =>
  inner.offset >= outer.offset && endOf(inner) <= endOf(outer);
const overlap = (a: ByteRange, b: ByteRange): boolean => a.offset < endOf(b) && b.offset < endOf(a);

/** What of the range is not covered. `pieces` are sorted and disjoint. */
export function gapsIn(pieces: Iterable<ByteRange>, range: ByteRange): ByteRange[] {
  const gaps: ByteRange[] = [];
  const end = endOf(range);
  let at = range.offset;
  for (const piece of pieces) {
    if (piece.offset >= end) break;
    if (piece.offset > at) gaps.push({ offset: at, lengthBytes: piece.offset - at });
    at = Math.max(at, endOf(piece));
  }
  if (at < end) gaps.push({ offset: at, lengthBytes: end - at });
  return gaps;
}

/**
 * Whether a new piece would add anything. An edge is welcome where it fills a gap; a chunk with true ends also where it
 * takes the place of edges.
 */
export function isWanted(extents: readonly Extent[], piece: Piece): boolean {
  const known = extents.filter((extent) => overlap(extent, piece) && (piece.isEdge || !extent.isEdge));
  return gapsIn(known, piece).length > 0;
}

/**
 * The extents with the new one in its place; the same list when it adds nothing. One with true ends takes all of its
 * range: what lies there goes, what sticks out keeps its outer part, as an edge. An edge fills gaps only, and takes the
 * place of edges that lie wholly within it (an earlier state of the same run). No byte that was held is lost.
 */
export function placed(extents: readonly Extent[], added: Extent): readonly Extent[] {
  const last = extents.at(-1);
  if (last === undefined || endOf(last) <= added.offset) return [...extents, added]; // a file that is read on
  if (!isWanted(extents, added)) return extents;
  const isReplaced = (extent: Extent) => isWithin(extent, added) && (extent.isEdge || !added.isEdge);
  const kept = extents.filter((extent) => !isReplaced(extent));
  const outer = added.isEdge
    ? kept
    : kept.flatMap((extent) => (overlap(extent, added) ? outside(extent, added) : [extent]));
  const inner = gapsIn(outer, added).map((gap) => partOf(added, gap));
  return [...outer, ...inner].sort((a, b) => a.offset - b.offset);
}

function outside(extent: Extent, range: ByteRange): Extent[] {
  return gapsIn([range], extent).map((left) => ({ ...partOf(extent, left), isEdge: true }));
}

function partOf(extent: Extent, range: ByteRange): Extent {
  if (range.offset === extent.offset && range.lengthBytes === extent.lengthBytes) return extent;
  return { ...extent, ...range, skipBytes: extent.skipBytes + range.offset - extent.offset };
}

export function heldIn(extents: readonly ByteRange[]): number {
  return extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
}

/** What is wrong with a list of extents, or null. */
export function flawOf(extents: readonly Extent[], fileBytes: number): string | null {
  let at = 0;
  for (const { offset, lengthBytes, skipBytes, chunkBytes } of extents) {
    if (offset < at) return `extents overlap at ${offset}`;
    if (lengthBytes <= 0 || skipBytes < 0 || skipBytes + lengthBytes > chunkBytes)
      return `an extent at ${offset} has no length`;
    at = offset + lengthBytes;
  }
  return at > fileBytes ? `extents reach ${at} in a file of ${fileBytes}` : null;
}
