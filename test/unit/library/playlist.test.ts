import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8ByteText } from '../../../src/library/byte-text.ts';
import { libraryLimits } from '../../../src/library/library-limits.ts';
import type { PlaylistMapping } from '../../../src/library/library-options.ts';
import { cleanName, withoutControls } from '../../../src/library/names.ts';
import { type Playlist, parsePlaylist, playlistFormats } from '../../../src/library/playlist.ts';
import { type PlaylistLine, renderPlaylist } from '../../../src/library/playlist-render.ts';
import {
  foldPath,
  type PlaylistLookup,
  resolvePlaylistEntry,
} from '../../../src/library/playlist-resolve.ts';
import { type RealPath, realPath } from '../../../src/library/real-path.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const m3u = (text: string | Uint8Array): Playlist => parsePlaylist(Buffer.from(text), 'm3u');
const pls = (text: string): Playlist => parsePlaylist(Buffer.from(text), 'pls');
const textsOf = ({ entries }: Playlist): string[] => entries.map(({ text }) => text);

/** An origin that holds these files, given as text. */
function origin(...files: string[]): PlaylistLookup<RealPath> {
  return originOf(files.map((file) => realPath(utf8ByteText(file))));
}

function originOf(files: readonly RealPath[]): PlaylistLookup<RealPath> {
  const exact = new Set(files);
  const folded = new Map([...files].reverse().map((file) => [foldPath(file), file]));
  return { find: (path) => (exact.has(path) ? path : undefined), findFolded: (key) => folded.get(key) };
}

/** What one line of a playlist in `Lists` means. */
function resolved(
  line: string | Uint8Array,
  files: PlaylistLookup<RealPath>,
  map: readonly PlaylistMapping[] = [],
): string | undefined {
  const [entry] = m3u(line).entries;
  if (entry === undefined) throw new Error('the line is no entry');
  return resolvePlaylistEntry(entry, realPath('Lists'), map, files);
}

describe('a playlist', () => {
  it('is read with any line end, with or without a byte order mark', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      for (const mark of ['', '\ufeff']) {
        const lines = [
          '#EXTM3U',
          '#EXTINF:215,Björk - Jóga',
          'Björk/Jóga.flac',
          '',
          '  ',
          '# a note',
          'b.mp3',
        ];
        expect(m3u(mark + lines.join(end)).entries).toEqual([
          {
            bytes: utf8ByteText('Björk/Jóga.flac'),
            text: 'Björk/Jóga.flac',
            seconds: 215,
            title: 'Björk - Jóga',
          },
          { bytes: 'b.mp3', text: 'b.mp3' },
        ]);
      }
    }
  });

  it('is windows-1252 when it is not UTF-8, and keeps its bytes', () => {
    const file = Buffer.from('#EXTINF:1,\u0093Jóga\u0094 \u0080\nJóga.mp3\n', 'latin1');
    expect(m3u(file).entries).toEqual([
      { bytes: 'J\u00f3ga.mp3', text: 'Jóga.mp3', seconds: 1, title: '“Jóga” €' },
    ]);
  });

  it.each([
    ['#EXTINF:215,A, B - C', { seconds: 215, title: 'A, B - C' }],
    ['#EXTINF:-1,Radio', { title: 'Radio' }],
    ['#EXTINF:215.48, X ', { seconds: 215.48, title: 'X' }],
    ['#EXTINF:10 tvg-id="x" group="y",Title', { seconds: 10, title: 'Title' }],
    ['#extinf: 7,', { seconds: 7 }],
    ['#EXTINF:7', { seconds: 7 }],
    ['#EXTINF:,Title', { title: 'Title' }],
    ['#EXTINF', {}],
  ])('reads %j', (line, extra) => {
    expect(m3u(`${line}\n#PLAYLIST:x\na.mp3\nb.mp3`).entries).toEqual([
      { bytes: 'a.mp3', text: 'a.mp3', ...extra },
      { bytes: 'b.mp3', text: 'b.mp3' },
    ]);
  });

  it('has no addresses of streams among its entries, and does not give their title to the next', () => {
    const list = m3u(
      '#EXTINF:-1,Radio\nhttp://radio/x\na.mp3\nHTTPS://x/y\nrtsp://z\nfile:///b.mp3\nC:\\c.mp3\nc://d.mp3',
    );
    expect(textsOf(list)).toEqual(['a.mp3', 'file:///b.mp3', 'C:\\c.mp3', 'c://d.mp3']);
    expect(list.entries[0]).not.toHaveProperty('title');
    expect(list.leftOut).toEqual({ urls: 3, entries: 0, lines: 0, bytes: 0 });
  });

  it('of the kind .pls is played by number, whatever the order of its lines', () => {
    const lines = [
      '[playlist]',
      'Title10=Ten',
      'File10=ten.mp3',
      'file2 = two=2.mp3 ',
      'LENGTH2=20',
      'Length1=-1',
      'File1=C:\\Music\\one.mp3',
      'File1=again.mp3',
      'Title3=Nothing',
      'File4=http://radio/',
      'NumberOfEntries=2',
      'Version=2',
    ];
    const expected = [
      { bytes: 'C:\\Music\\one.mp3', text: 'C:\\Music\\one.mp3' },
      { bytes: 'two=2.mp3', text: 'two=2.mp3', seconds: 20 },
      { bytes: 'ten.mp3', text: 'ten.mp3', title: 'Ten' },
    ];
    expect(pls(lines.join('\r\n')).entries).toEqual(expected);
    expect(pls(lines.join('\n')).leftOut.urls).toBe(1);
    const others = fc.shuffledSubarray(
      lines.filter((line) => line !== 'File1=again.mp3'),
      { minLength: lines.length - 1 },
    );
    fc.assert(
      fc.property(others, (shuffled) => {
        expect(pls(shuffled.join('\n')).entries).toEqual(expected);
      }),
      { ...printedSeed('pls lines'), numRuns: 30 },
    );
  });

  it('counts up to 50,000 entries, lines of 12 KiB and its last whole line within 4 MiB', () => {
    const many = m3u('a\n'.repeat(libraryLimits.playlistEntries + 2));
    expect(many.entries).toHaveLength(50_000);
    expect(many.leftOut.entries).toBe(2);
    const long = m3u(`${'x'.repeat(12 * 1024 + 1)}\n${'y'.repeat(12 * 1024)}\n`);
    expect(textsOf(long)).toEqual(['y'.repeat(12 * 1024)]);
    expect(long.leftOut.lines).toBe(1);
    // The cut falls into a letter of two bytes, which makes the rest no less UTF-8.
    const file = Buffer.from(`é.mp3\n${'#'.repeat(4 * 1024 * 1024 - 9)}\né\nnever.mp3`);
    const large = m3u(file);
    expect(textsOf(large)).toEqual(['é.mp3']);
    expect(large.leftOut.bytes).toBe('é\nnever.mp3'.length + 1);
  });

  it('is any bytes, and never a failure', () => {
    const noise = fc.string({
      unit: fc.constantFrom(...'#EXTINF:-1,.fileFILE1=[]%\\/\r\n\0 \u00e9'),
      maxLength: 80,
    });
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array(), noise),
        fc.constantFrom('m3u' as const, 'pls' as const),
        (file, format) => {
          for (const { bytes } of parsePlaylist(Buffer.from(file), format).entries) {
            expect(bytes).toMatch(/^[\u0000-\u00ff]+$/);
            expect(bytes).not.toMatch(/[\r\n]/);
          }
        },
      ),
      printedSeed('playlist bytes'),
    );
  });

  it('is told by its extension', () => {
    expect([...playlistFormats.keys()]).toEqual(['m3u', 'm3u8', 'pls']);
  });
});

describe('an entry of a playlist', () => {
  const here = 'Lists/Björk/1 Jóga.flac';

  it.each([
    ['Björk/1 Jóga.flac', here],
    ['./Björk//1 Jóga.flac', here],
    ['Björk\\1 Jóga.flac', here],
    ['.\\x\\..\\Björk\\1 Jóga.flac', here],
    ['  Björk/1 Jóga.flac ', here],
    ['file: a.mp3', 'Lists/file: a.mp3'],
    ['Bj%C3%B6rk/1%20J%c3%b3ga.flac', here],
    ['Bj%C3%B6rk%5C1%20J%c3%b3ga.flac', undefined],
    ['Björk/1 Jóga.flac'.normalize('NFD'), here],
    ['BJÖRK/1 JÓGA.FLAC', here],
    ['bj%C3%96rk\\1%20jÓga.FLAC', here],
    ['../Other/a.mp3', 'Other/a.mp3'],
    ['..\\Other\\a.mp3', 'Other/a.mp3'],
    ['a.mp3', undefined],
    ['/Lists/Björk/1 Jóga.flac', undefined],
    ['/Björk/1 Jóga.flac', undefined],
    ['\\Björk\\1 Jóga.flac', undefined],
    ['..', undefined],
    ['.', undefined],
    ['%00', undefined],
  ])('%j means %j', (line, file) => {
    const found = resolved(line, origin(here, 'Other/a.mp3', 'Lists/file: a.mp3'));
    expect(found).toBe(file === undefined ? undefined : utf8ByteText(file));
  });

  it('means the name in either composition, before one in another case', () => {
    const forms = ['NFC', 'NFD'] as const;
    for (const onDisk of forms) {
      for (const inList of forms) {
        const file = realPath(utf8ByteText('Lists/Jóga.mp3'.normalize(onDisk)));
        const other = realPath('Lists/other-case');
        const lookup = { find: originOf([file]).find, findFolded: () => other };
        expect(resolved('Jóga.mp3'.normalize(inList), lookup)).toBe(file);
        expect(resolved('JÓGA.mp3'.normalize(inList), lookup)).toBe(other);
      }
    }
  });

  it('means the file of that very name before all others', () => {
    const all = ['Lists/a%20b.mp3', 'Lists/a b.mp3', 'Lists/A B.mp3', 'Lists/c\\d.mp3', 'Lists/c/d.mp3'];
    for (const file of all) expect(resolved(file.slice('Lists/'.length), origin(...all))).toBe(file);
    expect(resolved('a%20b.mp3', origin('Lists/a b.mp3', 'Lists/A B.mp3'))).toBe('Lists/a b.mp3');
  });

  it('means a name that is not UTF-8 by its bytes, or by what they say', () => {
    const line = Buffer.from('J\u00f3ga.mp3\n', 'latin1');
    const bytes = realPath('Lists/J\u00f3ga.mp3');
    const text = realPath(utf8ByteText('Lists/Jóga.mp3'));
    expect(resolved(line, originOf([bytes, text]))).toBe(bytes);
    expect(resolved(line, originOf([text]))).toBe(text);
    expect(resolved('J%F3ga.mp3', originOf([bytes]))).toBe(bytes);
  });

  it.each([
    ['D:\\Music\\A\\b.mp3', 'A/b.mp3'],
    ['d:/music/a/B.MP3', 'A/b.mp3'],
    ['D:\\Music\\x\\..\\A\\b.mp3', 'A/b.mp3'],
    ['D:\\Music\\..\\A\\b.mp3', undefined],
    ['D:\\Musical\\A\\b.mp3', undefined],
    ['D:\\Music\\New\\c.mp3', 'Inbox/c.mp3'],
    ['E:\\A\\b.mp3', undefined],
    ['/mnt/music/A/b.mp3', 'A/b.mp3'],
    ['mnt/music/A/b.mp3', undefined],
    ['\\\\nas\\share\\A\\b.mp3', 'A/b.mp3'],
    ['file:///D:/Music/A/b.mp3', 'A/b.mp3'],
    ['file:///mnt/music/A%2fb.mp3', 'A/b.mp3'],
    ['file://localhost/mnt/music/A/b.mp3', 'A/b.mp3'],
    ['file:/mnt/music/A/b.mp3', 'A/b.mp3'],
    ['FILE://nas/share/A/b.mp3', 'A/b.mp3'],
    ['/mnt/music/../../etc/passwd', undefined],
    ['/mnt/music/%2e%2e/%2e%2e/etc/passwd', undefined],
    ['/mnt/music', undefined],
  ])('that is absolute, %j, means %j by the map', (line, file) => {
    const map = [
      { from: 'D:\\Music', to: '' },
      { from: 'D:\\Music\\New\\', to: '/Inbox/' },
      { from: '/mnt/music', to: '' },
      { from: '//nas/share', to: '' },
      { from: '/x/../..', to: '' },
      { from: '/', to: '../..' },
    ];
    const files = origin('A/b.mp3', 'Inbox/c.mp3', 'etc/passwd');
    expect(resolved(line, files, map)).toBe(file);
    expect(resolved(line, files, [...map].reverse())).toBe(file);
  });

  it('never asks for anything outside the origin', () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '',
      'a',
      '%2e%2e',
      '%2E.',
      '..%2f..',
      '%5c..',
      'D:',
      'é',
      '%00',
      '%ff',
      ' ',
      '\u00e9\u0301',
    );
    const line = fc
      .tuple(
        fc.constantFrom('', '/', '\\', 'file:', 'file:///', 'file://a/', '//', 'D:\\'),
        fc.array(fc.tuple(part, fc.constantFrom('/', '\\', '%2f')), { minLength: 1, maxLength: 8 }),
      )
      .map(([start, parts]) => start + parts.flat().join(''));
    const map = fc.array(
      fc.record({
        from: fc.constantFrom('/', 'D:\\', '/a', '..', ''),
        to: fc.constantFrom('', '..', 'a/../..', '/a/', 'b'),
      }),
      { maxLength: 3 },
    );
    let asked = 0;
    fc.assert(
      fc.property(line, map, fc.constantFrom('', 'a', 'a/b'), (text, mappings, folder) => {
        for (const entry of m3u(text).entries) {
          const found = resolvePlaylistEntry(entry, realPath(folder), mappings, {
            find: (path) => {
              asked += 1;
              expect(path).not.toBe('');
              expect(realPath(path)).toBe(path);
              return undefined;
            },
            findFolded: (key) => {
              expect(key.split('/')).not.toContain('..');
              return undefined;
            },
          });
          expect(found).toBeUndefined();
        }
      }),
      printedSeed('playlist paths'),
    );
    expect(asked).toBeGreaterThan(0);
  });
});

describe('a playlist of the mount', () => {
  const text = (lines: readonly PlaylistLine[], folder: readonly string[]): string =>
    Buffer.from(renderPlaylist(lines, folder)).toString();

  it('has relative paths, lengths and titles, and tells what is missing', () => {
    const lines: PlaylistLine[] = [
      {
        type: 'track',
        path: ['Björk', 'Homogenic', '02 - Jóga.flac'],
        seconds: 305.4,
        artist: 'Björk',
        title: 'Jóga',
      },
      { type: 'track', path: ['A', 'b.mp3'], title: 'Only\r\n title\u202e' },
      { type: 'track', path: ['A', 'c.mp3'] },
      { type: 'track', path: ['A', 'd.mp3'], seconds: 3 },
      { type: 'missing', text: 'D:\\gone\r\n#EXTINF:1\u0007.mp3' },
    ];
    expect(text(lines, ['Playlists'])).toBe(
      [
        '#EXTM3U',
        '#EXTINF:305,Björk - Jóga',
        '../Björk/Homogenic/02 - Jóga.flac',
        '#EXTINF:-1,Only title',
        '../A/b.mp3',
        '../A/c.mp3',
        '#EXTINF:3,',
        '../A/d.mp3',
        '# missing: D:\\gone#EXTINF:1.mp3',
        '',
      ].join('\n'),
    );
    expect(text([], ['Playlists'])).toBe('#EXTM3U\n');
  });

  it('goes up no further than it has to, and never begins a line with what players take for something else', () => {
    const at = (path: string[], folder: string[]): string | undefined =>
      text([{ type: 'track', path }], folder).split('\n')[1];
    expect(at(['a', 'b', 'c.mp3'], ['a', 'd'])).toBe('../b/c.mp3');
    expect(at(['a', 'c.mp3'], ['a'])).toBe('c.mp3');
    expect(at(['a'], ['a', 'b'])).toBe('../../a');
    expect(at(['#1', 'c.mp3'], [])).toBe('./#1/c.mp3');
    expect(at(['D:', 'c.mp3'], [])).toBe('./D:/c.mp3');
    expect(at(['http:', 'c.mp3'], [])).toBe('./http:/c.mp3');
    expect(at(['\\\\x', 'c.mp3'], [])).toBe('./\\\\x/c.mp3');
  });

  it('reads back as the same files, lengths and titles', () => {
    const name = fc
      .oneof(
        fc.string({ unit: 'grapheme', maxLength: 12 }),
        fc.constantFrom(
          '#1',
          'D:',
          'a%20b',
          'x\\y',
          'file:',
          'http:',
          ' x',
          '\\',
          '..a',
          '%2e%2e',
          '#EXTINF:1,x',
        ),
      )
      .map((raw) => cleanName(raw, { names: 'posix', replace: {} }));
    const words = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .map((raw) => withoutControls(raw).trim());
    const path = fc.array(name, { minLength: 1, maxLength: 4 });
    const track = fc.record(
      { path, seconds: fc.nat(9999), title: words.filter((title) => title !== '') },
      { requiredKeys: ['path'] },
    );
    fc.assert(
      fc.property(fc.array(track, { maxLength: 6 }), fc.array(name, { maxLength: 3 }), (tracks, folder) => {
        const asPath = (names: readonly string[]): RealPath => realPath(utf8ByteText(names.join('/')));
        const files = originOf(tracks.map((one) => asPath(one.path)));
        const list = m3u(
          renderPlaylist(
            tracks.map((one) => ({ type: 'track', ...one })),
            folder,
          ),
        );
        const read = list.entries.map((entry) => ({
          path: resolvePlaylistEntry(entry, asPath(folder), [], files),
          seconds: entry.seconds,
          title: entry.title,
        }));
        expect(read).toEqual(
          tracks.map((one) => ({ path: asPath(one.path), seconds: one.seconds, title: one.title })),
        );
      }),
      printedSeed('playlist there and back'),
    );
  });
});
