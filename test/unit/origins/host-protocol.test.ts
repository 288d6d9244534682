import { assert, integer, property, string, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DaemonMessage,
  encodeMessage,
  type HostMessage,
  parseDaemonMessage,
  parseHostMessage,
} from '../../../src/origins/host-protocol.ts';
import { PacketReader, ProtocolViolation } from '../../../src/origins/packet-reader.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const packetOf = (message: DaemonMessage | HostMessage): Buffer => {
  const [packet] = [...new PacketReader(10_000_000).push(encodeMessage(message))];
  if (packet === undefined) throw new Error('no packet');
  return packet;
};

const entry = { name: '\u00fcr', kind: 'file', sizeBytes: 2 ** 40, mtimeNs: '-5', etag: null } as const;

test.each<HostMessage>([
  { type: 'ready', id: 0 },
  { type: 'names', id: 1, names: ['\u0001\u00ff', '..a', '"'] },
  { type: 'page', id: 2, entries: [entry] },
  { type: 'bytes', id: 3, bytes: Buffer.from([1, 2, 3]) },
  { type: 'done', id: 4, result: null },
  { type: 'done', id: 4, result: 'nfs4 nas:/music' },
  { type: 'done', id: 4, result: { ...entry, name: '' } },
  { type: 'failed', id: 5, code: 'stale_handle', message: 'stale' },
])('what the process says arrives: $type', (message) => {
  expect(parseHostMessage(packetOf(message))).toEqual(message);
});

test.each<DaemonMessage>([
  { type: 'begin', id: 0, directory: { id: 'nas', kind: 'nfs', root: '/mnt/ü' } },
  { type: 'call', id: 1, request: { type: 'list', path: '\u00fc' } },
  { type: 'wanted', id: 2, answers: [true, false, true] },
  { type: 'credit', id: 3, bytes: 2 ** 31 },
  { type: 'abort', id: 2 ** 32 - 1 },
])('what the daemon says arrives: $type', (message) => {
  expect(parseDaemonMessage(packetOf(message))).toEqual(message);
});

const badEntries: object[] = [
  { ...entry, name: '..' },
  { ...entry, name: 'a/b' },
  { ...entry, name: 'a\0' },
  { ...entry, name: '' },
  { ...entry, name: '\u0100' },
  { ...entry, name: 'x'.repeat(1025) },
  { ...entry, kind: 'door' },
  { ...entry, sizeBytes: -1 },
  { ...entry, sizeBytes: 0.5 },
  { ...entry, sizeBytes: 2 ** 53 },
  { ...entry, mtimeNs: '1e9' },
  { ...entry, etag: 'x' },
];

test('an entry that cannot be is no message', () => {
  for (const bad of badEntries)
    expect(() => parseHostMessage(packetOf({ type: 'page', id: 1, entries: [bad as never] }))).toThrow(
      ProtocolViolation,
    );
});

test('an error of no known code, a page too long and bytes of no length are no messages', () => {
  const bad: HostMessage[] = [
    { type: 'failed', id: 1, code: 'toString' as never, message: '' },
    { type: 'page', id: 1, entries: Array(1_001).fill(entry) },
    { type: 'names', id: 1, names: Array(1_001).fill('a') },
    { type: 'bytes', id: 1, bytes: new Uint8Array() },
    { type: 'bytes', id: 1, bytes: new Uint8Array(256 * 1024 + 1) },
    { type: 'done', id: 1, result: 5 as never },
  ];
  for (const message of bad) expect(() => parseHostMessage(packetOf(message))).toThrow(ProtocolViolation);
});

test('whatever bytes a process sends, they are a message or a violation', () => {
  assert(
    property(uint8Array({ minLength: 5, maxLength: 60 }), integer({ min: 14, max: 23 }), (bytes, type) => {
      const packet = Buffer.from(bytes);
      packet[0] = type;
      expectMessageOrViolation(packet);
    }),
    printedSeed('messages'),
  );
  assert(
    property(string(), integer({ min: 16, max: 21 }), (text, type) =>
      expectMessageOrViolation(
        Buffer.concat([Buffer.from([type, 0, 0, 0, 1]), Buffer.from(JSON.stringify([text]))]),
      ),
    ),
    printedSeed('messages of JSON'),
  );
});

function expectMessageOrViolation(packet: Buffer): void {
  try {
    parseHostMessage(packet);
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolViolation);
  }
}
