// Files that musicfs made itself, as the tree shows them: their bytes lie in a store, under a name made of their content.
// Used by the publisher, inside its transactions where it writes. A real file of the same name always wins.
import type Database from 'better-sqlite3';
import { realPath } from '../library/real-path.ts';
import { foldText } from '../library/tag-text.ts';
import { instantOf } from './known-content.ts';
import type { AlbumWantingArt, ArtSource, MadeFile } from './publication.ts';
import { entryView, nodeKind } from './schema.ts';
import type { Instant, TreeWriter } from './tree-writer.ts';

export type MadeKind = 'art' | 'playlist';

interface Current {
  readonly node: number;
  readonly name: string;
  readonly path: string;
  readonly view: number;
}

interface SourceRow {
  readonly origin: string;
  readonly realPath: Buffer;
  readonly sizeBytes: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  readonly etag: string | null;
}

/** Music files of a directory that may hold its picture, and files beside them that may be it. */
const mostTracks = 5;
const mostPictures = 50;

/** Behind every track and before what lies beside them. */
const sortAfterTracks = '99999998';

export class MadeRows {
  private readonly tree: TreeWriter;
  private readonly sql;

  constructor(database: Database.Database, tree: TreeWriter) {
    this.tree = tree;
    const sources = (where: string) =>
      database.prepare<unknown[], SourceRow>(
        `SELECT o.name AS origin, t.real_path AS realPath, n.size AS sizeBytes, n.mtime_s AS mtimeS,
                n.mtime_ns AS mtimeNs, t.etag
         FROM entries e JOIN tracks t ON t.node = e.node JOIN nodes n ON n.id = e.node JOIN origins o ON o.id = t.origin
         WHERE e.parent = ? AND e.removed_at IS NULL AND e.view = ${entryView.tree} AND ${where}
         ORDER BY e.sort_key, e.id LIMIT ?`,
      );
    this.sql = {
      wanting: database.prepare<unknown[], { directory: number; revision: number }>(
        'SELECT directory, revision FROM art_wanted WHERE directory > ? ORDER BY directory LIMIT ?',
      ),
      settings: database.prepare<unknown[], number>("SELECT value FROM meta WHERE key = 'artwork'").pluck(),
      setSettings: database.prepare<unknown[]>("INSERT OR REPLACE INTO meta VALUES ('artwork', ?)"),
      wantAll: database.prepare<unknown[]>(
        `INSERT OR IGNORE INTO art_wanted SELECT id, 0 FROM nodes WHERE kind = ${nodeKind.directory}`,
      ),
      satisfied: database.prepare<unknown[]>('DELETE FROM art_wanted WHERE directory = ? AND revision <= ?'),
      tracks: sources("t.state NOT IN ('sidecar', 'failed')"),
      pictures: sources("t.state = 'sidecar'"),
      isListed: database
        .prepare<unknown[], number>('SELECT 1 FROM entries WHERE node = ? AND removed_at IS NULL LIMIT 1')
        .pluck(),
      madeIn: database.prepare<unknown[], Current>(
        `SELECT e.node, e.name, m.path, e.view FROM entries e JOIN nodes n ON n.id = e.node
         JOIN made_files m ON m.node = e.node AND m.version = n.version
         WHERE e.parent = ? AND e.removed_at IS NULL AND m.kind = ?`,
      ),
      put: database.prepare<unknown[]>(
        'INSERT OR REPLACE INTO made_files (node, version, kind, path) VALUES (?, ?, ?, ?)',
      ),
      replaced: database.prepare<unknown[]>(
        'UPDATE made_files SET gone_at = ? WHERE node = ? AND gone_at IS NULL',
      ),
      shown: database.prepare<unknown[]>('UPDATE made_files SET gone_at = NULL WHERE node = ? AND path = ?'),
      keepVersion: database.prepare<unknown[]>(
        `INSERT OR REPLACE INTO old_versions (node, version, size, mtime_s, mtime_ns, ended_at)
         SELECT id, version, size, mtime_s, mtime_ns, ? FROM nodes WHERE id = ?`,
      ),
      newVersion: database
        .prepare<unknown[], number>(
          `UPDATE nodes SET size = ?, mtime_s = ?, mtime_ns = ?, ctime_s = ?, ctime_ns = ?,
                  version = max(version + 1, coalesce((SELECT value FROM meta WHERE key = 'version_floor'), 0))
           WHERE id = ? RETURNING version`,
        )
        .pluck(),
      purge: database.prepare<unknown[]>('DELETE FROM made_files WHERE gone_at < ?'),
      isReferenced: database
        .prepare<unknown[], number>('SELECT 1 FROM made_files WHERE path = ? LIMIT 1')
        .pluck(),
    };
  }

  /** Pictures are made by these settings from now on; where they were others, they are looked for everywhere again. */
  useSettings(hash: number): void {
    if (this.sql.settings.get() === hash) return;
    this.sql.wantAll.run();
    this.sql.setSettings.run(hash);
  }

  /** Directories that changed since their pictures were looked for, and what lies in them. Those without music are none. */
  wanting(after: number, most: number): AlbumWantingArt[] {
    return this.sql.wanting.all(after, most).map(({ directory, revision }) => ({
      directory,
      revision,
      tracks: this.sql.tracks.all(directory, mostTracks).map(sourceOf),
      pictures: this.sql.pictures.all(directory, mostPictures).map(sourceOf),
    }));
  }

  /** Shows these pictures, and no others that were made, in a directory that is listed. */
  showArt(
    { directory, revision }: Pick<AlbumWantingArt, 'directory' | 'revision'>,
    files: readonly MadeFile[],
    now: Instant,
  ): void {
    this.sql.satisfied.run(directory, revision);
    const isListed = this.sql.isListed.get(directory) !== undefined;
    this.show(directory, 'art', isListed ? files : [], now);
  }

  /** Shows these files of one kind, and no others of it, in a directory. A name that a real file has is left to it. */
  show(directory: number, kind: MadeKind, files: readonly MadeFile[], now: Instant): void {
    const before = this.sql.madeIn.all(directory, kind);
    for (const { node, name } of before) {
      if (!files.some((file) => file.name === name)) this.tree.unlist(node, now);
    }
    for (const file of files) {
      const known = before.find(({ name }) => name === file.name);
      const view = file.isListed ? entryView.tree : entryView.unlisted;
      if (known !== undefined) {
        if (known.path !== file.path) this.replace(known.node, kind, file, now);
        if (known.view !== view) {
          this.tree.unlist(known.node, now);
          this.list(directory, known.node, file, now);
          this.sql.shown.run(known.node, file.path);
        }
        continue;
      }
      if (this.tree.holderOf(directory, file.name) !== undefined) continue;
      const node = this.tree.addFile(file.sizeBytes, instantOf(file.mtimeNs), now);
      this.sql.put.run(node, 1, kind, file.path);
      this.list(directory, node, file, now);
    }
  }

  /** Forgets what was not shown any more before that time, seconds since 1970. */
  purge(before: number): void {
    this.sql.purge.run(before);
  }

  /** Whether bytes in the store may still be read. */
  isReferenced(path: string): boolean {
    return this.sql.isReferenced.get(path) !== undefined;
  }

  private list(parent: number, node: number, { name, isListed }: MadeFile, now: Instant): void {
    const sortKey = `${sortAfterTracks}${foldText(name)}\u0001${name}`;
    if (isListed) this.tree.list({ parent, name }, sortKey, node, now);
    else this.tree.listFurther({ parent, name }, sortKey, node, entryView.unlisted, now);
  }

  private replace(node: number, kind: MadeKind, { sizeBytes, mtimeNs, path }: MadeFile, now: Instant): void {
    this.sql.keepVersion.run(now.seconds, node);
    this.sql.replaced.run(now.seconds, node);
    const { seconds, nanoseconds } = instantOf(mtimeNs);
    const version = this.sql.newVersion.get(
      sizeBytes,
      seconds,
      nanoseconds,
      now.seconds,
      now.nanoseconds,
      node,
    );
    this.sql.put.run(node, version, kind, path);
    this.tree.repointed(node);
  }
}

function sourceOf({ origin, realPath: bytes, sizeBytes, mtimeS, mtimeNs, etag }: SourceRow): ArtSource {
  return {
    origin,
    path: realPath(bytes.toString('latin1')),
    sizeBytes,
    mtimeNs: (BigInt(mtimeS) * 1_000_000_000n + BigInt(mtimeNs)).toString(),
    etag,
  };
}
