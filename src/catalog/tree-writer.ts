// Changes of the tree: names appear, go, or point to other content. Used inside a publication's transaction only.
//
// Two rules carry the promises of the listing. A name that stands keeps its row, hence its offset and its place; and a
// name is never given to other content while its holder has it: whoever comes second takes another spelling.
// Each change leaves a row in `invalidations`, so that the kernel hears of it even if we die before telling it.
import type Database from 'better-sqlite3';
import { foldName } from '../library/names.ts';
import { nodeKind, recovering, recoveringOf, rootNodeId } from './schema.ts';

/** A point in time as the tables hold it. */
export interface Instant {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface Claim {
  readonly parent: number;
  readonly name: string;
}

interface EntryOfNode {
  readonly id: number;
  readonly parent: number;
  readonly name: string;
}

export class TreeWriter {
  private readonly statements;
  /** The kernel may know new names already, from the catalog that this one replaces, and by other nodes. */
  private tellsNewNames: boolean;
  private readonly changedDirectories = new Set<number>();
  /** Directories that lost a name. Those that are empty in the end go; one that is filled again keeps its node. */
  private readonly thinnedDirectories = new Set<number>();

  constructor(database: Database.Database) {
    const prepare = (sql: string) => database.prepare<unknown[]>(sql);
    this.statements = {
      holder: database.prepare<unknown[], { node: number; kind: number; name: string }>(
        `SELECT e.node, n.kind, e.name FROM entries e JOIN nodes n ON n.id = e.node
         WHERE e.parent = ? AND e.folded = ? AND e.removed_at IS NULL`,
      ),
      ofNode: database.prepare<unknown[], EntryOfNode>(
        'SELECT id, parent, name FROM entries WHERE node = ? AND removed_at IS NULL',
      ),
      anyEntry: database
        .prepare<unknown[], number>('SELECT 1 FROM entries WHERE parent = ? AND removed_at IS NULL LIMIT 1')
        .pluck(),
      insertNode: prepare(
        'INSERT INTO nodes (kind, version, size, mtime_s, mtime_ns, ctime_s, ctime_ns, links, parent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ),
      insertEntry: prepare(
        'INSERT INTO entries (parent, name, folded, sort_key, node) VALUES (?, ?, ?, ?, ?)',
      ),
      removeEntry: prepare('UPDATE entries SET removed_at = ? WHERE id = ?'),
      setLinks: prepare('UPDATE nodes SET links = links + ?, ctime_s = ?, ctime_ns = ? WHERE id = ?'),
      touchDirectory: prepare(
        'UPDATE nodes SET mtime_s = @s, mtime_ns = @ns, ctime_s = @s, ctime_ns = @ns WHERE id = @id AND (mtime_s, mtime_ns) < (@s, @ns)',
      ),
      invalidate: prepare('INSERT INTO invalidations (parent, name) VALUES (?, ?)'),
      parentOf: database.prepare<unknown[], number>('SELECT parent FROM nodes WHERE id = ?').pluck(),
      count: prepare('UPDATE meta SET value = value + ? WHERE key = ?'),
    };
    this.tellsNewNames = recoveringOf(database) !== recovering.no;
  }

  endRecovery(): void {
    this.tellsNewNames = false;
  }

  /** Begins a publication: nothing is left of one that failed half way. */
  begin(): void {
    this.changedDirectories.clear();
    this.thinnedDirectories.clear();
  }

  /** Node of the file or directory that has this name now, however it is spelled; undefined when the name is free. */
  holderOf(parent: number, name: string): { node: number; isDirectory: boolean; name: string } | undefined {
    const row = this.statements.holder.get(parent, foldName(name));
    return row === undefined
      ? undefined
      : { node: row.node, isDirectory: row.kind === nodeKind.directory, name: row.name };
  }

  /** The name a node is listed under, or undefined when it is not listed. */
  entryOf(node: number): EntryOfNode | undefined {
    return this.statements.ofNode.get(node);
  }

  /** The directory of that name, made if it does not exist. `spare` gives another spelling when a file has the name. */
  directory(parent: number, name: string, sortKey: string, spare: () => string, now: Instant): number {
    const holder = this.holderOf(parent, name);
    if (holder?.isDirectory === true) return holder.node;
    if (holder !== undefined) return this.directory(parent, spare(), sortKey, spare, now);
    const node = this.addNode(nodeKind.directory, 0, 0, now, now, 2, parent);
    this.addEntry({ parent, name }, sortKey, node);
    this.statements.setLinks.run(1, now.seconds, now.nanoseconds, parent);
    this.statements.count.run(1, 'directories');
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
    this.addEntry(claim, sortKey, node);
    if (former !== undefined) {
      this.thinnedDirectories.add(former.parent);
      return;
    }
    this.statements.setLinks.run(1, now.seconds, now.nanoseconds, node);
    this.statements.count.run(1, 'files');
  }

  /** Takes a file out of the listing; directories that are empty when the publication ends go with it. */
  unlist(node: number, now: Instant): void {
    const entry = this.statements.ofNode.get(node);
    if (entry === undefined) return;
    this.dropEntry(entry, now);
    this.statements.setLinks.run(-1, now.seconds, now.nanoseconds, node);
    this.statements.count.run(-1, 'files');
    this.thinnedDirectories.add(entry.parent);
  }

  /** The kernel must forget what it knows of this name: it shows other content from now on. */
  repointed(node: number): void {
    const entry = this.statements.ofNode.get(node);
    if (entry === undefined) return;
    this.statements.invalidate.run(entry.parent, entry.name);
    this.changedDirectories.add(entry.parent);
  }

  /**
   * Drops directories that are empty now, dates every other one whose names or content changed and queues its
   * invalidation. Ends each publication.
   */
  finish(now: Instant): void {
    for (const directory of this.thinnedDirectories) this.dropIfEmpty(directory, now);
    this.thinnedDirectories.clear();
    for (const directory of this.changedDirectories) {
      this.statements.touchDirectory.run({ s: now.seconds, ns: now.nanoseconds, id: directory });
      this.statements.invalidate.run(directory, null);
    }
    this.changedDirectories.clear();
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

  private addEntry({ parent, name }: Claim, sortKey: string, node: number): void {
    this.statements.insertEntry.run(parent, name, foldName(name), sortKey, node);
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
    this.dropEntry(entry, now);
    this.changedDirectories.delete(directory);
    // Its node stays until the name is forgotten: former names below it still lead to their files.
    this.statements.setLinks.run(-1, now.seconds, now.nanoseconds, entry.parent);
    this.statements.count.run(-1, 'directories');
    this.dropIfEmpty(entry.parent, now);
  }
}
