import { expect, it } from 'vitest';
import { PacketViolation } from '../../../src/artwork/packets.ts';
import {
  encodeAnswer,
  encodeQuestionHead,
  parseAnswer,
  parseQuestionHead,
  type RenditionSize,
} from '../../../src/artwork/rendition-protocol.ts';

const jpeg = (...more: number[]) => Uint8Array.from([0xff, 0xd8, 0xff, ...more]);
const question = (bytes: Uint8Array, ...sizes: RenditionSize[]) => ({ bytes, sizes: new Set(sizes) });
const u32 = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

it('a question and its answer arrive as they were said', () => {
  const sizes = new Set<RenditionSize>(['full', 'thumb']);
  expect(parseQuestionHead(encodeQuestionHead(70_000, sizes))).toEqual({ pictureBytes: 70_000, sizes });
  const renditions = new Map([
    ['full', jpeg(1)],
    ['thumb', jpeg(2, 3)],
  ] as const);
  const packet = encodeAnswer({ type: 'made', renditions });
  expect(packet.readUInt32BE(0)).toBe(packet.length - 4);
  expect(parseAnswer(packet.subarray(4), question(jpeg(), 'full', 'thumb'))).toEqual({
    type: 'made',
    renditions,
  });
});

it('a full picture of no bytes is the one that was sent, if that is a JPEG', () => {
  const packet = Buffer.from([1, ...u32(0)]);
  const original = jpeg(9);
  const answer = parseAnswer(packet, question(original, 'full'));
  expect(answer.type === 'made' && answer.renditions.get('full')).toBe(original);
  expect(() => parseAnswer(packet, question(Uint8Array.of(1, 2, 3), 'full'))).toThrow(PacketViolation);
});

it('a reason is one short line, whatever was sent', () => {
  const packet = encodeAnswer({
    type: 'not-decodable',
    reason: `no\n\u001b[31m${'x'.repeat(9000)}`,
  }).subarray(4);
  const answer = parseAnswer(packet, question(jpeg(), 'thumb'));
  expect(answer.type === 'not-decodable' && answer.reason).toMatch(/^no \[31mx{1,300}$/);
});

it.each([
  ['nothing', []],
  ['no known type', [9]],
  ['a second greeting', [0]],
  ['a picture too few', [1, ...u32(3), ...jpeg()]],
  ['a picture too many', [1, ...u32(3), ...jpeg(), ...u32(3), ...jpeg(), ...u32(3), ...jpeg()]],
  ['a picture without its end', [1, ...u32(3), ...jpeg(), ...u32(4), ...jpeg()]],
  ['a length without its end', [1, ...u32(3), ...jpeg(), 0, 0]],
  ['a small picture of no bytes', [1, ...u32(3), ...jpeg(), ...u32(0)]],
  ['a picture that is no JPEG', [1, ...u32(3), ...jpeg(), ...u32(3), 1, 2, 3]],
])('%s is not accepted', (_, packet) => {
  const asked = question(jpeg(), 'medium', 'thumb');
  expect(() => parseAnswer(Buffer.from(packet), asked)).toThrow(PacketViolation);
});
