import { describe, expect, it } from 'vitest';
import * as reply from '../../../src/fuse/protocol/encode-reply.ts';
import { abi, readStruct } from '../../fixtures/fuse-abi.ts';

const unique = { uniqueLow: 0xdead_beef, uniqueHigh: 0x8000_0001 };
const uniqueBytes = 0x8000_0001_dead_beefn;

const file: reply.ReplyAttributes = {
  node: { id: 0xab_0000_0007, version: 0x7f_ffff },
  isDirectory: false,
  size: 2 ** 40 + 513,
  mtimeSeconds: 1_600_000_000,
  mtimeNanoseconds: 123_456_789,
  ctimeSeconds: 1_700_000_000,
  ctimeNanoseconds: 987_654_321,
  links: 3,
  permissions: 0o644,
  uid: 1000,
  gid: 0xffff_fffe,
};
const nodeid = 0x7f_ffff_ab_0000_0007n & (2n ** 64n - 1n);

/** What `encode` wrote into a buffer that was full of other bytes, and only into its beginning. */
function written(encode: (out: Buffer) => number): Buffer {
  const out = Buffer.alloc(4096, 0xa5);
  const length = encode(out);
  return out.subarray(0, length);
}

const shownAttributes = {
  ino: 0xab_0000_0007n,
  size: 2n ** 40n + 513n,
  blocks: 2n ** 31n + 2n,
  atime: 1_600_000_000n,
  mtime: 1_600_000_000n,
  ctime: 1_700_000_000n,
  atimensec: 123_456_789,
  mtimensec: 123_456_789,
  ctimensec: 987_654_321,
  mode: 0o100644,
  nlink: 3,
  uid: 1000,
  gid: 0xffff_fffe,
  rdev: 0,
  blksize: 131_072,
  flags: 0,
};

describe('a reply', () => {
  it('begins with its length, no error and the number of its request', () => {
    const bytes = written((out) => reply.encodeBytes(out, unique, Buffer.from('value')));
    expect(readStruct(abi.outHeader, bytes, 0)).toEqual({ len: 21, error: 0, unique: uniqueBytes });
    expect(bytes.subarray(16).toString()).toBe('value');
  });

  it('that is an error carries it as a negative number and nothing else', () => {
    const bytes = written((out) => reply.encodeStatus(out, unique, 2));
    expect(bytes).toHaveLength(16);
    expect(readStruct(abi.outHeader, bytes, 0)).toEqual({ len: 16, error: -2, unique: uniqueBytes });
    expect(
      readStruct(
        abi.outHeader,
        written((out) => reply.encodeStatus(out, unique, 0)),
        0,
      ).error,
    ).toBe(0);
  });

  it('whose data lie elsewhere counts them in its length', () => {
    const bytes = written((out) => reply.encodeDataHeader(out, unique, 1_048_576));
    expect(bytes).toHaveLength(16);
    expect(readStruct(abi.outHeader, bytes, 0)).toEqual({ len: 1_048_592, error: 0, unique: uniqueBytes });
  });
});

describe('attributes', () => {
  it('of a name show the node with its version and the inode without', () => {
    const bytes = written((out) => reply.encodeEntry(out, unique, file, 86_400));
    expect(bytes).toHaveLength(16 + 128);
    expect(readStruct(abi.outHeader, bytes, 0).len).toBe(144);
    expect(readStruct(abi.entryOut, bytes, 16)).toEqual({
      nodeid,
      generation: 0n,
      entryValid: 86_400n,
      attrValid: 86_400n,
      entryValidNsec: 0,
      attrValidNsec: 0,
    });
    expect(readStruct(abi.attr, bytes, 16 + 40)).toEqual(shownAttributes);
  });

  it('of a node are the same', () => {
    const bytes = written((out) => reply.encodeAttributes(out, unique, file, 86_400));
    expect(bytes).toHaveLength(16 + 104);
    expect(readStruct(abi.outHeader, bytes, 0).len).toBe(120);
    expect(readStruct(abi.attrOut, bytes, 16)).toEqual({ attrValid: 86_400n, attrValidNsec: 0, dummy: 0 });
    expect(readStruct(abi.attr, bytes, 16 + 16)).toEqual(shownAttributes);
  });

  it('of a directory say that it is one', () => {
    const directory = {
      ...file,
      node: { id: 1, version: 0 },
      isDirectory: true,
      permissions: 0o755,
      size: 0,
    };
    const bytes = written((out) => reply.encodeAttributes(out, unique, directory, 1));
    expect(readStruct(abi.attr, bytes, 32)).toMatchObject({ ino: 1n, mode: 0o040755, size: 0n, blocks: 0n });
  });

  it('may lie before 1970 and after 2106', () => {
    const old = { ...file, mtimeSeconds: -1, mtimeNanoseconds: 999_999_999, ctimeSeconds: -(2 ** 40) };
    const bytes = written((out) => reply.encodeAttributes(out, unique, old, 1));
    expect(readStruct(abi.attr, bytes, 32)).toMatchObject({
      atime: -1n,
      mtime: -1n,
      mtimensec: 999_999_999,
      ctime: -(2n ** 40n),
    });
    const late = { ...file, mtimeSeconds: 2 ** 33 };
    const lateBytes = written((out) => reply.encodeAttributes(out, unique, late, 1));
    expect(readStruct(abi.attr, lateBytes, 32)).toMatchObject({ atime: 2n ** 33n, mtime: 2n ** 33n });
  });
});

describe('a name that leads nowhere', () => {
  it('is node 0, remembered for the given time', () => {
    const bytes = written((out) => reply.encodeNegativeEntry(out, unique, 1));
    expect(bytes).toHaveLength(16 + 128);
    expect(readStruct(abi.outHeader, bytes, 0)).toEqual({ len: 144, error: 0, unique: uniqueBytes });
    expect(readStruct(abi.entryOut, bytes, 16)).toEqual({
      nodeid: 0n,
      generation: 0n,
      entryValid: 1n,
      attrValid: 0n,
      entryValidNsec: 0,
      attrValidNsec: 0,
    });
    expect(bytes.subarray(16 + 40).every((byte) => byte === 0)).toBe(true);
  });
});

describe('the other replies', () => {
  it('to an open carry the handle and its flags', () => {
    const bytes = written((out) => reply.encodeOpen(out, unique, 2 ** 33 + 1, 0x22));
    expect(bytes).toHaveLength(32);
    expect(readStruct(abi.openOut, bytes, 16)).toEqual({ fh: 2n ** 33n + 1n, openFlags: 0x22, backingId: 0 });
  });

  it('to statfs count in blocks, with as much free as available', () => {
    const figures = {
      blockSizeBytes: 4096,
      blocks: 2 ** 34,
      freeBlocks: 2 ** 33 + 1,
      files: 1_000_000,
      nameLength: 255,
    };
    const bytes = written((out) => reply.encodeStatfs(out, unique, figures));
    expect(bytes).toHaveLength(96);
    expect(readStruct(abi.statfsOut, bytes, 16)).toEqual({
      blocks: 2n ** 34n,
      bfree: 2n ** 33n + 1n,
      bavail: 2n ** 33n + 1n,
      files: 1_000_000n,
      ffree: 0n,
      bsize: 4096,
      namelen: 255,
      frsize: 4096,
      padding: 0,
    });
    expect(bytes.subarray(16 + 52).every((byte) => byte === 0)).toBe(true);
  });

  it('to a question for the length of an attribute give it alone', () => {
    const bytes = written((out) => reply.encodeXattrSize(out, unique, 65_536));
    expect(bytes).toHaveLength(24);
    expect(readStruct(abi.getxattrOut, bytes, 16)).toEqual({ size: 65_536, padding: 0 });
  });
});
