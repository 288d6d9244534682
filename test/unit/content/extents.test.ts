import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Extent, flawOf, gapsIn, heldIn, isWanted, placed } from '../../../src/content/extents.ts';
import { decodedPage, encodePage } from '../../../src/content/manifest-page.ts';
import { hash64 } from '../../fixtures/content-bytes.ts';
import { file } from '../../fixtures/content-cache.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const again = (pages: readonly Extent[]) => decodedPage(encodePage(file(1), pages, hash64), file(1), hash64);

let chunks = 0;

function chunkAt(offset: number, lengthBytes: number, isEdge = false): Extent {
  chunks += 1;
  return {
    offset,
    lengthBytes,
    skipBytes: 0,
    chunkBytes: lengthBytes,
    chunk: chunks,
    hash: BigInt(chunks),
    ordinal: 0,
    isEdge,
  };
}

const edgeAt = (offset: number, lengthBytes: number) => chunkAt(offset, lengthBytes, true);
const place = (...added: readonly Extent[]) => added.reduce<readonly Extent[]>(placed, []);
const shape = (extents: readonly Extent[]) =>
  extents.map(({ offset, lengthBytes, skipBytes, isEdge }) => [
    offset,
    lengthBytes,
    skipBytes,
    isEdge ? 'edge' : 'true',
  ]);

describe('a chunk with true ends', () => {
  test('takes the place of edges within it, and leaves what sticks out as an edge', () => {
    expect(shape(place(edgeAt(10, 50), edgeAt(80, 40), chunkAt(0, 100)))).toEqual([
      [0, 100, 0, 'true'],
      [100, 20, 20, 'edge'],
    ]);
    expect(shape(place(edgeAt(10, 50), chunkAt(0, 40), chunkAt(40, 60)))).toEqual([
      [0, 40, 0, 'true'],
      [40, 60, 0, 'true'],
    ]);
  });

  test('is not wanted where all of it is held by such chunks already', () => {
    const held = place(chunkAt(0, 40), chunkAt(40, 60));
    expect(isWanted(held, chunkAt(10, 80))).toBe(false);
    expect(placed(held, chunkAt(10, 80))).toBe(held);
    expect(isWanted(place(chunkAt(0, 40), edgeAt(40, 60)), chunkAt(10, 80))).toBe(true);
  });
});

describe('an edge', () => {
  test('fills gaps only, in as many pieces as there are', () => {
    expect(shape(place(chunkAt(20, 20), chunkAt(60, 20), edgeAt(0, 100)))).toEqual([
      [0, 20, 0, 'edge'],
      [20, 20, 0, 'true'],
      [40, 20, 40, 'edge'],
      [60, 20, 0, 'true'],
      [80, 20, 80, 'edge'],
    ]);
  });

  test('takes the place of a shorter one of the same run', () => {
    expect(shape(place(edgeAt(0, 30), edgeAt(0, 70)))).toEqual([[0, 70, 0, 'edge']]);
    expect(shape(place(edgeAt(0, 70), edgeAt(0, 30)))).toEqual([[0, 70, 0, 'edge']]);
  });
});

test('whatever is placed, extents stay sorted and disjoint, and no byte that was held is lost or another one', () => {
  const piece = fc.record({
    offset: fc.nat(400),
    lengthBytes: fc.integer({ min: 1, max: 120 }),
    isEdge: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      let extents: readonly Extent[] = [];
      const held = new Set<number>();
      for (const { offset, lengthBytes, isEdge } of pieces) {
        extents = placed(extents, chunkAt(offset, lengthBytes, isEdge));
        for (let at = offset; at < offset + lengthBytes; at += 1) held.add(at);
        expect(flawOf(extents, 1000)).toBeNull();
        expect(heldIn(extents)).toBe(held.size);
        // A chunk's byte is the file's byte of the chunk's own place plus what is skipped.
        const starts = new Map<number, number>();
        for (const { chunk, offset: from, skipBytes } of extents) {
          expect(starts.get(chunk) ?? from - skipBytes).toBe(from - skipBytes);
          starts.set(chunk, from - skipBytes);
        }
      }
      const gaps = gapsIn(extents, { offset: 0, lengthBytes: 1000 });
      expect(heldIn(gaps)).toBe(1000 - held.size);
      expect(again(extents)?.extents()).toEqual(extents);
    }),
    printedSeed('placed extents'),
  );
});

describe('a flaw', () => {
  test('is found: overlap, no length, behind the end of the file', () => {
    expect(flawOf([chunkAt(0, 10), chunkAt(9, 10)], 100)).toMatch(/overlap/);
    expect(flawOf([{ ...chunkAt(0, 10), skipBytes: 1 }], 100)).toMatch(/length/);
    expect(flawOf([chunkAt(95, 10)], 100)).toMatch(/reach/);
    expect(flawOf([chunkAt(0, 10), chunkAt(90, 10)], 100)).toBeNull();
  });
});
