// Changes of the tree: names appear, go, or point to other content. Used inside a publication's transaction only.
//
// Two rules carry the promises of the listing. A name that stands keeps its row, hence its offset and its place; and a
// name is never given to other content while its holder has it: whoever comes second takes another spelling.
// Each change leaves a row in `invalidations`, so that the kernel hears of it even if we die before telling it.
import type Database from 'better-sqlite3';
import type { NameCase } from '../library/library-options.ts';
import { isExactKey, keyRange, nameKey, normalizeName } from '../library/names.ts';
import type { Counters } from './counters.ts';
import { entryView, nodeKind, recovering, recoveringOf, rootNodeId } from './schema.ts';

/** A point in time as the tables hold it. */
export interface Instant {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface Claim {
  readonly parent: number;
  readonly name: string;
}

/** Who has a name. */
export interface Holder {
  readonly node: number;
  /** As it is spelled. */
  readonly name: string;
  readonly isDirectory: boolean;
  /** A file that musicfs made itself. */
  readonly isMade: boolean;
}

export interface EntryOfNode {
  readonly id: number;
  readonly parent: number;
  readonly name: string;
  /** The key it is kept under; see nameKey. */
  readonly folded: string;
}

type View = (typeof entryView)[keyof typeof entryView];

export class TreeWriter {
  private readonly statements;
  private readonly counters: Counters;
  private readonly nameCase: NameCase;
  /** Directories that were found or made in this publication, by parent and name. */
  private readonly found = new Map<string, number>();
  /** The kernel may know new names already, from the catalog that this one replaces, and by other nodes. */
  private tellsNewNames: boolean;
  private readonly changedDirectories = new Set<number>();
  /** Directories that lost a name. Those that are empty in the end go; one that is filled again keeps its node. */
  private readonly thinnedDirectories = new Set<number>();

  constructor(database: Database.Database, counters: Counters, nameCase: NameCase) {
    this.counters = counters;
    this.nameCase = nameCase;
    const prepare = (sql: string) => database.prepare<unknown[]>(sql);
    this.statements = {
      holder: database.prepare<unknown[], { node: number; kind: number; name: string; isMade: number }>(
        `SELECT e.node, n.kind, e.name, EXISTS (SELECT 1 FROM made_files m WHERE m.node = e.node) AS isMade FROM entries e JOIN nodes n ON n.id = e.node
         WHERE e.parent = ? AND e.folded >= ? AND e.folded < ? AND e.removed_at IS NULL ORDER BY e.folded`,
      ),
      ofNode: database.prepare<unknown[], EntryOfNode>(
        `SELECT id, parent, name, folded FROM entries WHERE node = ? AND removed_at IS NULL AND view = ${entryView.tree}`,
      ),
      inViews: database.prepare<unknown[], EntryOfNode>(
        `SELECT id, parent, name, folded FROM entries WHERE node = ? AND removed_at IS NULL AND view <> ${entryView.tree}`,
      ),
      anyInView: database
        .prepare<unknown[], number>(
          `SELECT 1 FROM entries WHERE view = ${entryView.view} AND node > 0 LIMIT 1`,
        )
        .pluck(),
      // A picture keeps no directory.
      anyEntry: database
        .prepare<unknown[], number>(
          `SELECT 1 FROM entries e WHERE e.parent = ? AND e.removed_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM made_files m WHERE m.node = e.node AND m.kind = 'art') LIMIT 1`,
        )
        .pluck(),
      madeIn: database
        .prepare<unknown[], number>(
          `SELECT e.node FROM entries e WHERE e.parent = ? AND e.removed_at IS NULL
           AND EXISTS (SELECT 1 FROM made_files m WHERE m.node = e.node AND m.kind = 'art')`,
        )
        .pluck(),
      goneMade: prepare('UPDATE made_files SET gone_at = ? WHERE node = ? AND gone_at IS NULL'),
      wantArt: prepare(
        'INSERT INTO art_wanted VALUES (?, ?) ON CONFLICT (directory) DO UPDATE SET revision = excluded.revision',
      ),
      insertNode: prepare(
        'INSERT INTO nodes (kind, version, size, mtime_s, mtime_ns, ctime_s, ctime_ns, links, parent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ),
      insertEntry: prepare(
        'INSERT INTO entries (parent, name, folded, sort_key, node, view) VALUES (?, ?, ?, ?, ?, ?)',
      ),
      removeEntry: prepare('UPDATE entries SET removed_at = ? WHERE id = ?'),
      setLinks: prepare('UPDATE nodes SET links = links + ?, ctime_s = ?, ctime_ns = ? WHERE id = ?'),
      touchDirectory: prepare(
        'UPDATE nodes SET mtime_s = @s, mtime_ns = @ns, ctime_s = @s, ctime_ns = @ns WHERE id = @id AND (mtime_s, mtime_ns) < (@s, @ns)',
      ),
      invalidate: prepare('INSERT INTO invalidations (parent, name) VALUES (?, ?)'),
      parentOf: database.prepare<unknown[], number>('SELECT parent FROM nodes WHERE id = ?').pluck(),
    };
    this.tellsNewNames = recoveringOf(database) !== recovering.no;
  }

  endRecovery(): void {
    this.tellsNewNames = false;
  }

  /** Begins a publication: nothing is left of one that failed half way. */
  begin(): void {
    this.counters.begin();
    this.found.clear();
    this.changedDirectories.clear();
    this.thinnedDirectories.clear();
  }

  /** Who has this name now, or one that is the same name by `library.case`; undefined when it is free. */
  holderOf(parent: number, name: string): Holder | undefined {
    const rows = this.statements.holder.all(parent, ...keyRange(name));
    const row = this.nameCase === 'merge' ? rows[0] : rows.find((each) => each.name === normalizeName(name));
    if (row === undefined) return undefined;
    const { node, kind, isMade } = row;
    return { node, name: row.name, isDirectory: kind === nodeKind.directory, isMade: isMade === 1 };
  }

  /** The name a node has by the template, or undefined when it is not listed. */
  entryOf(node: number): EntryOfNode | undefined {
    return this.statements.ofNode.get(node);
  }

  /** A name that was given while cases were told apart need not be the only one of its kind when they no longer are. */
  isOfThisCase({ folded }: EntryOfNode): boolean {
    return this.nameCase === 'sensitive' || !isExactKey(folded);
  }

  /** Some file has a name in a view. */
  hasViews(): boolean {
    return this.statements.anyInView.get() !== undefined;
  }

  /** Its further names. */
  furtherOf(node: number): EntryOfNode[] {
    return this.statements.inViews.all(node);
  }

  /** The directory of that name, made if it does not exist. `spare` gives another spelling when a file has the name. */
  directory(parent: number, name: string, sortKey: string, spare: () => string, now: Instant): number {
    const key = `${parent}/${name}`;
    const known = this.found.get(key);
    if (known !== undefined) return known;
    const holder = this.holderOf(parent, name);
    if (holder?.isDirectory === true) {
      this.found.set(key, holder.node);
      return holder.node;
    }
    if (holder?.isMade === true) this.unlist(holder.node, now);
    else if (holder !== undefined) return this.directory(parent, spare(), sortKey, spare, now);
    const node = this.addNode(nodeKind.directory, 0, 0, now, now, 2, parent);
    this.addEntry({ parent, name }, sortKey, node, entryView.tree);
    this.statements.setLinks.run(1, now.seconds, now.nanoseconds, parent);
    this.counters.add('directories', 1);
    this.found.set(key, node);
    return node;
  }

  /** A new file node, not listed yet. Its version is 1. */
  addFile(size: number, mtime: Instant, now: Instant): number {
    return this.addNode(nodeKind.file, 1, size, mtime, now, 0, 0);
  }

  /** Lists a file under a free name, instead of the one it had. */
  list(claim: Claim, sortKey: string, node: number, now: Instant): void {
    const former = this.statements.ofNode.get(node);
    if (former !== undefined) this.dropEntry(former, now);
    this.addEntry(claim, sortKey, node, entryView.tree);
    if (former !== undefined) {
      this.thinnedDirectories.add(former.parent);
      return;
    }
    this.statements.setLinks.run(1, now.seconds, now.nanoseconds, node);
    this.counters.add('files', 1);
  }

  /** Gives a file one more name, which nobody has. */
  listFurther(claim: Claim, sortKey: string, node: number, view: View, now: Instant): void {
    this.addEntry(claim, sortKey, node, view);
    this.statements.setLinks.run(1, now.seconds, now.nanoseconds, node);
  }

  /** Takes one of the further names from a file. */
  dropFurther(entry: EntryOfNode, node: number, now: Instant): void {
    this.dropEntry(entry, now);
    this.statements.setLinks.run(-1, now.seconds, now.nanoseconds, node);
    this.thinnedDirectories.add(entry.parent);
  }

  /** Takes a file out of all listings; directories that are empty when the publication ends go with it. */
  unlist(node: number, now: Instant): void {
    this.statements.goneMade.run(now.seconds, node);
    for (const entry of this.statements.inViews.all(node)) this.dropFurther(entry, node, now);
    const entry = this.statements.ofNode.get(node);
    if (entry === undefined) return;
    this.dropFurther(entry, node, now);
    this.counters.add('files', -1);
  }

  /** The kernel must forget what it knows of its names: they show other content from now on. */
  repointed(node: number): void {
    const entry = this.statements.ofNode.get(node);
    for (const { parent, name } of [...(entry === undefined ? [] : [entry]), ...this.furtherOf(node)]) {
      this.statements.invalidate.run(parent, name);
      this.changedDirectories.add(parent);
    }
  }

  /**
   * Drops directories that are empty now, dates every other one whose names or content changed and queues its
   * invalidation; pictures are looked for in those, but in `pictured`. Ends each publication.
   */
  finish(now: Instant, pictured: number | null = null): void {
    for (const directory of this.thinnedDirectories) this.dropIfEmpty(directory, now);
    this.thinnedDirectories.clear();
    for (const directory of this.changedDirectories) {
      this.statements.touchDirectory.run({ s: now.seconds, ns: now.nanoseconds, id: directory });
      this.statements.invalidate.run(directory, null);
      if (directory !== pictured)
        this.statements.wantArt.run(directory, now.seconds * 1e6 + now.nanoseconds / 1e3);
    }
    this.changedDirectories.clear();
    this.counters.write();
  }

  private addNode(
    kind: number,
    version: number,
    size: number,
    mtime: Instant,
    now: Instant,
    links: number,
    parent: number,
  ): number {
    return Number(
      this.statements.insertNode.run(
        kind,
        version,
        size,
        mtime.seconds,
        mtime.nanoseconds,
        now.seconds,
        now.nanoseconds,
        links,
        parent,
      ).lastInsertRowid,
    );
  }

  private addEntry({ parent, name }: Claim, sortKey: string, node: number, view: View): void {
    this.statements.insertEntry.run(parent, name, nameKey(name, this.nameCase), sortKey, node, view);
    if (this.tellsNewNames) this.statements.invalidate.run(parent, name);
    this.changedDirectories.add(parent);
  }

  private dropEntry(entry: EntryOfNode, now: Instant): void {
    this.statements.removeEntry.run(now.seconds, entry.id);
    this.statements.invalidate.run(entry.parent, entry.name);
    this.changedDirectories.add(entry.parent);
  }

  private dropIfEmpty(directory: number, now: Instant): void {
    if (directory === rootNodeId || this.statements.anyEntry.get(directory) !== undefined) return;
    const entry = this.statements.ofNode.get(directory);
    if (entry === undefined) return;
    for (const made of this.statements.madeIn.all(directory)) this.unlist(made, now);
    this.dropEntry(entry, now);
    this.changedDirectories.delete(directory);
    // Its node stays until the name is forgotten: former names below it still lead to their files.
    this.statements.setLinks.run(-1, now.seconds, now.nanoseconds, entry.parent);
    this.counters.add('directories', -1);
    this.dropIfEmpty(entry.parent, now);
  }
}
