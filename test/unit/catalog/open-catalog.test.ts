import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import {
  isOriginKnown,
  openCatalogForReading,
  openCatalogForWriting,
} from '../../../src/catalog/open-catalog.ts';
import { schemaVersion } from '../../../src/catalog/schema.ts';
import { Failpoints } from '../../../src/platform/failpoints.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const newFile = (): string => path.join(temporaryDirectory(), 'catalog.db');

/** A file made by `sql`, closed again. */
function databaseOf(sql: string): string {
  const file = newFile();
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.exec(sql);
  database.close();
  return file;
}

describe('a new catalog', () => {
  it('has an empty root dated then, and the current schema', () => {
    const catalog = new LibraryCatalog();
    expect(catalog.database.pragma('user_version', { simple: true })).toBe(schemaVersion);
    expect(catalog.at('')).toMatchObject({
      id: 1,
      isDirectory: true,
      version: 0,
      links: 2,
      mtimeSeconds: 1_700_000_000,
    });
    expect(catalog.reader.counters()).toEqual({ tracks: 0, files: 0, directories: 1, bytes: 0, failed: 0 });
  });
});

describe('a catalog that is opened again', () => {
  it('shows the same nodes, names, times and offsets, and dates nothing anew', () => {
    const directory = temporaryDirectory();
    const first = new LibraryCatalog('/music', directory);
    first.publish(track('a', 'A'), track('b', 'B', { tags: { disc: 2 } }));
    first.publish(track('a', 'A', { sizeBytes: 5 }));
    const before = first.tree();
    const root = first.at('');
    const second = new LibraryCatalog('/music', directory);
    expect(second.tree()).toEqual(before);
    expect(second.at('')).toEqual(root);
    expect(second.publisher.pendingInvalidations(0)).toEqual(first.publisher.pendingInvalidations(0));
  });

  it('keeps its files when the origin has moved to another root', () => {
    const catalog = new LibraryCatalog('/old');
    catalog.publish(track('a', 'A'));
    catalog.publisher.registerOrigin('music', 'local', '/new');
    expect(catalog.reader.location(catalog.nodeOf('a'), 1)?.originRoot).toBe('/new');
    expect(catalog.compare({ path: 'a' })).toEqual([]);
  });
});

describe('a catalog of a newer program', () => {
  it('R-52: is refused with both schemas named, and left as it was', () => {
    const file = databaseOf(`CREATE TABLE later (x); PRAGMA user_version = ${schemaVersion + 7}`);
    const before = readFileSync(file);
    expect(() => openCatalogForWriting(file, 0)).toThrow(
      expect.objectContaining({
        code: 'newer_schema',
        message: expect.stringMatching(`schema ${schemaVersion + 7}, this program knows ${schemaVersion}`),
      }),
    );
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe('a step of migration that fails', () => {
  it('R-52: names itself and leaves the file as it was', () => {
    const file = databaseOf('CREATE TABLE tracks (mine); INSERT INTO tracks VALUES (42)');
    const before = readFileSync(file);
    expect(() => openCatalogForWriting(file, 0)).toThrow(
      expect.objectContaining({
        code: 'refused',
        message: expect.stringContaining('could not be brought from schema 0 to 1'),
      }),
    );
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe('a migration of several steps', () => {
  const steps = ['first', 'second', 'third', 'fourth'].map((name) => `CREATE TABLE step_${name} (x)`);
  /** The first step is the program's own: it makes the root. */
  const own = 'CREATE TABLE nodes (id, kind, version, size, s, ns, cs, cns, links, parent)';

  /** A catalog at schema 2 with a row of the user's in it. */
  function atSchemaTwo(): string {
    const file = newFile();
    const database = openCatalogForWriting(file, 0, { migrations: [own, ...steps.slice(0, 1)] });
    database.exec('INSERT INTO step_first VALUES (42)');
    database.close();
    return file;
  }
  const rowOf = (file: string) => {
    const database = new Database(file, { readonly: true });
    const found = [
      database.pragma('user_version', { simple: true }),
      database.prepare('SELECT x FROM step_first').pluck().get(),
    ];
    database.close();
    return found;
  };

  it('R-52: that succeeds keeps what was there, and a copy of the file as it was', () => {
    const file = atSchemaTwo();
    openCatalogForWriting(file, 0, { migrations: [own, ...steps] }).close();
    expect(rowOf(file)).toEqual([5, 42]);
    expect(rowOf(`${file}.schema-2`)).toEqual([2, 42]);
  });

  it.each([0, 1, 2])('R-52: that fails after %i steps puts the file back as it was', (after) => {
    const file = atSchemaTwo();
    const before = readFileSync(file);
    const failpoints = new Failpoints(true);
    failpoints.set(`catalog.migrate=error(internal);after=${after}`);
    const options = { migrations: [own, ...steps], failpoints };
    expect(() => openCatalogForWriting(file, 0, options)).toThrow(
      expect.objectContaining({
        code: 'refused',
        message: expect.stringContaining(`from schema ${2 + after} to ${3 + after}`),
      }),
    );
    expect(failpoints.hitsOf('catalog.migrate')).toBe(1);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(rowOf(file)).toEqual([2, 42]);
    openCatalogForWriting(file, 0, { migrations: [own, ...steps] }).close();
    expect(rowOf(file)).toEqual([5, 42]);
  });
});

describe('a file that is no catalog', () => {
  it.each(['writing', 'reading'])('is reported as corrupt when it is opened for %s', (purpose) => {
    const file = newFile();
    writeFileSync(file, 'this is no database, and long enough to hold the header of one: '.repeat(20));
    expect(() =>
      purpose === 'writing' ? openCatalogForWriting(file, 0) : openCatalogForReading(file),
    ).toThrow(
      expect.objectContaining({
        code: 'catalog_corrupt',
        message: expect.stringContaining('not a database'),
      }),
    );
  });

  it('is not made by a reader', () => {
    expect(() => openCatalogForReading(newFile())).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

describe('a reading connection', () => {
  it('sees each commit and changes nothing', () => {
    const catalog = new LibraryCatalog();
    const reading = openCatalogForReading(catalog.file);
    try {
      catalog.publish(track('a', 'A'));
      expect(reading.prepare('SELECT count(*) FROM tracks').pluck().get()).toBe(1);
      expect(() => reading.exec('DELETE FROM tracks')).toThrow(/readonly/);
    } finally {
      reading.close();
    }
  });
});

describe('whether an origin is known', () => {
  it('is whether the catalog has files of it', () => {
    const catalog = new LibraryCatalog();
    expect(isOriginKnown(catalog.file, 'music')).toBe(false);
    catalog.publish(track('a', 'A'));
    expect(isOriginKnown(catalog.file, 'music')).toBe(true);
    expect(isOriginKnown(catalog.file, 'other')).toBe(false);
    catalog.remove('a');
    expect(isOriginKnown(catalog.file, 'music')).toBe(false);
  });

  it('is false where there is no catalog, or one that was never filled', () => {
    const file = newFile();
    expect(isOriginKnown(file, 'music')).toBe(false);
    writeFileSync(file, '');
    expect(isOriginKnown(file, 'music')).toBe(false);
  });
});
