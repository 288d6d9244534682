// Where the pictures in the header of an ASF file (WMA) lie. Used where the tag parser is no help: it takes the place of a
// picture from other memory than the header's.
//
// The file begins with the Header Object: GUID, u64 size, u32 number of objects, two bytes; then the objects, each GUID, u64
// size, body. WM/Picture is an attribute of the Extended Content Description Object (u16 number; each u16 length, name, u16
// type, u16 length, value) or, when it has more than 64 KiB, of the Metadata Library Object (u16 number; each u16, u16 stream,
// u16 length of the name, u16 type, u32 length of the value, name, value), which lies in the Header Extension Object (GUID,
// u16, u32 length, then objects). Its value: u8 type of picture as in ID3v2, u32 length, MIME type, description, both UTF-16
// that end with NUL, the picture. All little-endian. Sources: the ASF specification of Microsoft, 3.1, 3.4, 3.11, 4.8, and
// learn.microsoft.com/windows/win32/wmformat/wm-picture.
import type { ReadBytes } from './audio-range.ts';

export interface AsfPicture {
  /** As in ID3v2: 3 is the front cover, 4 the back. */
  readonly type: number;
  readonly mime: string;
  readonly bytes: Uint8Array;
}

const headerObject = '3026b2758e66cf11a6d900aa0062ce6c';
const headerExtension = 'b503bf5f2ea9cf118ee300c00c205365';
const extendedContent = '40a4d0d207e3d21197f000a0c95ea850';
const metadataLibrary = '941c23449894d149a1411d134e457054';

/** Objects and attributes looked at. */
const countLimit = 1000;
const nameBytesLimit = 1024;

/** The pictures, in order. `limitBytes`: a header that is longer is not looked into, nor is one that `read` cuts. */
export function asfPictures(read: ReadBytes, limitBytes: number): AsfPicture[] {
  const start = read(0, 30);
  if (start.length < 30 || hex(start, 0, 16) !== headerObject) return [];
  const headerBytes = u64(start, 16);
  if (headerBytes > limitBytes) return [];
  const header = read(0, headerBytes);
  return header.length < headerBytes ? [] : picturesIn(header.subarray(30), true);
}

function picturesIn(objects: Uint8Array, isTop: boolean): AsfPicture[] {
  const found: AsfPicture[] = [];
  let at = 0;
  for (let count = 0; count < countLimit && at + 24 <= objects.length; count += 1) {
    const sizeBytes = u64(objects, at + 16);
    if (sizeBytes < 24 || at + sizeBytes > objects.length) break;
    const body = objects.subarray(at + 24, at + sizeBytes);
    switch (hex(objects, at, 16)) {
      case headerExtension:
        if (isTop) found.push(...picturesIn(body.subarray(22), false));
        break;
      case extendedContent:
        found.push(...attributesOf(body, false));
        break;
      case metadataLibrary:
        found.push(...attributesOf(body, true));
        break;
    }
    at += sizeBytes;
  }
  return found;
}

function attributesOf(body: Uint8Array, isLibrary: boolean): AsfPicture[] {
  const found: AsfPicture[] = [];
  let at = 2;
  for (let count = Math.min(u16(body, 0), countLimit); count > 0; count -= 1) {
    const nameBytes = u16(body, isLibrary ? at + 4 : at);
    const nameAt = isLibrary ? at + 12 : at + 2;
    const valueBytes = isLibrary ? u32(body, at + 8) : u16(body, nameAt + nameBytes + 2);
    const valueAt = nameAt + nameBytes + (isLibrary ? 0 : 4);
    if (nameBytes > nameBytesLimit || valueAt + valueBytes > body.length) break;
    if (textOf(body.subarray(nameAt, nameAt + nameBytes)).text === 'WM/Picture') {
      const picture = pictureOf(body.subarray(valueAt, valueAt + valueBytes));
      if (picture !== null) found.push(picture);
    }
    at = valueAt + valueBytes;
  }
  return found;
}

function pictureOf(value: Uint8Array): AsfPicture | null {
  const mime = textOf(value.subarray(5));
  const description = textOf(value.subarray(5 + mime.lengthBytes));
  const start = 5 + mime.lengthBytes + description.lengthBytes;
  const end = start + u32(value, 1);
  if (value.length < 5 || end > value.length) return null;
  return { type: value[0] ?? 0, mime: mime.text, bytes: value.subarray(start, end) };
}

/** Up to its NUL, which counts for the length; all of it where there is none. */
function textOf(bytes: Uint8Array): { text: string; lengthBytes: number } {
  let end = 0;
  while (end + 1 < bytes.length && (bytes[end] !== 0 || bytes[end + 1] !== 0)) end += 2;
  let text = '';
  for (let at = 0; at < Math.min(end, nameBytesLimit); at += 2) text += String.fromCharCode(u16(bytes, at));
  return { text, lengthBytes: end + 2 };
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
}

function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) + u16(bytes, at + 2) * 65_536;
}

function u64(bytes: Uint8Array, at: number): number {
  return u32(bytes, at) + u32(bytes, at + 4) * 2 ** 32;
}

function hex(bytes: Uint8Array, start: number, lengthBytes: number): string {
  let text = '';
  for (const byte of bytes.subarray(start, start + lengthBytes)) text += byte.toString(16).padStart(2, '0');
  return text;
}
