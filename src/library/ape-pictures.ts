// The pictures in the APEv2 tag at the end of a file. Used for formats that have no other tags (Monkey's Audio, WavPack,
// Musepack): the tag parser gets to them through all of the audio.
//
// The tag ends with a footer of 32 bytes: "APETAGEX", u32 version, u32 bytes of the items and the footer, u32 number of items,
// u32 flags, eight bytes. Behind it there may be an ID3v1 tag, 128 bytes that begin with "TAG". An item: u32 bytes of its value,
// u32 flags (bits 1 and 2: 1 is binary), key, NUL, value. A picture's value: file name, NUL, the picture. All little-endian.
// Source: wiki.hydrogenaud.io/index.php?title=APEv2_specification
import { hasMagic } from './audio-container.ts';
import type { ReadBytes } from './audio-range.ts';

export interface ApePicture {
  /** "Cover Art (Front)", in any case. */
  readonly key: string;
  readonly bytes: Uint8Array;
}

const footerBytes = 32;
const id3v1Bytes = 128;
const itemLimit = 1000;
const keyLimit = 255;

/** The pictures, in order. `limitBytes`: a tag that is longer is not looked into, nor is one that `read` cuts. */
export function apePictures(sizeBytes: number, read: ReadBytes, limitBytes: number): ApePicture[] {
  const isId3v1 = sizeBytes >= id3v1Bytes && hasMagic(read(sizeBytes - id3v1Bytes, 3), 0, 'TAG');
  const end = isId3v1 ? sizeBytes - id3v1Bytes : sizeBytes;
  if (end < footerBytes) return [];
  const footer = read(end - footerBytes, footerBytes);
  if (!hasMagic(footer, 0, 'APETAGEX')) return [];
  const tagBytes = u32(footer, 12);
  if (tagBytes < footerBytes || tagBytes > Math.min(end, limitBytes)) return [];
  const wanted = tagBytes - footerBytes;
  const items = read(end - tagBytes, wanted);
  return items.length < wanted ? [] : picturesIn(items, Math.min(u32(footer, 16), itemLimit));
}

function picturesIn(items: Uint8Array, count: number): ApePicture[] {
  const found: ApePicture[] = [];
  let at = 0;
  for (let left = count; left > 0 && at + 8 < items.length; left -= 1) {
    const valueBytes = u32(items, at);
    const isBinary = ((items[at + 4] ?? 0) & 0b110) === 0b010;
    const keyEnd = items.indexOf(0, at + 8);
    const end = keyEnd + 1 + valueBytes;
    if (keyEnd < 0 || keyEnd - at - 8 > keyLimit || end > items.length) break;
    const key = String.fromCharCode(...items.subarray(at + 8, keyEnd));
    const pictureAt = items.indexOf(0, keyEnd + 1) + 1;
    if (isBinary && /^cover art \(/i.test(key) && pictureAt > 0 && pictureAt < end)
      found.push({ key, bytes: items.subarray(pictureAt, end) });
    at = end;
  }
  return found;
}

function u32(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let index = 3; index >= 0; index -= 1) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}
