// Where the audio of a file lies, tags left out: the basis of the content identity, which must survive re-tagging.
//
//   FLAC, MPEG, ADTS  after ID3v2 (FLAC: and after its metadata blocks) up to the trailing tags
//   APE, WavPack, MPC from the start up to the trailing tags
//   WAVE, AIFF        the `data` / `SSND` chunk
//   MP4               first `mdat` to last `mdat`
//   the others        the whole file
// Trailing tags are ID3v1 (128 bytes, "TAG"), before it APEv1/2 (a footer of 32 bytes, "APETAGEX", size at 12).
//
// Sources: xiph.org/flac/format.html, id3.org/id3v2.4.0-structure, wiki.hydrogenaud.io/index.php?title=APEv2_specification,
// ISO/IEC 14496-12.
import { type AudioContainer, hasMagic } from './audio-container.ts';

/** Up to `length` bytes at an offset; fewer only at the end of the file. */
export type ReadBytes = (offset: number, length: number) => Uint8Array;

export interface AudioRange {
  readonly start: number;
  /** First byte after the audio. */
  readonly end: number;
}

/** Bytes of audio that the identity looks at, at either end. */
export const fingerprintEndBytes = 16 * 1024;

/** Chunks and atoms looked at before a file counts as unknown; a sane file has a dozen. */
const chunkLimit = 200;

/** Leading ID3v2 tags that are skipped; some taggers leave two. */
const id3Limit = 4;

/** The audio of a file of `size` bytes; the whole file where the container says nothing that holds. */
export function audioRangeOf(container: AudioContainer | null, size: number, read: ReadBytes): AudioRange {
  const range = containerRange(container, size, read);
  return range !== null && range.start < range.end && range.end <= size ? range : { start: 0, end: size };
}

function containerRange(container: AudioContainer | null, size: number, read: ReadBytes): AudioRange | null {
  switch (container) {
    case 'flac': {
      const start = flacAudioStart(id3v2End(read), read);
      return start === null ? null : { start, end: trailingTagsStart(size, read) };
    }
    case 'mpeg':
    case 'adts':
      return { start: id3v2End(read), end: trailingTagsStart(size, read) };
    case 'ape':
    case 'wavpack':
    case 'musepack':
      return { start: id3v2End(read), end: trailingTagsStart(size, read) };
    case 'wave':
      return findChunk('data', true, size, read);
    case 'aiff':
      return findChunk('SSND', false, size, read);
    case 'mp4':
      return mediaDataRange(size, read);
    case 'ogg':
    case 'asf':
    case 'dsf':
    case 'dsdiff':
    case 'matroska':
    case null:
      return null;
  }
}

/** First byte after the leading ID3v2 tags; 0 without any. */
export function id3v2End(read: ReadBytes): number {
  let at = 0;
  for (let count = 0; count < id3Limit; count += 1) {
    const header = read(at, 10);
    if (!hasMagic(header, 0, 'ID3') || header.length < 10) break;
    // Four bytes of seven bits; a footer (flag 0x10) repeats the header.
    const size = [6, 7, 8, 9].reduce((sum, index) => sum * 128 + ((header[index] ?? 0) & 0x7f), 0);
    at += 10 + size + (((header[5] ?? 0) & 0x10) === 0 ? 0 : 10);
  }
  return at;
}

function flacAudioStart(at: number, read: ReadBytes): number | null {
  if (!hasMagic(read(at, 4), 0, 'fLaC')) return null;
  let position = at + 4;
  for (let count = 0; count < chunkLimit; count += 1) {
    const header = read(position, 4);
    if (header.length < 4) return null;
    position += 4 + uint(header, 1, 3, false);
    if (((header[0] ?? 0) & 0x80) !== 0) return position;
  }
  return null;
}

/** First byte of the tags at the end of the file; its size without any. */
export function trailingTagsStart(size: number, read: ReadBytes): number {
  let end = size;
  if (end >= 128 && hasMagic(read(end - 128, 3), 0, 'TAG')) end -= 128;
  const footer = end >= 32 ? read(end - 32, 32) : new Uint8Array();
  if (hasMagic(footer, 0, 'APETAGEX')) {
    // The size covers items and footer; bit 31 of the flags says that a header of 32 bytes comes before.
    const tagSize = uint(footer, 12, 4, true) + (((footer[23] ?? 0) & 0x80) === 0 ? 0 : 32);
    if (tagSize >= 32 && tagSize <= end) end -= tagSize;
  }
  return end;
}

function findChunk(id: string, isLittleEndian: boolean, size: number, read: ReadBytes): AudioRange | null {
  let at = 12;
  for (let count = 0; count < chunkLimit && at + 8 <= size; count += 1) {
    const header = read(at, 8);
    if (header.length < 8) return null;
    const length = uint(header, 4, 4, isLittleEndian);
    // Recorders that were cut off leave a size beyond the end.
    if (hasMagic(header, 0, id)) return { start: at + 8, end: Math.min(at + 8 + length, size) };
    at += 8 + length + (length % 2);
  }
  return null;
}

function mediaDataRange(size: number, read: ReadBytes): AudioRange | null {
  let at = 0;
  let start: number | null = null;
  let end = 0;
  for (let count = 0; count < chunkLimit && at + 8 <= size; count += 1) {
    const header = read(at, 16);
    if (header.length < 8) return null;
    const short = uint(header, 0, 4, false);
    const headerBytes = short === 1 ? 16 : 8;
    const length = short === 1 ? uint(header, 8, 8, false) : short === 0 ? size - at : short;
    if (length < headerBytes || !Number.isSafeInteger(length)) break;
    if (hasMagic(header, 4, 'mdat')) {
      start ??= at + headerBytes;
      end = Math.min(at + length, size);
    }
    at += length;
  }
  return start === null ? null : { start, end };
}

/** A whole number in so many bytes; bytes beyond the end count as zero. */
export function uint(bytes: Uint8Array, offset: number, length: number, isLittleEndian: boolean): number {
  let value = 0;
  for (let index = 0; index < length; index += 1) {
    value = value * 256 + (bytes[offset + (isLittleEndian ? length - 1 - index : index)] ?? 0);
  }
  return value;
}

/** What the content identity is the hash of: audio length (8 bytes, little endian), first and last 16 KiB of audio. */
export function fingerprintInput(range: AudioRange, read: ReadBytes): Uint8Array {
  const length = range.end - range.start;
  const endBytes = Math.min(length, fingerprintEndBytes);
  const input = new Uint8Array(8 + 2 * endBytes);
  new DataView(input.buffer).setBigUint64(0, BigInt(length), true);
  input.set(read(range.start, endBytes), 8);
  input.set(read(range.end - endBytes, endBytes), 8 + endBytes);
  return input;
}
