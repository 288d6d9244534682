import { expect, it } from 'vitest';
import {
  type ExtractionAnswer,
  type ExtractionQuestion,
  encodeExtracted,
  encodeExtraction,
  parseExtracted,
} from '../../../src/artwork/extraction-protocol.ts';
import { PacketViolation } from '../../../src/artwork/packets.ts';
import { realPath } from '../../../src/library/real-path.ts';

const file = { rootPath: '/music', path: realPath('a'), sizeBytes: 3, mtimeNs: '5' };
const folder: ExtractionQuestion = { ...file, type: 'folder' };
const embedded: ExtractionQuestion = { ...file, type: 'embedded', heldBytes: 3, pick: 'any' };
const hash = 'ab'.repeat(32);
const picture = { kind: 'front', mime: 'image/jpeg', sizeBytes: 3, contentHash: hash } as const;
const bytes = Uint8Array.of(1, 2, 3);
const u32 = (value: number) =>
  Buffer.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);

/** As a process could say it. */
const said = (value: unknown, picked: Uint8Array = new Uint8Array()) => {
  const text = Buffer.from(JSON.stringify(value));
  return Buffer.concat([Buffer.of(1), u32(text.length), text, picked]);
};

it('a question arrives as it was asked', () => {
  const packet = encodeExtraction(embedded);
  expect(packet.readUInt32BE(0)).toBe(packet.length - 4);
  expect(JSON.parse(packet.subarray(4).toString())).toEqual(embedded);
});

it.each<[ExtractionQuestion, ExtractionAnswer]>([
  [folder, { type: 'picture', bytes }],
  [embedded, { type: 'pictures', pictures: [picture], picked: { contentHash: hash, bytes }, isShort: false }],
  [embedded, { type: 'pictures', pictures: [], picked: null, isShort: true }],
  [folder, { type: 'gone', code: 'ENOENT' }],
  [embedded, { type: 'unreadable', code: 'EACCES' }],
  [embedded, { type: 'away', code: 'ENOTCONN' }],
])('an answer arrives as it was given', (question, answer) => {
  const packet = encodeExtracted(answer);
  expect(packet.readUInt32BE(0)).toBe(packet.length - 4);
  expect(parseExtracted(packet.subarray(4), question)).toEqual(answer);
});

const many = Array.from({ length: 33 }, () => picture);

it.each<[string, ExtractionQuestion, Buffer]>([
  ['nothing', folder, Buffer.of()],
  ['a second greeting', folder, Buffer.of(0)],
  ['an unknown type', folder, Buffer.of(9, 0, 0, 0, 0)],
  ['a text longer than the packet', folder, Buffer.concat([Buffer.of(1), u32(99), Buffer.from('{}')])],
  ['what is no JSON', folder, Buffer.concat([Buffer.of(1), u32(2), Buffer.from('{x')])],
  ['a picture of another length', folder, said({ type: 'picture' }, Buffer.of(1, 2))],
  ['pictures of a folder', folder, said({ type: 'pictures', pictures: [], picked: null, isShort: false })],
  ['a file instead of pictures', embedded, said({ type: 'picture' }, bytes)],
  [
    'a picture that is not in the list',
    embedded,
    said({ type: 'pictures', pictures: [], picked: hash, isShort: false }, bytes),
  ],
  [
    'a picture that was not picked',
    embedded,
    said({ type: 'pictures', pictures: [picture], picked: null, isShort: false }, bytes),
  ],
  [
    'a picture of another length than in the list',
    embedded,
    said({ type: 'pictures', pictures: [picture], picked: hash, isShort: false }, Buffer.of(1)),
  ],
  ['too many pictures', embedded, said({ type: 'pictures', pictures: many, picked: null, isShort: false })],
  [
    'a hash that is none',
    embedded,
    said({ type: 'pictures', pictures: [{ ...picture, contentHash: '../x' }], picked: null, isShort: false }),
  ],
  ['an errno that is none', folder, said({ type: 'gone', code: 'E\nX' })],
  ['bytes with an errno', folder, said({ type: 'gone', code: 'ENOENT' }, bytes)],
])('a process that says %s does not speak the protocol', (_, question, packet) => {
  expect(() => parseExtracted(packet, question)).toThrow(PacketViolation);
});
