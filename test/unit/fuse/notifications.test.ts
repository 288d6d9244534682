import { describe, expect, it } from 'vitest';
import {
  encodeInvalEntry,
  encodeInvalInode,
  encodeResend,
} from '../../../src/fuse/protocol/notifications.ts';
import { abi, readStruct } from '../../fixtures/fuse-abi.ts';

const directory = { id: 0xab_0000_0007, version: 0 };

describe('a notification', () => {
  it('for a directory asks for its attributes and its whole listing', () => {
    const bytes = encodeInvalInode(directory);
    expect(bytes).toHaveLength(16 + 24);
    expect(readStruct(abi.outHeader, bytes, 0)).toEqual({ len: 40, error: 2, unique: 0n });
    expect(readStruct(abi.notifyInvalInode, bytes, 16)).toEqual({ ino: 0xab_0000_0007n, off: 0n, len: 0n });
  });

  it('for a name carries the directory, the length without NUL, and the NUL', () => {
    const bytes = encodeInvalEntry(directory, 'Ünï.flac');
    expect(bytes).toHaveLength(16 + 16 + 10 + 1);
    expect(readStruct(abi.outHeader, bytes, 0)).toEqual({ len: 43, error: 3, unique: 0n });
    expect(readStruct(abi.notifyInvalEntry, bytes, 16)).toEqual({
      parent: 0xab_0000_0007n,
      namelen: 10,
      flags: 0,
    });
    expect(bytes.subarray(32).toString()).toBe('Ünï.flac\0');
  });

  it('for lost requests is a header alone', () => {
    const bytes = encodeResend();
    expect(bytes).toHaveLength(16);
    expect(readStruct(abi.outHeader, bytes, 0)).toEqual({ len: 16, error: 7, unique: 0n });
  });
});
