import { describe, expect, it } from 'vitest';
import { DirectoryPage, type ReplyAttributes } from '../../../src/fuse/protocol/encode-reply.ts';
import { abi, readStruct } from '../../fixtures/fuse-abi.ts';

const unique = { uniqueLow: 9, uniqueHigh: 0 };

interface Record {
  readonly name: string;
  readonly ino: bigint;
  readonly off: bigint;
  readonly type: number;
  /** Node of the entry in front; absent in a plain listing. */
  readonly nodeid?: bigint;
}

/** Reads a page as the kernel does: record by record, each padded to 8 bytes. */
function records(bytes: Buffer, isPlus: boolean): Record[] {
  const found: Record[] = [];
  for (let at = 16; at < bytes.length; ) {
    const direntAt = isPlus ? at + 128 : at;
    const { ino, off, namelen, type } = readStruct(abi.dirent, bytes, direntAt);
    const nameAt = direntAt + 24;
    const end = nameAt + Number(namelen);
    const next = at + 8 * Math.ceil((end - at) / 8);
    expect(bytes.subarray(end, next).every((byte) => byte === 0)).toBe(true);
    found.push({
      name: bytes.subarray(nameAt, end).toString('utf8'),
      ino: BigInt(ino),
      off: BigInt(off),
      type: Number(type),
      ...(isPlus ? { nodeid: BigInt(readStruct(abi.entryOut, bytes, at).nodeid) } : {}),
    });
    at = next;
  }
  return found;
}

function attributesOf(id: number, version: number): ReplyAttributes {
  const times = { mtimeSeconds: 1, mtimeNanoseconds: 2, ctimeSeconds: 3, ctimeNanoseconds: 4 };
  const owner = { permissions: 0o644, uid: 0, gid: 0 };
  return { node: { id, version }, isDirectory: version === 0, size: 10, links: 1, ...times, ...owner };
}

describe('a page of names', () => {
  it('pads each record to eight bytes and ends with the last', () => {
    const out = Buffer.alloc(4096, 0xa5);
    const page = new DirectoryPage(out, 4000);
    const names = ['a', 'ab', 'abcdefgh', 'Ünï.flac', '日本'];
    for (const [index, name] of names.entries())
      expect(page.addName(name, index + 2, index === 0, index + 100)).toBe(true);
    const length = page.finish(unique);
    expect(readStruct(abi.outHeader, out, 0)).toEqual({ len: length, error: 0, unique: 9n });
    expect(length % 8).toBe(0);
    expect(records(out.subarray(0, length), false)).toEqual(
      names.map((name, index) => ({
        name,
        ino: BigInt(index + 2),
        off: BigInt(index + 100),
        type: index === 0 ? 4 : 8,
      })),
    );
  });

  it('carries inodes and offsets above 2^32', () => {
    const out = Buffer.alloc(4096);
    const page = new DirectoryPage(out, 4000);
    page.addName('x', 2 ** 40 - 1, false, 2 ** 52 + 1);
    expect(records(out.subarray(0, page.finish(unique)), false)).toMatchObject([
      { ino: 2n ** 40n - 1n, off: 2n ** 52n + 1n },
    ]);
  });

  it('takes a name of 255 bytes', () => {
    const out = Buffer.alloc(4096);
    const page = new DirectoryPage(out, 4000);
    const name = `${'é'.repeat(127)}x`;
    page.addName(name, 2, false, 1);
    page.addEntry(name, 2, false, 2, attributesOf(2, 1), 1);
    const length = page.finish(unique);
    expect(length).toBe(16 + 280 + 408);
    expect(records(out.subarray(0, 16 + 280), false)).toMatchObject([{ name }]);
  });

  it('refuses the first record that would pass the size asked for, and holds the others', () => {
    for (const isPlus of [false, true]) {
      const recordBytes = isPlus ? 160 : 32;
      for (let sizeBytes = 0; sizeBytes < 4 * recordBytes; sizeBytes += 1) {
        const out = Buffer.alloc(16 + 4 * recordBytes, 0xa5);
        const page = new DirectoryPage(out, sizeBytes);
        const add = (id: number): boolean =>
          isPlus
            ? page.addEntry('name', id, false, id, attributesOf(id, 1), 1)
            : page.addName('name', id, false, id);
        let taken = 0;
        while (add(taken + 2)) taken += 1;
        expect(taken).toBe(Math.floor(sizeBytes / recordBytes));
        const length = page.finish(unique);
        expect(length).toBe(16 + taken * recordBytes);
        expect(out.subarray(length).every((byte) => byte === 0xa5)).toBe(true);
      }
    }
  });
});

describe('a page with attributes', () => {
  it('shows them in front of each name, as a lookup would', () => {
    const out = Buffer.alloc(4096, 0xa5);
    const page = new DirectoryPage(out, 4000);
    page.addEntry('song.flac', 77, false, 5, attributesOf(77, 3), 86_400);
    const bytes = out.subarray(0, page.finish(unique));
    expect(bytes).toHaveLength(16 + 168);
    expect(readStruct(abi.entryOut, bytes, 16)).toEqual({
      nodeid: (3n << 40n) | 77n,
      generation: 0n,
      entryValid: 86_400n,
      attrValid: 86_400n,
      entryValidNsec: 0,
      attrValidNsec: 0,
    });
    expect(readStruct(abi.attr, bytes, 16 + 40)).toMatchObject({ ino: 77n, size: 10n, mode: 0o100644 });
    expect(records(bytes, true)).toEqual([
      { name: 'song.flac', ino: 77n, off: 5n, type: 8, nodeid: (3n << 40n) | 77n },
    ]);
  });

  it('shows none for the directory itself and its parent, so that they count as no lookup', () => {
    const out = Buffer.alloc(4096, 0xa5);
    const page = new DirectoryPage(out, 4000);
    page.addEntry('.', 12, true, 1, null, 86_400);
    page.addEntry('..', 1, true, 2, null, 86_400);
    const bytes = out.subarray(0, page.finish(unique));
    expect(records(bytes, true)).toEqual([
      { name: '.', ino: 12n, off: 1n, type: 4, nodeid: 0n },
      { name: '..', ino: 1n, off: 2n, type: 4, nodeid: 0n },
    ]);
    expect(bytes.subarray(16, 16 + 128).every((byte) => byte === 0)).toBe(true);
  });
});
