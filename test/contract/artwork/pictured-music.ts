// Music files with pictures in them, of each format: made by ffmpeg where it writes pictures, else put in here as the format's
// specification has it.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeFlac, makeId3v2, makeMp3, makeWav, type Tags } from '../../fixtures/audio-files.ts';
import { encodeWithFfmpeg } from '../../fixtures/encoded-audio.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

/** Numbers of ID3v2, which most formats took over. */
export const front = 3;
export const back = 4;

const u32be = (value: number) => Buffer.from(Uint32Array.of(value).buffer).swap32();
const u32le = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const utf16 = (text: string) => Buffer.from(`${text}\0`, 'utf16le');

/** Made by ffmpeg from one second of tone, with the picture attached; `comment` says what it shows, in Matroska its name. */
export function byFfmpeg(
  name: string,
  picture: Buffer,
  comment: string | null,
  { seconds = 1, faststart = false } = {},
): Buffer {
  const folder = temporaryDirectory();
  const [tone, image, file] = ['tone.wav', 'picture.jpg', name].map((each) => path.join(folder, each));
  if (tone === undefined || image === undefined || file === undefined) throw new Error('no names');
  writeFileSync(image, picture);
  encodeWithFfmpeg(tone, { title: 'Title', artist: 'Artist' });
  const length = ['-t', String(seconds), ...(faststart ? ['-movflags', '+faststart'] : [])];
  const attached = name.endsWith('.mka')
    ? ['-attach', image, '-metadata:s:t', 'mimetype=image/jpeg', '-metadata:s:t', `filename=${comment}`]
    : [
        ...['-i', image, '-map', '0:a', '-map', '1:v', '-c:v', 'copy', '-disposition:v', 'attached_pic'],
        ...(comment === null ? [] : ['-metadata:s:v', `comment=${comment}`]),
      ];
  execFileSync('ffmpeg', [
    '-nostdin',
    '-loglevel',
    'error',
    '-stream_loop',
    '-1',
    '-i',
    tone,
    ...attached,
    ...length,
    file,
  ]);
  return readFileSync(file);
}

/** The body of a FLAC PICTURE block: https://www.rfc-editor.org/rfc/rfc9639#name-picture */
function pictureBlock(picture: Buffer, type: number, mime = 'image/jpeg'): Buffer {
  return Buffer.concat([
    ...[u32be(type), u32be(mime.length), Buffer.from(mime), u32be(0)],
    ...[Buffer.alloc(16), u32be(picture.length), picture],
  ]);
}

export type Pictures = readonly (readonly [type: number, picture: Buffer, mime?: string])[];

/** FLAC with these pictures, in this order, after `padding` bytes. */
export function flacWith(pictures: Pictures, tags: Tags = [['TITLE', 'T']], padding = 0): Buffer {
  const bare = makeFlac(tags);
  const afterInfo = 4 + 4 + 34;
  const block = (type: number, body: Buffer) => Buffer.concat([u32be((type << 24) | body.length), body]);
  return Buffer.concat([
    bare.subarray(0, afterInfo),
    ...(padding === 0 ? [] : [block(1, Buffer.alloc(padding))]),
    ...pictures.map(([type, picture, mime]) => block(6, pictureBlock(picture, type, mime))),
    bare.subarray(afterInfo),
  ]);
}

/** An ID3v2.3 tag with APIC frames: https://id3.org/id3v2.3.0#Attached_picture */
export function id3With(pictures: Pictures): Buffer {
  const frames = pictures.map(([type, picture, mime = 'image/jpeg']) => {
    const body = Buffer.concat([Buffer.from(`\0${mime}\0`), Buffer.of(type, 0), picture]);
    return Buffer.concat([Buffer.from('APIC'), u32be(body.length), Buffer.alloc(2), body]);
  });
  const bare = makeId3v2(3, [['TIT2', 'T']]);
  const body = Buffer.concat([bare.subarray(10), ...frames]);
  // The frames go before the padding of the bare tag.
  const text = bare.subarray(10, bare.length - 64);
  const whole = Buffer.concat([text, ...frames, Buffer.alloc(64)]);
  const size = [21, 14, 7, 0].map((shift) => (body.length >> shift) & 0x7f);
  return Buffer.concat([Buffer.from('ID3\x03\0\0', 'latin1'), Buffer.from(size), whole]);
}

export const mp3With = (pictures: Pictures) =>
  Buffer.concat([id3With(pictures), makeMp3([], { version: null })]);
export const wavWith = (pictures: Pictures) => makeWav([['INAM', 'T']], { id3: id3With(pictures) });

/** Ogg Vorbis or Opus: https://wiki.xiph.org/VorbisComment#METADATA_BLOCK_PICTURE */
export function oggWith(name: 'a.ogg' | 'a.opus', picture: Buffer, type: number): Buffer {
  const file = path.join(temporaryDirectory(), name);
  const text = pictureBlock(picture, type).toString('base64');
  encodeWithFfmpeg(file, { title: 'T', METADATA_BLOCK_PICTURE: text });
  return readFileSync(file);
}

/** An APEv2 tag with a picture, as foobar2000 and Mp3tag write it: a name, a NUL, the picture, in a binary item. */
export function apeTagWith(picture: Buffer, key = 'Cover Art (Front)'): Buffer {
  const value = Buffer.concat([Buffer.from('cover.jpg\0'), picture]);
  const body = Buffer.concat([u32le(value.length), u32le(2), Buffer.from(`${key}\0`), value]);
  const footer = Buffer.concat([
    Buffer.from('APETAGEX'),
    u32le(2000),
    u32le(body.length + 32),
    u32le(1),
    Buffer.alloc(12),
  ]);
  return Buffer.concat([body, footer]);
}

/** WavPack with that tag instead of ffmpeg's. */
export function wavpackWith(tag: Buffer): Buffer {
  const file = path.join(temporaryDirectory(), 'a.wv');
  encodeWithFfmpeg(file, {});
  const bytes = readFileSync(file);
  const tagAt = bytes.indexOf('APETAGEX');
  return Buffer.concat([tagAt < 0 ? bytes : bytes.subarray(0, tagAt), tag]);
}

/** ASF: an Extended Content Description Object with one WM/Picture, put behind the other objects of the header. */
export function wmaWith(picture: Buffer, type: number, description: string): Buffer {
  const file = path.join(temporaryDirectory(), 'a.wma');
  encodeWithFfmpeg(file, {}, ['-c:a', 'wmav2']);
  const bare = readFileSync(file);
  const name = utf16('WM/Picture');
  const value = Buffer.concat([
    Buffer.of(type),
    u32le(picture.length),
    utf16('image/jpeg'),
    utf16(description),
    picture,
  ]);
  const u16 = (number: number) => Buffer.of(number & 255, number >> 8);
  const entry = Buffer.concat([u16(name.length), name, u16(1), u16(value.length), value]);
  const body = Buffer.concat([u16(1), entry]);
  const guid = Buffer.from('40a4d0d207e3d21197f000a0c95ea850', 'hex');
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(24 + body.length));
  const headerBytes = Number(bare.readBigUInt64LE(16));
  const header = Buffer.concat([bare.subarray(0, headerBytes), guid, size, body]);
  header.writeBigUInt64LE(BigInt(header.length), 16);
  header.writeUInt32LE(bare.readUInt32LE(24) + 1, 24);
  return Buffer.concat([header, bare.subarray(headerBytes)]);
}

/** Whether ffmpeg can read the file, i.e. a player would. */
export function isPlayable(bytes: Buffer, name: string): boolean {
  const file = path.join(temporaryDirectory(), name);
  writeFileSync(file, bytes);
  execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'fatal', '-i', file, '-map', '0:a', '-f', 'null', '-']);
  return true;
}
