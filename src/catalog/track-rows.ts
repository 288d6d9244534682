// The rows of tracks and of what becomes of their content: known or not, changed or not, versions, counters. Used by the
// publisher, inside its transactions where it writes.
import type Database from 'better-sqlite3';
import { type RealPath, realPath } from '../library/real-path.ts';
import { MusicfsError } from '../platform/errors.ts';
import type { Counters } from './counters.ts';
import { instantOf, isChanged, type KnownContent } from './known-content.ts';
import type { ReadFile, SeenFile } from './publication.ts';
import type { ReplicaRow } from './replica-rows.ts';
import type { Instant, TreeWriter } from './tree-writer.ts';

export interface KnownTrack {
  readonly node: number;
  readonly size: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  readonly etag: string | null;
  readonly fileFp: string | null;
  readonly removedAt: number | null;
  readonly state: string;
  readonly albumKey: string;
  readonly groupKey: string | null;
}

export interface StoredTrack {
  readonly node: number;
  readonly isNew: boolean;
  /** The album it was in before, when it was known. */
  readonly formerAlbumKey: string | null;
  readonly formerGroupKey: string | null;
}

export class TrackRows {
  private readonly tree: TreeWriter;
  private readonly counters: Counters;
  private readonly sql;

  constructor(database: Database.Database, tree: TreeWriter, counters: Counters) {
    this.tree = tree;
    this.counters = counters;
    const prepare = (text: string) => database.prepare<unknown[]>(text);
    this.sql = {
      known: database.prepare<unknown[], KnownTrack>(
        `SELECT t.node, n.size, n.mtime_s AS mtimeS, n.mtime_ns AS mtimeNs, t.removed_at AS removedAt, t.state,
                t.album_key AS albumKey, t.group_key AS groupKey, t.etag, t.file_fp AS fileFp
         FROM tracks t JOIN nodes n ON n.id = t.node WHERE t.origin = ? AND t.real_path = ?`,
      ),
      contentOf: database.prepare<unknown[], { audioFp: string | null; tags: string }>(
        'SELECT audio_fp AS audioFp, tags FROM tracks WHERE node = ?',
      ),
      ignored: database.prepare<unknown[], KnownContent>(
        'SELECT size, mtime_s AS mtimeS, mtime_ns AS mtimeNs, etag FROM ignored_files WHERE origin = ? AND real_path = ?',
      ),
      ignore: prepare('INSERT OR REPLACE INTO ignored_files VALUES (?, ?, ?, ?, ?, ?)'),
      // "+" keeps SQLite from the index by path, with which each page would read and sort all tracks of the origin.
      nodesAfter: database
        .prepare<unknown[], number>(
          `SELECT node FROM tracks WHERE +origin = ? AND removed_at IS NULL AND node > ?
           ORDER BY node LIMIT 1000`,
        )
        .pluck(),
      listedAfter: database
        .prepare<unknown[], number>(
          'SELECT node FROM tracks WHERE removed_at IS NULL AND node > ? ORDER BY node LIMIT ?',
        )
        .pluck(),
      pathOf: database.prepare<unknown[], Buffer>('SELECT real_path FROM tracks WHERE node = ?').pluck(),
      whereOf: database.prepare<unknown[], { origin: number; realPath: Buffer }>(
        'SELECT origin, real_path AS realPath FROM tracks WHERE node = ?',
      ),
      insert: prepare(
        `INSERT INTO tracks (node, origin, real_path, state, reason, audio_fp, album_key, group_key, disc, disc_total,
           tags, etag, file_fp, added_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      update: prepare(
        `UPDATE tracks SET state = ?, reason = ?, audio_fp = ?, album_key = ?, group_key = ?, disc = ?, disc_total = ?, tags = ?,
                etag = ?, file_fp = coalesce(?, file_fp), removed_at = NULL WHERE node = ?`,
      ),
      remove: prepare('UPDATE tracks SET removed_at = ? WHERE node = ?'),
      keepVersion: prepare(
        `INSERT OR REPLACE INTO old_versions
         SELECT n.id, n.version, n.size, n.mtime_s, n.mtime_ns, ?, t.etag
         FROM nodes n JOIN tracks t ON t.node = n.id WHERE n.id = ?`,
      ),
      newVersion: prepare(
        `UPDATE nodes SET size = ?, mtime_s = ?, mtime_ns = ?, ctime_s = ?, ctime_ns = ?,
                version = max(version + 1, coalesce((SELECT value FROM meta WHERE key = 'version_floor'), 0))
         WHERE id = ?`,
      ),
      placeOf: database.prepare<
        unknown[],
        Pick<ReplicaRow, 'realPath' | 'size' | 'mtimeS' | 'mtimeNs' | 'etag'>
      >(
        `SELECT t.real_path AS realPath, n.size, n.mtime_s AS mtimeS, n.mtime_ns AS mtimeNs, t.etag
         FROM tracks t JOIN nodes n ON n.id = t.node WHERE t.node = ?`,
      ),
      forget: prepare('DELETE FROM tracks WHERE origin = ? AND real_path = ? AND node <> ?'),
      move: prepare('UPDATE tracks SET origin = ?, real_path = ?, etag = ? WHERE node = ?'),
      redate: prepare('UPDATE nodes SET mtime_s = ?, mtime_ns = ? WHERE id = ?'),
    };
  }

  known(origin: number, file: Pick<SeenFile, 'path'>): KnownTrack | undefined {
    return this.sql.known.get(origin, bytesOf(file));
  }

  /** Whether a file must be read: it is new, came back, or its content changed. */
  mustBeRead(origin: number, file: SeenFile, known: KnownTrack | undefined): boolean {
    if (known !== undefined && known.removedAt === null && !isChanged(known, file)) return false;
    const ignored = this.sql.ignored.get(origin, bytesOf(file));
    return ignored === undefined || isChanged(ignored, file);
  }

  /** The node of a file that is listed and in which nothing has changed, whatever its time may say; else null. */
  sameAs(origin: number, file: ReadFile): number | null {
    const known = this.known(origin, file);
    if (known === undefined || known.removedAt !== null || isChanged(known, file)) return null;
    const content = this.sql.contentOf.get(known.node);
    const isSame =
      known.state === file.state &&
      content?.audioFp === file.audioFp &&
      content.tags === JSON.stringify(file.tags);
    return isSame ? known.node : null;
  }

  /** Other audio although size and time are as they were: the clock was set back between two writes. */
  private isRewritten({ node }: KnownTrack, { audioFp }: ReadFile): boolean {
    const known = this.sql.contentOf.get(node)?.audioFp ?? null;
    return known !== null && audioFp !== null && known !== audioFp;
  }

  /** Remembers a file that holds no music, so that it is not read again. */
  ignore(origin: number, file: SeenFile): void {
    const { seconds, nanoseconds } = instantOf(file.mtimeNs);
    this.sql.ignore.run(origin, bytesOf(file), file.sizeBytes, seconds, nanoseconds, file.etag ?? null);
  }

  /** Writes what was read of a file; changed content becomes a new version of its node. */
  store(
    origin: number,
    file: ReadFile,
    { albumKey, groupKey }: { readonly albumKey: string; readonly groupKey: string | null },
    now: Instant,
  ): StoredTrack {
    const mtime = instantOf(file.mtimeNs);
    const known = this.known(origin, file);
    const row = [
      file.state,
      file.reason,
      file.audioFp,
      albumKey,
      groupKey,
      file.tags.disc ?? null,
      file.tags.discTotal ?? null,
      JSON.stringify(file.tags),
      file.etag ?? null,
      file.fileFp ?? null,
    ];
    const failed = file.state === 'failed' ? 1 : 0;
    if (known === undefined) {
      const node = this.tree.addFile(file.sizeBytes, mtime, now);
      this.sql.insert.run(node, origin, bytesOf(file), ...row, now.seconds);
      this.count(origin, 1, file, file.sizeBytes, failed);
      return { node, isNew: true, formerAlbumKey: null, formerGroupKey: null };
    }
    const { node } = known;
    const isNewContent = isChanged(known, file) || this.isRewritten(known, file);
    if (known.removedAt !== null) this.count(origin, 1, file, file.sizeBytes, failed);
    else
      this.count(origin, 0, file, file.sizeBytes - known.size, failed - (known.state === 'failed' ? 1 : 0));
    if (isNewContent) this.sql.keepVersion.run(now.seconds, node);
    this.sql.update.run(...row, node);
    if (isNewContent) {
      const { seconds, nanoseconds } = mtime;
      this.sql.newVersion.run(file.sizeBytes, seconds, nanoseconds, now.seconds, now.nanoseconds, node);
      this.tree.repointed(node);
    }
    return {
      node,
      isNew: known.removedAt !== null,
      formerAlbumKey: known.albumKey,
      formerGroupKey: known.groupKey,
    };
  }

  /** The holder of a track is another one from now on: same node, same content. Its former place is nobody's. */
  moveTo(
    node: number,
    to: Pick<ReplicaRow, 'origin' | 'realPath' | 'size' | 'mtimeS' | 'mtimeNs' | 'etag'>,
  ): void {
    this.sql.forget.run(to.origin, to.realPath, node);
    this.sql.move.run(to.origin, to.realPath, to.etag, node);
    this.sql.redate.run(to.mtimeS, to.mtimeNs, node);
    this.tree.repointed(node);
  }

  /** Where a track lies now, as a listing would show it. */
  placeOf(node: number): SeenFile {
    const row = this.sql.placeOf.get(node);
    if (row === undefined) throw new MusicfsError('internal', `no track has node ${node}`);
    const { realPath: bytes, size, mtimeS, mtimeNs, etag } = row;
    const total = BigInt(mtimeS) * 1_000_000_000n + BigInt(mtimeNs);
    return { path: realPath(bytes.toString('latin1')), sizeBytes: size, mtimeNs: total.toString(), etag };
  }

  /** Files of an origin that are no tracks of their own: they count for the origin only. */
  countReplica(origin: number, by: 1 | -1): void {
    this.counters.addFiles(origin, by);
  }

  /** Marks a track as gone; its row waits for its return. */
  remove(origin: number, known: KnownTrack, now: Instant): void {
    this.sql.remove.run(now.seconds, known.node);
    this.count(origin, -1, known, -known.size, known.state === 'failed' ? -1 : 0);
  }

  /** The nodes of the listed tracks of an origin after a node id, at most 1,000. */
  nodesAfter(origin: number, node: number): number[] {
    return this.sql.nodesAfter.all(origin, node);
  }

  /** The nodes of the listed tracks of all origins after a node id. */
  listedAfter(node: number, most: number): number[] {
    return this.sql.listedAfter.all(node, most);
  }

  /** The origin of a track and its path there. */
  whereOf(node: number): { readonly origin: number; readonly path: RealPath } {
    const row = this.sql.whereOf.get(node);
    return { origin: row?.origin ?? 0, path: realPath(row?.realPath.toString('latin1') ?? '') };
  }

  pathOf(node: number): RealPath {
    return realPath(this.sql.pathOf.get(node)?.toString('latin1') ?? '');
  }

  private count(
    origin: number,
    files: number,
    { state }: { readonly state: string },
    bytes: number,
    failed: number,
  ): void {
    if (state !== 'sidecar') this.counters.add('tracks', files);
    this.counters.addFiles(origin, files);
    this.counters.add('bytes', bytes);
    this.counters.add('failed', failed);
  }
}

function bytesOf({ path }: Pick<SeenFile, 'path'>): Buffer {
  return Buffer.from(path, 'latin1');
}
