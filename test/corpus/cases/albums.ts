// Albums: what the files of a folder say of each other, editions, and names that meet.
import { makeMp3 } from '../../fixtures/audio-files.ts';
import { type Comments, type CorpusCase, flac, given } from '../corpus-case.ts';

/** One file for each artist, in one folder, of one album, none of which says whose the album is. */
function folder(
  path: string,
  what: string,
  album: string,
  artists: readonly string[],
  comments: Comments = {},
): CorpusCase[] {
  return artists.map((artist, index) =>
    flac(`${path}/${index + 1}.flac`, index === 0 ? what : 'the same', {
      ARTIST: artist,
      ALBUM: album,
      TITLE: `T${index + 1}`,
      TRACKNUMBER: String(index + 1),
      ...comments,
    }),
  );
}

const edition = (path: string, what: string, comments: Comments): CorpusCase =>
  flac(path, what, {
    ARTIST: 'Editor',
    ALBUM: 'Twice',
    DATE: '1990',
    TITLE: 'Song',
    TRACKNUMBER: '1',
    ...comments,
  });

const meets = (path: string, what: string, comments: Comments, audio = path): CorpusCase =>
  flac(
    path,
    what,
    { ARTIST: 'Meeting', ALBUM: 'Point', TITLE: 'Song', TRACKNUMBER: '1', ...comments },
    { audio },
  );

export const albums: readonly CorpusCase[] = [
  ...folder('guess/hits', 'three artists: a compilation', 'Guessed Hits', ['Nena', 'Falco', 'Trio']),
  ...folder('guess/dominant', 'three of five are hers: her album with guests', 'Her Album', [
    'Owner',
    'Owner feat. Y',
    'Visitor',
    'Owner',
    'Stranger',
  ]),
  ...folder('guess/below', 'two of four are not 60 %, three artists: a compilation', 'Half Hers', [
    'Owner',
    'Owner',
    'Visitor',
    'Stranger',
  ]),
  ...folder('guess/split', 'two artists share it, in the order of the album', 'Split Single', [
    'Zeta',
    'Alpha',
    'Zeta',
    'Alpha',
  ]),
  ...folder('guess/few', 'two tracks are too few: each under its own artist', 'Too Few', [
    'Few One',
    'Few Two',
  ]),
  ...folder(
    'guess/veto',
    'the flag says no: each under its own artist',
    'Vetoed',
    ['Veto One', 'Veto Two', 'Veto Three'],
    { COMPILATION: '0' },
  ),
  ...folder('guess/spellings', 'one artist in three spellings is one', 'Spellings', [
    'Bjork',
    'BJÖRK',
    'Björk',
    'Björk',
  ]),
  ...folder(
    'guess/discs/CD1',
    'the discs of one album are one group: three artists in two folders',
    'Guessed Discs',
    ['Disc A', 'Disc B'],
  ),
  flac('guess/discs/CD2/1.flac', 'the third artist of that album', {
    ARTIST: 'Disc C',
    ALBUM: 'guessed  discs',
    TITLE: 'T3',
    TRACKNUMBER: '3',
  }),
  ...folder('guess/decided', 'one file says whose it is: no guess for the others', 'One Says', [
    'Dec A',
    'Dec B',
    'Dec C',
  ]),
  flac('guess/decided/9.flac', 'the one that says it', {
    ARTIST: 'Dec D',
    ALBUMARTIST: 'Dec Owner',
    ALBUM: 'One Says',
    TITLE: 'T9',
    TRACKNUMBER: '9',
  }),
  ...folder(
    'guess/dozen',
    'a dozen artists in one folder',
    'Dozen',
    Array.from({ length: 12 }, (_, index) => `Artist ${index + 1}`),
  ),

  ...folder('years/stray', 'one stray year splits no album', 'Stray Year', ['Stray', 'Stray'], {
    DATE: '1971',
  }),
  flac('years/stray/3.flac', 'the stray one', {
    ARTIST: 'Stray',
    ALBUM: 'Stray Year',
    DATE: '1999',
    TITLE: 'T3',
    TRACKNUMBER: '3',
  }),
  flac('years/first/1.flac', 'an album of one name by year', {
    ARTIST: 'Peter',
    ALBUM: 'Peter',
    DATE: '1977',
    TITLE: 'Song',
    TRACKNUMBER: '1',
  }),
  flac('years/second/1.flac', 'another one of that name', {
    ARTIST: 'Peter',
    ALBUM: 'Peter',
    DATE: '1978',
    TITLE: 'Song',
    TRACKNUMBER: '1',
  }),

  edition('editions/a/1.flac', 'an edition without a name', {}),
  edition(
    'editions/a/deluxe/1.flac',
    'a second edition of that name and year has a directory of its own, marked',
    { EDITION: 'Deluxe Edition' },
  ),
  edition('editions/a/deluxe/2.flac', 'its bonus track', {
    EDITION: 'Deluxe Edition',
    TITLE: 'Bonus',
    TRACKNUMBER: '2',
  }),
  edition('editions/b/1.flac', 'a pressing with a catalog number', {
    ALBUM: 'Labelled',
    CATALOGNUMBER: 'LBL-1',
  }),
  edition('editions/b/other/1.flac', 'another pressing', { ALBUM: 'Labelled', CATALOGNUMBER: 'LBL-2' }),

  meets('meet/1.flac', 'a name that several want: the first to come has it', {}),
  meets('meet/2.flac', 'the same artist, album and title, other audio: marked by its audio', {}),
  meets('meet/3.flac', 'the title in capitals: one name as well', { TITLE: 'SONG' }),
  meets('meet/4.flac', 'the artist in small letters: one folder', {
    ARTIST: 'meeting',
    TITLE: 'Small Artist',
    TRACKNUMBER: '2',
  }),
  meets('meet/5.flac', 'the album in capitals: one folder', {
    ALBUM: 'POINT',
    TITLE: 'Large Album',
    TRACKNUMBER: '3',
  }),
  meets('meet/copies/1.flac', 'an exact copy of the first: marked by audio and path', {}, 'meet/1.flac'),
  meets('meet/copies/deeper/1.flac', 'another copy', {}, 'meet/1.flac'),
  meets(
    'meet/copies/retagged.flac',
    'the same audio under another title',
    { TITLE: 'Song Again' },
    'meet/1.flac',
  ),
  given(
    'meet/1.mp3',
    'the same in another format is another album folder',
    makeMp3(
      [
        ['TIT2', 'Song'],
        ['TPE1', 'Meeting'],
        ['TALB', 'Point'],
        ['TRCK', '1'],
      ],
      { seed: 501 },
    ),
  ),
  meets('meet/sharp.flac', 'sharp s …', { ALBUM: 'Straße', TITLE: 'Sharp' }),
  meets('meet/sharp2.flac', '… and its capitals are one name', { ALBUM: 'STRASSE', TITLE: 'SHARP' }),
  meets('meet/slash1.flac', 'a slash …', { ALBUM: 'Slashes', TITLE: 'A/B' }),
  meets('meet/slash2.flac', '… and a colon come out as one name', { ALBUM: 'Slashes', TITLE: 'A:B' }),
  meets('meet/long1.flac', 'two titles that differ behind the cut …', {
    ALBUM: 'Long',
    TITLE: `${'long '.repeat(60)}one`,
  }),
  meets('meet/long2.flac', '… the mark takes the place of the end', {
    ALBUM: 'Long',
    TITLE: `${'long '.repeat(60)}two`,
  }),
  meets('meet/accent1.flac', 'an accent makes another name', { ALBUM: 'Accents', TITLE: 'Resume' }),
  meets('meet/accent2.flac', 'of the same letters', { ALBUM: 'Accents', TITLE: 'Résumé' }),
];
