import { describe, expect, it } from 'vitest';
import { defaultLibraryOptions } from '../../../src/library/library-options.ts';
import { moveArticle } from '../../../src/library/sort-name.ts';
import { splitListFields, splitValue } from '../../../src/library/split-values.ts';
import {
  cleanList,
  cleanText,
  isTrue,
  joinNames,
  parseDate,
  parseDecimal,
  parsePosition,
  yearOf,
} from '../../../src/library/tag-text.ts';

describe('a tag value', () => {
  it('ends at a NUL, is trimmed, composed and well formed, and is nothing when empty', () => {
    expect(cleanText('  Title\0rest')).toBe('Title');
    expect(cleanText('Cafe\u0301')).toBe('Café');
    expect(cleanText('x\ud800')).toBe('x\ufffd');
    expect(cleanText(' \0 ')).toBeUndefined();
  });

  it('appears once in a list, at its first place', () => {
    expect(cleanList(['B', 'A', 'B ', '', 'b'])).toEqual(['B', 'A', 'b']);
  });

  it.each([
    ['3', { number: 3 }],
    ['03/12', { number: 3, total: 12 }],
    [' 3 / 12 ', { number: 3, total: 12 }],
    ['/12', { total: 12 }],
    ['0', {}],
    ['0/0', {}],
    ['', {}],
    ['9999', { number: 9999 }],
    ['10000', { text: '10000' }],
    ['A1', { text: 'A1' }],
    ['1 of 2', { text: '1 of 2' }],
  ])('%j as a position is %j', (text, position) => {
    expect(parsePosition(text)).toEqual(position);
  });

  it.each([
    ['2003', '2003', 2003],
    ['2003-4', '2003-04', 2003],
    ['2003-04-05', '2003-04-05', 2003],
    ['2003-04-05T10:20:30', '2003-04-05', 2003],
    ['2003/13/05', '2003', 2003],
    ['2003-04-45', '2003-04', 2003],
    ['05.04.2003', '2003', 2003],
    ['0000', undefined, undefined],
    ['20030405', undefined, undefined],
    ['3500', undefined, undefined],
    ['n/a', undefined, undefined],
  ])('%j as a date is %j', (text, date, year) => {
    expect(parseDate(text)).toBe(date);
    expect(yearOf(text)).toBe(year);
  });

  it('is true only for 1, true and yes', () => {
    expect(['1', 'TRUE', 'Yes', ' yes '].every(isTrue)).toBe(true);
    expect(['0', '', 'no', '11', 'false'].some(isTrue)).toBe(false);
  });

  it('loses its unit when it is a gain', () => {
    expect(parseDecimal('-6.30 dB')).toBe(-6.3);
    expect(parseDecimal('+1,5 dB')).toBe(1.5);
    expect(parseDecimal('loud')).toBeUndefined();
  });
});

describe('several names', () => {
  it('are joined with commas and a last ampersand', () => {
    expect(joinNames([])).toBe('');
    expect(joinNames(['A'])).toBe('A');
    expect(joinNames(['A', 'B'])).toBe('A & B');
    expect(joinNames(['A', 'B', 'C'])).toBe('A, B & C');
  });

  it.each([
    ['Rock; Pop ;;Jazz', [';'], ['Rock', 'Pop', 'Jazz']],
    ['AC/DC/Queen', ['/'], ['AC/DC', 'Queen']],
    ['Queen/ac/dc', ['/'], ['Queen', 'ac/dc']],
    ['AC/DCX', ['/'], ['AC', 'DCX']],
    [
      'Earth, Wind & Fire, Simon & Garfunkel & Nico',
      [',', '&'],
      ['Earth, Wind & Fire', 'Simon & Garfunkel', 'Nico'],
    ],
    ['no delimiters', [], ['no delimiters']],
    [' ; ', [';'], []],
  ])('%j cut at %j are %j', (value, delimiters, names) => {
    expect(splitValue(value, delimiters, defaultLibraryOptions.splitKeep)).toEqual(names);
  });

  it('are found on the keep-list without regard to accents', () => {
    expect(splitValue('Ac\u0301/DC/X', ['/'], ['AC/DC'])).toEqual(['Ac\u0301/DC', 'X']);
  });

  it('are cut in the genre by default and in no other field', () => {
    const tags = { genre: ['Rock;Pop', 'Pop'], artists: ['A;B'] };
    expect(splitListFields(tags, defaultLibraryOptions)).toEqual({
      genre: ['Rock', 'Pop'],
      artists: ['A;B'],
    });
    const plain = { genre: ['Rock'] };
    expect(splitListFields(plain, defaultLibraryOptions)).toBe(plain);
  });
});

describe('the article of a sort name', () => {
  it('moves to the end when a name follows it', () => {
    const { articles } = defaultLibraryOptions;
    expect(moveArticle('The Beatles', articles)).toBe('Beatles, The');
    expect(moveArticle('the Beatles', articles)).toBe('Beatles, the');
    expect(moveArticle('A-ha', articles)).toBe('A-ha');
    expect(moveArticle('Theory', articles)).toBe('Theory');
    expect(moveArticle('The', articles)).toBe('The');
  });
});
