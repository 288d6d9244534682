import { closeSync, fstatSync, writeSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { OpenNodes } from '../../../src/fuse/drivers/kernel/open-nodes.ts';
import { beginSession, requestKey, SessionMemory } from '../../../src/fuse/session-memory.ts';
import { createMemoryFile } from '../../../src/platform/native.ts';

function memoryFile(): number {
  const fd = createMemoryFile('test');
  onTestFinished(() => closeSync(fd));
  return fd;
}

const negotiated = {
  minor: 45,
  flags: 0x40002000,
  flags2: 128,
  maxReadahead: 1_048_576,
  maxPages: 256,
  hasResend: true,
  hasPassthrough: true,
  hasNoOpendir: true,
};

test('what was agreed is known to whoever has the descriptor', () => {
  const fd = memoryFile();
  expect(new SessionMemory(fd).record()).toBeNull();
  beginSession(fd, '0:53').agreed(negotiated);
  expect(new SessionMemory(fd).record()).toEqual({
    format: 1,
    device: '0:53',
    lives: 0,
    negotiated,
    isHandedOver: true,
  });
});

test('the record, the request being served and the open nodes do not touch each other', () => {
  const fd = memoryFile();
  const memory = beginSession(fd, '0:53');
  const node = { id: 2 ** 39 + 7, version: 3 };
  new OpenNodes(fd).opened(node, 5);
  memory.serving(7, 0x80000001);
  memory.agreed({ ...negotiated, maxReadahead: Number.MAX_SAFE_INTEGER });
  const next = new SessionMemory(fd);
  expect(next.lastServed()).toBe(requestKey(7, 0x80000001));
  expect(next.record()?.negotiated?.maxReadahead).toBe(Number.MAX_SAFE_INTEGER);
  expect(new OpenNodes(fd).backingIdOf(node)).toBe(5);
  next.serving(0, 0);
  expect(next.lastServed()).toBe('');
  expect(fstatSync(fd).size).toBe(4096 + 16);
});

test.each(['', '{', '{"format":2}', 'null'])('a record that is not of this version (%j) is none', (text) => {
  const fd = memoryFile();
  beginSession(fd, '0:53');
  const bytes = Buffer.alloc(2048);
  bytes.writeUInt32LE(bytes.write(text, 4), 0);
  writeSync(fd, bytes, 0, bytes.length, 0);
  expect(new SessionMemory(fd).record()).toBeNull();
});

test('a length that is a lie is no record', () => {
  const fd = memoryFile();
  beginSession(fd, '0:53');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(0xffff_ffff);
  writeSync(fd, length, 0, 4, 0);
  expect(new SessionMemory(fd).record()).toBeNull();
});
