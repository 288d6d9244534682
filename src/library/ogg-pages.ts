// Just enough of Ogg to know where its tags end and how long it plays, without reading the stream.
//
// A page: "OggS", version, flags (2 = first page of its stream), granule position (8, little endian), serial (4),
// sequence (4), checksum (4), number of segments (1), that many segment lengths, then the segments. A segment of less
// than 255 bytes ends a packet. Source: RFC 3533. The tags are the second packet of each stream.
import { hasMagic } from './audio-container.ts';
import type { ReadBytes } from './audio-range.ts';
import type { ByteRange } from './id3-pictures.ts';

/** Pages looked at for the tags: a cover of 4 MiB spans about 65. */
const pageLimit = 400;

/** Offset after the page in which the last stream's second packet ends; null when the pages make no sense. */
export function oggTagsEnd(size: number, read: ReadBytes): number | null {
  const packets = new Map<number, number>();
  let at = 0;
  for (let count = 0; count < pageLimit && at + 27 <= size; count += 1) {
    const header = read(at, 27);
    if (!hasMagic(header, 0, 'OggS') || header.length < 27) return null;
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const serial = view.getUint32(14, true);
    const segments = read(at + 27, view.getUint8(26));
    let ended = packets.get(serial) ?? 0;
    let bytes = 0;
    for (const length of segments) {
      bytes += length;
      if (length < 255) ended += 1;
    }
    packets.set(serial, ended);
    at += 27 + segments.length + bytes;
    if ([...packets.values()].every((number) => number >= 2)) return at;
  }
  return null;
}

/**
 * The packets of the first stream, one after the other, each as the ranges of the file that it lies in. Ends at the end of
 * the file, after `pageLimit` pages, or where there is no page.
 */
export function* oggPacketsOf(size: number, read: ReadBytes): Generator<readonly ByteRange[]> {
  let serial: number | null = null;
  let packet: ByteRange[] = [];
  let at = 0;
  for (let count = 0; count < pageLimit && at + 27 <= size; count += 1) {
    const header = read(at, 27);
    if (!hasMagic(header, 0, 'OggS') || header.length < 27) return;
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const segments = read(at + 27, view.getUint8(26));
    at += 27 + segments.length;
    serial ??= view.getUint32(14, true);
    const isOwn = view.getUint32(14, true) === serial;
    let start = at;
    for (const length of segments) {
      at += length;
      if (length === 255 || !isOwn) continue;
      yield [...packet, { start, end: at }];
      packet = [];
      start = at;
    }
    if (isOwn && at > start) packet.push({ start, end: at });
  }
}

/** Granule position of the last page that begins in these bytes, or null. */
export function lastGranule(tail: Uint8Array): number | null {
  for (let at = tail.length - 27; at >= 0; at -= 1) {
    if (tail[at] !== 0x4f || !hasMagic(tail, at, 'OggS')) continue;
    const granule = new DataView(tail.buffer, tail.byteOffset, tail.byteLength).getBigInt64(at + 6, true);
    return granule < 0n ? null : Number(granule);
  }
  return null;
}
