// Where the bytes of a content version lie: the origin whose word counts, and those that hold the same. For whoever
// fetches; a few indexed statements on a read-only connection.
import type Database from 'better-sqlite3';
import { type RealPath, realPath } from '../library/real-path.ts';
import { entryView, nodeKind } from './schema.ts';

export interface Holder {
  readonly originName: string;
  readonly path: RealPath;
  readonly sizeBytes: number;
  /** Nanoseconds since 1970, decimal. */
  readonly mtimeNs: string;
  readonly etag: string | null;
  readonly isAuthoritative: boolean;
}

interface HolderRow {
  readonly originName: string;
  readonly realPath: Buffer;
  readonly size: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  readonly etag: string | null;
  readonly isAuthoritative: number;
}

export class Locations {
  private readonly current;
  private readonly entryOf;
  private readonly next;
  private readonly mountPoints;
  private readonly old;
  private readonly replacedVersions;
  private readonly replicas;

  constructor(database: Database.Database) {
    this.current = database.prepare<unknown[], HolderRow>(
      `SELECT o.name AS originName, t.real_path AS realPath, n.size, n.mtime_s AS mtimeS, n.mtime_ns AS mtimeNs,
              t.etag, 1 AS isAuthoritative
       FROM tracks t JOIN nodes n ON n.id = t.node JOIN origins o ON o.id = t.origin
       WHERE t.node = ? AND n.version = ?`,
    );
    this.entryOf = database.prepare<unknown[], { parent: number; sortKey: string; id: number }>(
      `SELECT parent, sort_key AS sortKey, id FROM entries
       WHERE node = ? AND removed_at IS NULL AND view = ${entryView.tree}`,
    );
    this.next = database.prepare<unknown[], { node: number; version: number }>(
      `SELECT n.id AS node, n.version FROM entries e JOIN nodes n ON n.id = e.node AND n.kind = ?
       WHERE e.parent = ? AND e.removed_at IS NULL AND (e.sort_key, e.id) > (?, ?)
       ORDER BY e.sort_key, e.id LIMIT 1`,
    );
    this.mountPoints = database
      .prepare<unknown[], string | null>('SELECT mount_points FROM origins WHERE name = ?')
      .pluck();
    this.old = database.prepare<unknown[], HolderRow>(
      `SELECT o.name AS originName, t.real_path AS realPath, v.size, v.mtime_s AS mtimeS, v.mtime_ns AS mtimeNs,
              v.etag, 1 AS isAuthoritative
       FROM tracks t JOIN old_versions v ON v.node = t.node JOIN origins o ON o.id = t.origin
       WHERE t.node = ? AND v.version = ?`,
    );
    this.replacedVersions = database.prepare<unknown[], { node: number; version: number }>(
      'SELECT node, version FROM old_versions LIMIT 10000',
    );
    this.replicas = database.prepare<unknown[], HolderRow>(
      `SELECT o.name AS originName, r.real_path AS realPath, r.size, r.mtime_s AS mtimeS, r.mtime_ns AS mtimeNs,
              r.etag, 0 AS isAuthoritative
       FROM replicas r JOIN origins o ON o.id = r.origin WHERE r.node = ? AND r.version = ?`,
    );
  }

  /** Content versions that were replaced: what is kept of them is kept for handles of before only. */
  replaced(): { readonly node: number; readonly version: number }[] {
    return this.replacedVersions.all();
  }

  /** What was mounted at the root of an origin when it was last scanned whole; null: it never was, or is no path. */
  mountIdentity(originName: string): string | null {
    const points = this.mountPoints.get(originName) ?? null;
    return points === null ? null : ((JSON.parse(points) as string[])[0] ?? null); // written by Publisher.finishScan
  }

  /** The file that follows in the directory a node is listed in; null: none does. */
  nextOf(node: number): { readonly node: number; readonly version: number } | null {
    const entry = this.entryOf.get(node);
    if (entry === undefined) return null;
    return this.next.get(nodeKind.file, entry.parent, entry.sortKey, entry.id) ?? null;
  }

  /** The authoritative holder first; empty when that version is not described any more. */
  holders(node: number, version: number): Holder[] {
    const first = this.current.get(node, version) ?? this.old.get(node, version);
    if (first === undefined) return [];
    return [first, ...this.replicas.all(node, version)].map((row) => ({
      originName: row.originName,
      path: realPath(row.realPath.toString('latin1')),
      sizeBytes: row.size,
      mtimeNs: (BigInt(row.mtimeS) * 1_000_000_000n + BigInt(row.mtimeNs)).toString(),
      etag: row.etag,
      isAuthoritative: row.isAuthoritative !== 0,
    }));
  }
}
