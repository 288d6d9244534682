// docs/SEMANTICS.md and its tests: every promise has a test of its number, every such test a promise.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

const promised = [...read('docs/SEMANTICS.md').matchAll(/^\| (\d+\.\d+) /gm)].map(([, number]) => number);
const folder = 'test/mount/semantics';
const tested = new Set(
  readdirSync(path.join(root, folder)).flatMap((file) =>
    [
      ...read(path.join(folder, file)).matchAll(/test(?:\.each\([^)]*\))?\(\s*['`]((?:\d+\.\d+(?:, )?)+):/g),
    ].flatMap(([, numbers = '']) => numbers.split(', ')),
  ),
);

test('every promise has its test', () => {
  expect(promised.length).toBeGreaterThan(50);
  expect(promised.filter((number = '') => !tested.has(number))).toEqual([]);
});

test('every number of a test is that of a promise', () => {
  expect([...tested].filter((number) => !promised.includes(number))).toEqual([]);
});
