import { encode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import type { Extent } from '../../../src/content/extents.ts';
import { decodedPage, encodePage, extentsPerPage } from '../../../src/content/manifest-page.ts';
import { hash64 } from '../../fixtures/content-bytes.ts';
import { file } from '../../fixtures/content-cache.ts';

const again = (pages: readonly Extent[]) => decodedPage(encodePage(file(1), pages, hash64), file(1), hash64);

const extents: Extent[] = Array.from({ length: extentsPerPage }, (_, index) => ({
  offset: 5_000_000_000 + index * 100_000,
  lengthBytes: 73_000,
  skipBytes: index % 7,
  chunkBytes: 73_000 + (index % 7) + (index % 5),
  chunk: 100_000 + index,
  hash: 0xfedcba9876543210n - BigInt(index),
  ordinal: index % 3,
  isEdge: index % 2 === 0,
}));

test('a page says again what it was made of', () => {
  expect(again(extents)?.extents()).toEqual(extents);
  expect(encodePage(file(1), extents, hash64).length).toBeLessThan(32 * extentsPerPage);
});

test('a page finds the extent of a byte, and none in a gap', () => {
  const page = again(extents);
  expect(page?.find(4_999_999_999)).toBe(-1);
  expect(page?.find(5_000_000_000)).toBe(0);
  expect(page?.find(5_000_072_999)).toBe(0);
  expect(page?.find(5_000_073_000)).toBe(-1);
  expect(page?.find(5_000_000_000 + 255 * 100_000 + 1)).toBe(255);
  expect(page?.find(Number.MAX_SAFE_INTEGER)).toBe(-1);
});

describe('R-15: damaged pages', () => {
  const page = Buffer.from(encodePage(file(1), extents.slice(0, 8), hash64));

  test('are none: junk, and whatever has the right checksum but not the right shape', () => {
    const checked = (value: unknown) => {
      const body = encode(value);
      const head = Buffer.alloc(8);
      head.writeBigUInt64BE(hash64(body));
      return Buffer.concat([head, body]);
    };
    const empty: unknown[] = [1, 1, [], [], [], [], new Uint8Array(), [], [], []];
    expect(decodedPage(checked(empty), file(1), hash64)?.count).toBe(0);
    const wrong = [
      null,
      [],
      empty.with(2, 'a'),
      empty.with(3, [1]),
      empty.with(6, new Uint8Array(4)),
      empty.with(2, [-1]),
    ];
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('junk'),
      Buffer.from('longer junk'),
      ...wrong.map(checked),
    ]) {
      expect(decodedPage(bytes, file(1), hash64)).toBeNull();
    }
  });

  test('are none: a page of another content', () => {
    expect(decodedPage(page, file(1), hash64)).not.toBeNull();
    expect(decodedPage(page, file(1, 2), hash64)).toBeNull();
    expect(decodedPage(page, file(2), hash64)).toBeNull();
  });

  test('are none: any bit that is another one', () => {
    for (let bit = 0; bit < page.length * 8; bit += 7) {
      const bytes = Buffer.from(page);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodedPage(bytes, file(1), hash64)).toBeNull();
    }
  });
});
