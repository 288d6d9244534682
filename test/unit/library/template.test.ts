// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the path template writes its variables like this
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLibraryOptions, type LibraryOptions } from '../../../src/library/library-options.ts';
import { utf8Length } from '../../../src/library/names.ts';
import { placeTrack } from '../../../src/library/placement.ts';
import { realPath } from '../../../src/library/real-path.ts';
import { parseTemplate, type Template, templatePresets } from '../../../src/library/template.ts';
import { fieldNames } from '../../../src/library/template-fields.ts';
import type { TrackTags } from '../../../src/library/track-tags.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

function template(source: string): Template {
  const result = parseTemplate(source);
  if (result.type === 'refused') throw new Error(`${source}: column ${result.column}: ${result.reason}`);
  return result.template;
}

function pathOf(
  source: string,
  tags: TrackTags,
  file = 'Folder/03 song.flac',
  options: Partial<LibraryOptions> = {},
  multiDisc = false,
): string {
  const facts = { originId: 'nas', realPath: realPath(file), tags, state: 'ok' } as const;
  const placed = placeTrack(facts, { multiDisc }, template(source), { ...defaultLibraryOptions, ...options });
  return [...placed.directories, placed.file].map(({ name }) => name).join('/');
}

const full: TrackTags = {
  artist: 'Metallica',
  album: '72 Seasons',
  title: 'Lux Æterna',
  track: 3,
  trackTotal: 12,
  year: 2023,
  date: '2023-04-14',
  genre: ['Metal', 'Thrash'],
};
const wall: TrackTags = {
  artist: 'Pink Floyd',
  album: 'The Wall',
  title: 'Hey You',
  track: 1,
  disc: 2,
  discTotal: 2,
  year: 1979,
};
const hits: TrackTags = {
  artist: 'Nena',
  album: 'Hits',
  title: '99 Luftballons',
  track: 1,
  year: 1984,
  compilation: true,
};

describe('the presets', () => {
  it.each<[string, TrackTags, string, string]>([
    ['default', full, 'a.flac', 'Metallica/72 Seasons (2023) [FLAC]/03 - Lux Æterna.flac'],
    ['classic', full, 'a.flac', 'Metallica/72 Seasons (2023) [FLAC]/03 - Lux Æterna.flac'],
    [
      'default',
      { artist: 'Artist', title: 'Track', track: 5 },
      'a.mp3',
      'Artist/Unknown Album [MP3]/05 - Track.mp3',
    ],
    [
      'classic',
      { artist: 'Artist', title: 'Track', track: 5 },
      'a.mp3',
      'Artist/Unknown Album (Unknown) [MP3]/05 - Track.mp3',
    ],
    ['default', hits, 'a.mp3', 'Various Artists/Hits (1984) [MP3]/01 - Nena - 99 Luftballons.mp3'],
    ['classic', hits, 'a.mp3', 'Nena/Hits (1984) [MP3]/01 - 99 Luftballons.mp3'],
    ['default', wall, 'a.flac', 'Pink Floyd/The Wall (1979) [FLAC]/2-01 - Hey You.flac'],
    ['classic', wall, 'a.flac', 'Pink Floyd/The Wall (1979) [FLAC]/01 - Hey You.flac'],
    ['as-is', full, 'X/Y z/A.FLAC', 'nas/X/Y z/A.flac'],
    ['as-is', full, 'A.flac', 'nas/A.flac'],
  ])('%s puts %j (%s) at %s', (preset, tags, file, path) => {
    expect(pathOf(preset, tags, file)).toBe(path);
  });
});

describe('a template', () => {
  it.each([
    ['$title', 'Lux Æterna.flac'],
    ['$title.$format', 'Lux Æterna.flac'],
    ['${title:upper}', 'LUX ÆTERNA.flac'],
    ['${title:ascii:lower}', 'lux aeterna.flac'],
    ['${title:max3}', 'Lux.flac'],
    ['${track:pad3}', '003.flac'],
    ['${genre:all}', 'Metal & Thrash.flac'],
    ['${genre:first}', 'Metal.flac'],
    ['$genre', 'Metal.flac'],
    ['${album_artist:initial}/$title', 'M/Lux Æterna.flac'],
    ['$initial/$decade/$title', 'M/2020s/Lux Æterna.flac'],
    ["${edition|media|'none'}", 'none.flac'],
    ['${edition|title}', 'Lux Æterna.flac'],
    ['<$edition/>$title', 'Lux Æterna.flac'],
    ['<$year/>$title', '2023/Lux Æterna.flac'],
    ['<$year $edition/>$title', 'Lux Æterna.flac'],
    ['$$<$edition>$title$<$>', '$Lux Æterna__.flac'],
    ['$album$year', '72 Seasons2023.flac'],
    ['$edition/$title', 'Lux Æterna.flac'],
    ['$artists$title', 'Lux Æterna.flac'],
    ['$title - $date', 'Lux Æterna - 2023-04-14.flac'],
    ['$track_total of $track', '12 of 03.flac'],
  ])('%s gives %s', (source, path) => {
    expect(pathOf(source, full)).toBe(path);
  });

  it('never reads a value again', () => {
    expect(pathOf('$title', { ...full, title: '$album<$year>${x}' })).toBe('$album_$year_${x}.flac');
  });

  it('never lets a value separate components', () => {
    expect(pathOf('$artist/$title', { ...full, artist: 'AC/DC', title: '../x' })).toBe('AC_DC/_._x.flac');
  });

  it('prints the defaults outside sections', () => {
    expect(
      pathOf(
        '$artist/$album/$genre $year/$track $disc $title',
        { comment: 'x', album: ' ' },
        '03 - Song.mp3',
      ),
    ).toBe('Unknown Artist/Unknown Album/Unknown Unknown/00 1 Song.mp3');
    expect(pathOf('$title', { artist: 'x' }, '12.mp3')).toBe('12.mp3');
    expect(pathOf('$title', { artist: 'x' }, '1-03 Song.mp3')).toBe('Song.mp3');
  });

  it('is a value of nothing that can be printed, also as the artist of an album', () => {
    const unprintable = { artist: '\u200e\u202e', album: '\u0001', title: '\u0007' };
    expect(pathOf('default', unprintable)).toBe('Unknown Artist/Unknown Album [FLAC]/00 - song.flac');
  });

  it('shows three digits on albums of a hundred tracks', () => {
    expect(pathOf('$track', { ...full, trackTotal: 100 })).toBe('003.flac');
  });

  it('shows the disc when its neighbours make the album a set', () => {
    expect(pathOf('<Disc $disc_multi/>$disc_track', full)).toBe('03.flac');
    expect(pathOf('<Disc $disc_multi/>$disc_track', full, 'a.flac', {}, true)).toBe('Disc 1/1-03.flac');
  });

  it('takes the year that the user chose', () => {
    const tags = { ...full, originalYear: 1983 };
    expect(pathOf('$year', tags)).toBe('2023.flac');
    expect(pathOf('$year', tags, 'a.flac', { year: 'original' })).toBe('1983.flac');
    expect(pathOf('$year', full, 'a.flac', { year: 'original' })).toBe('2023.flac');
  });

  it('moves articles and uses sort tags when asked', () => {
    const tags = { ...full, artist: 'The Beatles', artistSort: 'Beatles' };
    expect(pathOf('${artist:the}', tags)).toBe('Beatles, The.flac');
    expect(pathOf('${artist:sort}', tags)).toBe('Beatles.flac');
    expect(pathOf('${artist:sort}', { ...full, artist: 'The Beatles' })).toBe('Beatles, The.flac');
  });

  it('shows custom tags', () => {
    const tags = { ...full, custom: { SHELF: ['B4'], 'MY TAG': ['x'] } };
    expect(pathOf('$custom_SHELF', tags)).toBe('B4.flac');
    expect(pathOf('${custom_my tag}', tags)).toBe('x.flac');
    expect(pathOf('<$custom_NONE/>$title', tags)).toBe('Lux Æterna.flac');
  });

  it.each([
    ['$nothing', 1, 'unknown name "$nothing"'],
    ['a/$ b', 3, 'write "$$"'],
    ['ab<$title', 3, 'not closed'],
    ['ab>', 3, 'without a section'],
    ['<a<b>>', 3, 'cannot hold another'],
    ['${title', 1, 'not closed'],
    ['${tilte}', 3, 'unknown name "tilte"'],
    ['${title:big}', 9, 'unknown modifier "big"'],
    ['${title:upper:wide}', 15, 'unknown modifier "wide"'],
    ["${title|'x}", 9, 'not closed'],
    ['', 1, 'empty'],
  ])('%j is refused at column %i: %s', (source, column, reason) => {
    const result = parseTemplate(source);
    expect(result).toMatchObject({ type: 'refused', column });
    expect(result.type === 'refused' ? result.reason : '').toContain(reason);
  });

  it('may be the name of a preset', () => {
    expect(template('default').parts).toEqual(template(templatePresets['default'] ?? '').parts);
  });
});

/** A second, simpler reading of the template language: substitution by regular expression on ASCII values. */
function naivePath(source: string, values: Readonly<Record<string, string>>): string {
  const substitute = (text: string, inSection: boolean): string | null => {
    let isMissing = false;
    const done = text.replace(
      /\$\{([^}]*)\}|\$([a-z]+(?:_[a-z]+)*)/g,
      (_, choice?: string, name?: string) => {
        for (const alternative of (choice ?? name ?? '').split('|')) {
          if (alternative.startsWith("'")) return alternative.slice(1, -1);
          const value = values[alternative];
          if (value !== undefined) return value;
        }
        isMissing = true;
        return '';
      },
    );
    return isMissing && inSection ? null : done;
  };
  const flat = source.replace(/<([^>]*)>/g, (_, inner: string) => substitute(inner, true) ?? '');
  const components = (substitute(flat, false) ?? '').split('/').map((part) => part.trim());
  const file = components.pop() ?? '';
  return [...components.filter((part) => part !== ''), `${file === '' ? '_' : file}.flac`].join('/');
}

describe('rendering', () => {
  const names = ['edition', 'media', 'barcode', 'mood', 'label', 'album_sort'];
  const word = fc.string({ unit: fc.constantFrom(...'abcXYZ019'), minLength: 1, maxLength: 8 });
  const variable = fc.oneof(
    fc.constantFrom(...names).map((name) => `\${${name}}`),
    fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)).map(([a, b]) => `\${${a}|${b}}`),
    fc.tuple(fc.constantFrom(...names), word).map(([a, text]) => `\${${a}|'${text}'}`),
  );
  const text = fc.oneof(word, fc.constantFrom('/', ' - ', '(', ')'));
  const flat = fc
    .array(fc.oneof(variable, text), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join(''));
  const source = fc
    .array(
      fc.oneof(
        flat,
        flat.map((inner) => `<${inner}>`),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((parts) => parts.join(''));

  it('agrees with a naive model', () => {
    const tagsOf = fc.record(
      {
        edition: word,
        media: word,
        barcode: word,
        mood: word,
        label: word.map((value) => [value]),
        albumSort: word,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(source, tagsOf, (templateText, tags) => {
        const { label, albumSort, ...plain } = tags;
        const values = {
          ...plain,
          ...(label === undefined ? {} : { label: label.join('') }),
          ...(albumSort === undefined ? {} : { album_sort: albumSort }),
        };
        const options = { names: 'posix', unsorted: '' } as const;
        const path = pathOf(templateText, tags as TrackTags, 'x.flac', options);
        expect(path.replaceAll(/ +/g, ' ')).toBe(naivePath(templateText, values).replaceAll(/ +/g, ' '));
      }),
      printedSeed('template model'),
    );
  });

  it('gives harmless components whatever the tags say', () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 300 });
    const tagsOf = fc.record({ artist: anyText, album: anyText, title: anyText, genre: fc.array(anyText) });
    fc.assert(
      fc.property(
        tagsOf,
        fc.constantFrom('default', 'classic', '$genre/$title', '$title'),
        (tags, preset) => {
          const path = pathOf(preset, tags);
          for (const name of path.split('/')) {
            expect(utf8Length(name)).toBeLessThanOrEqual(255);
            expect(['', '.', '..']).not.toContain(name);
            expect(name).not.toContain('\0');
          }
          expect(path.endsWith('.flac')).toBe(true);
        },
      ),
      printedSeed('template safety'),
    );
  });

  it('knows every variable that it lists', () => {
    for (const name of fieldNames) expect(parseTemplate(`\${${name}}`).type).toBe('parsed');
    expect(fieldNames).toEqual(
      expect.arrayContaining(['mb_album_id', 'disc_track', 'replaygain_track_gain', 'real_dir']),
    );
  });
});
