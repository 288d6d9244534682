// Where the pictures of an ID3v2 tag lie, so that a reader of text tags can leave them out: a cover is often a
// hundred times the rest.
//
// A tag: "ID3", version, revision, flags, size (four bytes of seven bits). Frames of 2.3 and 2.4: four letters, size
// (2.4: seven bits a byte), two bytes of flags. Sources: id3.org/id3v2.3.0, id3.org/id3v2.4.0-structure.
import { hasMagic } from './audio-container.ts';
import type { ReadBytes } from './audio-range.ts';

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Frames looked at; more of them means that the tag is not worth the trouble. */
const frameLimit = 200;

/** Smaller ones come with the head of the file anyway. */
const pictureMinBytes = 4096;

/** Bytes at the start of a picture frame that stay: its text encoding and type of picture. */
const keptBytes = 16;

/**
 * Ranges of picture and object data in the tag that begins at an offset of the file. Empty when there are none, and for
 * tags whose layout (unsynchronisation, extended header, version 2.2) would take more than a walk.
 */
export function id3PictureRanges(read: ReadBytes, start = 0): readonly ByteRange[] {
  const header = read(start, 10);
  const version = header[3] ?? 0;
  if (!hasMagic(header, 0, 'ID3') || (version !== 3 && version !== 4) || (header[5] ?? 0) !== 0) return [];
  const tagEnd = start + 10 + sizeOf(header, 6, 7);
  const ranges: ByteRange[] = [];
  let at = start + 10;
  for (let count = 0; count < frameLimit && at + 10 <= tagEnd; count += 1) {
    const frame = read(at, 10);
    if (frame.length < 10 || frame[0] === 0) break;
    const end = at + 10 + sizeOf(frame, 4, version === 4 ? 7 : 8);
    if (end > tagEnd) break;
    const isBulky = hasMagic(frame, 0, 'APIC') || hasMagic(frame, 0, 'GEOB');
    if (isBulky && end - at > pictureMinBytes) ranges.push({ start: at + 10 + keptBytes, end });
    at = end;
  }
  return ranges;
}

function sizeOf(bytes: Uint8Array, offset: number, bits: 7 | 8): number {
  let size = 0;
  for (let index = 0; index < 4; index += 1) {
    size = size * (bits === 7 ? 128 : 256) + ((bytes[offset + index] ?? 0) & (bits === 7 ? 0x7f : 0xff));
  }
  return size;
}
