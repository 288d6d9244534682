// The path of a node in the tree, upwards from its name. Used by looks at the library that walk tracks, not directories.
import type Database from 'better-sqlite3';
import { entryView, rootNodeId } from './schema.ts';

const mostDirectories = 100_000;

export class TreePaths {
  private readonly entryOf;
  private readonly directories = new Map<number, string>();

  constructor(database: Database.Database) {
    this.entryOf = database.prepare<unknown[], { readonly parent: number; readonly name: string }>(
      `SELECT parent, name FROM entries WHERE node = ? AND removed_at IS NULL AND view = ${entryView.tree}`,
    );
  }

  /** "Artist/Album/01 - Title.flac"; null when it is not listed. */
  of(node: number): string | null {
    const entry = this.entryOf.get(node);
    if (entry === undefined) return null;
    const above = this.directory(entry.parent);
    return above === null ? null : `${above}${entry.name}`;
  }

  private directory(node: number): string | null {
    if (node === rootNodeId) return '';
    const known = this.directories.get(node);
    if (known !== undefined) return known;
    const path = this.of(node);
    if (path === null) return null;
    if (this.directories.size >= mostDirectories) this.directories.clear();
    this.directories.set(node, `${path}/`);
    return `${path}/`;
  }
}
