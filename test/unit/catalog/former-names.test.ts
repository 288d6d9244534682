// What the name that a file had before still leads to.
import { expect, it } from 'vitest';
import { openCatalogForReading } from '../../../src/catalog/open-catalog.ts';
import { TreeReader } from '../../../src/catalog/tree-reader.ts';
import { limits } from '../../../src/platform/limits.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

/** What a path leads to so many ms after the last publication; null: nowhere. */
function look(
  catalog: LibraryCatalog,
  path: string,
  laterMs = 0,
  formerNameMs: number = limits.formerNameMs,
): { id: number; isGone: boolean } | null {
  const database = openCatalogForReading(catalog.file);
  try {
    const reader = new TreeReader(database, { nowMs: () => catalog.nowMs + laterMs, formerNameMs });
    let at: { id: number; isGone?: true } | undefined = { id: 1 };
    for (const name of path.split('/')) at = at === undefined ? undefined : reader.lookup(at.id, name);
    return at === undefined ? null : { id: at.id, isGone: at.isGone === true };
  } finally {
    database.close();
  }
}

const old = 'Artist/Album [FLAC]/00 - One.flac';
const retagged = (tags: object) => track('a', 'One', { mtimeNs: '1700000000000000001', tags });

it('leads to the file, for five minutes and unlisted', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'One'), track('b', 'Two'));
  catalog.publish(retagged({ title: 'Uno' }));
  const node = catalog.nodeOf('a');
  expect(look(catalog, old)).toEqual({ id: node, isGone: true });
  expect(look(catalog, old, limits.formerNameMs - 1_000)).toEqual({ id: node, isGone: true });
  expect(look(catalog, old, limits.formerNameMs + 2_000)).toBeNull();
  expect(look(catalog, old, limits.formerNameMs + 2_000, limits.formerNameMs * 2)).not.toBeNull();
  expect(look(catalog, old, 2_000, 0)).toBeNull();
  expect(look(catalog, 'Artist/Album [FLAC]/00 - Uno.flac')).toEqual({ id: node, isGone: false });
  expect(catalog.files().sort()).toEqual([
    'Artist/Album [FLAC]/00 - Two.flac',
    'Artist/Album [FLAC]/00 - Uno.flac',
  ]);
});

it('leads through a folder that went with its last file', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'One'));
  catalog.publish(retagged({ artist: 'Other', album: 'Elsewhere' }));
  expect(look(catalog, old)).toEqual({ id: catalog.nodeOf('a'), isGone: true });
  expect(look(catalog, old, limits.formerNameMs + 2_000)).toBeNull();
  expect(catalog.files()).toEqual(['Other/Elsewhere [FLAC]/00 - One.flac']);
  expect(catalog.reader.counters()).toMatchObject({ directories: 3, files: 1 });
});

it('yields to whoever is listed under it', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'One'));
  catalog.publish(retagged({ title: 'Uno' }));
  catalog.publish(track('b', 'One'));
  expect(look(catalog, old)).toEqual({ id: catalog.nodeOf('b'), isGone: false });
});

it('leads nowhere when the file is gone, and is of the spelling that was shown', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'One'), track('b', 'Two'));
  catalog.publish(retagged({ title: 'Uno' }));
  expect(look(catalog, old.replace('One', 'ONE'))).toBeNull();
  catalog.remove('a');
  expect(look(catalog, old)).toBeNull();
  expect(look(catalog, 'Artist/Album [FLAC]/00 - Uno.flac')).toBeNull();
});

it('is forgotten with the folders it lay in', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'One'));
  catalog.publish(retagged({ artist: 'Other', album: 'Elsewhere' }));
  const directories = () =>
    catalog.database.prepare('SELECT count(*) FROM nodes WHERE kind = 1').pluck().get();
  catalog.publisher.finishScan('music', ['/']);
  expect(directories()).toBe(5);
  catalog.nowMs += limits.tombstoneMs + 2_000;
  catalog.publisher.finishScan('music', ['/']);
  expect(directories()).toBe(3);
});
