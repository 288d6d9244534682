import { array, assert, integer, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { PacketReader, ProtocolViolation } from '../../../src/origins/packet-reader.ts';
import { encodeRequest, parseReply, requests } from '../../../src/origins/sftp-protocol.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const hex = (bytes: Buffer) => bytes.toString('hex');

test('requests are as the draft has them', () => {
  // length, SSH_FXP_LSTAT, id, path
  expect(hex(encodeRequest(requests.lstat, 7, Buffer.from('/a')))).toBe(
    '0000000b' + '07' + '00000007' + '00000002' + '2f61',
  );
  // length, SSH_FXP_READ, id, handle, offset as u64, length
  expect(hex(encodeRequest(requests.read, 1, Buffer.from('h'), 0x1_0000_0002n, 32_768))).toBe(
    '00000016' + '05' + '00000001' + '00000001' + '68' + '0000000100000002' + '00008000',
  );
});

test('replies are read field by field', () => {
  const reply = (text: string) => parseReply(Buffer.from(text.replaceAll(' ', ''), 'hex'));
  expect(reply('02 00000003')).toEqual({ type: 'version', version: 3 });
  expect(reply('65 00000009 00000002')).toEqual({ type: 'status', id: 9, code: 2 });
  expect(reply('67 00000009 00000002 aabb')).toEqual({
    type: 'data',
    id: 9,
    bytes: Buffer.from([0xaa, 0xbb]),
  });
  // size, uid and gid, mode, times, one extension
  expect(
    reply(
      '69 00000009 8000000f 0000000100000000 00000001 00000002 000081a4 00000001 3b9aca00 00000001 00000001 61 00000001 62',
    ),
  ).toEqual({
    type: 'attributes',
    id: 9,
    attributes: { sizeBytes: 2 ** 32, mode: 0o100_644, mtimeSeconds: 1_000_000_000 },
  });
  expect(reply('68 00000001 00000001 00000002 fc61 00000001 78 00000000')).toEqual({
    type: 'names',
    id: 1,
    entries: [{ name: '\u00fca', attributes: { sizeBytes: null, mode: null, mtimeSeconds: null } }],
  });
});

test('whatever bytes a server sends, they are a reply or a violation', () => {
  assert(
    property(uint8Array({ minLength: 5, maxLength: 200 }), integer({ min: 0, max: 110 }), (bytes, type) => {
      const packet = Buffer.from(bytes);
      packet[0] = type;
      try {
        parseReply(packet);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolViolation);
      }
    }),
    printedSeed('replies'),
  );
});

test('a stream gives the same packets wherever it is cut', () => {
  assert(
    property(
      array(uint8Array({ minLength: 5, maxLength: 50 })),
      array(integer({ min: 1, max: 9 })),
      (bodies, cuts) => {
        const stream = Buffer.concat(
          bodies.map((body) => Buffer.concat([Buffer.from([0, 0, 0, body.length]), Buffer.from(body)])),
        );
        const reader = new PacketReader(1_000);
        const got: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const length = cuts[turn % Math.max(cuts.length, 1)] ?? 100;
          got.push(...reader.push(stream.subarray(at, at + length)));
          at += length;
        }
        expect(got).toEqual(bodies.map((body) => Buffer.from(body)));
      },
    ),
    printedSeed('packets'),
  );
});

test.each([['00000004'], ['00000000'], ['000003e9'], ['ffffffff']])(
  'a packet of length %s is refused',
  (length) => {
    expect(() => [...new PacketReader(1_000).push(Buffer.from(length, 'hex'))]).toThrow(ProtocolViolation);
  },
);
