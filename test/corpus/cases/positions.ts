// Track numbers, discs and dates.
import { makeMp3, type Tags } from '../../fixtures/audio-files.ts';
import { type Comments, type CorpusCase, flac, given, seedOf } from '../corpus-case.ts';

const numbered = (name: string, what: string, comments: Comments): CorpusCase =>
  flac(`numbers/${name}.flac`, what, { ARTIST: 'Numbers', ALBUM: 'Positions', TITLE: name, ...comments });

const disc = (path: string, what: string, album: string, title: string, comments: Comments): CorpusCase =>
  flac(`discs/${path}.flac`, what, {
    ARTIST: 'Discs',
    ALBUM: album,
    TITLE: title,
    TRACKNUMBER: '1',
    ...comments,
  });

const dated = (name: string, what: string, comments: Comments): CorpusCase =>
  flac(`dates/${name}.flac`, what, {
    ARTIST: 'Dates',
    ALBUM: `Date ${name}`,
    TITLE: 'Day',
    TRACKNUMBER: '1',
    ...comments,
  });

const mp3 = (name: string, what: string, version: 3 | 4, tags: Tags): CorpusCase =>
  given(
    `dates/${name}.mp3`,
    what,
    makeMp3([['TIT2', 'Day'], ['TPE1', 'Dates'], ['TALB', `Date ${name}`], ['TRCK', '1'], ...tags], {
      version,
      seed: seedOf(name),
    }),
  );

export const positions: readonly CorpusCase[] = [
  numbered('plain', 'a number', { TRACKNUMBER: '7' }),
  numbered('of many', 'a number of a total', { TRACKNUMBER: '3/12' }),
  numbered('zeros', 'leading zeros', { TRACKNUMBER: '008' }),
  numbered('three digits', 'of more than 99 all have three digits', { TRACKNUMBER: '9', TRACKTOTAL: '120' }),
  numbered('above the total', 'more than its total', { TRACKNUMBER: '15/9' }),
  numbered('zero', 'track 0 means that nothing is known', { TRACKNUMBER: '0' }),
  numbered('none', 'no number', {}),
  numbered('only total', 'a total alone', { TRACKNUMBER: '/12' }),
  numbered('large', 'the largest number', { TRACKNUMBER: '9999' }),
  numbered('too large', 'above 9999 it stays a text', { TRACKNUMBER: '12345' }),
  numbered('vinyl', 'a side of a record', { TRACKNUMBER: 'A1' }),
  numbered('vinyl b', 'the other side', { TRACKNUMBER: 'B2' }),
  numbered('negative', 'a negative number is a text', { TRACKNUMBER: '-3' }),
  numbered('slash', 'a text with a slash', { TRACKNUMBER: 'B/2' }),

  disc('The Wall/CD1/1', 'discs in folders and in tags', 'Two Discs', 'First', { DISCNUMBER: '1/2' }),
  disc('The Wall/CD2/1', 'the second disc', 'Two Discs', 'Second', { DISCNUMBER: '2/2' }),
  disc('seen/1', 'two disc numbers without a total', 'Two Seen', 'First', { DISCNUMBER: '1' }),
  disc('seen/2', 'the second', 'Two Seen', 'Second', { DISCNUMBER: '2' }),
  disc('single/1', 'disc 1 of 1 shows no disc', 'One Disc', 'Only', { DISCNUMBER: '1/1' }),
  disc('single/2', 'disc 1 without a total shows no disc', 'One Disc Again', 'Only', { DISCNUMBER: '1' }),
  disc('second/1', 'the second disc alone, its total known', 'Lone Second', 'Only', {
    DISCNUMBER: '2',
    DISCTOTAL: '2',
  }),
  disc('second/2', 'the second disc alone, no total', 'Lone Disc 2', 'Only', { DISCNUMBER: '2' }),
  disc('mixed/1', 'one track knows its disc, the other does not', 'Mixed Discs', 'Knows', {
    DISCNUMBER: '2',
  }),
  disc('mixed/2', 'a track without disc is of the first', 'Mixed Discs', 'Knows Not', {}),
  disc(
    'folders/CD1/1',
    'folders of discs, no tags of discs: the names of files tell them apart',
    'Folders Only',
    'From CD1',
    {},
  ),
  disc('folders/CD2/1', 'the same of the second folder', 'Folders Only', 'From CD2', {}),
  disc('letters/1', 'a disc that is a letter', 'Letters', 'Side', { DISCNUMBER: 'A', DISCTOTAL: '2' }),
  disc('untracked/1', 'a disc of two without a track', 'No Track', 'Lost', {
    DISCNUMBER: '2/2',
    TRACKNUMBER: '',
  }),

  dated('year', 'YYYY', { DATE: '1984' }),
  dated('day', 'YYYY-MM-DD', { DATE: '1984-12-31' }),
  dated('month', 'YYYY-MM', { DATE: '1984-12' }),
  dated('stamp', 'a time stamp', { DATE: '1984-12-31T23:59:59Z' }),
  dated('none', 'no year', {}),
  dated('zero', 'a year of zeros', { DATE: '0000' }),
  dated('words', 'a year among words', { DATE: 'recorded in spring 1969, Paris' }),
  dated('slashes', 'day before month before year', { DATE: '31.12.1984' }),
  dated('compact', 'YYYYMMDD has no group of four digits', { DATE: '19841231' }),
  dated('future', 'a year beyond 2999', { DATE: '3001' }),
  dated('original', 'released 2011, first in 1973', { DATE: '2011', ORIGINALDATE: '1973-03-01' }),
  dated('original only', 'only the first release is known: the album shows no year of its own', {
    ORIGINALYEAR: '1973',
  }),
  dated('later', 'RELEASEDATE when DATE is missing', { RELEASEDATE: '1991-01-02' }),
  dated('year key', 'YEAR when both are missing', { YEAR: '1992' }),
  mp3('tyer', 'TYER and TDAT', 3, [
    ['TYER', '1998'],
    ['TDAT', '3112'],
  ]),
  mp3('tory', 'TYER and TORY', 3, [
    ['TYER', '1998'],
    ['TORY', '1958'],
  ]),
  mp3('tdor', 'TDRC and TDOR', 4, [
    ['TDRC', '1998-01'],
    ['TDOR', '1958'],
  ]),
  mp3('tdrl', 'TDRL alone', 4, [['TDRL', '1996']]),
];
