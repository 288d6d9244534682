// The rows of replicas: files that other origins hold of a track, shown to be the same by size and fingerprint at the same
// path. A replica belongs to one content version of a node; when the track changes, it serves what still reads the
// old version, and must be shown to be equal anew.
import type Database from 'better-sqlite3';
import { type RealPath, realPath } from '../library/real-path.ts';
import { instantOf, isChanged } from './known-content.ts';
import type { ReadFile, SeenFile } from './publication.ts';

export interface ReplicaRow {
  readonly id: number;
  readonly origin: number;
  readonly realPath: Buffer;
  readonly node: number;
  readonly version: number;
  readonly size: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  readonly etag: string | null;
}

/** A listed track of another origin. */
export interface Twin {
  readonly node: number;
  readonly version: number;
  readonly origin: number;
  readonly priority: number;
}

const columns = `r.id, r.origin, r.real_path AS realPath, r.node, r.version, r.size, r.mtime_s AS mtimeS,
  r.mtime_ns AS mtimeNs, r.etag`;

export class ReplicaRows {
  private readonly sql;

  constructor(database: Database.Database) {
    const prepare = (text: string) => database.prepare<unknown[]>(text);
    this.sql = {
      known: database.prepare<unknown[], ReplicaRow & { readonly isCurrent: number }>(
        `SELECT ${columns}, n.version = r.version AND t.removed_at IS NULL AS isCurrent
         FROM replicas r JOIN nodes n ON n.id = r.node JOIN tracks t ON t.node = r.node
         WHERE r.origin = ? AND r.real_path = ?`,
      ),
      ofNode: database.prepare<unknown[], ReplicaRow & { readonly priority: number }>(
        `SELECT ${columns}, o.priority FROM replicas r JOIN nodes n ON n.id = r.node AND n.version = r.version
         JOIN origins o ON o.id = r.origin WHERE r.node = ?`,
      ),
      twin: database.prepare<unknown[], Twin>(
        `SELECT t.node, n.version, t.origin, o.priority FROM origins o
         JOIN tracks t ON t.origin = o.id AND t.real_path = @path AND t.removed_at IS NULL
         JOIN nodes n ON n.id = t.node
         WHERE o.id <> @origin AND n.size = @size AND t.file_fp = @fileFp ORDER BY o.priority, o.id LIMIT 1`,
      ),
      put: prepare(
        `INSERT INTO replicas (origin, real_path, node, version, size, mtime_s, mtime_ns, etag)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (origin, real_path) DO UPDATE SET node = excluded.node, version = excluded.version,
           size = excluded.size, mtime_s = excluded.mtime_s, mtime_ns = excluded.mtime_ns, etag = excluded.etag`,
      ),
      drop: prepare('DELETE FROM replicas WHERE id = ?'),
      after: database
        .prepare<unknown[], number>(
          'SELECT id FROM replicas WHERE +origin = ? AND id > ? ORDER BY id LIMIT 1000',
        )
        .pluck(),
      pathOf: database.prepare<unknown[], Buffer>('SELECT real_path FROM replicas WHERE id = ?').pluck(),
    };
  }

  /** The replica at that path, and whether it is one of what is shown now. */
  known(origin: number, file: Pick<SeenFile, 'path'>): (ReplicaRow & { isCurrent: number }) | undefined {
    return this.sql.known.get(origin, Buffer.from(file.path, 'latin1'));
  }

  /** Whether a file that is known as a replica still is one, as far as a listing tells. */
  isStill(known: ReplicaRow & { isCurrent: number }, file: SeenFile): boolean {
    return known.isCurrent !== 0 && !isChanged(known, file);
  }

  /** The listed track of another origin that this file equals. */
  twinOf(origin: number, file: ReadFile): Twin | undefined {
    if (file.fileFp === undefined || file.fileFp === null) return undefined;
    const path = Buffer.from(file.path, 'latin1');
    return this.sql.twin.get({ origin, path, size: file.sizeBytes, fileFp: file.fileFp });
  }

  /** The replica of a node's current version that its track falls back on. */
  bestOf(node: number): ReplicaRow | undefined {
    const [best] = this.sql.ofNode
      .all(node)
      .toSorted((a, b) => a.priority - b.priority || a.origin - b.origin);
    return best;
  }

  /** True when the origin did not hold it before. */
  put(origin: number, file: SeenFile, node: number, version: number): boolean {
    const path = Buffer.from(file.path, 'latin1');
    const isNew = this.known(origin, file) === undefined;
    const { seconds, nanoseconds } = instantOf(file.mtimeNs);
    this.sql.put.run(
      ...[origin, path, node, version, file.sizeBytes, seconds, nanoseconds],
      file.etag ?? null,
    );
    return isNew;
  }

  drop(id: number): void {
    this.sql.drop.run(id);
  }

  /** Ids of an origin's replicas after an id, at most 1,000. */
  after(origin: number, id: number): number[] {
    return this.sql.after.all(origin, id);
  }

  pathOf(id: number): RealPath {
    return realPath(this.sql.pathOf.get(id)?.toString('latin1') ?? '');
  }
}
