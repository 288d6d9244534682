// The pictures in the tags of one open music file. Runs in the extraction process only; everything here may hang or die on a
// hostile file.
import { createHash } from 'node:crypto';
import { parseFromTokenizer } from 'music-metadata';
import { apePictures } from '../library/ape-pictures.ts';
import { asfPictures } from '../library/asf-pictures.ts';
import { type AudioContainer, audioContainerOf, mimeTypes } from '../library/audio-container.ts';
import { id3v2End } from '../library/audio-range.ts';
import { limits } from '../platform/limits.ts';
import type { PictureInFile } from './extraction-protocol.ts';
import type { PictureReader } from './picture-reader.ts';

export interface EmbeddedBytes extends PictureInFile {
  readonly bytes: Uint8Array;
}

type Found = Pick<EmbeddedBytes, 'kind' | 'mime' | 'bytes'>;

/** As they come in the file; those that are too long to be looked at are left out. Never rejects for what the file holds. */
export async function embeddedPictures(reader: PictureReader, extension: string): Promise<EmbeddedBytes[]> {
  return (await allPictures(reader, extension))
    .filter(({ bytes }) => bytes.length > 0 && bytes.length <= limits.pictureInputBytes)
    .slice(0, limits.picturesInFile)
    .map(({ kind, mime, bytes }) => {
      const contentHash = createHash('sha256').update(bytes).digest('hex');
      return { kind, mime: mime.slice(0, 64), sizeBytes: bytes.length, contentHash, bytes };
    });
}

async function allPictures(reader: PictureReader, extension: string): Promise<Found[]> {
  try {
    const audioStart = id3v2End(reader.look);
    const container = audioContainerOf(reader.look(audioStart, 16), extension, audioStart > 0);
    if (container === null) return [];
    switch (container) {
      case 'asf':
        return asfPicturesOf(reader);
      case 'ape':
      case 'wavpack':
      case 'musepack':
        return apePicturesOf(reader);
      default:
        return await parsedPictures(reader, container);
    }
  } catch {
    return []; // tags that cannot be read show nothing
  }
}

function asfPicturesOf(reader: PictureReader): Found[] {
  return asfPictures(reader.look, limits.pictureReadBytes).map(({ type, mime, bytes }) => {
    return { kind: type === 3 ? 'front' : type === 4 ? 'back' : 'other', mime, bytes };
  });
}

function apePicturesOf(reader: PictureReader): Found[] {
  return apePictures(reader.fileInfo.size, reader.look, limits.pictureReadBytes).map(({ key, bytes }) => {
    return { kind: kindOf(key, '', ''), mime: '', bytes };
  });
}

async function parsedPictures(reader: PictureReader, container: AudioContainer): Promise<Found[]> {
  reader.fileInfo.mimeType = mimeTypes[container];
  const { native } = await parseFromTokenizer(reader, { skipCovers: false, duration: false });
  const tags = Object.values(native).flat();
  const covers = tags.filter(({ id }) => id === 'covr');
  return tags
    .filter(({ id }) => isPicture(id))
    .flatMap((tag) => {
      const { bytes, mime, type, name } = fieldsOf(tag.value);
      // MP4 knows covers only, of which the first is shown.
      const kind = covers.includes(tag)
        ? tag === covers[0]
          ? 'front'
          : 'other'
        : kindOf(tag.id, type, name);
      return bytes === null ? [] : [{ kind, mime, bytes }];
    });
}

/** Names of tags that hold pictures: ID3v2.3 and 2.2, Vorbis and FLAC, MP4, Matroska, APEv2. */
const pictureIds = new Set(['APIC', 'PIC', 'METADATA_BLOCK_PICTURE', 'covr', 'picture']);

function isPicture(id: string): boolean {
  return pictureIds.has(id) || /^cover art \(/i.test(id);
}

/** What the parser says of a picture. Its types promise nothing here. */
function fieldsOf(value: unknown): { bytes: Uint8Array | null; mime: string; type: string; name: string } {
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : '');
  const bytes = fields['data'] instanceof Uint8Array ? fields['data'] : null;
  return { bytes, mime: text('format'), type: text('type'), name: text('name') };
}

/** Matroska has files, and the names cover.jpg and cover.png for the cover. */
function kindOf(id: string, type: string, name: string): PictureInFile['kind'] {
  if (id === 'picture') return /^cover\./i.test(name) ? 'front' : 'other';
  const words = type === '' ? id : type; // APEv2 says it in the tag's name
  if (/\(front\)/i.test(words)) return 'front';
  return /\(back\)/i.test(words) ? 'back' : 'other';
}
