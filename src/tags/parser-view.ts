// What the parser is shown of a file in the place of its bytes, so that its tags cost a few hundred KiB however large the
// file and its pictures are: pictures are zeros, and audio that the parser would walk through to get to the tags behind
// it is left out. Called for each file that is parsed; reads headers only.
//
//   ID3v2     pictures and objects, wherever the tag lies: in front, in a chunk of WAVE, AIFF, DSDIFF, at the end of DSF
//             2.2 and 2.3 in front: without unsynchronisation, which the parser undoes in 2.4 only
//   MP4       the data of "covr" in moov/udta/meta/ilst
//   FLAC in   its metadata blocks as FLAC has them, for the parser of FLAC: that of Ogg does not look behind the first
//   Ogg       page
//   Ogg       ends where the tags end, or with the head that was read anyway
//   WavPack,  without their audio (left-out-audio.ts)
//   Musepack
import { type AudioContainer, hasMagic } from '../library/audio-container.ts';
import type { AudioRange, ReadBytes } from '../library/audio-range.ts';
import type { ByteRange } from '../library/id3-pictures.ts';
import { oggPacketsOf, oggTagsEnd } from '../library/ogg-pages.ts';
import { piecesWithoutAudio } from './left-out-audio.ts';
import { parserLimits } from './parser-limits.ts';
import { pictureRanges } from './picture-ranges.ts';
import type { ViewPiece } from './reader-tokenizer.ts';

export interface ParserView {
  readonly pieces: readonly ViewPiece[];
  /** Which parser reads it. */
  readonly as: AudioContainer;
  /** Audio is left out: what the parser says of the rate of its bits is wrong. */
  readonly isShortened: boolean;
}

/** A longer tag is left to the parser as it is. */
const unsynchronisedMaxBytes = 6 * 1024 * 1024;

/** `audio` is where the audio of the file lies; `read` may throw ReadLimitError. */
export function parserViewOf(
  container: AudioContainer,
  size: number,
  audio: AudioRange,
  read: ReadBytes,
): ParserView {
  const shortened = piecesWithoutAudio(container, size, audio, read);
  if (shortened !== null) return { pieces: shortened, as: container, isShortened: true };
  const flac = container === 'ogg' ? oggFlacPieces(size, read) : null;
  if (flac !== null) return { pieces: flac, as: 'flac', isShortened: true };
  const plain = withoutUnsynchronisation(size, read);
  if (plain !== null) return { pieces: plain, as: container, isShortened: false };
  const end = container === 'ogg' ? oggEnd(size, read) : size;
  return { pieces: withHoles(end, pictureRanges(container, size, read)), as: container, isShortened: false };
}

/** The file up to `end` with zeros in the place of `holes`, which are in order. */
function withHoles(end: number, holes: readonly ByteRange[]): readonly ViewPiece[] {
  const pieces: ViewPiece[] = [];
  let at = 0;
  for (const hole of holes) {
    const [from, to] = [Math.max(hole.start, at), Math.min(hole.end, end)];
    if (from >= to) continue;
    pieces.push({ type: 'file', start: at, end: from }, { type: 'zeros', lengthBytes: to - from });
    at = to;
  }
  return [...pieces, { type: 'file', start: at, end }];
}

/**
 * A tag in front whose 0xFF bytes are followed by a zero that does not belong to it; null when there is none. Header: "ID3",
 * version, revision, flags (0x80: unsynchronisation), size in four bytes of seven bits.
 */
function withoutUnsynchronisation(size: number, read: ReadBytes): readonly ViewPiece[] | null {
  const header = read(0, 10);
  const [version = 0, , flags = 0] = header.subarray(3);
  if (!hasMagic(header, 0, 'ID3') || version > 3 || (flags & 0x80) === 0) return null;
  const end = 10 + [6, 7, 8, 9].reduce((sum, index) => sum * 128 + ((header[index] ?? 0) & 0x7f), 0);
  if (end > size || end > unsynchronisedMaxBytes) return null;
  const body = read(10, end - 10);
  const plain = body.filter((byte, index) => byte !== 0 || body[index - 1] !== 0xff);
  const sizeBytes = [21, 14, 7, 0].map((shift) => (plain.length >> shift) & 0x7f);
  const tag = Uint8Array.of(...header.subarray(0, 5), flags & 0x7f, ...sizeBytes);
  return [
    { type: 'bytes', bytes: tag },
    { type: 'bytes', bytes: plain },
    { type: 'file', start: end, end: size },
  ];
}

/** The parser reads on for a dozen pages after the tags of Ogg, which may be hundreds of KiB. */
function oggEnd(size: number, read: ReadBytes): number {
  if (size <= parserLimits.headBytes) return size;
  const tagsEnd = oggTagsEnd(size, read);
  return tagsEnd === null ? size : Math.min(Math.max(tagsEnd, parserLimits.headBytes), size);
}

/**
 * The first packet: 0x7F "FLAC", version (2), number of packets with metadata (2), "fLaC", the block of the stream; each of
 * the next is a metadata block, whose first byte has 0x80 when it is the last. Source: xiph.org/flac/ogg_mapping.html.
 */
function oggFlacPieces(size: number, read: ReadBytes): readonly ViewPiece[] | null {
  const pieces: ViewPiece[] = [];
  for (const packet of oggPacketsOf(size, read)) {
    const [first] = packet;
    if (first === undefined) return null;
    const isHead = pieces.length === 0;
    const head = read(first.start, 5);
    if (isHead && !hasMagic(head, 0, '\x7fFLAC')) return null;
    const skip = isHead ? 9 : 0;
    const parts = packet.map(({ start, end }, part) => ({
      type: 'file' as const,
      start: part === 0 ? Math.min(start + skip, end) : start,
      end,
    }));
    pieces.push(...parts);
    if (!isHead && ((head[0] ?? 0) & 0x80) !== 0) return pieces;
  }
  return null;
}
