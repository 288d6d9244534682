// Where the pictures of a file lie, so that its tags are read without them (parser-view.ts): in ID3v2, in front or inside
// of the container, and in the "covr" of MP4. Reads headers only.
//
//   WAVE, AIFF  chunks from 12 on: name (4), size (4), content, padded to even lengths; the tag is "id3 " or "ID3 "
//   DSDIFF      the same from 16 on with sizes of 8 bytes
//   DSF         offset of the tag in 8 bytes at 20, 0 without one
//   MP4         atoms: size with these eight bytes (4), name (4); size 1: the size follows in 8 bytes
//
// Sources: ISO/IEC 14496-12, dsd-guide.com (DSF 1.01, DSDIFF 1.5).
import { type AudioContainer, hasMagic } from '../library/audio-container.ts';
import { type ReadBytes, uint } from '../library/audio-range.ts';
import { type ByteRange, id3PictureRanges } from '../library/id3-pictures.ts';

/** Chunks and atoms looked at; a sane file has a dozen. */
const stepLimit = 200;

/** In order; empty where there are none, or where finding them would take more than a walk. */
export function pictureRanges(
  container: AudioContainer,
  size: number,
  read: ReadBytes,
): readonly ByteRange[] {
  switch (container) {
    case 'mp4':
      return coverRanges(size, read);
    case 'wave':
    case 'aiff':
    case 'dsf':
    case 'dsdiff': {
      const front = id3PictureRanges(read);
      const tag = id3TagAt(container, size, read);
      return tag === null ? front : [...front, ...id3PictureRanges(read, tag)];
    }
    default:
      return id3PictureRanges(read);
  }
}

/** Where the ID3v2 tag of a container begins that has it in itself. */
function id3TagAt(
  container: 'wave' | 'aiff' | 'dsf' | 'dsdiff',
  size: number,
  read: ReadBytes,
): number | null {
  switch (container) {
    case 'dsf': {
      const header = read(0, 28);
      const at = header.length < 28 ? 0 : uint(header, 20, 8, true);
      return at > 0 && at < size ? at : null;
    }
    case 'dsdiff':
      return findId3Chunk(16, 8, false, size, read);
    case 'wave':
    case 'aiff':
      return findId3Chunk(12, 4, container === 'wave', size, read);
  }
}

/** What the chunk "ID3 " holds begins where? `sizeBytes` is how many bytes the size of a chunk has. */
function findId3Chunk(
  first: number,
  sizeBytes: 4 | 8,
  isLittleEndian: boolean,
  size: number,
  read: ReadBytes,
): number | null {
  const headerBytes = 4 + sizeBytes;
  let at = first;
  for (let count = 0; count < stepLimit && at + headerBytes <= size; count += 1) {
    const header = read(at, headerBytes);
    if (header.length < headerBytes) return null;
    if (hasMagic(header, 0, 'ID3 ') || hasMagic(header, 0, 'id3 ')) return at + headerBytes;
    const length = uint(header, 4, sizeBytes, isLittleEndian);
    at += headerBytes + length + (length % 2);
  }
  return null;
}

/** The values of "covr" without their first bytes, which say what they are. */
function coverRanges(size: number, read: ReadBytes): readonly ByteRange[] {
  let list: ByteRange | undefined = { start: 0, end: size };
  // "meta" is an atom with four bytes of version and flags before what it holds.
  for (const [name, skip] of [
    ['moov', 0],
    ['udta', 0],
    ['meta', 4],
    ['ilst', 0],
  ] as const) {
    const found: ByteRange | undefined = atomsIn(list, read).find(({ isNamed }) => isNamed(name));
    if (found === undefined) return [];
    list = { start: found.start + skip, end: found.end };
  }
  return atomsIn(list, read)
    .filter(({ isNamed }) => isNamed('covr'))
    .flatMap((cover) => atomsIn(cover, read))
    .map(({ start, end }) => ({ start: start + 8, end }))
    .filter(({ start, end }) => end > start);
}

/** What the atoms in a range hold, without their headers. */
function atomsIn(
  { start, end }: ByteRange,
  read: ReadBytes,
): readonly (ByteRange & { readonly isNamed: (name: string) => boolean })[] {
  const atoms: (ByteRange & { readonly isNamed: (name: string) => boolean })[] = [];
  let at = start;
  for (let count = 0; count < stepLimit && at + 8 <= end; count += 1) {
    const header = read(at, 16);
    const isLong = uint(header, 0, 4, false) === 1;
    const headerBytes = isLong ? 16 : 8;
    const length = isLong ? uint(header, 8, 8, false) : uint(header, 0, 4, false);
    if (header.length < headerBytes || length < headerBytes || at + length > end) break;
    atoms.push({
      start: at + headerBytes,
      end: at + length,
      isNamed: (name) => hasMagic(header, 4, name),
    });
    at += length;
  }
  return atoms;
}
