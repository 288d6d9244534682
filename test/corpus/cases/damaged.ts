// Files that say little, nothing or nonsense, and files that are broken. None of them may be lost.
import {
  filler,
  makeFlac,
  makeId3v2,
  makeMp3,
  makeOgg,
  makeWav,
  mpegFrames,
} from '../../fixtures/audio-files.ts';
import { makeM4a } from '../../fixtures/rare-audio.ts';
import { type CorpusCase, encoded, flac, given, notYet, seedOf } from '../corpus-case.ts';

const full = [
  ['TITLE', 'Whole'],
  ['ARTIST', 'Damaged'],
  ['ALBUM', 'Goods'],
] as const;

/** The bytes with a number written over them. */
function patched(bytes: Buffer, at: number, value: number, isLittleEndian = false): Buffer {
  const copy = Buffer.from(bytes);
  if (isLittleEndian) copy.writeUInt32LE(value, at);
  else copy.writeUInt32BE(value, at);
  return copy;
}

/** Where the text begins in the bytes. */
const at = (bytes: Buffer, text: string): number => bytes.indexOf(text);

const bigFlac = makeFlac(full, { seed: 201 });
const bigOgg = makeOgg(full, { seed: 202 });
const bigMp3 = makeMp3(
  [
    ['TIT2', 'Whole'],
    ['TPE1', 'Damaged'],
    ['TALB', 'Goods'],
  ],
  { seed: 203 },
);
const bigWav = makeWav(
  [
    ['INAM', 'Endless wave'],
    ['IART', 'Damaged'],
    ['IPRD', 'Goods'],
  ],
  { seed: 204 },
);
const bigM4a = makeM4a(
  { '©nam': ['Atom'], '©ART': ['Damaged'], '©alb': ['Goods'] },
  { seed: 205, moovLast: true },
);

export const damaged: readonly CorpusCase[] = [
  flac('silent/03 - no tags.flac', 'no tags at all', {}),
  flac('silent/empty.flac', 'tags that are there and empty', { TITLE: '', ARTIST: '  ', ALBUM: '' }),
  given('silent/deep/er/none.mp3', 'no tags, deep in folders', makeMp3([], { version: null, seed: 206 })),
  given('silent/none.ogg', 'no tags in Ogg', makeOgg([], { seed: 207 })),
  given('silent/none.wav', 'no tags in WAVE', makeWav([], { seed: 208 })),
  flac('silent/01 - only title.flac', 'a title alone', { TITLE: 'Alone' }),
  flac('silent/07 - from its name.flac', 'an artist alone: the title is the name without its number', {
    ARTIST: 'Only Artist',
  }),
  flac('silent/1-08 from the name too.flac', 'an album alone', { ALBUM: 'Only Album' }),
  flac('silent/12.flac', 'an artist alone, and a name that is only a number', { ARTIST: 'Only Artist' }),
  flac('silent/genre.flac', 'a genre and a number are no name', {
    GENRE: 'Rock',
    TRACKNUMBER: '4',
    DATE: '2000',
  }),
  flac('silent/nonsense.flac', 'numbers and dates that are none', {
    TITLE: 'Nonsense',
    ARTIST: 'Nonsense',
    ALBUM: 'Nonsense',
    TRACKNUMBER: 'three',
    DISCNUMBER: '?',
    DATE: 'unknown',
    COMPILATION: 'perhaps',
  }),
  flac('silent/unprintable.flac', 'tags of nothing but control characters are missing', {
    TITLE: '\u0001\u0002',
    ARTIST: '\u200e\u202e',
    ALBUM: 'Unprintable',
  }),
  flac('silent/placeholders.flac', 'what rippers write when they know nothing is shown as it is', {
    TITLE: 'Track 01',
    ARTIST: 'Unknown Artist',
    ALBUM: 'Unknown Album',
  }),

  given('broken/zero.flac', 'zero bytes', Buffer.alloc(0)),
  given('broken/garbage.mp3', 'noise with the extension of music', filler(5000, seedOf('noise'))),
  given('broken/garbage.flac', 'noise that is no FLAC', filler(5000, seedOf('more noise'))),
  given(
    'broken/page.ogg',
    'a web page instead of the music',
    Buffer.from('<!DOCTYPE html><title>404</title>'),
  ),
  given(
    'broken/picture.m4a',
    'a picture under a wrong name',
    Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex'),
  ),
  given('broken/one byte.wav', 'one byte', Buffer.from('R')),
  given(
    'broken/cut in comments.flac',
    'cut in the middle of its comments',
    bigFlac.subarray(0, at(bigFlac, 'ARTIST') + 9),
  ),
  given(
    'broken/cut in audio.flac',
    'cut in the audio: the tags are whole',
    makeFlac([...full, ['TRACKNUMBER', '1']], { seed: 209 }).subarray(0, -1500),
  ),
  given('broken/cut in id3.mp3', 'cut in the middle of its ID3 tag', bigMp3.subarray(0, 30)),
  given(
    'broken/cut in comments.ogg',
    'cut in the middle of its comments',
    bigOgg.subarray(0, at(bigOgg, 'ARTIST') + 9),
  ),
  given('broken/cut before tags.m4a', 'cut before the atom with the tags', bigM4a.subarray(0, 2000)),
  given(
    'broken/block of 16 MB.flac',
    'a comment block that is said to have 16 MB',
    patched(bigFlac, 42, 0x04ffffff),
  ),
  given(
    'broken/comment of 4 GB.flac',
    'a comment that is said to have 4 GB',
    patched(bigFlac, at(bigFlac, 'ARTIST') - 4, 0xffffffff, true),
  ),
  given(
    'broken/comments without end.flac',
    'four milliard comments are said to follow',
    patched(bigFlac, at(bigFlac, 'TITLE') - 8, 0xffffffff, true),
  ),
  given('broken/tag of 256 MB.mp3', 'an ID3 tag that is said to have 256 MB', patched(bigMp3, 6, 0x7f7f7f7f)),
  notYet(
    'a frame that goes on past its tag should be dropped: Unknown Artist, or the artist as far as it goes',
    given(
      'broken/frame of 256 MB.mp3',
      'a frame that is said to have 256 MB, after a good one',
      patched(bigMp3, at(bigMp3, 'TPE1') + 4, 0x7f7f7f7f),
    ),
  ),
  given(
    'broken/chunk of 4 GB.wav',
    'audio that is said to have 4 GB, as recorders leave it',
    patched(bigWav, at(bigWav, 'data') + 4, 0xffffffff, true),
  ),
  given(
    'broken/atom of 4 GB.m4a',
    'audio that is said to have 4 GB hides what follows',
    patched(bigM4a, at(bigM4a, 'mdat') - 4, 0xfffffff0),
  ),
  given('broken/atom in itself.m4a', 'an atom without length', patched(bigM4a, at(bigM4a, 'mdat') - 4, 1)),

  given(
    'wrong/flac.mp3',
    'FLAC under the extension of MP3: read by content, the extension stays',
    makeFlac([...full.slice(1), ['TITLE', 'Flac inside']], { seed: 210 }),
  ),
  given(
    'wrong/mp3.flac',
    'MP3 under the extension of FLAC',
    makeMp3(
      [
        ['TIT2', 'Mp3 inside'],
        ['TPE1', 'Damaged'],
        ['TALB', 'Goods'],
      ],
      { seed: 211 },
    ),
  ),
  given(
    'wrong/ogg.m4a',
    'Ogg under the extension of MP4',
    makeOgg([...full.slice(1), ['TITLE', 'Ogg inside']], { seed: 212 }),
  ),
  given(
    'wrong/m4a.ogg',
    'MP4 under the extension of Ogg',
    makeM4a({ '©nam': ['M4a inside'], '©ART': ['Damaged'], '©alb': ['Goods'] }, { seed: 213 }),
  ),
  given(
    'wrong/id3 before flac.flac',
    'an ID3 tag in front of FLAC only fills gaps',
    makeFlac([...full.slice(1), ['TITLE', 'Comments win']], {
      seed: 214,
      id3: makeId3v2(4, [
        ['TIT2', 'Not this'],
        ['TDRC', '1977'],
      ]),
    }),
  ),
  given(
    'wrong/junk before mp3.mp3',
    'an MP3 stream that begins with junk',
    Buffer.concat([Buffer.alloc(3000), mpegFrames(20, 215)]),
  ),
  encoded(
    'wrong/wave.mp3',
    'WAVE under the extension of MP3',
    { title: 'Wave inside', artist: 'Damaged', album: 'Goods' },
    ['-f', 'wav'],
  ),

  flac('large/lyrics of 3 MB.flac', 'lyrics of 3 MB before the title', {
    LYRICS: 'la '.repeat(1_000_000),
    TITLE: 'Long Lyrics',
    ARTIST: 'Large',
    ALBUM: 'Sizes',
  }),
  flac('large/lyrics of 10 MB.flac', 'lyrics of 10 MB: more than is read for tags', {
    TITLE: 'Longer Lyrics',
    ARTIST: 'Large',
    ALBUM: 'Sizes',
    LYRICS: 'la '.repeat(3_500_000),
  }),
  flac(
    'large/picture of 5 MB.flac',
    'a picture of 5 MB before the comments',
    { TITLE: 'Picture', ARTIST: 'Large', ALBUM: 'Sizes' },
    { picture: 5_000_000 },
  ),
  given(
    'large/picture of 5 MB.mp3',
    'a picture of 5 MB in ID3',
    makeMp3(
      [
        ['TIT2', 'Picture'],
        ['TPE1', 'Large'],
        ['TALB', 'Sizes'],
      ],
      { picture: 5_000_000, seed: 216 },
    ),
  ),
  given(
    'large/picture of 5 MB.m4a',
    'a picture of 5 MB in MP4',
    makeM4a({ '©nam': ['Picture'], '©ART': ['Large'], '©alb': ['Sizes'] }, { cover: 5_000_000, seed: 217 }),
  ),
  flac('large/many comments.flac', '2,000 comments, the names after them', {
    ...Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`KEY${index}`, 'x'])),
    TITLE: 'Late Title',
    ARTIST: 'Large',
    ALBUM: 'Sizes',
  }),
];
