// The read side of the catalog: what the fuse thread asks for each request. Prepared, indexed, bounded statements on a
// read-only connection; nothing is loaded, nothing waits. Called by fuse/ only.
import path from 'node:path';
import Database from 'better-sqlite3';
import { whyOf } from '../library/album-artist.ts';
import { keyRange, nameCases, nameKey, normalizeName } from '../library/names.ts';
import type { TrackTags } from '../library/track-tags.ts';
import { MusicfsError } from '../platform/errors.ts';
import { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import type { Settled } from './folder-groups.ts';
import { entryView, nodeKind, recovering, recoveringOf, rootNodeId } from './schema.ts';

/** What stat shows of a node. Sizes in bytes, times in seconds and nanoseconds since 1970. */
export interface NodeAttributes {
  /** The inode number. */
  readonly id: number;
  readonly isDirectory: boolean;
  /** Content version of a file (from 1), 0 for directories. */
  readonly version: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
  readonly links: number;
}

/** One name of a directory, with what stat would say of it. `entryId` is its directory offset. */
export interface DirectoryEntry extends NodeAttributes {
  readonly entryId: number;
  readonly name: string;
  /** The name is not listed any more and will soon lead nowhere. */
  readonly isGone?: true;
}

/** Where the bytes of one content version lie. */
export interface FileLocation {
  readonly originName: string;
  readonly originRoot: string;
  /** Raw bytes of the path below the origin's root. */
  readonly realPath: Buffer;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
}

/** What extended attributes show of a file. */
export interface TrackRow {
  readonly originName: string;
  readonly realPath: Buffer;
  readonly state: string;
  readonly audioFp: string | null;
  /** Why it is where it is; see `whyOf`. */
  readonly why: string;
  readonly tags: TrackTags;
}

export interface CatalogCounters {
  readonly tracks: number;
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  readonly failed: number;
}

type NodeRow = [number, number, number, number, number, number, number, number, number];
type EntryRow = [...NodeRow, number, string];

const nodeColumns = 'n.id, n.kind, n.version, n.size, n.mtime_s, n.mtime_ns, n.ctime_s, n.ctime_ns, n.links';

function attributesOf(row: NodeRow | EntryRow): NodeAttributes {
  return {
    id: row[0],
    isDirectory: row[1] === nodeKind.directory,
    version: row[2],
    size: row[3],
    mtimeSeconds: row[4],
    mtimeNanoseconds: row[5],
    ctimeSeconds: row[6],
    ctimeNanoseconds: row[7],
    links: row[8],
  };
}

function entryOf(row: EntryRow): DirectoryEntry {
  return { ...attributesOf(row), entryId: row[9], name: row[10] };
}

export interface ReaderOptions {
  readonly failpoints?: Failpoints;
  /** ms since 1970. */
  readonly nowMs?: () => number;
  /** So long a name that went still leads to its file. */
  readonly formerNameMs?: number;
  /** A name that nothing has is looked for without regard to case. */
  readonly caseInsensitive?: boolean;
}

export class TreeReader {
  /** Statements run so far: a work counter. */
  statements = 0;
  private readonly failpoints: Failpoints;
  /** As it was at the last look; a recovery is over some time and never begins while the catalog is open. */
  private recovering: number;
  private readonly lookAgain: () => number;
  /** Runs several reads on one state of the catalog, whatever is published meanwhile. */
  readonly inOneState: <T>(work: () => T) => T;
  private readonly nowMs: () => number;
  private readonly formerNameMs: number;
  private readonly caseInsensitive: boolean;
  private readonly byName;
  private readonly byFormerName;
  private readonly byId;
  private readonly parentOf;
  private readonly firstPage;
  private readonly nextPage;
  private readonly sortKeyOf;
  private readonly locationOf;
  private readonly madeOf;
  private readonly madeRoot: string;
  private readonly oldVersion;
  private readonly trackOf;
  private readonly counterRows;

  constructor(
    database: Database.Database,
    {
      failpoints = new Failpoints(false),
      nowMs = Date.now,
      formerNameMs = limits.formerNameMs,
      caseInsensitive = false,
    }: ReaderOptions = {},
  ) {
    this.failpoints = failpoints;
    this.nowMs = nowMs;
    this.formerNameMs = formerNameMs;
    this.caseInsensitive = caseInsensitive;
    const transaction = database.transaction((work: () => unknown) => work());
    this.inOneState = <T>(work: () => T) => transaction(work) as T;
    const page = (where: string) =>
      database
        .prepare<unknown[], EntryRow>(
          `SELECT ${nodeColumns}, e.id, e.name FROM entries e JOIN nodes n ON n.id = e.node
           WHERE e.parent = ? AND e.removed_at IS NULL AND e.view <> ${entryView.unlisted} ${where}
           ORDER BY e.sort_key, e.id LIMIT ?`,
        )
        .raw();
    this.byName = database
      .prepare<unknown[], EntryRow>(
        `SELECT ${nodeColumns}, e.id, e.name FROM entries e JOIN nodes n ON n.id = e.node
         WHERE e.parent = ? AND e.folded >= ? AND e.folded < ? AND e.removed_at IS NULL ORDER BY e.folded`,
      )
      .raw();
    this.byFormerName = database
      .prepare<unknown[], EntryRow>(
        `SELECT ${nodeColumns}, e.id, e.name FROM entries e JOIN nodes n ON n.id = e.node
         WHERE e.parent = ? AND e.folded = ? AND e.name IN (?, ?) AND e.removed_at >= ? AND (n.kind = ${nodeKind.directory} OR n.links > 0)
         ORDER BY e.id DESC LIMIT 1`,
      )
      .raw();
    this.byId = database
      .prepare<unknown[], NodeRow>(`SELECT ${nodeColumns} FROM nodes n WHERE n.id = ?`)
      .raw();
    this.parentOf = database.prepare<unknown[], number>('SELECT parent FROM nodes WHERE id = ?').pluck();
    this.firstPage = page('');
    this.nextPage = page('AND (e.sort_key, e.id) > (?, ?)');
    this.sortKeyOf = database
      .prepare<unknown[], string>('SELECT sort_key FROM entries WHERE id = ? AND parent = ?')
      .pluck();
    this.locationOf = database.prepare<
      unknown[],
      { originName: string; originRoot: string; realPath: Buffer; version: number } & Omit<
        FileLocation,
        'originName' | 'originRoot' | 'realPath'
      >
    >(
      `SELECT o.name AS originName, o.root AS originRoot, t.real_path AS realPath, n.version AS version,
              n.size AS size, n.mtime_s AS mtimeSeconds, n.mtime_ns AS mtimeNanoseconds
       FROM tracks t JOIN nodes n ON n.id = t.node JOIN origins o ON o.id = t.origin WHERE t.node = ?`,
    );
    this.madeRoot = madeDirectoryOf(database.name);
    this.madeOf = database.prepare<
      unknown[],
      { path: string; size: number; mtimeSeconds: number; mtimeNanoseconds: number }
    >(
      `SELECT m.path, coalesce(v.size, n.size) AS size, coalesce(v.mtime_s, n.mtime_s) AS mtimeSeconds,
              coalesce(v.mtime_ns, n.mtime_ns) AS mtimeNanoseconds
       FROM made_files m JOIN nodes n ON n.id = m.node
       LEFT JOIN old_versions v ON v.node = m.node AND v.version = m.version
       WHERE m.node = ? AND m.version = ?`,
    );
    this.oldVersion = database.prepare<
      unknown[],
      { size: number; mtimeSeconds: number; mtimeNanoseconds: number }
    >(
      `SELECT size, mtime_s AS mtimeSeconds, mtime_ns AS mtimeNanoseconds FROM old_versions
       WHERE node = ? AND version = ?`,
    );
    this.trackOf = database.prepare<
      unknown[],
      Omit<TrackRow, 'tags' | 'why'> & { readonly tags: string; readonly settled: string | null }
    >(
      `SELECT o.name AS originName, t.real_path AS realPath, t.state AS state, t.audio_fp AS audioFp, t.tags AS tags,
              t.settled
       FROM tracks t JOIN origins o ON o.id = t.origin WHERE t.node = ?`,
    );
    this.lookAgain = () => recoveringOf(database);
    this.recovering = this.lookAgain();
    this.counterRows = database.prepare<unknown[], [string, number]>('SELECT key, value FROM meta').raw();
  }

  /**
   * The entry of that name, by its exact spelling or the NFC form of it, with `caseInsensitive` then in another case;
   * undefined when there is none. A file that has
   * another name now answers to its former one for `formerNameMs`, so that whoever knows it is not left with nothing.
   */
  lookup(parentId: number, name: string): DirectoryEntry | undefined {
    this.count();
    const normalized = normalizeName(name);
    const rows = this.byName.all(parentId, ...keyRange(name));
    const row = rows.find((each) => each[10] === name || each[10] === normalized);
    if (row !== undefined) return entryOf(row);
    const [other] = rows;
    if (other !== undefined && this.caseInsensitive) return entryOf(other);
    this.count();
    const sinceSeconds = Math.floor((this.nowMs() - this.formerNameMs) / 1000);
    for (const nameCase of nameCases) {
      const key = nameKey(name, nameCase);
      const former = this.byFormerName.get(parentId, key, name, normalized, sinceSeconds);
      if (former !== undefined) return { ...entryOf(former), isGone: true };
    }
    return this.unknown();
  }

  /** A node by its inode number; undefined when it was never shown or is long gone. */
  node(id: number): NodeAttributes | undefined {
    this.count();
    const row = this.byId.get(id);
    return row === undefined ? undefined : attributesOf(row);
  }

  /** A file as a given content version shows it: the current one, or one that was replaced not long ago. */
  nodeVersion(id: number, version: number): NodeAttributes | undefined {
    const current = this.node(id);
    if (current === undefined) return this.unknown();
    if (current.version === version) return current;
    this.count();
    const old = this.oldVersion.get(id, version);
    return old === undefined ? undefined : { ...current, ...old, version };
  }

  /** The directory that holds a directory; the root's is the root. */
  parent(id: number): number {
    this.count();
    return this.parentOf.get(id) ?? rootNodeId;
  }

  /**
   * Up to `count` entries of a directory in its order, from the one after `afterEntryId` (0 = from the start). An
   * offset whose name has gone still leads to its successor; one that was never of this directory leads to its end.
   * Costs the same at the start and the end of any directory.
   */
  page(parentId: number, afterEntryId: number, count: number): DirectoryEntry[] {
    this.count();
    if (this.isFilling()) throw notYetKnown();
    if (afterEntryId === 0) return this.firstPage.all(parentId, count).map(entryOf);
    this.count();
    const sortKey = this.sortKeyOf.get(afterEntryId, parentId);
    if (sortKey === undefined) return [];
    return this.nextPage.all(parentId, sortKey, afterEntryId, count).map(entryOf);
  }

  /** Where the bytes of a content version can be read, or undefined when that version is no longer described. */
  location(id: number, version: number): FileLocation | undefined {
    this.count();
    const row = this.locationOf.get(id);
    if (row === undefined) return this.madeLocation(id, version);
    if (row.version === version) return row;
    this.count();
    const old = this.oldVersion.get(id, version);
    return old === undefined ? undefined : { ...row, ...old };
  }

  /** What musicfs made itself lies in a directory beside the catalog. */
  private madeLocation(id: number, version: number): FileLocation | undefined {
    this.count();
    const made = this.madeOf.get(id, version);
    if (made === undefined) return undefined;
    const { path: text, ...facts } = made;
    return { originName: '', originRoot: this.madeRoot, realPath: Buffer.from(text), ...facts };
  }

  /** What the catalog does not know does not exist, unless it has not met everything again yet. */
  private unknown(): undefined {
    if (this.recovering !== recovering.no) {
      this.recovering = this.lookAgain();
      if (this.recovering !== recovering.no) throw notYetKnown();
    }
    return undefined;
  }

  /** Every directory would look as if it had lost most of its names. */
  private isFilling(): boolean {
    if (this.recovering !== recovering.fromNothing) return false;
    this.recovering = this.lookAgain();
    return this.recovering === recovering.fromNothing;
  }

  track(id: number): TrackRow | undefined {
    this.count();
    const row = this.trackOf.get(id);
    if (row === undefined) return undefined;
    const { settled, ...facts } = row;
    const tags = JSON.parse(row.tags) as TrackTags; // written by TrackRows
    const guess = settled === null ? null : (JSON.parse(settled) as Settled).guess; // written by FolderGroups
    return { ...facts, tags, why: whyOf({ state: row.state, tags }, guess) };
  }

  counters(): CatalogCounters {
    this.count();
    return countersFrom(this.counterRows.all());
  }

  /** One more statement; fails as SQLite itself would when that is wanted. */
  private count(): void {
    this.statements += 1;
    if (!this.failpoints.enabled) return;
    try {
      this.failpoints.check('catalog.read');
    } catch (error) {
      throw error instanceof MusicfsError ? new Database.SqliteError(error.message, 'SQLITE_IOERR') : error;
    }
  }
}

/** Where the bytes of files lie that musicfs made itself, by the path of the catalog. */
export function madeDirectoryOf(catalogPath: string): string {
  return path.join(path.dirname(catalogPath), 'made');
}

function notYetKnown(): MusicfsError {
  return new MusicfsError('catalog_corrupt', 'the catalog was damaged and is being built anew');
}

/** The counters as an object, from the rows of table meta. */
export function countersFrom(rows: readonly (readonly [string, number])[]): CatalogCounters {
  const values = new Map(rows);
  const value = (key: keyof CatalogCounters) => values.get(key) ?? 0;
  return {
    tracks: value('tracks'),
    files: value('files'),
    directories: value('directories'),
    bytes: value('bytes'),
    failed: value('failed'),
  };
}
