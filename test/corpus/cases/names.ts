// Names: scripts, lengths, and everything that a file system, a network share or a template could stumble over.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeFlac, makeMp3 } from '../../fixtures/audio-files.ts';
import { type CorpusCase, flac, given, seedOf } from '../corpus-case.ts';

let number = 0;

/** A title among others of one album. */
function title(what: string, text: string): CorpusCase {
  number += 1;
  const track = String(number);
  return flac(`names/titles/${track.padStart(2, '0')}.flac`, what, {
    ARTIST: 'Names',
    ALBUM: 'Titles',
    TITLE: text,
    TRACKNUMBER: track,
  });
}

/** An artist and an album of their own. */
function folders(name: string, what: string, artist: string, album: string): CorpusCase {
  return flac(`names/folders/${name}.flac`, what, {
    ARTIST: artist,
    ALBUM: album,
    TITLE: 'Song',
    TRACKNUMBER: '1',
  });
}

/** A file without tags: its own path is shown. */
function loose(name: string, what: string): CorpusCase {
  return flac(`names/loose/${name}`, what, {});
}

export const names: readonly CorpusCase[] = [
  title('Cyrillic', 'Группа крови'),
  title('Japanese', '丸ノ内サディスティック'),
  title('Korean', '강남스타일'),
  title('Hindi, whose vowels are combining marks', 'चलते चलते'),
  title('Thai', 'รักแรกพบ'),
  title('Arabic, right to left', 'أهلاً يا حبيبي'),
  title('Hebrew between marks of direction, which go', '\u202bירושלים של זהב\u202c\u200f'),
  title('emoji, one of several joined', 'Party 🎉 👩‍👩‍👧‍👦 🇩🇪 end'),
  title('NFD becomes NFC', 'Cafe\u0301 A\u030angstro\u0308m'),
  title('a ligature and a full-width letter stay', 'ﬁre Ｗａｖｅ'),
  title('300 bytes are cut to 255 with the extension', 'x'.repeat(300)),
  title('200 Chinese characters', '漢'.repeat(200)),
  title('cut before a mark that belongs to a letter', `${'a'.repeat(243)}e\u0323\u0302\u0323\u0302zzzz`),
  title('cut inside a joined emoji', `${'b'.repeat(238)}👩‍👩‍👧‍👦`),
  title('two dots', '..'),
  title('one dot', '.'),
  title('dots at the end stand before the extension', 'Wait...'),
  title('spaces at the end and runs of spaces', 'Two  spaces   and\u00a0some   '),
  title('a slash', 'Either/Or'),
  title('a path', '../../etc/passwd'),
  title('a backslash and a drive', 'C:\\Windows\\System32'),
  title('what Windows forbids', 'What? "Now": <a|b> *'),
  title('control characters', 'Bell\u0007 Escape\u001b[31m Delete\u007f C1\u0085 End'),
  title('tab and line end go as other control characters do', 'One\tTwo\r\nThree'),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what is odd about it
  title('a variable of the template', '$album by ${artist}'),
  title('the other marks of the template', '<$title> $$ $< $> {x} %s %2F'),
  title('an extension of its own', 'Demo.mp3'),
  title('the extension of the file', 'Demo.flac'),
  title('a device name is none behind the number', 'CON'),
  title('a suffix as if for a collision', 'Song ~3fa9c1'),
  title('a separator of lines and of paragraphs', 'Line\u2028Paragraph\u2029End'),
  title('a byte order mark and a joiner without neighbours', '\ufeffMarked\u200d'),
  title('quotes and an apostrophe for shells', `It's "quoted" \`id\` $(id) & ; | #`),
  given(
    'names/titles/90.flac',
    'a title that is no UTF-8, but Windows-1252',
    Buffer.from(
      makeFlac(
        [
          ['ARTIST', 'Names'],
          ['ALBUM', 'Titles'],
          ['TITLE', 'Caf@'],
          ['TRACKNUMBER', '90'],
        ],
        { seed: 301 },
      )
        .toString('latin1')
        .replace('Caf@', 'Caf\xe9'),
      'latin1',
    ),
  ),
  given(
    'names/titles/91.mp3',
    'half of a pair of surrogates in UTF-16',
    makeMp3(
      [
        ['TIT2', 'Half \ud83d pair'],
        ['TPE1', 'Names'],
        ['TALB', 'Titles'],
        ['TRCK', '91'],
      ],
      { version: 3, seed: 302 },
    ),
  ),

  folders('con', 'a device name as artist', 'CON', 'Dev con'),
  folders('nul', 'a device name with an extension', 'NUL.txt', 'Dev nul'),
  folders('com1', 'a numbered device', 'com1', 'Dev com1'),
  folders('lpt', 'a device with a superscript number', 'LPT²', 'Dev lpt'),
  folders('aux', 'a device name with a space and a dot', 'aux .live', 'Dev aux'),
  folders('console', 'only the start of a device name', 'Conan', 'Dev console'),
  folders('dots', 'two dots as artist and album', '..', '..'),
  folders('dot', 'one dot as artist', '.', 'Dot'),
  folders('leading', 'a leading dot', '.hidden', '...And Justice'),
  folders('trailing', 'dots at the end of an artist', 'Fun. ...', 'Some Nights'),
  folders('space', 'spaces around an artist', '  Blanks  ', ' Blank Album '),
  folders('acdc', 'a slash in the artist', 'AC/DC', 'Back / Black'),
  folders('reserved', 'the folder of searches', '.search', 'Reserved'),
  folders('control', 'the folder of the control files', '.musicfs', 'Reserved Control'),
  folders('unsorted', 'the folder of the unsorted', 'Unsorted', 'Reserved Unsorted'),
  folders('unsorted-case', 'the same in other letters', 'UNSORTED', 'Reserved Again'),
  folders('long', 'an artist of 300 bytes and an album of 300 bytes', 'ж'.repeat(150), 'ü'.repeat(150)),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what is odd about it
  folders('variables', 'variables of the template', '$artist', '${album} <$year>'),
  folders('windows', 'what Windows forbids', 'M|A|R|R|S: "Pump"', 'Up * The?'),
  folders('lib', 'a folder that is an extension', 'x.flac', 'y.flac'),
  folders('rtl', 'a mark that would turn the extension', 'song\u202egpj', 'Turned'),

  loose('con.flac', 'a device name on the origin'),
  loose('prn/lpt1.backup.flac', 'device names on the origin, with folders'),
  loose('.hidden.flac', 'a hidden file of the origin'),
  loose('dots./ends with space .flac', 'a dot and a space at the end'),
  loose('back\\slash: what?.flac', 'what Windows forbids'),
  loose('line\nend\ttab.flac', 'control characters in a file name'),
  loose('Cafe\u0301.flac', 'a file name in NFD'),
  loose(`${'é'.repeat(125)}.flac`, 'a file name of 255 bytes'),
  loose('$title.flac', 'a variable as file name'),
  loose('..flac', 'a file name that is an extension but for a dot'),
  loose('Demo.FLAC', 'an extension in capitals stays as it is'),
  {
    // The path is how it reads; on the disk the name is six bytes of ISO 8859-1 and an extension.
    path: 'names/loose/bytes/Mot\ufffdrhead.flac',
    what: 'a file name that is no UTF-8',
    file: (place) => {
      const name = Buffer.concat([
        Buffer.from(`${path.dirname(place)}/`),
        Buffer.from('Mot\xf6rhead.flac', 'latin1'),
      ]);
      writeFileSync(name, makeFlac([], { seed: seedOf('bytes') }));
    },
  },
];
