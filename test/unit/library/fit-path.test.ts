import { array, assert, constantFrom, integer, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { fitPath } from '../../../src/library/fit-path.ts';
import { finishName } from '../../../src/library/names.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const path = (...names: readonly string[]) => names.map((name) => ({ name, sortText: name, isAlbum: false }));
const namesOf = (components: readonly { readonly name: string }[]) => components.map(({ name }) => name);
const fitted = (maxUnits: number, ...names: readonly string[]) => namesOf(fitPath(path(...names), maxUnits));

it('what fits stays as it is', () => {
  expect(fitted(12, 'a', 'b', 'c.mp3')).toEqual(['a', 'b', 'c.mp3']);
});

it('the longest directories are cut to one length, shorter ones are left', () => {
  const names = fitted(60, 'A'.repeat(50), 'B'.repeat(40), 'CD1', 'x.flac');
  expect(names).toEqual(['A'.repeat(12), 'B'.repeat(12), 'CD1', 'x.flac']);
});

it('a cut leaves no half character, no mark without its letter, no blank or dot at the end', () => {
  expect(fitted(60, '😀'.repeat(30), 'x.flac')).toEqual(['😀'.repeat(14), 'x.flac']);
  expect(fitted(60, `${'a'.repeat(27)}. e\u0301${'b'.repeat(30)}`, 'x.flac')[0]).toBe('a'.repeat(27));
});

it('any path fits, keeps its extension and its depth, is safe, and stays when it is cut again', () => {
  const name = string({ minLength: 1, maxLength: 120, unit: 'grapheme' }).map((text) =>
    finishName(text, 'windows'),
  );
  const extension = constantFrom('.flac', '.mp3', '');
  assert(
    property(
      array(name, { maxLength: 6 }),
      name,
      extension,
      integer({ min: 60, max: 300 }),
      (directories, stem, end, max) => {
        const file = finishName(`${stem}${end}`, 'windows', end);
        const names = fitted(max, ...directories, file);
        expect(names.join('/').length).toBeLessThanOrEqual(max);
        expect(names.length).toBe(directories.length + 1);
        expect(names.at(-1)?.endsWith(end)).toBe(true);
        for (const each of names.slice(0, -1)) expect(finishName(each, 'windows')).toBe(each);
        expect(fitted(max, ...names)).toEqual(names);
        expect(fitted(max, ...directories, 'x.flac').slice(0, -1)).toEqual(names.slice(0, -1));
      },
    ),
    printedSeed('long paths'),
  );
});
