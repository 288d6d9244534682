import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DirectoryEntry } from '../../../src/catalog/tree-reader.ts';
import { limits } from '../../../src/platform/limits.ts';
import { LibraryCatalog, type TrackFile, track } from '../../fixtures/library-catalog.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const album = 'Artist/Album [FLAC]';

/** A song of the one album; its number orders it. */
const song = (number: number): TrackFile => track(`${number}`, `Song ${number}`, { tags: { track: number } });
const nameOf = (number: number): string => `${String(number).padStart(2, '0')} - Song ${number}.flac`;

function albumOf(numbers: readonly number[]) {
  const catalog = new LibraryCatalog();
  catalog.publish(track('anchor', 'Anchor', { tags: { track: 9999 } }), ...numbers.map(song));
  return { catalog, directory: catalog.at(album).id };
}

describe('a listing', () => {
  it('returns each name once and in order, at every size of a page', () => {
    const numbers = Array.from({ length: 40 }, (_, index) => ((index * 17) % 40) + 1);
    const { catalog, directory } = albumOf(numbers);
    const expected = [...numbers].sort((a, b) => a - b).map(nameOf);
    for (let pageSize = 1; pageSize <= 45; pageSize += 1)
      expect(catalog.list(directory, pageSize).map(({ name }) => name)).toEqual([
        ...expected,
        '9999 - Anchor.flac',
      ]);
  });

  it('shows with each name what a lookup of it shows', () => {
    const { catalog, directory } = albumOf([1, 2, 3]);
    for (const entry of catalog.list(directory))
      expect(catalog.reader.lookup(directory, entry.name)).toEqual(entry);
  });

  it('in several reads is of one state, whatever is published between them', () => {
    const { catalog, directory } = albumOf([1, 2]);
    const names = () => catalog.reader.page(directory, 0, 10).map(({ name }) => name);
    const [before, between] = catalog.reader.inOneState(() => {
      const first = names();
      catalog.publish(song(3));
      return [first, names()];
    });
    expect(between).toEqual(before);
    expect(names()).toContain(nameOf(3));
  });

  it('goes on after a name that has gone meanwhile, at the place where it was', () => {
    const { catalog, directory } = albumOf([1, 2, 3, 4]);
    const [, second] = catalog.reader.page(directory, 0, 2);
    catalog.remove('2', '3');
    const rest = catalog.reader.page(directory, second?.entryId ?? 0, 10);
    expect(rest.map(({ name }) => name)).toEqual([nameOf(4), '9999 - Anchor.flac']);
  });

  it('goes on after a name that has gone, until a week has passed; then it ends', () => {
    const { catalog, directory } = albumOf([1, 2]);
    const [first] = catalog.reader.page(directory, 0, 1);
    catalog.remove('1');
    catalog.nowMs += limits.tombstoneMs - 2000;
    catalog.publisher.finishScan('music', ['/']);
    expect(catalog.reader.page(directory, first?.entryId ?? 0, 10)).toHaveLength(2);
    catalog.nowMs += 4000;
    catalog.publisher.finishScan('music', ['/']);
    expect(catalog.reader.page(directory, first?.entryId ?? 0, 10)).toEqual([]);
  });

  it('ends at an offset of another directory', () => {
    const { catalog, directory } = albumOf([1]);
    const [foreign] = catalog.reader.page(1, 0, 1);
    expect(catalog.reader.page(directory, foreign?.entryId ?? 0, 10)).toEqual([]);
    expect(catalog.reader.page(directory, 2 ** 50, 10)).toEqual([]);
  });

  it('of something that is no directory is empty', () => {
    const { catalog } = albumOf([1]);
    expect(catalog.reader.page(catalog.at(`${album}/${nameOf(1)}`).id, 0, 10)).toEqual([]);
  });

  it('returns what stays exactly once, whatever comes and goes between its pages', () => {
    const change = fc.record({ add: fc.boolean(), number: fc.integer({ min: 1, max: 60 }) });
    const begin = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(
        begin,
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.array(change, { maxLength: 4 })),
        (numbers, size, changes) => {
          const { catalog, directory } = albumOf(numbers);
          const present = new Set(numbers);
          const staying = new Set(numbers);
          const everPresent = new Set(numbers);
          const returned: DirectoryEntry[] = [];
          for (let page = 0; returned.length <= 100; page += 1) {
            const entries = catalog.reader.page(directory, returned.at(-1)?.entryId ?? 0, size);
            returned.push(...entries);
            if (entries.length < size) break;
            for (const { add, number } of changes[page] ?? []) {
              // A name that comes back after it went is another one, and has no promise.
              if (add && !everPresent.has(number)) {
                catalog.publish(song(number));
                present.add(number);
                everPresent.add(number);
              } else if (!add && present.delete(number)) {
                catalog.remove(String(number));
                staying.delete(number);
              }
            }
          }
          const names = returned.map(({ name }) => name);
          expect(new Set(names).size).toBe(names.length);
          expect([...names].sort()).toEqual(expect.arrayContaining([...staying].map(nameOf).sort()));
          const known = new Set([...everPresent].map(nameOf));
          expect(names.filter((name) => !known.has(name))).toEqual(['9999 - Anchor.flac']);
          const numbersInOrder = names.map((name) => Number.parseInt(name, 10));
          expect(numbersInOrder).toEqual([...numbersInOrder].sort((a, b) => a - b));
        },
      ),
      { ...printedSeed('listings under change'), numRuns: 60 },
    );
  });
});

describe('a lookup', () => {
  it('finds the NFC name by its NFD spelling, and by no other', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a', 'Für Élise'.normalize('NFD')));
    const { id } = catalog.at(album);
    const name = '00 - Für Élise.flac'.normalize('NFC');
    expect(catalog.list(id).map((entry) => entry.name)).toEqual([name]);
    expect(catalog.reader.lookup(id, name)?.name).toBe(name);
    expect(catalog.reader.lookup(id, name.normalize('NFD'))?.name).toBe(name);
    expect(catalog.reader.lookup(id, name.toLowerCase())).toBeUndefined();
    expect(catalog.reader.lookup(id, '00 - Fur Elise.flac')).toBeUndefined();
    expect(catalog.reader.lookup(1, name)).toBeUndefined();
  });
});
