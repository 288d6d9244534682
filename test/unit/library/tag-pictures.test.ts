// Readers of pictures in tags against bytes that no writer made. That they read what writers make is tested with real files.
import { expect, it } from 'vitest';
import { apePictures } from '../../../src/library/ape-pictures.ts';
import { asfPictures } from '../../../src/library/asf-pictures.ts';
import { mutated, randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const u16 = (value: number) => Buffer.of(value & 255, value >> 8);
const u32 = (value: number) => Buffer.concat([u16(value & 0xffff), u16(value >>> 16)]);
const u64 = (value: number) => Buffer.concat([u32(value), u32(0)]);
const utf16 = (text: string) => Buffer.from(`${text}\0`, 'utf16le');
const picture = Buffer.from('a picture');

const reading = (bytes: Buffer) => (offset: number, length: number) =>
  bytes.subarray(Math.max(offset, 0), Math.max(offset, 0) + length);

function object(guid: string, ...body: Buffer[]): Buffer {
  const whole = Buffer.concat(body);
  return Buffer.concat([Buffer.from(guid, 'hex'), u64(24 + whole.length), whole]);
}

/** The second one lies where pictures above 64 KiB do. */
function asf(): Buffer {
  const value = (type: number, description: string) =>
    Buffer.concat([Buffer.of(type), u32(picture.length), utf16('image/png'), utf16(description), picture]);
  const name = utf16('WM/Picture');
  const [first, second] = [value(3, ''), value(4, 'back')];
  const content = object(
    '40a4d0d207e3d21197f000a0c95ea850',
    u16(1),
    u16(name.length),
    name,
    u16(1),
    u16(first.length),
    first,
  );
  const entry = [u16(0), u16(0), u16(name.length), u16(1), u32(second.length), name, second];
  const library = object('941c23449894d149a1411d134e457054', u16(1), ...entry);
  const extension = object(
    'b503bf5f2ea9cf118ee300c00c205365',
    Buffer.alloc(18),
    u32(library.length),
    library,
  );
  return object('3026b2758e66cf11a6d900aa0062ce6c', u32(2), Buffer.of(1, 2), content, extension);
}

function ape(): Buffer {
  const item = (key: string, flags: number, value: Buffer) =>
    Buffer.concat([u32(value.length), u32(flags), Buffer.from(`${key}\0`), value]);
  const items = [
    item('Title', 0, Buffer.from('T')),
    item('Cover Art (Front)', 2, Buffer.concat([Buffer.from('a.png\0'), picture])),
    item('Cover Art (Back)', 0, Buffer.from('a text\0in spite of its name')),
  ];
  const body = Buffer.concat(items);
  const footer = [u32(2000), u32(body.length + 32), u32(items.length), Buffer.alloc(12)];
  return Buffer.concat([Buffer.from('audio'), body, Buffer.from('APETAGEX'), ...footer]);
}

const limit = 100_000;

it('pictures of an ASF header come with their types, also those of the longer kind', () => {
  expect(asfPictures(reading(asf()), limit)).toEqual([
    { type: 3, mime: 'image/png', bytes: picture },
    { type: 4, mime: 'image/png', bytes: picture },
  ]);
});

it('a picture of an APE tag comes with its name, also before an ID3v1 tag; a text is none', () => {
  const before = Buffer.concat([ape(), Buffer.from('TAG'), Buffer.alloc(125)]);
  for (const bytes of [ape(), before])
    expect(apePictures(bytes.length, reading(bytes), limit)).toEqual([
      { key: 'Cover Art (Front)', bytes: picture },
    ]);
});

it('a header or tag that is longer than the limit, or is not there whole, is not looked into', () => {
  const [header, tag] = [asf(), ape()];
  expect(asfPictures(reading(header), header.length - 1)).toEqual([]);
  expect(asfPictures(reading(header.subarray(0, -1)), limit)).toEqual([]);
  expect(apePictures(tag.length, reading(tag), 90)).toEqual([]);
  const cut = tag.subarray(60);
  expect(apePictures(cut.length, reading(cut), limit)).toEqual([]);
});

it('whatever they are made of, bytes never give more than they are', () => {
  const random = randomOf(printedSeed('damaged tags').seed);
  let found = 0;
  for (let round = 0; round < 400; round += 1) {
    const [header, tag] = [mutated(asf(), random), mutated(ape(), random)];
    const pictures = [
      ...asfPictures(reading(header), limit).map(({ bytes }) => [bytes.length, header.length] as const),
      ...apePictures(tag.length, reading(tag), limit).map(({ bytes }) => [bytes.length, tag.length] as const),
    ];
    found += pictures.length;
    for (const [length, atMost] of pictures) expect(length).toBeLessThanOrEqual(atMost);
  }
  expect(found).toBeGreaterThan(0);
});
