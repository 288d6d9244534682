// Keys of an object store as paths, and back.
import { array, assert, constantFrom, oneof, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { realPath } from '../../../src/library/real-path.ts';
import { keyOfPath, nameOfPart, normalPrefix } from '../../../src/origins/s3-key.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const pathOfKey = (key: string) =>
  realPath(
    key
      .split('/')
      .map((part) => nameOfPart(part) ?? '')
      .join('/'),
  );

test('a key with empty or dot parts has a path that leads back to it', () => {
  for (const key of [
    'a//b',
    '/a',
    'a/',
    '../x',
    'a/./b',
    '..',
    '.',
    '%',
    '%2E',
    '%25',
    '%2E%2E/%252E',
    '%25%',
    'ü/日本',
  ]) {
    expect(keyOfPath(pathOfKey(key))).toBe(key);
  }
  expect(pathOfKey('a//../.')).toBe('a/%/%2E%2E/%2E');
  expect(pathOfKey('a/%/%2E')).toBe('a/%25/%252E');
});

test('any key leads back to itself', () => {
  const text = string({ unit: 'grapheme', maxLength: 4 }).filter((part) => !/[/\0]/.test(part));
  const odd = constantFrom('', '.', '..', '%', '%2E', '%2E%2E', '%25', '%252E', '%2525');
  const keys = array(oneof(text, odd), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  assert(
    property(
      keys.filter((key) => key !== ''),
      (key) => {
        expect(keyOfPath(pathOfKey(key))).toBe(key);
      },
    ),
    printedSeed('keys of an object store'),
  );
});

test('a path that is no text is no key, and a part with NUL is no name', () => {
  expect(keyOfPath(realPath('f\xfcr'))).toBeUndefined();
  expect(nameOfPart('a\0b')).toBeUndefined();
});

test('a prefix stands without "/" at its start and with one at its end', () => {
  expect(['', '/', 'a', '/a/', 'a/b', undefined].map(normalPrefix)).toEqual(['', '', 'a/', 'a/', 'a/b/', '']);
});
