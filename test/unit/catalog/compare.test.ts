import { describe, expect, it } from 'vitest';
import { type MissingCursor, type MissingFiles, seenKey } from '../../../src/catalog/publication.ts';
import type { RealPath } from '../../../src/library/real-path.ts';
import { LibraryCatalog, seenFile, track } from '../../fixtures/library-catalog.ts';

/** Tells the catalog that these files hold no music. */
function ignore(catalog: LibraryCatalog, ...files: readonly Parameters<typeof seenFile>[0][]) {
  return catalog.publisher.publish('music', [], files.map(seenFile), () => undefined);
}

describe('a walk', () => {
  it('asks for new files, and never again for those that did not change', () => {
    const catalog = new LibraryCatalog();
    expect(catalog.compare({ path: 'a' }, { path: 'b' })).toEqual(['a.flac', 'b.flac']);
    catalog.publish(track('a', 'A'), { path: 'b', state: 'failed', audioFp: null });
    expect(catalog.compare({ path: 'a' }, { path: 'b' })).toEqual([]);
  });

  it.each([
    ['size', { sizeBytes: 1001 }],
    ['seconds', { mtimeNs: '1600000001000000001' }],
    ['nanoseconds', { mtimeNs: '1600000000000000002' }],
  ])('asks again for a file that has another %s', (_, change) => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a', 'A'));
    expect(catalog.compare({ path: 'a', ...change })).toEqual(['a.flac']);
  });

  it('tells the nodes of all files it knows, changed or not, removed or not', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a', 'A'), track('b', 'B'), track('c', 'C'));
    catalog.remove('c');
    const seen: number[] = [];
    const met = [{ path: 'a' }, { path: 'b', sizeBytes: 2 }, { path: 'c' }, { path: 'new' }].map(seenFile);
    catalog.publisher.compare('music', met, (node) => seen.push(node));
    expect(seen).toEqual(['a', 'b', 'c'].map((name) => seenKey.track(catalog.nodeOf(name))));
  });

  it('keeps the files of two origins apart', () => {
    const catalog = new LibraryCatalog();
    catalog.publisher.registerOrigin('other', 'local', '/other');
    catalog.publish(track('a', 'A'));
    expect(catalog.publisher.compare('other', [seenFile({ path: 'a' })], () => undefined)).toEqual([
      'a.flac',
    ]);
    expect(() => catalog.publisher.compare('unknown', [], () => undefined)).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
  });

  it('tells what it did not meet, page by page, also when files are removed between two', () => {
    const catalog = new LibraryCatalog();
    const files = Array.from({ length: 2100 }, (_, index) => track(`${index}`, `T${index}`));
    catalog.publish(...files);
    catalog.remove('0');
    const isEven = (key: number): boolean => key % 4 === 0;
    const unseen = files.filter(({ path }) => path !== '0' && !isEven(seenKey.track(catalog.nodeOf(path))));
    const found: RealPath[] = [];
    const sizes: number[] = [];
    let from: MissingCursor | null = null;
    do {
      const page: MissingFiles = catalog.publisher.missing('music', isEven, from, 700);
      expect(page.known).toBe(2099 - sizes.length * 700);
      sizes.push(page.paths.length);
      found.push(...page.paths);
      catalog.publisher.remove('music', page.paths);
      from = page.next;
    } while (from !== null);
    expect(sizes).toEqual([700, unseen.length - 700]);
    expect(found.sort()).toEqual(unseen.map(({ path }) => `${path}.flac`).sort());
    expect(catalog.publisher.missing('music', isEven, null, 1)).toMatchObject({ paths: [], next: null });
  });
});

describe('a file that holds no music', () => {
  it('is read once, and again when it changed', () => {
    const catalog = new LibraryCatalog();
    ignore(catalog, { path: 'a' });
    expect(catalog.compare({ path: 'a' })).toEqual([]);
    expect(catalog.compare({ path: 'a', sizeBytes: 2 })).toEqual(['a.flac']);
    expect(catalog.files()).toEqual([]);
  });

  it('leaves the tree when it was music before, and comes back as the same node', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a', 'A'), track('b', 'B', { tags: { disc: 2 } }));
    const node = catalog.nodeOf('b');
    expect(ignore(catalog, { path: 'b', sizeBytes: 2 })).toMatchObject({ removed: 1 });
    expect(catalog.files()).toEqual(['Artist/Album [FLAC]/00 - A.flac']);
    expect(catalog.publisher.counters()).toMatchObject({ tracks: 1, files: 1, bytes: 1000 });
    expect(catalog.compare({ path: 'b', sizeBytes: 2 })).toEqual([]);
    catalog.publish(track('b', 'B', { sizeBytes: 3 }));
    expect(catalog.at('Artist/Album [FLAC]/00 - B.flac')).toMatchObject({ id: node, version: 2, size: 3 });
  });
});
