import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  makeAiff,
  makeApeTag,
  makeFlac,
  makeId3v1,
  makeId3v2,
  makeMp3,
  makeOgg,
  makeWav,
} from '../../fixtures/audio-files.ts';
import { encodeWithFfmpeg } from '../../fixtures/encoded-audio.ts';
import { MusicFolder, startPool } from './music-folder.ts';

/** The bytes with a text in them replaced by others, as many, which are no UTF-8. */
function badUtf8(bytes: Buffer, text: string, instead: string): Buffer {
  const at = bytes.indexOf(text);
  bytes.write(instead, at, 'latin1');
  return bytes;
}

describe('tags of files made in code', () => {
  it('come out of Vorbis comments in FLAC, several values as lists', async () => {
    const folder = new MusicFolder({
      'a.flac': makeFlac([
        ['TITLE', '  Lux \u00c6terna '],
        ['ARTIST', 'A'],
        ['artist', 'B'],
        ['ARTIST', 'A'],
        ['ALBUM', 'Cafe\u0301'],
        ['ALBUM ARTIST', 'Band'],
        ['TRACKNUMBER', '03'],
        ['TRACKTOTAL', '12'],
        ['DISCNUMBER', '1/2'],
        ['DATE', '2023-04-14'],
        ['ORIGINALYEAR', '1983'],
        ['GENRE', 'Rock; Pop'],
        ['COMPILATION', 'Yes'],
        ['REPLAYGAIN_TRACK_GAIN', '-6.30 dB'],
        ['R128_TRACK_GAIN', '-512'],
        ['MUSICBRAINZ_TRACKID', 'rec'],
        ['MUSICBRAINZ_RELEASETRACKID', 'trk'],
        ['SHELF', 'B4'],
      ]),
    });
    expect(await folder.tagsOf(startPool(), 'a.flac')).toEqual({
      title: 'Lux \u00c6terna',
      artist: 'A & B',
      artists: ['A', 'B'],
      album: 'Caf\u00e9',
      albumArtist: 'Band',
      track: 3,
      trackTotal: 12,
      disc: 1,
      discTotal: 2,
      date: '2023-04-14',
      year: 2023,
      originalDate: '1983',
      originalYear: 1983,
      genre: ['Rock; Pop'],
      compilation: true,
      replaygainTrackGain: -6.3,
      r128TrackGain: -2,
      mbRecordingId: 'rec',
      mbTrackId: 'trk',
      custom: { SHELF: ['B4'] },
      codec: 'FLAC',
      container: 'FLAC',
      encoder: 'fixture',
      durationMs: 1000,
      bitrateBps: 16_000,
      sampleRateHz: 44_100,
      channels: 2,
      bitsPerSample: 16,
      lossless: true,
    });
  });

  it('keep the slash of ID3v2.3 that is part of a name, and read its two-part date', async () => {
    const folder = new MusicFolder({
      'a.mp3': makeMp3(
        [
          ['TIT2', 'Thunderstruck'],
          ['TPE1', 'AC/DC'],
          ['TCOM', 'Young/Young'],
          ['TXXX:Artists', 'AC/DC'],
          ['TYER', '1990'],
          ['TDAT', '1009'],
          ['TRCK', '1/12'],
          ['TCON', '(17)'],
          ['COMM', 'fine'],
        ],
        { version: 3 },
      ),
    });
    expect(await folder.tagsOf(startPool(), 'a.mp3')).toMatchObject({
      artist: 'AC/DC',
      artists: ['AC/DC'],
      composer: ['Young/Young'],
      date: '1990-09-10',
      track: 1,
      trackTotal: 12,
      genre: ['Rock'],
      comment: 'fine',
      lossless: false,
      durationEstimated: true,
    });
  });

  it('are lists in ID3v2.4 where NUL separates, and ID3v2.3 where a writer used it all the same', async () => {
    const folder = new MusicFolder({
      'a.mp3': makeMp3([
        ['TPE1', 'A\0B/C'],
        ['TIT2', 'T'],
      ]),
      'b.mp3': makeMp3(
        [
          ['TPE1', 'A\0B/C'],
          ['TIT2', 'T'],
        ],
        { version: 3 },
      ),
    });
    const pool = startPool();
    expect(await folder.tagsOf(pool, 'a.mp3')).toMatchObject({ artists: ['A', 'B/C'], artist: 'A & B/C' });
    expect(await folder.tagsOf(pool, 'b.mp3')).toMatchObject({ artists: ['A', 'B/C'], artist: 'A & B/C' });
  });

  it('of a lesser kind only fill what the better one leaves open', async () => {
    const folder = new MusicFolder({
      'a.mp3': makeMp3(
        [
          ['TIT2', 'Long'],
          ['TPE1', 'Artist'],
        ],
        {
          tail: Buffer.concat([
            makeApeTag([
              ['Title', 'Ape'],
              ['Album', 'Ape album'],
            ]),
            makeId3v1({ title: 'Old', album: 'Old album', year: '1999' }),
          ]),
        },
      ),
      'b.mp3': makeMp3([], {
        version: null,
        tail: makeId3v1({ title: 'Old', artist: 'Mot\u00f6rhead', track: 7 }),
      }),
      'c.flac': makeFlac([['TITLE', 'Vorbis']], {
        id3: makeId3v2(4, [
          ['TIT2', 'Id3'],
          ['TALB', 'Id3 album'],
        ]),
      }),
      'd.wav': makeWav(
        [
          ['INAM', 'Info'],
          ['IPRD', 'Info album'],
        ],
        { id3: makeId3v2(4, [['TIT2', 'Id3']]) },
      ),
      'e.aiff': makeAiff(
        [
          ['NAME', 'Text'],
          ['AUTH', 'Author'],
        ],
        { id3: makeId3v2(3, [['TIT2', 'Id3']]) },
      ),
    });
    const pool = startPool();
    expect(await folder.tagsOf(pool, 'a.mp3')).toMatchObject({
      title: 'Long',
      album: 'Ape album',
      year: 1999,
    });
    expect(await folder.tagsOf(pool, 'b.mp3')).toMatchObject({
      title: 'Old',
      artist: 'Mot\u00f6rhead',
      track: 7,
    });
    expect(await folder.tagsOf(pool, 'c.flac')).toMatchObject({ title: 'Vorbis', album: 'Id3 album' });
    expect(await folder.tagsOf(pool, 'd.wav')).toMatchObject({ title: 'Id3', album: 'Info album' });
    expect(await folder.tagsOf(pool, 'e.aiff')).toMatchObject({ title: 'Id3', artist: 'Author' });
  });

  it('declared ISO 8859-1 are read as Windows-1252 where that makes sense', async () => {
    const folder = new MusicFolder({
      'a.mp3': makeMp3(
        [
          ['TIT2', 'Don\x92t \x96 Caf\xe9'],
          ['TPE1', 'Mot\xf6rhead'],
        ],
        { version: 3, latin1: true },
      ),
    });
    expect(await folder.tagsOf(startPool(), 'a.mp3')).toMatchObject({
      title: 'Don\u2019t \u2013 Caf\u00e9',
      artist: 'Mot\u00f6rhead',
    });
  });

  it('are read in the code page that is configured, where they are no Unicode', async () => {
    const cyrillic = '\u041a\u0438\u043d\u043e'; // "Кино"
    const inCodePage = '\xca\xe8\xed\xee';
    const name = '\u0413\u0440\u0443\u043f\u043f\u0430 \u043a\u0440\u043e\u0432\u0438'; // "Группа крови"
    const nameInCodePage = '\xc3\xf0\xf3\xef\xef\xe0 \xea\xf0\xee\xe2\xe8';
    const folder = new MusicFolder({
      'a.mp3': makeMp3(
        [
          ['TPE1', inCodePage],
          ['TIT2', nameInCodePage],
        ],
        { version: 3, latin1: true },
      ),
      'b.mp3': makeMp3([], {
        version: null,
        tail: makeId3v1({ artist: inCodePage, title: nameInCodePage, album: 'X' }),
      }),
      // Unicode, whose characters all are of ISO 8859-1 by chance.
      'c.mp3': makeMp3([['TPE1', 'Bj\u00f6rk']], { version: 3 }),
      'd.mp3': makeMp3([['TPE1', 'Bj\u00f6rk']], { version: 4 }),
      'e.flac': badUtf8(
        makeFlac([
          ['ARTIST', 'XXXX'],
          ['TITLE', cyrillic],
        ]),
        'XXXX',
        inCodePage,
      ),
      'f.mp3': badUtf8(makeMp3([['TPE1', 'XXXX']], { version: 4 }), 'XXXX', inCodePage),
    });
    const pool = startPool({ legacyCharset: 'windows-1251' });
    const both = { artist: cyrillic, title: name };
    expect(await folder.tagsOf(pool, 'a.mp3')).toMatchObject(both);
    expect(await folder.tagsOf(pool, 'b.mp3')).toMatchObject(both);
    for (const file of ['c.mp3', 'd.mp3'])
      expect(await folder.tagsOf(pool, file)).toMatchObject({ artist: 'Bj\u00f6rk' });
    expect(await folder.tagsOf(pool, 'e.flac')).toMatchObject({ artist: cyrillic, title: cyrillic });
    expect(await folder.tagsOf(pool, 'f.mp3')).toMatchObject({ artist: cyrillic });
    // By default it is the one of the west.
    const western = startPool();
    expect(await folder.tagsOf(western, 'a.mp3')).toMatchObject({ artist: '\xca\xe8\xed\xee' });
    expect(await folder.tagsOf(western, 'e.flac')).toMatchObject({ artist: '\xca\xe8\xed\xee' });
  });

  it('in a code page of several bytes a character are read, and what is none of it as Windows-1252', async () => {
    const shiftJis = '\x8e\x52\x89\xba'; // "山下"
    const folder = new MusicFolder({
      'a.mp3': makeMp3(
        [
          ['TPE1', shiftJis],
          ['TIT2', 'Caf\xe9'],
        ],
        { version: 3, latin1: true },
      ),
    });
    expect(await folder.tagsOf(startPool({ legacyCharset: 'shift_jis' }), 'a.mp3')).toMatchObject({
      artist: '\u5c71\u4e0b',
      title: 'Caf\u00e9',
    });
  });

  it('of an Ogg stream need no reading to its end, and its length is known', async () => {
    const folder = new MusicFolder({ 'a.ogg': makeOgg([['TITLE', 'T']], { pages: 40, pageBytes: 30_000 }) });
    const pool = startPool();
    expect(await folder.tagsOf(pool, 'a.ogg')).toMatchObject({
      title: 'T',
      durationMs: 40_000,
      codec: 'Vorbis I',
    });
    expect(pool.stats().bytesReadForTags).toBeLessThanOrEqual(64 * 1024);
  });

  it('are read by content, whatever the extension says', async () => {
    const folder = new MusicFolder({
      'a.mp3': makeFlac([['TITLE', 'T']]),
      'b.flac': makeMp3([['TIT2', 'T']]),
    });
    const pool = startPool();
    expect(await folder.tagsOf(pool, 'a.mp3')).toMatchObject({ title: 'T', container: 'FLAC' });
    expect(await folder.tagsOf(pool, 'b.flac')).toMatchObject({ title: 'T', container: 'MPEG' });
  });

  it('stay within their limits', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => [`KEY${index}`, 'x'] as const);
    const folder = new MusicFolder({
      'a.flac': makeFlac([
        ['TITLE', 'T'],
        ['COMMENT', '\u6f22'.repeat(60_000)],
        ['LYRICS', 'la '.repeat(600_000)],
        ['LONGKEY', 'y'.repeat(20_000)],
        ...many,
      ]),
    });
    const tags = await folder.tagsOf(startPool(), 'a.flac');
    expect(Buffer.byteLength(tags.comment ?? '')).toBeLessThanOrEqual(64 * 1024);
    expect(tags.comment?.length).toBeGreaterThan(21_000);
    expect(Buffer.byteLength(tags.lyrics ?? '')).toBeLessThanOrEqual(1024 * 1024);
    expect(Buffer.byteLength(tags.lyrics ?? '')).toBeGreaterThan(1_000_000);
    expect(Object.keys(tags.custom ?? {})).toHaveLength(64);
    expect(tags.custom?.['LONGKEY']?.[0]).toHaveLength(8192);
  });
});

describe('tags of files made by an encoder', () => {
  const tags = {
    title: 'Title',
    artist: 'Artist',
    album: 'Album',
    date: '2001',
    genre: 'Rock',
    track: '3/9',
  };
  const read = { title: 'Title', artist: 'Artist', album: 'Album', year: 2001, track: 3 };

  it.each([
    ['a.flac', [], { codec: 'FLAC', lossless: true, trackTotal: undefined }],
    ['a.mp3', ['-b:a', '64k'], { codec: 'MPEG 1 Layer 3', trackTotal: 9 }],
    ['a.mp3', ['-q:a', '4'], { vbr: true, trackTotal: 9 }],
    ['a.ogg', ['-c:a', 'libvorbis'], { codec: 'Vorbis I' }],
    ['a.opus', ['-c:a', 'libopus'], { codec: 'Opus' }],
    ['a.m4a', ['-c:a', 'aac'], { codec: 'MPEG-4/AAC', lossless: false, trackTotal: 9 }],
    ['a.m4a', ['-c:a', 'alac'], { codec: 'ALAC', lossless: true }],
    ['a.m4a', ['-c:a', 'aac', '-movflags', '+faststart'], { codec: 'MPEG-4/AAC' }],
    ['a.aiff', ['-write_id3v2', '1'], { lossless: true }],
    ['a.wv', [], { lossless: true }],
    ['a.wma', ['-c:a', 'wmav2'], {}],
    ['a.mka', ['-c:a', 'libopus'], {}],
  ] as const)('come out of %s (%j)', async (name, options, extra) => {
    const folder = new MusicFolder();
    encodeWithFfmpeg(join(folder.root, name), tags, options);
    const found = await folder.tagsOf(startPool(), name);
    const expected = Object.fromEntries(Object.entries(extra).filter(([, value]) => value !== undefined));
    expect(found).toMatchObject({ ...read, ...expected });
    expect(found.genre).toEqual(['Rock']);
    expect(found.durationMs).toBeGreaterThan(900);
    expect(found.durationMs).toBeLessThan(1200);
    expect(found.sampleRateHz).toBeGreaterThanOrEqual(8000);
  });

  it('come out of WAV', async () => {
    const folder = new MusicFolder();
    encodeWithFfmpeg(join(folder.root, 'a.wav'), tags);
    expect(await folder.tagsOf(startPool(), 'a.wav')).toMatchObject({
      title: 'Title',
      artist: 'Artist',
      track: 3,
    });
  });

  it('are not asked of an MP4 with moving pictures', async () => {
    const folder = new MusicFolder();
    encodeWithFfmpeg(join(folder.root, 'a.mp4'), {}, [
      ...['-f', 'lavfi', '-i', 'testsrc=duration=1:size=64x64:rate=5', '-c:a', 'aac', '-c:v', 'mpeg4'],
    ]);
    const outcomes = await folder.parse(startPool(), ['a.mp4']);
    expect(outcomes).toEqual([{ type: 'not-music', path: 'a.mp4' }]);
  });
});

describe('the content identity', () => {
  const identities = async (files: Readonly<Record<string, Buffer>>): Promise<(string | null)[]> => {
    const folder = new MusicFolder(files);
    const outcomes = await folder.parse(startPool(), Object.keys(files));
    return outcomes.map((outcome) => ('audioFp' in outcome ? outcome.audioFp : null));
  };

  it('survives other tags, pictures, padding and trailing tags', async () => {
    const audioBytes = 200_000;
    const tail = Buffer.concat([makeApeTag([['Title', 'x']]), makeId3v1({ title: 'x' })]);
    const id3 = makeId3v2(4, [['TIT2', 'longer than before']]);
    const pairs = await identities({
      '1.flac': makeFlac([['TITLE', 'a']], { audioBytes }),
      '2.flac': makeFlac([['TITLE', 'other']], { audioBytes, padding: 9000, picture: 300_000, id3 }),
      '1.mp3': makeMp3([['TIT2', 'a']], { frames: 500 }),
      '2.mp3': makeMp3([['TIT2', 'b']], { frames: 500, picture: 100_000, tail }),
      '1.wav': makeWav([], { audioBytes, seed: 2 }),
      '2.wav': makeWav([['INAM', 'x']], { audioBytes, id3, seed: 2 }),
      '1.aiff': makeAiff([], { audioBytes }),
      '2.aiff': makeAiff([['NAME', 'x']], { audioBytes, id3 }),
    });
    for (let at = 0; at < pairs.length; at += 2) {
      expect(pairs[at]).toMatch(/^[0-9a-f]{16}$/);
      expect(pairs[at + 1]).toBe(pairs[at]);
    }
    expect(new Set(pairs).size).toBe(4);
  });

  it('survives re-tagging of an MP4, whose sample tables move', async () => {
    const folder = new MusicFolder();
    encodeWithFfmpeg(join(folder.root, '1.m4a'), { title: 'a' }, ['-fflags', '+bitexact', '-c:a', 'aac']);
    encodeWithFfmpeg(join(folder.root, '2.m4a'), { title: 'b'.repeat(3000) }, [
      ...['-fflags', '+bitexact', '-c:a', 'aac', '-movflags', '+faststart'],
    ]);
    const [first, second] = await folder.parse(startPool(), ['1.m4a', '2.m4a']);
    expect(first).toMatchObject({ type: 'parsed', audioFp: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(second).toMatchObject({
      audioFp: first !== undefined && 'audioFp' in first ? first.audioFp : null,
    });
  });

  it('differs when a byte at either end or the length of the audio differs', async () => {
    const base = makeFlac([], { audioBytes: 100_000 });
    const early = Buffer.from(base);
    early[base.length - 100_000] = 255;
    const late = Buffer.from(base);
    late[base.length - 1] = 255;
    const found = await identities({
      'a.flac': base,
      'b.flac': early,
      'c.flac': late,
      // Both ends as before, one byte more between them.
      'd.flac': Buffer.concat([base.subarray(0, -50_000), Buffer.of(1), base.subarray(-50_000)]),
    });
    expect(new Set(found).size).toBe(4);
  });
});

describe('reading', () => {
  it('takes one request and at most 64 KiB for the tags of a file without pictures', async () => {
    const files = {
      'a.flac': makeFlac([['TITLE', 'T']], { padding: 8192, audioBytes: 500_000 }),
      'b.mp3': makeMp3([['TIT2', 'T']], { frames: 2000, tail: makeId3v1({ title: 'T' }) }),
      'c.wav': makeWav([['INAM', 'T']], { audioBytes: 500_000 }),
      'd.ogg': makeOgg([['TITLE', 'T']], { pages: 20 }),
      'e.flac': makeFlac([['TITLE', 'T']], { audioBytes: 1000 }),
    };
    const folder = new MusicFolder(files);
    for (const name of Object.keys(files)) {
      const pool = startPool();
      expect(await folder.tagsOf(pool, name)).toMatchObject({ title: 'T' });
      const { bytesReadForTags, bytesReadForFingerprints, preads } = pool.stats();
      expect(bytesReadForTags, name).toBeLessThanOrEqual(64 * 1024);
      expect(bytesReadForFingerprints, name).toBeLessThanOrEqual(36 * 1024);
      expect(preads, name).toBeLessThanOrEqual(3);
    }
  });

  it.each([3, 4] as const)(
    'passes over the bytes of a picture in ID3v2.%i, however large',
    async (version) => {
      const text = [
        ['TIT2', 'T'],
        ['TPE1', 'A'],
      ] as const;
      const pictured = makeId3v2(version, text, { picture: 12_000_000 });
      const folder = new MusicFolder({
        'a.mp3': Buffer.concat([pictured, makeMp3([], { version: null, frames: 500 })]),
        'b.flac': makeFlac([['ALBUM', 'B']], { id3: pictured }),
      });
      const pool = startPool();
      expect(await folder.tagsOf(pool, 'a.mp3')).toMatchObject({
        title: 'T',
        artist: 'A',
        sampleRateHz: 44_100,
      });
      expect(await folder.tagsOf(pool, 'b.flac')).toMatchObject({ title: 'T', album: 'B' });
      expect(pool.stats().bytesReadForTags).toBeLessThanOrEqual(4 * 64 * 1024);
    },
  );

  it('passes over the bytes of a picture in FLAC', async () => {
    const folder = new MusicFolder({ 'a.flac': makeFlac([['TITLE', 'T']], { picture: 3_000_000 }) });
    const pool = startPool();
    expect(await folder.tagsOf(pool, 'a.flac')).toMatchObject({ title: 'T' });
    expect(pool.stats().bytesReadForTags).toBeLessThanOrEqual(128 * 1024);
  });

  it('of tags finds a moov that lies behind the media data', async () => {
    const folder = new MusicFolder();
    encodeWithFfmpeg(join(folder.root, 'a.m4a'), { title: 'T' }, ['-c:a', 'alac', '-t', '1']);
    const pool = startPool();
    expect(await folder.tagsOf(pool, 'a.m4a')).toMatchObject({ title: 'T' });
    expect(pool.stats().bytesReadForTags).toBeLessThanOrEqual(128 * 1024);
  });
});
