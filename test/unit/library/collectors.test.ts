// What collectors complain of, each as a folder on the disk and what becomes of it.
import { describe, expect, it } from 'vitest';
import type { LibraryOptions } from '../../../src/library/library-options.ts';
import type { TrackTags } from '../../../src/library/track-tags.ts';
import { type LibraryFile, settledLibrary } from '../../fixtures/settled-library.ts';

/** Files of one folder, numbered. */
function folder(name: string, album: TrackTags, ...tracks: readonly TrackTags[]): readonly LibraryFile[] {
  return tracks.map((tags, index) => [
    `${name}/${index + 1}.mp3`,
    { title: `T${index + 1}`, track: index + 1, ...album, ...tags },
  ]);
}

const by = (...artists: readonly string[]): readonly TrackTags[] => artists.map((artist) => ({ artist }));

type Options = Partial<LibraryOptions> & { readonly source?: string };

/** The directories that the files are in, each once, in the order of the files. */
function directoriesOf(files: readonly LibraryFile[], options: Options = {}): readonly string[] {
  const paths = settledLibrary(files, options).map(({ virtualPath }) => virtualPath);
  return [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))))];
}

const cases: readonly [
  what: string,
  files: readonly LibraryFile[],
  directories: readonly string[],
  options?: Options,
][] = [
  [
    'a soundtrack of many artists without a flag is one compilation',
    folder(
      'OST',
      { album: 'Pulp Fiction', year: 1994 },
      ...by('Dick Dale', 'Kool & The Gang', 'Al Green', 'Urge Overkill'),
    ),
    ['Various Artists/Pulp Fiction (1994) [MP3]'],
  ],
  [
    'a soundtrack by one composer with a few songs of others is his',
    folder(
      'OST',
      { album: 'Drive', year: 2011 },
      ...by('Kavinsky', 'Desire', ...Array.from({ length: 12 }, () => 'Cliff Martinez')),
    ),
    ['Cliff Martinez/Drive (2011) [MP3]'],
  ],
  [
    'a split EP is filed under both bands, in their order',
    folder('Split', { album: 'Split', year: 1999 }, ...by('Refused', 'Refused', 'Abhinanda', 'Abhinanda')),
    ['Refused & Abhinanda/Split (1999) [MP3]'],
  ],
  [
    'a split single of two tracks is too small to judge',
    folder('Split', { album: 'Split 7"' }, ...by('A', 'B')),
    ['A/Split 7_ [MP3]', 'B/Split 7_ [MP3]'],
  ],
  [
    'a rapper with a guest on every track stays whole',
    folder(
      'X',
      { album: '2001', year: 1999 },
      ...by('Dr. Dre feat. Snoop', 'Dr. Dre ft. Eminem', 'Dr. Dre (featuring Xzibit)', 'Dr. Dre', 'Mel-Man'),
    ),
    ['Dr. Dre/2001 (1999) [MP3]'],
  ],
  [
    'a producer\u2019s album where every track names another singer first is a compilation until a tag says more',
    folder('X', { album: 'Duets' }, ...by('A feat. P', 'B feat. P', 'C feat. P')),
    ['Various Artists/Duets [MP3]'],
  ],
  [
    'classical music with another soloist on each work is one album',
    folder(
      'Proms',
      { album: 'Last Night of the Proms' },
      ...by('Mutter, Karajan', 'Argerich, Abbado', 'Perlman, Giulini', 'Pollini, Böhm'),
    ),
    ['Various Artists/Last Night of the Proms [MP3]'],
  ],
  [
    'classical music with a joined credit on each track, and lists, goes to the first of the list',
    folder(
      'Kreutzer',
      { album: 'Sonatas' },
      { artist: 'Kremer & Argerich', artists: ['Gidon Kremer', 'Martha Argerich'] },
      { artist: 'Kremer & Argerich', artists: ['Gidon Kremer', 'Martha Argerich'] },
      { artist: 'Kremer', artists: ['Gidon Kremer'] },
    ),
    ['Gidon Kremer/Sonatas [MP3]'],
  ],
  [
    'a compilation in CD1 and CD2 is judged as one',
    [
      ...folder('Hits/CD1', { album: 'Hits', disc: 1, discTotal: 2 }, ...by('A', 'B')),
      ...folder('Hits/CD2', { album: 'hits', disc: 2, discTotal: 2 }, ...by('C', 'D')),
    ],
    ['Various Artists/Hits [MP3]', 'Various Artists/hits [MP3]'],
  ],
  [
    'the discs of an album share a year that one disc has wrong',
    [
      ...folder('Wall/CD1', { album: 'The Wall', year: 1979 }, ...by('Pink Floyd', 'Pink Floyd')),
      ...folder('Wall/Disc 2', { album: 'The Wall', year: 1994 }, ...by('Pink Floyd')),
    ],
    ['Pink Floyd/The Wall (1979) [MP3]'],
  ],
  [
    'a compilation with the year of each song is not torn apart',
    folder(
      '80s',
      { album: '80s' },
      { artist: 'A', year: 1981 },
      { artist: 'B', year: 1985 },
      { artist: 'C', year: 1985 },
      { artist: 'D', year: 1989 },
    ),
    ['Various Artists/80s (1985) [MP3]'],
  ],
  [
    'deluxe and standard edition in folders of their own are two albums',
    [
      ...folder('Album', { album: 'Album', year: 2001, label: ['EMI'] }, ...by('A', 'A')),
      ...folder(
        'Album (Deluxe)',
        { album: 'Album', year: 2001, edition: 'Deluxe Edition', label: ['Apple'] },
        ...by('A', 'A'),
      ),
    ],
    ['A/Album (2001) [MP3] {EMI}', 'A/Album (2001) [MP3] {Deluxe Edition}'],
  ],
  [
    'an edition that one file of a folder forgot does not split it',
    folder(
      'Album',
      { album: 'Album' },
      { artist: 'A', edition: 'Mono' },
      { artist: 'A', edition: 'Mono' },
      { artist: 'A' },
    ),
    ['A/Album [MP3]'],
  ],
  [
    'two "Greatest Hits" of one artist are told apart by the year in their names',
    [
      ...folder('GH I', { album: 'Greatest Hits', year: 1981 }, ...by('Queen', 'Queen')),
      ...folder('GH II', { album: 'Greatest Hits', year: 1991 }, ...by('Queen', 'Queen')),
    ],
    ['Queen/Greatest Hits (1981) [MP3]', 'Queen/Greatest Hits (1991) [MP3]'],
  ],
  [
    'and by a mark when the template shows no year',
    [
      ...folder('GH I', { album: 'Greatest Hits', year: 1981 }, ...by('Queen', 'Queen')),
      ...folder('GH II', { album: 'Greatest Hits', year: 1991 }, ...by('Queen', 'Queen')),
    ],
    ['Queen/Greatest Hits {1981}', 'Queen/Greatest Hits {1991}'],
    { source: '$album_artist/$album/$track $title' },
  ],
  [
    '"Greatest Hits" of many artists in one folder is judged as one album',
    folder('Stuff', { album: 'Greatest Hits' }, ...by('Queen', 'ABBA', 'Bob Marley')),
    ['Various Artists/Greatest Hits [MP3]'],
  ],
  [
    'and stays apart where one file says whose it is',
    folder(
      'Stuff',
      { album: 'Greatest Hits' },
      { artist: 'Queen', albumArtist: 'Queen' },
      { artist: 'ABBA' },
      { artist: 'Bob Marley' },
    ),
    ['Queen/Greatest Hits [MP3]', 'ABBA/Greatest Hits [MP3]', 'Bob Marley/Greatest Hits [MP3]'],
  ],
  [
    'a folder of loose tracks without an album is no compilation and has no editions',
    folder(
      'Downloads',
      {},
      { artist: 'A', year: 1990 },
      { artist: 'A', year: 2001, edition: 'X' },
      { artist: 'B' },
      { artist: 'C' },
    ),
    ['A/Unknown Album', 'B/Unknown Album', 'C/Unknown Album'],
    { source: '$album_artist/$album/$title' },
  ],
  [
    'a folder without any tags keeps its own path',
    [
      ['Mixtape/Side A/01 noise.mp3', {}],
      ['Mixtape/Side A/02 more.mp3', { genre: ['Noise'] }],
    ],
    ['Unsorted/nas/Mixtape/Side A'],
  ],
  [
    'one artist in three spellings is one',
    folder('X', { album: 'Post' }, ...by('Björk', 'Bjork', 'BJÖRK', 'Björk')),
    ['Björk/Post [MP3]'],
  ],
  [
    'the guess can be switched off',
    folder('OST', { album: 'OST' }, ...by('A', 'B', 'C')),
    ['A/OST [MP3]', 'B/OST [MP3]', 'C/OST [MP3]'],
    { guessCompilations: false },
  ],
];

describe('in the library of a collector', () => {
  it.each(cases)('%s', (_, files, directories, options) => {
    expect(directoriesOf(files, options)).toEqual(directories);
    expect(directoriesOf([...files].reverse(), options).toSorted()).toEqual(directories.toSorted());
  });

  it('the tracks of a guessed compilation show their artists', () => {
    const files = folder('OST', { album: 'OST' }, ...by('A', 'B', 'C feat. D'));
    expect(settledLibrary(files).map(({ virtualPath }) => virtualPath.split('/').at(-1))).toEqual([
      '01 - A - T1.mp3',
      '02 - B - T2.mp3',
      '03 - C feat. D - T3.mp3',
    ]);
  });
});
