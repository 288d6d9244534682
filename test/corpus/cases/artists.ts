// Who an album is filed under when the tags say it: several artists, guests, lists, slashes, sort names, compilations.
import { makeMp3, type Tags } from '../../fixtures/audio-files.ts';
import { makeM4a } from '../../fixtures/rare-audio.ts';
import { type Comments, type CorpusCase, flac, given, seedOf } from '../corpus-case.ts';

const mp3 = (path: string, what: string, version: 3 | 4, tags: Tags): CorpusCase =>
  given(path, what, makeMp3(tags, { version, seed: seedOf(path) }));

/** A file alone in its folder, so that neighbours say nothing. */
const alone = (name: string, what: string, comments: Comments): CorpusCase =>
  flac(`artists/${name}/1.flac`, what, { TITLE: name, TRACKNUMBER: '1', ...comments });

const various = (name: string, albumArtist: string): CorpusCase =>
  alone(`various ${name}`, `album artist "${albumArtist}"`, {
    ARTIST: 'Guest',
    ALBUMARTIST: albumArtist,
    ALBUM: `Spelling ${name}`,
  });

export const artists: readonly CorpusCase[] = [
  mp3('artists/acdc/23.mp3', 'AC/DC in ID3v2.3: the slash is part of the name', 3, [
    ['TIT2', 'Thunderstruck'],
    ['TPE1', 'AC/DC'],
    ['TALB', 'The Razors Edge'],
    ['TRCK', '1'],
  ]),
  mp3('artists/acdc/24.mp3', 'AC/DC in ID3v2.4', 4, [
    ['TIT2', 'Fire Your Guns'],
    ['TPE1', 'AC/DC'],
    ['TALB', 'The Razors Edge'],
    ['TRCK', '2'],
  ]),
  mp3('artists/list 24/1.mp3', 'two artists as a list of ID3v2.4: filed under the first', 4, [
    ['TIT2', 'Nul List'],
    ['TPE1', 'List One\0List Two'],
    ['TALB', 'Nul'],
    ['TRCK', '1'],
  ]),
  mp3('artists/list 23/1.mp3', 'two artists with a slash in ID3v2.3: one name, as nobody can tell', 3, [
    ['TIT2', 'Slash'],
    ['TPE1', 'Slash One/Slash Two'],
    ['TALB', 'Slash'],
    ['TRCK', '1'],
  ]),
  alone('repeated', 'ARTIST twice: filed under the first', {
    ARTIST: ['Repeat One', 'Repeat Two'],
    ALBUM: 'Repeat',
  }),
  alone('artists tag', 'ARTISTS wins over splitting, ARTIST is what is shown', {
    ARTIST: 'Duo A & Duo B',
    ARTISTS: ['Duo A', 'Duo B'],
    ALBUM: 'Duets',
  }),
  alone('albumartists tag', 'ALBUMARTISTS without ALBUMARTIST are joined', {
    ARTIST: 'Trio A',
    ALBUMARTISTS: ['Trio A', 'Trio B', 'Trio C'],
    ALBUM: 'Three',
  }),
  alone('albumartist twice', 'ALBUMARTIST twice is shown joined', {
    ARTIST: 'Pair A',
    ALBUMARTIST: ['Pair A', 'Pair B'],
    ALBUM: 'Pair',
  }),
  alone('album artist', 'the spelling with a space', {
    ARTIST: 'Singer',
    'ALBUM ARTIST': 'Her Band',
    ALBUM: 'Spaced',
  }),
  alone('earth', 'a name with commas and an ampersand is one', {
    ARTIST: 'Earth, Wind & Fire',
    ALBUM: 'I Am',
    GENRE: 'Soul; Funk;;Soul',
  }),
  alone('semicolon', 'a semicolon splits genres, no artists', {
    ARTIST: 'One; Two',
    ALBUM: 'Semicolon',
    GENRE: 'AC/DC; Rock',
  }),
  alone('feat', 'feat. is shown and not filed under', { ARTIST: 'Main feat. Guest', ALBUM: 'Featured' }),
  alone('ft', 'ft in brackets', { ARTIST: 'Main (ft Guest)', ALBUM: 'Bracketed' }),
  alone('featuring', 'featuring', { ARTIST: 'Main Featuring Guest', ALBUM: 'Long Word' }),
  alone('with', 'with', { ARTIST: 'Main with Guest', ALBUM: 'With' }),
  alone('within', 'names that only look so', { ARTIST: 'Without Featherbed', ALBUM: 'Looks' }),

  various('VA', 'VA'),
  various('V.A.', 'V.A.'),
  various('Various', 'Various'),
  various('Various Artist', 'various artist'),
  various('Diverse', 'Diverse'),
  various('Verschiedene', 'VERSCHIEDENE'),
  alone('various by id', 'the id of MusicBrainz for many, beside another name', {
    ARTIST: 'Guest',
    ALBUMARTIST: 'Multi-interprètes',
    MUSICBRAINZ_ALBUMARTISTID: '89ad4ac3-39f7-470e-963a-56509c546377',
    ALBUM: 'Spelling Id',
  }),
  mp3('artists/tpe2/1.mp3', 'V.A. in TPE2', 3, [
    ['TIT2', 'Frame'],
    ['TPE1', 'Guest'],
    ['TPE2', 'V. A.'],
    ['TALB', 'Spelling Frame'],
    ['TRCK', '1'],
  ]),
  alone('flag', 'the compilation flag', { ARTIST: 'Guest', ALBUM: 'Flagged', COMPILATION: '1' }),
  mp3('artists/tcmp/1.mp3', 'the compilation flag of ID3', 4, [
    ['TIT2', 'Tcmp'],
    ['TPE1', 'Guest'],
    ['TALB', 'Flagged Frame'],
    ['TCMP', '1'],
    ['TRCK', '1'],
  ]),
  given(
    'artists/cpil/1.m4a',
    'the compilation flag of MP4',
    makeM4a(
      { '©nam': ['Cpil'], '©ART': ['Guest'], '©alb': ['Flagged Atom'], cpil: [1], trkn: [[1, 1]] },
      { seed: 401 },
    ),
  ),
  alone('flag and artist', 'an album artist wins over the flag, the artist is shown with each title', {
    ARTIST: 'Guest',
    ALBUMARTIST: 'Curator',
    ALBUM: 'Curated',
    COMPILATION: '1',
  }),
  alone('flag no', 'a flag that says no', { ARTIST: 'Solo', ALBUM: 'Not Flagged', COMPILATION: '0' }),
  alone('nobody', 'nobody is named', { ALBUM: 'Nobody' }),

  alone('the beatles', 'an article is shown, and ordered under B', {
    ARTIST: 'The Beatles',
    ALBUM: 'The Album',
  }),
  alone('a perfect circle', 'A', { ARTIST: 'A Perfect Circle', ALBUM: 'An Album' }),
  alone('a', 'a name that is only an article', { ARTIST: 'The', ALBUM: 'The' }),
  alone('sorted', 'a sort name orders and is not shown', {
    ARTIST: 'Aretha Franklin',
    ALBUMARTIST: 'Aretha Franklin',
    ALBUMARTISTSORT: 'Zzz Franklin, Aretha',
    ALBUM: 'Sorted',
  }),
];
