// Names that differ in case only: one name by default, names of their own with `library.case = "sensitive"`.
import { describe, expect, it } from 'vitest';
import { openCatalogForReading } from '../../../src/catalog/open-catalog.ts';
import { type ReaderOptions, TreeReader } from '../../../src/catalog/tree-reader.ts';
import type { LibraryOptions } from '../../../src/library/library-options.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

const tags = (artist: string, title: string) => ({ tags: { artist, albumArtist: artist, title } });
const bjorks = [
  track('a', 'Joga', tags('Björk', 'Joga')),
  track('b', 'joga', tags('Björk', 'joga')),
  track('c', 'Hunter', tags('BJÖRK', 'Hunter')),
];
const apart = [
  'BJÖRK/Album [FLAC]/00 - Hunter.flac',
  'Björk/Album [FLAC]/00 - Joga.flac',
  'Björk/Album [FLAC]/00 - joga.flac',
];

function inCase(nameCase: LibraryOptions['case']): LibraryCatalog {
  const catalog = new LibraryCatalog();
  catalog.publisher = catalog.publisherWith('default', { case: nameCase });
  return catalog;
}

/** The same catalog laid out anew, in another life, by other settings. */
function changeTo(catalog: LibraryCatalog, options: Partial<LibraryOptions>): void {
  catalog.publisher = catalog.publisherWith('default', options);
  expect(catalog.publisher.isOutOfLayout).toBe(true);
  while (catalog.publisher.isOutOfLayout) catalog.publisher.layOut(2);
}

/** What a path leads to, for a reader of its own. */
function look(catalog: LibraryCatalog, options: ReaderOptions, ...path: readonly string[]) {
  const database = openCatalogForReading(catalog.file);
  try {
    const reader = new TreeReader(database, options);
    let at: { id: number; name?: string } | undefined = { id: 1 };
    for (const name of path) at = at === undefined ? undefined : reader.lookup(at.id, name);
    return at === undefined ? null : { id: at.id, name: at.name };
  } finally {
    database.close();
  }
}

const nodes = (catalog: LibraryCatalog) => ['a', 'b', 'c'].map((file) => catalog.nodeOf(file));

describe('where cases are told apart', () => {
  it('each spelling has its own directory, and each file its bare name', () => {
    const catalog = inCase('sensitive');
    catalog.publish(...bjorks);
    expect(catalog.files().sort()).toEqual(apart);
  });

  it('a name is answered to in its own case only, and in either composition', () => {
    const catalog = inCase('sensitive');
    catalog.publish(...bjorks);
    expect(catalog.at('Björk/Album [FLAC]/00 - joga.flac').id).toBe(catalog.nodeOf('b'));
    expect(catalog.at('Björk'.normalize('NFD')).id).toBe(catalog.at('Björk').id);
    expect(catalog.at('BJÖRK').id).not.toBe(catalog.at('Björk').id);
    expect(() => catalog.at('björk')).toThrow('nothing at');
  });

  it('a file that changes its case answers to the old one for a while', () => {
    const catalog = inCase('sensitive');
    catalog.publish(track('a', 'One'));
    catalog.publish(track('a', 'ONE', { mtimeNs: '1700000000000000001' }));
    expect(catalog.files()).toEqual(['Artist/Album [FLAC]/00 - ONE.flac']);
    const { nowMs } = catalog;
    const found = look(catalog, { nowMs: () => nowMs }, 'Artist', 'Album [FLAC]', '00 - One.flac');
    expect(found).toEqual({ id: catalog.nodeOf('a'), name: '00 - One.flac' });
  });

  it('two files of one name and case still have a mark', () => {
    const catalog = inCase('sensitive');
    catalog.publish(track('a', 'One'), track('b', 'One'));
    expect(catalog.files().filter((path) => path.includes(' ~'))).toHaveLength(1);
  });
});

describe('a change of library.case', () => {
  it('brings names together, without losing a file or its node', () => {
    const catalog = inCase('sensitive');
    catalog.publish(...bjorks);
    const before = nodes(catalog);
    changeTo(catalog, { case: 'merge' });
    const files = catalog.files();
    expect(new Set(files.map((path) => path.split('/')[0]))).toEqual(new Set(['BJÖRK']));
    expect(new Set(files.map((path) => path.toLowerCase())).size).toBe(3);
    expect(files.filter((path) => path.includes(' ~'))).toHaveLength(1);
    expect(nodes(catalog)).toEqual(before);
  });

  it('takes names apart, each file going where it wishes to be', () => {
    const catalog = inCase('merge');
    catalog.publish(...bjorks);
    expect(new Set(catalog.files().map((path) => path.split('/')[0])).size).toBe(1);
    const before = nodes(catalog);
    changeTo(catalog, { case: 'sensitive' });
    expect(catalog.files().sort()).toEqual(apart);
    expect(nodes(catalog)).toEqual(before);
  });

  it('there and back ends as it began, in views too', () => {
    const views = [{ root: 'All', template: '$artist/$title', each: null }];
    const catalog = inCase('merge');
    catalog.publish(...bjorks);
    changeTo(catalog, { views });
    const before = catalog.files().map((path) => path.toLowerCase());
    changeTo(catalog, { views, case: 'sensitive' });
    expect(catalog.files()).toEqual(expect.arrayContaining(['All/Björk/Joga.flac', 'All/Björk/joga.flac']));
    changeTo(catalog, { views, case: 'merge' });
    const after = catalog.files().map((path) => path.toLowerCase());
    expect(new Set(after).size).toBe(6);
    // Who is bare may have changed; how many are, and where they are, has not.
    const unmarked = (paths: readonly string[]) =>
      paths.map((path) => path.replace(/ ~[0-9a-f]+/, '')).sort();
    expect(unmarked(after)).toEqual(unmarked(before));
  });
});

describe('a look without regard to case', () => {
  it('finds what is spelled otherwise, under the name it has, when it is wanted', () => {
    const catalog = inCase('merge');
    catalog.publish(track('a', 'One'));
    const found = { id: catalog.nodeOf('a'), name: '00 - One.flac' };
    expect(look(catalog, { caseInsensitive: true }, 'ARTIST', 'album [flac]', '00 - one.FLAC')).toEqual(
      found,
    );
    expect(look(catalog, {}, 'ARTIST')).toBeNull();
    expect(look(catalog, { caseInsensitive: true }, 'Artists')).toBeNull();
  });

  it('prefers the exact name', () => {
    const catalog = inCase('sensitive');
    catalog.publish(...bjorks);
    for (const name of ['Björk', 'BJÖRK'])
      expect(look(catalog, { caseInsensitive: true }, name)?.name).toBe(name);
    expect(look(catalog, { caseInsensitive: true }, 'björk')).not.toBeNull();
  });
});
