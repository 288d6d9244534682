import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withSuffix } from '../../../src/library/collisions.ts';
import { cleanName, cleanValue, foldName, normalizeName, utf8Length } from '../../../src/library/names.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const windows = { names: 'windows', replace: {} } as const;
const posix = { names: 'posix', replace: {} } as const;

const anyName = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 400 }),
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({
    unit: fc.constantFrom('a', '.', ' ', '/', '\0', '\u0301', '\u200d', '漢', '\ud800', ':', 'con'),
    maxLength: 300,
  }),
  fc.constantFrom('CON', 'nul.txt', 'com1', 'LPT¹.x', 'conin$', '.', '..', ' . ', '', '... a', 'CON .flac'),
);

describe('names under the windows profile', () => {
  it.each([
    ['AC/DC', 'AC_DC'],
    ['...And Justice', '_..And Justice'],
    ['NUL', 'NUL_'],
    ['nul.flac', 'nul_.flac'],
    ['CON .flac', 'CON_ .flac'],
    ['CONSTANT', 'CONSTANT'],
    ['LPT1', 'LPT1_'],
    ['conin$', 'conin$_'],
    ['What?* "Now": <a|b>\\c', 'What__ _Now__ _a_b__c'],
    ['  two   blanks\u00a0here ', 'two blanks here'],
    ['ends with dots...', 'ends with dots'],
    ['', '_'],
    ['.', '_'],
    ['..', '_'],
    ['a\u202eb\u2028c\u0007d', 'abcd'],
    ['half \ud83d', 'half \ufffd'],
    ['e\u0301', '\u00e9'],
    ['.hidden', '_hidden'],
  ])('shows %j as %j', (raw, shown) => {
    expect(cleanName(raw, windows)).toBe(shown);
  });

  it('cuts 200 Chinese characters to the 85 that fit', () => {
    expect(cleanName('漢'.repeat(200), windows)).toBe('漢'.repeat(85));
  });

  it('keeps the extension whole when it cuts', () => {
    expect(cleanName(`${'漢'.repeat(200)}.flac`, windows, '.flac')).toBe(`${'漢'.repeat(83)}.flac`);
  });

  it('leaves no blank between the cut and the extension', () => {
    expect(cleanName(`${'a'.repeat(249)} b.flac`, windows, '.flac')).toBe(`${'a'.repeat(249)}.flac`);
  });

  it('does not leave a joiner or an accent without its letter at the cut', () => {
    const name = cleanName(`${'a'.repeat(251)}👩\u200d👩\u200d👧`, windows);
    expect(name).toBe(`${'a'.repeat(251)}👩`);
    expect(cleanName(`${'a'.repeat(252)}q\u0323\u0307`, windows)).toBe(`${'a'.repeat(252)}q`);
  });

  it('replaces the characters that the user wants otherwise before its own rules', () => {
    expect(cleanName('AC/DC: Live', { names: 'windows', replace: { '/': '-', ':': ' -' } })).toBe(
      'AC-DC - Live',
    );
  });
});

describe('names under the posix profile', () => {
  it.each([
    ['AC/DC', 'AC_DC'],
    ['What?*', 'What?*'],
    ['NUL', 'NUL'],
    ['.hidden', '.hidden'],
    ['dots...', 'dots...'],
    [' . ', '_'],
    ['..', '_'],
  ])('shows %j as %j', (raw, shown) => {
    expect(cleanName(raw, posix)).toBe(shown);
  });
});

describe('any name', () => {
  it('is never empty, too long, a dot name, or with a slash or NUL in it, and is clean after one pass', () => {
    fc.assert(
      fc.property(
        anyName,
        fc.constantFrom(windows, posix),
        fc.constantFrom('', '.flac', '.m4a'),
        (raw, options, extension) => {
          const name = cleanName(raw + extension, options, extension);
          expect(utf8Length(name)).toBeLessThanOrEqual(255);
          expect(Buffer.byteLength(name)).toBe(utf8Length(name));
          expect(name).not.toMatch(/[/\0]/);
          expect(['', '.', '..']).not.toContain(name);
          expect(cleanName(name, options, extension)).toBe(name);
        },
      ),
      printedSeed('names'),
    );
  });

  it('has one key whatever its case and composition', () => {
    expect(foldName('STRASSE')).toBe(foldName('Straße'));
    expect(foldName('ΟΔΟΣ')).toBe(foldName('οδος'));
    expect(foldName('GRO\u1e9e')).toBe(foldName('gross'));
    expect(foldName('\u0390')).toBe(foldName('\u03aa\u0301'));
    expect(foldName('Cafe\u0301')).toBe(foldName('CAFÉ'));
    expect(foldName('a')).not.toBe(foldName('b'));
    expect(normalizeName('e\u0301')).toBe('é');
    fc.assert(
      fc.property(anyName, (raw) => {
        const name = cleanName(raw, windows);
        expect(foldName(foldName(name))).toBe(foldName(name));
        expect(foldName(name.normalize('NFD'))).toBe(foldName(name));
      }),
      printedSeed('fold'),
    );
  });

  it('keeps a value free of separators without making it a name', () => {
    expect(cleanValue('a/b', windows)).toBe('a_b');
    expect(cleanValue('', windows)).toBe('');
  });
});

describe('the suffix of a clashing name', () => {
  it('stands before the extension and shows as many digits as asked', () => {
    expect(withSuffix('01 - Title.flac', '3fa9c1aabbccddee', 6)).toBe('01 - Title ~3fa9c1.flac');
    expect(withSuffix('01 - Title.flac', '3fa9c1aabbccddee', 16)).toBe('01 - Title ~3fa9c1aabbccddee.flac');
    expect(withSuffix('No extension. Really', '3fa9c1aabbccddee', 6)).toBe('No extension. Really ~3fa9c1');
  });

  it('takes the place of the end of a long name', () => {
    const name = withSuffix(`${'漢'.repeat(83)}a.flac`, '0123456789abcdef', 6);
    expect(name).toBe(`${'漢'.repeat(80)} ~012345.flac`);
    expect(withSuffix('x'.repeat(255), '0123456789abcdef', 16)).toHaveLength(255);
  });

  it('keeps the name within 255 bytes', () => {
    fc.assert(
      fc.property(anyName, (raw) => {
        const name = withSuffix(cleanName(`${raw}.flac`, windows, '.flac'), '0123456789abcdef', 8);
        expect(utf8Length(name)).toBeLessThanOrEqual(255);
        expect(name.endsWith(' ~01234567.flac')).toBe(true);
      }),
      printedSeed('suffix'),
    );
  });
});
