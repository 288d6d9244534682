import { describe, expect, it } from 'vitest';
import { decodeRequest, type Request } from '../../../src/fuse/protocol/decode-request.ts';
import { abi, makeRequest, makeStruct, nulEnded, type RequestFields } from '../../fixtures/fuse-abi.ts';

function decoded(
  opcode: number,
  body: readonly Uint8Array[] = [],
  fields: RequestFields = {},
): Request | null {
  const bytes = makeRequest(opcode, body, fields);
  return decodeRequest(bytes, bytes.length);
}

const read = (offset: bigint, size: number): Uint8Array =>
  makeStruct(abi.readIn, { fh: 3n, offset, size, readFlags: 0, lockOwner: 9n, flags: 0 });

describe('the header of a request', () => {
  it('gives the operation, the node with its version, and the number of the request', () => {
    const version = 5n;
    const id = 0xab_0000_0007n;
    expect(decoded(17, [], { unique: 0x8000_0001_0000_0002n, nodeid: (version << 40n) | id })).toEqual({
      type: 'statfs',
      opcode: 17,
      uniqueLow: 2,
      uniqueHigh: 0x8000_0001,
      node: { id: Number(id), version: Number(version) },
    });
  });

  it('is asked for in whole', () => {
    const bytes = makeRequest(17);
    for (let length = 0; length < 40; length += 1) expect(decodeRequest(bytes, length)).toBeNull();
    expect(decodeRequest(bytes.subarray(0, 39), 40)).toBeNull();
  });

  it('must say the length that was read', () => {
    const bytes = Buffer.concat([makeRequest(17), Buffer.alloc(8)]);
    expect(decodeRequest(bytes, 48)).toMatchObject({ type: 'malformed', opcode: 17, uniqueLow: 7 });
    expect(decodeRequest(bytes, 40)).toMatchObject({ type: 'statfs' });
  });

  it('may announce extensions, which are not part of the body', () => {
    const extensions = Buffer.from('extended');
    const body = [Buffer.from('a name without an end')];
    expect(decoded(1, body, { extensions })).toMatchObject({ name: Buffer.from('a name without an end') });
    const bytes = makeRequest(1, body, { extensions });
    bytes.writeUInt16LE(60_000, 36);
    expect(decodeRequest(bytes, bytes.length)).toMatchObject({ type: 'malformed' });
  });

  it('is followed by what the next request left in the buffer, which is not looked at', () => {
    const bytes = Buffer.concat([makeRequest(1, [Buffer.from('ab')]), Buffer.from('cd\0')]);
    expect(decodeRequest(bytes, bytes.length - 3)).toMatchObject({ name: Buffer.from('ab') });
  });
});

describe('INIT', () => {
  const full = makeStruct(abi.initIn, {
    major: 7,
    minor: 45,
    maxReadahead: 131_072,
    flags: 0xf3ff_fffb,
    flags2: 0x5fd,
  });

  it('of a kernel since 7.36 has both words of flags', () => {
    expect(decoded(26, [full])).toMatchObject({
      type: 'init',
      init: { major: 7, minor: 45, maxReadahead: 131_072, flags: 0xf3ff_fffb, flags2: 0x5fd },
    });
  });

  it('of an older kernel has 16 bytes and no second word', () => {
    expect(decoded(26, [full.subarray(0, 16)])).toMatchObject({
      type: 'init',
      init: { major: 7, minor: 45, maxReadahead: 131_072, flags: 0xf3ff_fffb, flags2: 0 },
    });
  });

  it('of fewer bytes is malformed', () => {
    expect(decoded(26, [full.subarray(0, 15)])).toMatchObject({ type: 'malformed' });
  });
});

describe('a name', () => {
  it('ends before its NUL', () => {
    expect(decoded(1, [nulEnded('Ünï')])).toMatchObject({ type: 'lookup', name: Buffer.from('Ünï') });
    expect(decoded(1, [nulEnded('a'), nulEnded('b')])).toMatchObject({ name: Buffer.from('a') });
  });

  it('may have more than 255 bytes, and bytes that are no text', () => {
    const long = 'x'.repeat(1024);
    expect(decoded(1, [nulEnded(long)])).toMatchObject({ name: Buffer.from(long) });
    const raw = Uint8Array.of(0xff, 0x2f, 0xfe);
    expect(decoded(1, [nulEnded(raw)])).toMatchObject({ name: Buffer.from(raw) });
  });

  it('of an attribute follows the size of the buffer for its value', () => {
    const body = [makeStruct(abi.getxattrIn, { size: 4096 }), nulEnded('user.musicfs.id')];
    expect(decoded(22, body)).toMatchObject({
      type: 'getxattr',
      size: 4096,
      name: Buffer.from('user.musicfs.id'),
    });
    expect(decoded(22, [Buffer.alloc(9)])).toMatchObject({ type: 'malformed' });
    expect(decoded(1, [Buffer.from('x')])).toMatchObject({ type: 'malformed' });
  });
});

describe('a place in a file or directory', () => {
  it.each([
    [15, 'read'],
    [28, 'readdir'],
    [44, 'readdirplus'],
  ])('of operation %i is a 64-bit offset and a size', (opcode, type) => {
    expect(decoded(opcode, [read(0x12_3456_789an, 131_072)])).toMatchObject({
      type,
      offset: 0x12_3456_789a,
      size: 131_072,
    });
    expect(decoded(opcode, [read(2n ** 53n - 1n, 0xffff_ffff)])).toMatchObject({
      offset: 2 ** 53 - 1,
      size: 0xffff_ffff,
    });
  });

  it('beyond every file is -1', () => {
    expect(decoded(15, [read(2n ** 53n, 1)])).toMatchObject({ offset: -1 });
    expect(decoded(28, [read(2n ** 64n - 1n, 1)])).toMatchObject({ offset: -1 });
  });

  it('is malformed when the structure is cut', () => {
    expect(decoded(15, [read(0n, 1).subarray(0, 39)])).toMatchObject({ type: 'malformed' });
  });
});

describe('the other operations', () => {
  it.each<[number, string, readonly Uint8Array[], object]>([
    [2, 'forget', [makeStruct(abi.forgetIn, { nlookup: 3n })], {}],
    [42, 'forget', [Buffer.alloc(24)], {}],
    [3, 'getattr', [makeStruct(abi.getattrIn, { flags: 1, fh: 2n })], {}],
    [52, 'unsupported', [makeStruct(abi.statxIn, { sxMask: 0x7ff })], {}],
    [5, 'readlink', [], {}],
    [14, 'open', [makeStruct(abi.openIn, { flags: 0o100000 })], { flags: 0o100000 }],
    [18, 'release', [makeStruct(abi.releaseIn, { fh: 2n })], {}],
    [27, 'opendir', [makeStruct(abi.openIn, { flags: 0 })], {}],
    [29, 'releasedir', [makeStruct(abi.releaseIn, { fh: 0n })], {}],
    [17, 'statfs', [], {}],
    [34, 'access', [makeStruct(abi.accessIn, { mask: 4 })], { mask: 4 }],
    [23, 'listxattr', [makeStruct(abi.getxattrIn, { size: 64 })], { size: 64 }],
    [
      36,
      'interrupt',
      [makeStruct(abi.interruptIn, { unique: 0x1_0000_0005n })],
      { targetLow: 5, targetHigh: 1 },
    ],
    [38, 'destroy', [], {}],
  ])('number %i is %s', (opcode, type, body, rest) => {
    expect(decoded(opcode, body)).toMatchObject({ type, ...rest });
  });

  it.each([4, 6, 8, 9, 10, 11, 12, 13, 16, 21, 24, 35, 43, 45, 47, 51, 53])(
    'number %i would change something',
    (opcode) => {
      expect(decoded(opcode, [Buffer.alloc(88)])).toMatchObject({ type: 'mutation' });
    },
  );

  it.each([20, 25, 30, 31, 32, 33, 37, 39, 40, 46, 48, 49, 50, 54, 4096, 0xffff_ffff, 0, 7, 19])(
    'number %i is not offered',
    (opcode) => {
      expect(decoded(opcode, [Buffer.alloc(24)])).toMatchObject({ type: 'unsupported' });
    },
  );
});
