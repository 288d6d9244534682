// Tags that the parser alone does not find, or finds at a price: what it is shown of such files is not their bytes.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFlac, makeId3v2, mpegFrames, type Tags } from '../../fixtures/audio-files.ts';
import { encodeWithFfmpeg } from '../../fixtures/encoded-audio.ts';
import {
  makeDsdiff,
  makeDsf,
  makeId3v22,
  makeMonkeysAudio,
  makeMusepack,
  makeMusepack7,
} from '../../fixtures/rare-audio.ts';
import { unsynchronised } from '../../fixtures/unsynchronised.ts';
import { MusicFolder, startPool } from './music-folder.ts';

const ape: Tags = [
  ['Title', 'T'],
  ['Artist', 'A\0B'],
  ['Track', '3/9'],
];
const id3: Tags = [
  ['TIT2', 'ÿT'],
  ['TPE1', 'A'],
  ['TALB', 'B'],
];

describe('tags', () => {
  it.each([
    ['a.ape', makeMonkeysAudio(ape)],
    ['a.mpc', makeMusepack(ape)],
    ['a.mpc', makeMusepack7(ape)],
  ])('of APEv2 come out of %s', async (name, bytes) => {
    const tags = await new MusicFolder({ [name]: bytes }).tagsOf(startPool(), name);
    expect(tags).toMatchObject({ title: 'T', artists: ['A', 'B'], track: 3, trackTotal: 9 });
    expect(tags.sampleRateHz).toBe(44_100);
  });

  it.each([
    ['a.dsf', makeDsf(id3)],
    ['a.dff', makeDsdiff(id3)],
  ])('of ID3 come out of %s', async (name, bytes) => {
    const tags = await new MusicFolder({ [name]: bytes }).tagsOf(startPool(), name);
    expect(tags).toMatchObject({
      title: 'ÿT',
      artist: 'A',
      album: 'B',
      sampleRateHz: 2_822_400,
      lossless: true,
    });
  });

  it('come out of FLAC in Ogg', async () => {
    const folder = new MusicFolder();
    encodeWithFfmpeg(join(folder.root, 'a.oga'), { title: 'T', artist: 'A' }, ['-c:a', 'flac']);
    const tags = await folder.tagsOf(startPool(), 'a.oga');
    expect(tags).toMatchObject({
      title: 'T',
      artist: 'A',
      codec: 'FLAC',
      sampleRateHz: 44_100,
      lossless: true,
    });
    expect(tags.durationMs).toBeGreaterThan(900);
    expect(tags.durationMs).toBeLessThan(1200);
  });

  it.each([
    [
      '2.2',
      unsynchronised(
        makeId3v22([
          ['TT2', 'ÿT'],
          ['TP1', 'A'],
          ['TAL', 'B'],
        ]),
      ),
    ],
    ['2.3', unsynchronised(makeId3v2(3, id3))],
  ])('of ID3v%s come out of a tag with unsynchronisation', async (_version, tag) => {
    const folder = new MusicFolder({
      'a.mp3': Buffer.concat([tag, mpegFrames(20)]),
      'b.flac': makeFlac([['DATE', '1999']], { id3: tag }),
    });
    const pool = startPool();
    expect(await folder.tagsOf(pool, 'a.mp3')).toMatchObject({ title: 'ÿT', artist: 'A', album: 'B' });
    expect(await folder.tagsOf(pool, 'b.flac')).toMatchObject({
      title: 'ÿT',
      artist: 'A',
      album: 'B',
      year: 1999,
    });
  });

  it('behind 2,000 others that mean nothing here are found', async () => {
    const many = Array.from({ length: 2000 }, (_, index) => [`KEY${index}`, 'x'] as const);
    const folder = new MusicFolder({ 'a.flac': makeFlac([...many, ['TITLE', 'T']]) });
    const tags = await folder.tagsOf(startPool(), 'a.flac');
    expect(tags.title).toBe('T');
    expect(Object.keys(tags.custom ?? {})).toHaveLength(64);
  });
});

it('of a WavPack file the rate of its bits is that of all its audio', async () => {
  const folder = new MusicFolder();
  const noise = ['-filter_complex', 'anoisesrc=duration=20:sample_rate=44100[n]', '-map', '[n]'];
  encodeWithFfmpeg(join(folder.root, 'a.wv'), { title: 'T' }, noise);
  const tags = await folder.tagsOf(startPool(), 'a.wv');
  expect(tags.title).toBe('T');
  expect(tags.durationMs).toBe(20_000);
  // Noise of one channel of 16 or 32 bits, hardly smaller than it was.
  expect(tags.bitrateBps).toBeGreaterThan(600_000);
});
