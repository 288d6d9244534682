// Files whose tags lie behind audio that the parser would walk through block by block, without that audio
// (parser-view.ts): thousands of small reads less for each file.
//
//   WavPack   the first block, then the tags
//   Musepack  SV8: the packets before the audio, an end packet, the tags
//             SV7: the header, as many frames as it counts with nothing in them, the tags
//
// Sources: wavpack.com/WavPack5FileFormat.pdf, trac.musepack.net/musepack/wiki/SV8Specification.
import { type AudioContainer, hasMagic } from '../library/audio-container.ts';
import { type AudioRange, type ReadBytes, uint } from '../library/audio-range.ts';
import type { ViewPiece } from './reader-tokenizer.ts';

/** The longest first block of WavPack: half a second of eight channels at 192 kHz. */
const blockMaxBytes = 4 * 1024 * 1024;
/** Frames of Musepack SV7 that are shown empty: three hours and a half. */
const emptyFramesMost = 500_000;
/** Packets before the audio; a sane file has three. */
const packetLimit = 40;

/** Null for other containers, and for what does not look as it should. */
export function piecesWithoutAudio(
  container: AudioContainer,
  size: number,
  audio: AudioRange,
  read: ReadBytes,
): readonly ViewPiece[] | null {
  if (container === 'wavpack') return wavpackPieces(size, audio, read);
  return container === 'musepack' ? musepackPieces(size, audio, read) : null;
}

/** A block: "wvpk", the length of what follows these eight bytes, 24 more bytes of header. */
function wavpackPieces(size: number, audio: AudioRange, read: ReadBytes): readonly ViewPiece[] | null {
  const header = read(audio.start, 8);
  const blockBytes = 8 + uint(header, 4, 4, true);
  const blockEnd = audio.start + blockBytes;
  if (!hasMagic(header, 0, 'wvpk') || blockBytes > blockMaxBytes || blockEnd > audio.end) return null;
  return [
    { type: 'file', start: 0, end: blockEnd },
    { type: 'file', start: audio.end, end: size },
  ];
}

function musepackPieces(size: number, audio: AudioRange, read: ReadBytes): readonly ViewPiece[] | null {
  const header = read(audio.start, 28);
  const tags: ViewPiece = { type: 'file', start: audio.end, end: size };
  if (hasMagic(header, 0, 'MP+') && ((header[3] ?? 0) & 0x0f) === 7) {
    const frames = uint(header, 4, 4, true);
    if (header.length < 28 || frames > emptyFramesMost) return null;
    return [
      { type: 'file', start: 0, end: audio.start + 24 },
      { type: 'bytes', bytes: emptyFrames(frames, header[27] ?? 0) },
      tags,
    ];
  }
  if (!hasMagic(header, 0, 'MPCK')) return null;
  const audioAt = firstAudioPacket(audio, read);
  return audioAt === null
    ? null
    : [
        { type: 'file', start: 0, end: audioAt },
        { type: 'bytes', bytes: Uint8Array.of(0x53, 0x45, 3) }, // "SE" and the length of the packet
        tags,
      ];
}

/**
 * SV7 is words of 32 bits, little endian, read from the highest bit: eight bits of version, then for each frame twenty
 * that say how many bits follow, then eleven. Here each frame is one word, as the parser wants the end of a word.
 */
function emptyFrames(frames: number, version: number): Uint8Array {
  const words = new DataView(new ArrayBuffer((frames + 1) * 4));
  words.setUint8(3, version);
  for (let frame = 0; frame < frames; frame += 1) {
    if (frame === 0) words.setUint32(0, version * 2 ** 24 + 4 * 16, true);
    else words.setUint32(frame * 4, 12 * 4096, true);
  }
  return new Uint8Array(words.buffer);
}

/** A packet of SV8: two letters, its length with these in seven bits a byte, content. */
function firstAudioPacket(audio: AudioRange, read: ReadBytes): number | null {
  let at = audio.start + 4;
  for (let count = 0; count < packetLimit && at + 3 <= audio.end; count += 1) {
    const header = read(at, 12);
    if (hasMagic(header, 0, 'AP') || hasMagic(header, 0, 'SE')) return at;
    let length = 0;
    for (let index = 2; index < header.length; index += 1) {
      const digit = header[index] ?? 0;
      length = length * 128 + (digit & 0x7f);
      if ((digit & 0x80) === 0) break;
    }
    if (length < 3) return null;
    at += length;
  }
  return null;
}
