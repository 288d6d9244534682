// What a publication adds to the counters of the library and of its origins: summed up while it runs, written once at its
// end. Used by the publisher and what works for it, inside its transactions.
import type Database from 'better-sqlite3';
import type { CatalogCounters } from './tree-reader.ts';

export class Counters {
  private readonly library = new Map<keyof CatalogCounters, number>();
  private readonly files = new Map<number, number>();
  private readonly sql;

  constructor(database: Database.Database) {
    this.sql = {
      library: database.prepare<unknown[]>('UPDATE meta SET value = value + ? WHERE key = ?'),
      files: database.prepare<unknown[]>('UPDATE origins SET files = files + ? WHERE id = ?'),
    };
  }

  /** Nothing is left of a publication that failed half way. */
  begin(): void {
    this.library.clear();
    this.files.clear();
  }

  add(key: keyof CatalogCounters, by: number): void {
    if (by !== 0) this.library.set(key, (this.library.get(key) ?? 0) + by);
  }

  addFiles(origin: number, by: number): void {
    if (by !== 0) this.files.set(origin, (this.files.get(origin) ?? 0) + by);
  }

  write(): void {
    for (const [key, by] of this.library) this.sql.library.run(by, key);
    for (const [origin, by] of this.files) this.sql.files.run(by, origin);
    this.begin();
  }
}
