import type Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { Locations } from '../../../src/catalog/locations.ts';
import { openCatalogForWriting } from '../../../src/catalog/open-catalog.ts';
import { Publisher } from '../../../src/catalog/publisher.ts';
import { TreeReader } from '../../../src/catalog/tree-reader.ts';
import { defaultLibraryOptions } from '../../../src/library/library-options.ts';
import { parseTemplate } from '../../../src/library/template.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

/** The statements that `make` prepares, each with SQLite's plan for it. */
function plansOf(make: (database: Database.Database) => unknown): [sql: string, plan: string][] {
  const database = openCatalogForWriting(':memory:', 0);
  const texts: string[] = [];
  const recording = new Proxy(database, {
    get(target, key) {
      if (key !== 'prepare') return Reflect.get(target, key);
      return (sql: string) => {
        texts.push(sql);
        return target.prepare(sql);
      };
    },
  });
  make(recording);
  const plans = texts.map((sql): [string, string] => {
    const names = [...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name, 0]);
    const places = Array.from(sql.matchAll(/\?/g), () => 0);
    const values = names.length > 0 ? [Object.fromEntries(names)] : places;
    const rows = database.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
    return [sql, rows.map(({ detail }) => detail).join('; ')];
  });
  database.close();
  return plans;
}

const publisherOn = (database: Database.Database): Publisher => {
  const template = parseTemplate('default');
  if (template.type !== 'parsed') throw new Error(template.reason);
  const options = { template: template.template, library: defaultLibraryOptions };
  return new Publisher(database, { ...options, hash: () => '0123456789abcdef', nowMs: () => 0 });
};

/** Tables of a handful of rows, the sweep at the end of a scan, and all directories when pictures are made otherwise. */
const mayScan =
  /FROM (meta|origins|sqlite_sequence)\b|DELETE FROM old_versions|FROM (old_versions|tracks) LIMIT|FROM pins\b|INTO art_wanted SELECT/;

describe('the plan of a statement', () => {
  it.each([
    ['the reader', (database: Database.Database) => new TreeReader(database)],
    ['the publisher', publisherOn],
    ['whoever looks for holders', (database: Database.Database) => new Locations(database)],
  ])('of %s finds its rows by an index and sorts nothing', (_, make) => {
    const plans = plansOf(make).filter(([sql]) => !mayScan.test(sql));
    expect(plans.length).toBeGreaterThan(3);
    expect(plans.filter(([, plan]) => /SCAN|TEMP B-TREE/.test(plan))).toEqual([]);
  });

  it('is told when it scans', () => {
    const plans = plansOf((database) =>
      database.prepare('SELECT * FROM entries WHERE name = ? ORDER BY folded'),
    );
    expect(plans[0]?.[1]).toMatch(/SCAN.*TEMP B-TREE/);
  });
});

describe('an answer', () => {
  /** Statements that one call of the reader takes. */
  function statements(reader: TreeReader, call: () => unknown): number {
    const before = reader.statements;
    call();
    return reader.statements - before;
  }

  it('takes as many statements in a large directory as in a small one, at its end as at its start', () => {
    const counts = [3, 3000].map((files) => {
      const catalog = new LibraryCatalog();
      catalog.publish(...Array.from({ length: files }, (_, index) => track(`${index}`, `T${index}`)));
      const { reader } = catalog;
      const { id } = catalog.at('Artist/Album [FLAC]');
      const entries = catalog.list(id);
      const last = entries.at(-1);
      const beforeLast = entries.at(-2)?.entryId ?? 0;
      return {
        lookup: statements(reader, () => reader.lookup(id, last?.name ?? '')),
        missing: statements(reader, () => reader.lookup(id, 'no such name')),
        attributes: statements(reader, () => reader.nodeVersion(last?.id ?? 0, 1)),
        firstPage: statements(reader, () => reader.page(id, 0, 128)),
        lastPage: statements(reader, () => reader.page(id, beforeLast, 128)),
        location: statements(reader, () => reader.location(last?.id ?? 0, 1)),
        counters: statements(reader, () => reader.counters()),
      };
    });
    expect(counts).toEqual([counts[0], counts[0]]);
    expect(counts[0]).toEqual({
      lookup: 1,
      missing: 2, // among the names there are, and those that went
      attributes: 1,
      firstPage: 1,
      lastPage: 2,
      location: 1,
      counters: 1,
    });
  });
});
