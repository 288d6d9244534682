// The tags of MP3 files: four versions of ID3, APEv2, and what they say to each other.
import {
  makeApeTag,
  makeId3v1,
  makeId3v2,
  makeMp3,
  mpegFrames,
  type Tags,
} from '../../fixtures/audio-files.ts';
import { makeId3v22 } from '../../fixtures/rare-audio.ts';
import { unsynchronised } from '../../fixtures/unsynchronised.ts';
import { type CorpusCase, given, seedOf } from '../corpus-case.ts';

const mp3 = (
  name: string,
  what: string,
  tags: Tags,
  options: Parameters<typeof makeMp3>[1] & { readonly front?: Buffer } = {},
): CorpusCase => {
  const path = `mp3/${name}.mp3`;
  const { front = Buffer.alloc(0), ...rest } = options;
  return given(path, what, Buffer.concat([front, makeMp3(tags, { seed: seedOf(path), ...rest })]));
};

const basic = (title: string, track: string): Tags => [
  ['TIT2', title],
  ['TPE1', 'Mpeg'],
  ['TALB', 'Layers'],
  ['TRCK', track],
];

export const mp3Tags: readonly CorpusCase[] = [
  given(
    'mp3/22.mp3',
    'ID3v2.2, frames of three letters',
    Buffer.concat([
      makeId3v22([
        ['TT2', 'Two Point Two – Ünïcode'],
        ['TP1', 'Mpeg'],
        ['TAL', 'Layers'],
        ['TRK', '22/99'],
        ['TYE', '1998'],
      ]),
      mpegFrames(20, seedOf('22')),
    ]),
  ),
  mp3(
    '23',
    'ID3v2.3, year and day apart',
    [...basic('Two Point Three', '23'), ['TYER', '1998'], ['TDAT', '3112']],
    { version: 3 },
  ),
  mp3('24', 'ID3v2.4 with a time stamp', [...basic('Two Point Four', '24'), ['TDRC', '1998-05-06T10:11:12']]),
  mp3(
    'latin1',
    'ISO 8859-1 that was Windows-1252',
    [...basic('Don\x92t \x96 Caf\xe9', '25'), ['TYER', '1998']],
    { version: 3, latin1: true },
  ),
  given(
    'mp3/unsynchronised.mp3',
    'ID3v2.3 with unsynchronisation',
    Buffer.concat([
      unsynchronised(makeId3v2(3, [...basic('Unsynchronised ÿ', '26'), ['TYER', '1998']])),
      mpegFrames(20, seedOf('unsync')),
    ]),
  ),
  mp3('v1', 'ID3v1 alone, cut at 30 characters as it is', [], {
    version: null,
    tail: makeId3v1({
      title: 'A Title Longer Than Thirty Characters',
      artist: 'Mpeg',
      album: 'Layers',
      year: '1998',
      track: 1,
    }),
  }),
  mp3('ape', 'APEv2 alone', [], {
    version: null,
    tail: makeApeTag([
      ['Title', 'Ape'],
      ['Artist', 'Mpeg'],
      ['Album', 'Layers'],
      ['Track', '2/9'],
      ['Year', '1998'],
    ]),
  }),
  mp3(
    'all',
    'ID3v2 wins, APEv2 fills, then ID3v1 fills',
    [
      ['TIT2', 'From ID3v2'],
      ['TRCK', '3'],
    ],
    {
      tail: Buffer.concat([
        makeApeTag([
          ['Title', 'From APE'],
          ['Artist', 'Mpeg'],
          ['Album', 'Layers'],
        ]),
        makeId3v1({ title: 'From ID3v1', artist: 'Wrong', album: 'Wrong', year: '1998', track: 9 }),
      ]),
    },
  ),
  mp3('twice', 'two ID3v2 tags in front: the first counts', [...basic('Second Tag', '5'), ['TDRC', '1998']], {
    front: makeId3v2(4, [...basic('First Tag', '4'), ['TDRC', '1998']]),
  }),
  mp3('padded', 'a tag with 300 KiB of padding', [], {
    version: null,
    front: paddedTag([...basic('Padded', '6'), ['TDRC', '1998']], 300 * 1024),
  }),
  mp3('nul', 'a NUL ends a text of ID3v2.4 that is no list', [
    ['TIT2', 'Before\0After'],
    ['TPE1', 'Mpeg'],
    ['TALB', 'Layers'],
    ['TRCK', '7'],
    ['TDRC', '1998'],
  ]),
];

function paddedTag(tags: Tags, bytes: number): Buffer {
  const tag = makeId3v2(4, tags);
  const length = tag.length - 10 + bytes;
  const size = Buffer.from([21, 14, 7, 0].map((shift) => (length >> shift) & 0x7f));
  return Buffer.concat([tag.subarray(0, 6), size, tag.subarray(10), Buffer.alloc(bytes)]);
}
