import { describe, expect, it } from 'vitest';
import type { KernelInit } from '../../../src/fuse/protocol/decode-request.ts';
import { encodeInit, negotiate } from '../../../src/fuse/protocol/init.ts';
import { abi, readStruct } from '../../fixtures/fuse-abi.ts';

const unique = { uniqueLow: 1, uniqueHigh: 0 };
/** What Linux 6.18 offers. */
const today: KernelInit = { major: 7, minor: 45, maxReadahead: 131_072, flags: 0x73ff_fffb, flags2: 0x5fd };

// Bit numbers of the capabilities, from the kernel's header.
const bit = (...numbers: number[]): number => numbers.reduce((flags, number) => flags | (1 << number), 0);
const maxPages = 22;
const noOpendir = 24;
const initExt = 30;
const everything = bit(0, 4, 13, 15, 18, 21, maxPages, 23, noOpendir, 25, initExt);

function agreed(offer: Partial<KernelInit>, passthrough = false) {
  const outcome = negotiate({ ...today, ...offer }, passthrough);
  if (outcome.type !== 'agreed') throw new Error(outcome.type);
  const out = Buffer.alloc(256, 0xa5);
  const length = encodeInit(out, unique, outcome);
  return { negotiated: outcome.negotiated, bytes: out.subarray(0, length) };
}

describe('the answer to INIT', () => {
  it('takes from a kernel of today what serves a read-only library', () => {
    const { negotiated, bytes } = agreed({});
    expect(bytes).toHaveLength(16 + 64);
    expect(readStruct(abi.outHeader, bytes, 0)).toEqual({ len: 80, error: 0, unique: 1n });
    expect(readStruct(abi.initOut, bytes, 16)).toEqual({
      major: 7,
      minor: 45,
      maxReadahead: 1_048_576,
      flags: everything,
      maxBackground: 256,
      congestionThreshold: 192,
      maxWrite: 4096,
      timeGran: 1,
      maxPages: 256,
      mapAlignment: 0,
      flags2: 1 << 7,
      maxStackDepth: 0,
      requestTimeout: 0,
    });
    expect(bytes.subarray(16 + 42).every((byte) => byte === 0)).toBe(true);
    expect(negotiated).toMatchObject({ hasResend: true, hasNoOpendir: true, minor: 45 });
  });

  it('never takes what would break the mount', () => {
    const { bytes } = agreed({ flags: 0xffff_ffff, flags2: 0xffff_ffff });
    const { flags, flags2 } = readStruct(abi.initOut, bytes, 16);
    // AUTO_INVAL_DATA, READDIRPLUS_AUTO, WRITEBACK_CACHE; REQUEST_TIMEOUT
    expect(Number(flags) & bit(12, 14, 16)).toBe(0);
    expect(flags2).toBe(1 << 7);
  });

  it.each([
    ['Linux 6.18', { minor: 45 }, { minor: 45, flags: everything, resend: true, length: 64 }],
    ['a later minor', { minor: 99 }, { minor: 45, flags: everything, resend: true, length: 64 }],
    [
      'Linux 5.4',
      { minor: 31, flags: 0x03ff_fffb, flags2: 0 },
      { minor: 31, flags: everything & ~bit(initExt), resend: false, length: 64 },
    ],
    [
      '7.28 without the later flags',
      { minor: 28, flags: 0x00ff_fffb, flags2: 0 },
      { minor: 28, flags: bit(0, 4, 13, 15, 18, 21, maxPages, 23), resend: false, length: 64 },
    ],
    [
      '7.23',
      { minor: 23, flags: 0x0003_fffb, flags2: 0 },
      { minor: 23, flags: bit(0, 4, 13, 15), resend: false, length: 64 },
    ],
    [
      '7.22, which knows the short answer only',
      { minor: 22, flags: 0x0000_fffb, flags2: 0 },
      { minor: 22, flags: bit(0, 4, 13, 15), resend: false, length: 24 },
    ],
    [
      '7.12, the oldest',
      { minor: 12, flags: 0x1b, flags2: 0 },
      { minor: 12, flags: bit(0, 4), resend: false, length: 24 },
    ],
  ])('fits %s', (_, offer, expected) => {
    const { negotiated, bytes } = agreed(offer);
    expect(bytes).toHaveLength(16 + expected.length);
    expect(bytes.readUInt32LE(0)).toBe(bytes.length);
    expect(bytes.readUInt32LE(16)).toBe(7);
    expect(bytes.readUInt32LE(20)).toBe(expected.minor);
    expect(bytes.readUInt32LE(28)).toBe(expected.flags);
    expect(negotiated.minor).toBe(expected.minor);
    expect(negotiated.hasResend).toBe(expected.resend);
    expect(negotiated.hasNoOpendir).toBe((expected.flags & bit(noOpendir)) !== 0);
    expect(negotiated.maxPages).toBe((expected.flags & bit(maxPages)) === 0 ? 32 : 256);
  });

  it('takes the second word of flags only from a kernel that says it has one', () => {
    const { negotiated, bytes } = agreed({ flags: today.flags & ~bit(initExt) });
    expect(negotiated.hasResend).toBe(false);
    expect(readStruct(abi.initOut, bytes, 16).flags2).toBe(0);
  });

  it('takes passthrough when it is wanted and offered, and says how deep files may be stacked', () => {
    const taken = (bytes: Buffer) => {
      const { flags2, maxStackDepth } = readStruct(abi.initOut, bytes, 16);
      return [flags2, maxStackDepth];
    };
    const both = agreed({}, true);
    expect(both.negotiated.hasPassthrough).toBe(true);
    expect(taken(both.bytes)).toEqual([(1 << 5) | (1 << 7), 1]);
    const unwanted = agreed({}, false);
    expect(unwanted.negotiated.hasPassthrough).toBe(false);
    expect(taken(unwanted.bytes)).toEqual([1 << 7, 0]);
    const tooOld = agreed({ flags2: today.flags2 & ~(1 << 5) }, true);
    expect(tooOld.negotiated.hasPassthrough).toBe(false);
    expect(taken(tooOld.bytes)).toEqual([1 << 7, 0]);
  });

  it('keeps a longer read-ahead of the kernel', () => {
    expect(agreed({ maxReadahead: 8 * 2 ** 20 }).negotiated.maxReadahead).toBe(8 * 2 ** 20);
  });
});

describe('another major version', () => {
  it('that is later is told ours and asks again', () => {
    const outcome = negotiate({ ...today, major: 8, minor: 0 }, true);
    if (outcome.type !== 'ask-again') throw new Error(outcome.type);
    const out = Buffer.alloc(256, 0xa5);
    const length = encodeInit(out, unique, outcome);
    expect(length).toBe(16 + 8);
    expect([out.readUInt32LE(0), out.readUInt32LE(16), out.readUInt32LE(20)]).toEqual([24, 7, 45]);
  });

  it.each([
    [7, 11],
    [7, 8],
    [6, 45],
    [0, 0],
  ])('or a minor before 7.12 is refused: %i.%i', (major, minor) => {
    expect(negotiate({ ...today, major, minor }, true)).toEqual({ type: 'too-old' });
  });
});
