// How much of a file is read for its tags, by format: a few hundred KiB of files of several MB, wherever their tags lie
// and however large their pictures are.
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realPath } from '../../../src/library/real-path.ts';
import {
  makeAiff,
  makeApeTag,
  makeFlac,
  makeId3v1,
  makeId3v2,
  makeMp3,
  makeOgg,
  makeWav,
  mpegFrames,
} from '../../fixtures/audio-files.ts';
import { encodeWithFfmpeg } from '../../fixtures/encoded-audio.ts';
import {
  makeDsdiff,
  makeDsf,
  makeId3v22,
  makeM4a,
  makeMonkeysAudio,
  makeMusepack,
  makeMusepack7,
} from '../../fixtures/rare-audio.ts';
import { MusicFolder, startPool } from './music-folder.ts';

const kib = 1024;
const audioBytes = 5_000_000;
const picture = 5_000_000;
const frames = Math.ceil(audioBytes / 417);

const comments = [
  ['TITLE', 'T'],
  ['ARTIST', 'A'],
] as const;
const id3 = [
  ['TIT2', 'T'],
  ['TPE1', 'A'],
] as const;
const ape = [
  ['Title', 'T'],
  ['Artist', 'A'],
] as const;
const atoms = { '©nam': ['T'], '©ART': ['A'] };
const info = [
  ['INAM', 'T'],
  ['IART', 'A'],
] as const;
/** As Vorbis comments carry a picture: base64 of a block. */
const pictureComment = ['METADATA_BLOCK_PICTURE', Buffer.alloc(picture, 0x5a).toString('base64')] as const;

/** A minute of noise, which no codec makes small. */
const noise = ['-filter_complex', 'anoisesrc=duration=60:sample_rate=44100[noise]', '-map', '[noise]'];

/** Bytes read for tags, at most, beside the fingerprint's. */
const head = 256 * kib;
const bothEnds = 256 * kib + 128 * kib;

async function countsOf(folder: MusicFolder, name: string) {
  const pool = startPool();
  const tags = await folder.tagsOf(pool, name);
  const { bytesReadForTags, bytesReadForFingerprints, preads } = pool.stats();
  return { tags, bytesReadForTags, bytesReadForFingerprints, preads };
}

async function expectBounded(folder: MusicFolder, name: string, most: number): Promise<void> {
  const { tags, bytesReadForTags, bytesReadForFingerprints, preads } = await countsOf(folder, name);
  expect(tags).toMatchObject({ title: 'T', artist: 'A' });
  expect(bytesReadForTags, 'bytes for tags').toBeLessThanOrEqual(most);
  expect(bytesReadForFingerprints, 'bytes for the fingerprint').toBeLessThanOrEqual(128 * kib);
  expect(preads, 'requests').toBeLessThanOrEqual(24);
}

describe('a file of several MB', () => {
  it.each<[name: string, what: string, bytes: () => Buffer, most: number]>([
    ['a.flac', 'FLAC', () => makeFlac(comments, { audioBytes, padding: 8192 }), head],
    ['a.flac', 'FLAC behind ID3', () => makeFlac(comments, { audioBytes, id3: makeId3v2(4, id3) }), head],
    ['a.mp3', 'MP3 with ID3v2.4', () => makeMp3(id3, { frames }), head],
    [
      'a.mp3',
      'MP3 with ID3v2.2',
      () =>
        Buffer.concat([
          makeId3v22([
            ['TT2', 'T'],
            ['TP1', 'A'],
          ]),
          mpegFrames(frames),
        ]),
      head,
    ],
    [
      'a.mp3',
      'MP3 with APEv2 and ID3v1',
      () =>
        makeMp3([], {
          version: null,
          frames,
          tail: Buffer.concat([makeApeTag(ape), makeId3v1({ title: 'X' })]),
        }),
      bothEnds,
    ],
    ['a.mp2', 'MP2', () => Buffer.concat([makeId3v2(4, id3), mpegFrames(frames)]), head],
    ['a.ogg', 'Ogg Vorbis', () => makeOgg(comments, { pages: 200, pageBytes: 30_000 }), head],
    ['a.m4a', 'MP4, tags first', () => makeM4a(atoms, { audioBytes }), head],
    ['a.m4a', 'MP4, tags last', () => makeM4a(atoms, { audioBytes, moovLast: true }), bothEnds],
    ['a.wav', 'WAVE with LIST INFO', () => makeWav(info, { audioBytes }), head],
    ['a.wav', 'WAVE with ID3 last', () => makeWav([], { audioBytes, id3: makeId3v2(4, id3) }), bothEnds],
    [
      'a.aiff',
      'AIFF with texts',
      () =>
        makeAiff(
          [
            ['NAME', 'T'],
            ['AUTH', 'A'],
          ],
          { audioBytes },
        ),
      head,
    ],
    ['a.aiff', 'AIFF with ID3 last', () => makeAiff([], { audioBytes, id3: makeId3v2(3, id3) }), bothEnds],
    ['a.ape', "Monkey's Audio", () => makeMonkeysAudio(ape, { audioBytes }), bothEnds],
    ['a.mpc', 'Musepack SV8', () => makeMusepack(ape, { audioBytes }), bothEnds],
    ['a.mpc', 'Musepack SV7', () => makeMusepack7(ape, { audioBytes }), bothEnds],
    ['a.dsf', 'DSF', () => makeDsf(id3, { audioBytes }), bothEnds],
    ['a.dff', 'DSDIFF', () => makeDsdiff(id3, { audioBytes }), bothEnds],
  ])('%s: %s', async (name, _what, bytes, most) => {
    await expectBounded(new MusicFolder({ [name]: bytes() }), name, most);
  });

  it.each<[name: string, options: readonly string[], most: number]>([
    ['a.mp3', ['-b:a', '320k'], head],
    ['a.opus', ['-c:a', 'libopus', '-b:a', '256k'], head],
    ['a.m4a', ['-c:a', 'alac'], bothEnds],
    ['a.aac', ['-b:a', '256k', '-aac_coder', 'fast', '-f', 'adts', '-write_id3v2', '1'], head],
    ['a.wv', [], bothEnds],
    ['a.wma', ['-c:a', 'wmav2', '-b:a', '320k'], head],
    ['a.mka', ['-c:a', 'flac'], bothEnds],
    ['a.webm', ['-c:a', 'libopus', '-b:a', '256k'], bothEnds],
  ])('%s as an encoder writes it (%j)', async (name, options, most) => {
    const folder = new MusicFolder();
    encodeWithFfmpeg(join(folder.root, name), { title: 'T', artist: 'A' }, [...noise, ...options]);
    await expectBounded(folder, name, most);
  });
});

describe('a picture of 5 MB', () => {
  it.each<[name: string, what: string, bytes: () => Buffer, most: number]>([
    ['a.flac', 'FLAC', () => makeFlac(comments, { audioBytes, picture }), head],
    [
      'a.flac',
      'FLAC behind ID3',
      () => makeFlac(comments, { audioBytes, id3: makeId3v2(4, [], { picture }) }),
      head,
    ],
    ['a.mp3', 'MP3 with ID3v2.3', () => makeMp3(id3, { frames, version: 3, picture }), head],
    ['a.mp3', 'MP3 with ID3v2.4', () => makeMp3(id3, { frames, picture }), head],
    ['a.m4a', 'MP4, tags first', () => makeM4a(atoms, { audioBytes, cover: picture }), bothEnds],
    [
      'a.m4a',
      'MP4, tags last',
      () => makeM4a(atoms, { audioBytes, cover: picture, moovLast: true }),
      bothEnds,
    ],
    [
      'a.wav',
      'WAVE with ID3 last',
      () => makeWav([], { audioBytes, id3: makeId3v2(4, id3, { picture }) }),
      bothEnds,
    ],
    [
      'a.aiff',
      'AIFF with ID3 last',
      () => makeAiff([], { audioBytes, id3: makeId3v2(3, id3, { picture }) }),
      bothEnds,
    ],
  ])('%s: %s, is passed over', async (name, _what, bytes, most) => {
    await expectBounded(new MusicFolder({ [name]: bytes() }), name, most);
  });

  it('in an Ogg comment costs no more than the limit of a file', async () => {
    const folder = new MusicFolder({
      'a.ogg': makeOgg([pictureComment, ...comments], { pages: 200, pageBytes: 30_000 }),
    });
    await expectBounded(folder, 'a.ogg', 8 * 1024 * kib);
  });
});

describe('a file of which only what was asked for is there, as of one on a server', () => {
  it.each<[name: string, what: string, write: (place: string) => void]>([
    [
      'a.m4a',
      'MP4, tags last',
      (place) => writeFileSync(place, makeM4a(atoms, { audioBytes, moovLast: true, cover: 1_000_000 })),
    ],
    [
      'a.wav',
      'WAVE with ID3 last',
      (place) =>
        writeFileSync(place, makeWav([], { audioBytes, id3: makeId3v2(4, id3, { picture: 1_000_000 }) })),
    ],
    ['a.mpc', 'Musepack', (place) => writeFileSync(place, makeMusepack(ape, { audioBytes }))],
    ['a.wv', 'WavPack', (place) => encodeWithFfmpeg(place, { title: 'T', artist: 'A' }, noise)],
    [
      'a.mka',
      'Matroska',
      (place) => encodeWithFfmpeg(place, { title: 'T', artist: 'A' }, [...noise, '-c:a', 'flac']),
    ],
  ])('%s: %s, is read in a few rounds', async (name, _what, write) => {
    const folder = new MusicFolder();
    const place = join(folder.root, name);
    write(place);
    const sizeBytes = statSync(place).size;
    const pool = startPool();
    const tailBytes = 20 * kib;
    const held = [
      { offset: 0, lengthBytes: 64 * kib },
      { offset: sizeBytes - tailBytes, lengthBytes: tailBytes },
    ];
    for (let round = 0; ; round += 1) {
      expect(round).toBeLessThan(6);
      const batch = { rootPath: folder.root, files: [realPath(name)], held: [held] };
      const [outcome] = await pool.parse(batch, AbortSignal.timeout(20_000));
      if (outcome?.type !== 'needs') {
        expect(outcome).toMatchObject({ type: 'parsed', tags: { title: 'T', artist: 'A' } });
        break;
      }
      held.push({ offset: outcome.offset, lengthBytes: outcome.lengthBytes });
    }
    expect(held.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)).toBeLessThanOrEqual(bothEnds);
  });
});
