import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IgnoreRules } from '../../../src/library/ignore-rules.ts';
import { libraryLimits } from '../../../src/library/library-limits.ts';
import { type RealPath, realPath, rootRealPath } from '../../../src/library/real-path.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const nothing = IgnoreRules.root({ patterns: [], builtin: false });
const rootWith = (file: string): IgnoreRules => nothing.below(rootRealPath, bytes(file));
const hidesFile = (rules: IgnoreRules, path: string): boolean => rules.isIgnored(realPath(path), false);
const hidesFolder = (rules: IgnoreRules, path: string): boolean => rules.isIgnored(realPath(path), true);

/** Wall time in ms. */
function timed(work: () => void): number {
  const startedAtMs = performance.now();
  work();
  return performance.now() - startedAtMs;
}

describe('a file of ignore rules', () => {
  it('applies in its folder and below it, and nowhere else', () => {
    const rules = nothing.below(realPath('Podcasts'), bytes('/old\n*.wav\n'));
    expect(hidesFolder(rules, 'Podcasts/old')).toBe(true);
    expect(hidesFolder(rules, 'Podcasts/new/old')).toBe(false);
    expect(hidesFile(rules, 'Podcasts/new/a.wav')).toBe(true);
    expect(hidesFile(nothing, 'Music/a.wav')).toBe(false);
    expect(() => hidesFile(rules, 'Music/a.wav')).toThrow(RangeError);
    expect(() => hidesFile(rules, 'Podcasts2/a.wav')).toThrow(RangeError);
  });

  it('adds to the files above it, and may take back what they hide', () => {
    const above = rootWith('*.wav\ndemo\n');
    const below = above.below(realPath('Live'), bytes('!*.wav\n*.mp3\n!demo\n'));
    expect(hidesFile(below, 'Live/a.wav')).toBe(false);
    expect(hidesFile(below, 'Live/a.mp3')).toBe(true);
    expect(hidesFolder(below, 'Live/demo')).toBe(false);
    expect(hidesFile(below, 'Live/demo/a.flac')).toBe(false);
    expect(hidesFile(above, 'Other/a.wav')).toBe(true);
    expect(hidesFile(above, 'Other/a.mp3')).toBe(false);
  });

  it('cannot bring back what lies below an ignored folder', () => {
    const rules = rootWith('private/\n!private/song.flac\n');
    expect(hidesFile(rules, 'private/song.flac')).toBe(true);
    const inside = rules.below(realPath('private'), bytes('!song.flac\n!*\n'));
    expect(hidesFile(inside, 'private/song.flac')).toBe(true);
    expect(inside.isIgnored(realPath('private'), true)).toBe(true);
    // What does not count is not read either.
    expect(rules.below(realPath('private'), bytes('x'.repeat(2000))).warnings).toEqual([]);
    expect(hidesFile(inside.below(realPath('private/deep'), bytes('!*\n')), 'private/deep/a.flac')).toBe(
      true,
    );
  });

  it('hides folders only where the pattern ends with a slash', () => {
    const rules = rootWith('Samples/\n');
    expect(hidesFolder(rules, 'a/Samples')).toBe(true);
    expect(hidesFile(rules, 'a/Samples')).toBe(false);
    expect(hidesFile(rules, 'a/Samples/kick.wav')).toBe(true);
  });

  it('speaks of names in any encoding, by their bytes', () => {
    const latin1 = nothing.below(rootRealPath, Buffer.from('caf\u00e9\n', 'latin1'));
    expect(hidesFolder(latin1, 'caf\u00e9')).toBe(true);
    expect(hidesFolder(latin1, 'caf\u00c3\u00a9')).toBe(false);
    expect(hidesFolder(rootWith('café\n'), 'caf\u00c3\u00a9')).toBe(true);
  });

  it('may have been written on Windows', () => {
    const rules = rootWith('\ufeff*.wav\r\nSamples/\r\n\r\nlast\r\r\n');
    expect(hidesFile(rules, 'a.wav')).toBe(true);
    expect(hidesFolder(rules, 'Samples')).toBe(true);
    expect(hidesFile(rules, 'last')).toBe(false);
    expect(hidesFile(rules, 'last\r')).toBe(true);
  });

  it('counts upper and lower case as different, as the file systems of origins do', () => {
    expect(hidesFolder(rootWith('samples\n'), 'Samples')).toBe(false);
  });

  it('costs a folder without one no rules of its own, and leaves the rules of its parent as they were', () => {
    const above = rootWith('*.wav\n');
    const below = above.below(realPath('a'), null).below(realPath('a/b'), bytes('# nothing\n'));
    expect(hidesFile(below, 'a/b/c.wav')).toBe(true);
    const more = above.below(realPath('a'), bytes('*.mp3'));
    expect(hidesFile(more, 'a/x.mp3')).toBe(true);
    expect(hidesFile(above, 'a/x.mp3')).toBe(false);
  });

  it('gives the same answers after thousands of them', () => {
    const rules = rootWith('/a/*.wav\nb*\n!b1\n');
    for (let at = 0; at < 3 * libraryLimits.ignoreAnswersKept; at += 1) {
      expect(hidesFile(rules, `a/${at}.wav`)).toBe(true);
      expect(hidesFile(rules, `b${at}`)).toBe(at !== 1);
    }
  });
});

describe('the patterns of the configuration', () => {
  it('apply everywhere, and give way to a file', () => {
    const rules = IgnoreRules.root({ patterns: ['*.m4b', '#recycle', '/Backup'], builtin: false });
    expect(hidesFile(rules, 'a/b.m4b')).toBe(true);
    expect(hidesFolder(rules, 'a/#recycle')).toBe(true);
    expect(hidesFolder(rules, 'Backup')).toBe(true);
    expect(hidesFolder(rules, 'a/Backup')).toBe(false);
    expect(hidesFile(rules.below(realPath('Books'), bytes('!*.m4b')), 'Books/b.m4b')).toBe(false);
  });

  it('tell what was left out of them', () => {
    const { warnings } = IgnoreRules.root({ patterns: ['a', '**/a/**/b/**'], builtin: false });
    expect(warnings).toEqual([{ type: 'too_many_wildcards', line: 2, lines: 1 }]);
  });
});

describe('the built-in names', () => {
  it('are hidden whatever a file takes back, unless the configuration turns them off', () => {
    const musicOnly = bytes('*\n!*/\n!*.flac\n!@eaDir\n');
    const on = IgnoreRules.root({ patterns: [], builtin: true }).below(rootRealPath, musicOnly);
    expect(hidesFolder(on, 'a/@eaDir')).toBe(true);
    expect(hidesFile(on, 'a/@eaDir/x.flac')).toBe(true);
    expect(hidesFile(on, 'a/._x.flac')).toBe(true);
    expect(hidesFile(on, 'a/x.flac')).toBe(false);
    expect(hidesFile(on, 'a/x.mp3')).toBe(true);
    const off = nothing.below(rootRealPath, musicOnly);
    expect(hidesFile(off, 'a/@eaDir/x.flac')).toBe(false);
    expect(hidesFile(off, 'a/._x.flac')).toBe(false);
  });
});

describe('a file of ignore rules that is too much', () => {
  it('counts up to its last whole line within 64 KiB', () => {
    const line = `${'#'.repeat(1023)}\n`;
    const rules = rootWith(`first\n${line.repeat(63)}${'#'.repeat(1010)}\nlastly-cut\nbeyond\n`);
    expect(rules.warnings).toEqual([{ type: 'file_too_large', line: 66, lines: 1 }]);
    expect(hidesFile(rules, 'first')).toBe(true);
    for (const name of ['lastly-cut', 'lastly-', 'l', 'la', 'beyond'])
      expect(hidesFile(rules, name)).toBe(false);
  });

  it('counts up to a thousand patterns, and two thousand with those above it', () => {
    const thousand = (prefix: string): string =>
      Array.from({ length: 1001 }, (_, at) => `# ${at}\n${prefix}${at}`).join('\n');
    const one = rootWith(thousand('a'));
    expect(one.warnings).toEqual([{ type: 'too_many_patterns', line: 2002, lines: 1 }]);
    expect(hidesFile(one, 'a999')).toBe(true);
    expect(hidesFile(one, 'a1000')).toBe(false);
    const two = one.below(realPath('x'), bytes(thousand('b')));
    const three = two.below(realPath('x/y'), bytes('c\nd\n'));
    expect(hidesFile(three, 'x/y/b999')).toBe(true);
    expect(hidesFile(three, 'x/y/c')).toBe(false);
    expect(three.warnings).toEqual([{ type: 'too_many_patterns', line: 1, lines: 2 }]);
  });

  it('leaves out lines above 1,024 bytes', () => {
    const rules = rootWith(`${'a'.repeat(1025)}\n${'b'.repeat(1024)}\nc\n${'d'.repeat(2000)}`);
    expect(rules.warnings).toEqual([{ type: 'line_too_long', line: 1, lines: 2 }]);
    expect(hidesFile(rules, 'c')).toBe(true);
  });

  it('cannot make a look take long with stars', () => {
    const name = 'a'.repeat(255);
    const patterns = ['*a'.repeat(500), '*a?'.repeat(300), '*[ab]'.repeat(200), `*${'?'.repeat(500)}*`].map(
      (hostile) => `${hostile}*b`,
    );
    for (const pattern of patterns) {
      const rules = rootWith(pattern);
      expect(rules.warnings).toEqual([]);
      expect(timed(() => expect(hidesFile(rules, name)).toBe(false))).toBeLessThan(500);
    }
  });

  it('cannot make a look take long with "**" on a deep path', () => {
    const deep = (parts: number): string => `${'a/'.repeat(parts)}c`;
    const rules = rootWith('a/**/a/**/b\n**/a/**/b\n*a*/**/*a*/**/b\na/**/**/b\n');
    expect(rules.warnings).toEqual([]);
    const three = rootWith('a/**/a/**/a/**/b\na/**/**/**/b\n');
    expect(three.warnings).toEqual([{ type: 'too_many_wildcards', line: 1, lines: 2 }]);
    for (const parts of [libraryLimits.ignoreDepth, 2000]) {
      expect(timed(() => expect(hidesFile(rules, deep(parts))).toBe(false))).toBeLessThan(500);
    }
  });

  it('matches with "/" down to 32 folders below it, and by name at any depth', () => {
    const rules = rootWith('top/**/b\nname\n');
    const path = (folders: number, last: string): string => `top/${'x/'.repeat(folders - 1)}${last}`;
    expect(hidesFile(rules, path(32, 'b'))).toBe(true);
    expect(hidesFile(rules, path(33, 'b'))).toBe(false);
    expect(hidesFile(rules, path(33, 'name'))).toBe(true);
  });
});

describe('any file of ignore rules', () => {
  it('is read without failing, and one whose patterns all hide only hides more than none', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({ unit: fc.constantFrom(...'ab*?[]!\\/#-:^ \n\r.{}()+|$\0'), maxLength: 40 }).map(bytes),
    );
    const path = fc
      .array(fc.string({ unit: fc.constantFrom(...'ab*[\\!\u00ff \n'), minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 4,
      })
      .map((parts) => realPath(parts.join('/')));
    fc.assert(
      fc.property(noise, path, fc.boolean(), (file, asked: RealPath, isDirectory) => {
        const rules = IgnoreRules.root({ patterns: ['ab'], builtin: false });
        const before = rules.isIgnored(asked, isDirectory);
        const after = rules.below(rootRealPath, file).isIgnored(asked, isDirectory);
        if (!Buffer.from(file).includes('!')) expect(before && !after).toBe(false);
      }),
      printedSeed('ignore files'),
    );
  });
});
