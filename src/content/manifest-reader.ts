// Where the bytes of a content lie, for the fuse thread: a read-only connection to cache.db, and the pages of manifests
// that were asked for lately.
//
// A page that is kept is never wrong about bytes, as a content version never changes: at worst it knows less than cache.db
// does by now, or names chunks that were evicted. So whoever does not find what it wants asks again with `refresh`, which
// costs a look at SQLite's data_version, and the page only when something was committed since.
//
// cache.db may not be there yet, may be moved aside and made anew at any time (another inode, another generation), and may
// be damaged. None of that is an error here: the answer is then that nothing is held.
import { statSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import type { Clock } from '../platform/clock.ts';
import { type Failpoints, InjectedCrash } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { cacheIndexName } from './cache-schema.ts';
import type { ContentKey } from './content-key.ts';
import { decodedPage, type Hash64, type ManifestPage } from './manifest-page.ts';

interface PageAnswer {
  readonly start: number;
  readonly next: number | null;
  readonly extents: Uint8Array;
}

/** A page, and the part of the file it alone tells about. */
interface KeptPage {
  readonly page: ManifestPage;
  readonly start: number;
  readonly end: number;
  /** When it was read: data_version counts within one connection. */
  readonly connection: Connection;
  readonly dataVersion: number;
}

interface Connection {
  readonly database: Database.Database;
  readonly identity: string;
  readonly generation: number;
  readonly page: Database.Statement<number[], PageAnswer>;
  readonly held: Database.Statement<number[], number>;
  readonly dataVersion: Database.Statement<[], number>;
}

export interface ManifestReaderOptions {
  /** <state>/cache, which need not exist. */
  readonly directory: string;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** xxHash64, seed 0. */
  readonly hash: Hash64;
}

export class ManifestReader {
  private readonly file: string;
  private readonly clock: Clock;
  private readonly failpoints: Failpoints;
  private readonly hash: Hash64;
  /** Told when chunk ids begin to mean other chunks. */
  private readonly onOtherIndex: () => void;
  private connection: Connection | null = null;
  private lastGeneration: number | null = null;
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  /** By content, those that were read longest ago first. */
  private readonly kept = new Map<string, Map<number, KeptPage>>();
  private keptCount = 0;

  constructor(options: ManifestReaderOptions, onOtherIndex: () => void) {
    const { directory, clock, failpoints, hash } = options;
    this.hash = hash;
    this.file = path.join(directory, cacheIndexName);
    this.clock = clock;
    this.failpoints = failpoints;
    this.onOtherIndex = onOtherIndex;
  }

  /** The page that tells about that byte, as far as it is known now; undefined when nothing is held around it. */
  page(content: ContentKey, offset: number): ManifestPage | undefined {
    return this.keptPage(content, offset)?.page ?? this.load(content, offset);
  }

  /** The same after a look whether cache.db changed; undefined also when it did not change since the page was read. */
  refresh(content: ContentKey, offset: number): ManifestPage | undefined {
    return this.isCurrent(content, offset) ? undefined : this.load(content, offset);
  }

  /** Whether what is known about that byte is what cache.db says now. */
  isCurrent(content: ContentKey, offset: number): boolean {
    const known = this.keptPage(content, offset);
    if (known === undefined) return false;
    const isSame = (now: Connection) =>
      now === known.connection && now.dataVersion.get() === known.dataVersion;
    return this.ask(isSame) ?? false;
  }

  heldBytes({ node, version }: ContentKey): number {
    return this.ask(({ held }) => held.get(node, version)) ?? 0;
  }

  close(): void {
    this.disconnect();
    this.forgetPages();
  }

  private keptPage({ node, version }: ContentKey, offset: number): KeptPage | undefined {
    const pages = this.kept.get(`${node}.${version}`);
    if (pages === undefined) return undefined;
    for (const page of pages.values()) if (offset >= page.start && offset < page.end) return page;
    return undefined;
  }

  private load(content: ContentKey, offset: number): ManifestPage | undefined {
    return this.ask((connection) => {
      this.failpoints.check('manifest.load');
      const dataVersion = connection.dataVersion.get() ?? 0;
      const answer = connection.page.get(content.node, content.version, offset);
      const page = answer === undefined ? null : decodedPage(answer.extents, content, this.hash);
      if (answer === undefined || page === null) {
        this.forget(content, offset);
        return undefined;
      }
      const end = answer.next ?? Number.POSITIVE_INFINITY;
      this.keep(content, { page, start: answer.start, end, connection, dataVersion });
      return page;
    });
  }

  /** The page takes the place of every other that tells about the same bytes. */
  private keep({ node, version }: ContentKey, page: KeptPage): void {
    const key = `${node}.${version}`;
    const pages = this.kept.get(key) ?? new Map<number, KeptPage>();
    for (const [start, other] of pages) {
      if (other.start < page.end && page.start < other.end) {
        pages.delete(start);
        this.keptCount -= 1;
      }
    }
    this.kept.delete(key);
    this.kept.set(key, pages);
    pages.set(page.start, page);
    this.keptCount += 1;
    while (this.keptCount > limits.manifestPagesKept) this.forgetOldest();
  }

  /** Nothing is held around that byte any more. */
  private forget({ node, version }: ContentKey, offset: number): void {
    const pages = this.kept.get(`${node}.${version}`);
    for (const [start, page] of pages ?? []) {
      if (offset >= page.start && offset < page.end && pages?.delete(start) === true) this.keptCount -= 1;
    }
  }

  private forgetOldest(): void {
    for (const [key, pages] of this.kept) {
      for (const start of pages.keys()) {
        pages.delete(start);
        this.keptCount -= 1;
        if (pages.size === 0) this.kept.delete(key);
        return;
      }
      this.kept.delete(key);
    }
  }

  private forgetPages(): void {
    this.kept.clear();
    this.keptCount = 0;
  }

  /** Whatever SQLite fails with: nothing is held, and the connection is made anew later. */
  private ask<T>(work: (connection: Connection) => T): T | undefined {
    const connection = this.connected();
    if (connection === null) return undefined;
    try {
      return work(connection);
    } catch (error) {
      if (error instanceof InjectedCrash) throw error;
      this.disconnect();
      return undefined;
    }
  }

  private connected(): Connection | null {
    const now = this.clock.monotonicMs();
    if (now - this.lookedAtMs < limits.cacheLookMs) return this.connection;
    this.lookedAtMs = now;
    const identity = this.identity();
    if (this.connection !== null && this.connection.identity !== identity) this.disconnect();
    if (this.connection === null && identity !== null) this.connect(identity);
    return this.connection;
  }

  private identity(): string | null {
    try {
      const stat = statSync(this.file, { throwIfNoEntry: false });
      return stat === undefined ? null : `${stat.dev}.${stat.ino}`;
    } catch {
      return null; // a disk that does not let itself be looked at holds nothing
    }
  }

  private connect(identity: string): void {
    let database: Database.Database | null = null;
    try {
      database = new Database(this.file, {
        readonly: true,
        fileMustExist: true,
        timeout: limits.cacheReaderBusyMs,
      });
      database.pragma(`cache_size = -${limits.sqliteReaderCacheKib}`);
      const generation = database
        .prepare<[], number>("SELECT value FROM meta WHERE key = 'generation'")
        .pluck()
        .get();
      if (generation === undefined) throw new Error('cache.db is not made yet');
      this.connection = { database, identity, generation, ...statementsOf(database) };
      if (generation !== this.lastGeneration) {
        this.forgetPages();
        this.onOtherIndex();
      }
      this.lastGeneration = generation;
    } catch {
      database?.close(); // it is tried again in a second
    }
  }

  private disconnect(): void {
    const { connection } = this;
    this.connection = null;
    try {
      connection?.database.close();
    } catch {
      // A connection to a file that is gone.
    }
  }
}

function statementsOf(database: Database.Database): Pick<Connection, 'page' | 'held' | 'dataVersion'> {
  return {
    page: database.prepare<number[], PageAnswer>(`
      SELECT p.start, p.extents, (SELECT min(start) FROM pages WHERE manifest = m.id AND start > p.start) AS next
      FROM manifests m JOIN pages p ON p.manifest = m.id
      WHERE m.node = ? AND m.version = ? AND p.start <= ? ORDER BY p.start DESC LIMIT 1`),
    held: database
      .prepare<number[], number>('SELECT held FROM manifests WHERE node = ? AND version = ?')
      .pluck(),
    dataVersion: database.prepare<[], number>('PRAGMA data_version').pluck(),
  };
}
