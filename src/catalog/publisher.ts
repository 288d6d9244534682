// From facts about files to the tree: the one writer of the library. Runs on the writer thread, knows no threads.
//
// A publication is one transaction: the tracks, where each now stands in the tree, and what the kernel must forget.
// Where a track stands is decided by library/placement; who gets a contested name is decided here, as only the
// catalog knows who has it: the holder keeps it, the newcomer takes a suffix made of its own audio, so that neither
// order nor time of a scan changes a name.
import type Database from 'better-sqlite3';
import { withSuffix } from '../library/collisions.ts';
import type { LibraryOptions } from '../library/library-options.ts';
import { foldName } from '../library/names.ts';
import { type Placement, placeTrack } from '../library/placement.ts';
import { type RealPath, realPath } from '../library/real-path.ts';
import type { Template } from '../library/template.ts';
import type { TrackState } from '../library/track-facts.ts';
import type { TrackTags } from '../library/track-tags.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type {
  Invalidation,
  MissingFiles,
  OriginRow,
  PublishResult,
  ReadFile,
  SeenFile,
} from './publication.ts';
import { rootNodeId } from './schema.ts';
import { type CatalogCounters, countersFrom } from './tree-reader.ts';
import { type Claim, type Instant, TreeWriter } from './tree-writer.ts';

export interface PublisherOptions {
  readonly template: Template;
  readonly library: LibraryOptions;
  /** 64-bit hash of a text as 16 hex digits. */
  readonly hash: (text: string) => string;
  readonly nowMs: () => number;
}

interface KnownTrack {
  readonly node: number;
  readonly size: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  readonly removedAt: number | null;
}

interface PlacedTrack {
  readonly node: number;
  readonly realPath: Buffer;
  readonly state: TrackState;
  readonly audioFp: string | null;
  readonly tags: string;
  readonly originName: string;
}

export class Publisher {
  private readonly database: Database.Database;
  private readonly options: PublisherOptions;
  private readonly tree: TreeWriter;
  private readonly sql;

  constructor(database: Database.Database, options: PublisherOptions) {
    this.database = database;
    this.options = options;
    this.tree = new TreeWriter(database);
    const prepare = (text: string) => database.prepare<unknown[]>(text);
    this.sql = {
      originId: database.prepare<unknown[], number>('SELECT id FROM origins WHERE name = ?').pluck(),
      insertOrigin: prepare('INSERT INTO origins (name, kind, root) VALUES (?, ?, ?)'),
      // A new root may be on another disk.
      updateOrigin: prepare(
        'UPDATE origins SET kind = @kind, mount_point = iif(root = @root, mount_point, NULL), root = @root WHERE name = @name',
      ),
      origins: database.prepare<
        unknown[],
        Omit<OriginRow, 'firstScanComplete'> & { firstScanComplete: number }
      >('SELECT name, kind, root, first_scan_complete AS firstScanComplete, files FROM origins ORDER BY id'),
      firstScanDone: prepare('UPDATE origins SET first_scan_complete = 1, mount_point = ? WHERE id = ?'),
      known: database.prepare<unknown[], KnownTrack>(
        `SELECT t.node, n.size, n.mtime_s AS mtimeS, n.mtime_ns AS mtimeNs, t.removed_at AS removedAt
         FROM tracks t JOIN nodes n ON n.id = t.node WHERE t.origin = ? AND t.real_path = ?`,
      ),
      ignored: database.prepare<unknown[], Omit<KnownTrack, 'node' | 'removedAt'>>(
        'SELECT size, mtime_s AS mtimeS, mtime_ns AS mtimeNs FROM ignored_files WHERE origin = ? AND real_path = ?',
      ),
      ignore: prepare('INSERT OR REPLACE INTO ignored_files VALUES (?, ?, ?, ?, ?)'),
      tracksOf: database.prepare<unknown[], { node: number; realPath: Buffer }>(
        `SELECT node, real_path AS realPath FROM tracks WHERE origin = ? AND removed_at IS NULL AND node > ?
         ORDER BY node LIMIT 1000`,
      ),
      filesOf: database.prepare<unknown[], number>('SELECT files FROM origins WHERE id = ?').pluck(),
      countFiles: prepare('UPDATE origins SET files = files + ? WHERE id = ?'),
      insertTrack: prepare(
        'INSERT INTO tracks (node, origin, real_path, state, reason, audio_fp, album_key, disc, disc_total, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ),
      updateTrack: prepare(
        `UPDATE tracks SET state = ?, reason = ?, audio_fp = ?, album_key = ?, disc = ?, disc_total = ?, tags = ?,
                removed_at = NULL WHERE node = ?`,
      ),
      stateOf: database.prepare<unknown[], string>('SELECT state FROM tracks WHERE node = ?').pluck(),
      removeTrack: prepare('UPDATE tracks SET removed_at = ? WHERE node = ?'),
      placed: database.prepare<unknown[], PlacedTrack>(
        `SELECT t.node, t.real_path AS realPath, t.state, t.audio_fp AS audioFp, t.tags, o.name AS originName
         FROM tracks t JOIN origins o ON o.id = t.origin WHERE t.node = ?`,
      ),
      ofAlbum: database
        .prepare<unknown[], number>('SELECT node FROM tracks WHERE album_key = ? AND removed_at IS NULL')
        .pluck(),
      albumKeyOf: database.prepare<unknown[], string>('SELECT album_key FROM tracks WHERE node = ?').pluck(),
      discsOf: database.prepare<unknown[], { total: number | null; low: number | null; high: number | null }>(
        `SELECT max(disc_total) AS total, min(coalesce(disc, 1)) AS low, max(coalesce(disc, 1)) AS high
         FROM tracks WHERE album_key = ? AND removed_at IS NULL`,
      ),
      multiDisc: database.prepare<unknown[], number>('SELECT multi_disc FROM albums WHERE key = ?').pluck(),
      setMultiDisc: prepare(
        'INSERT INTO albums VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET multi_disc = excluded.multi_disc',
      ),
      keepVersion: prepare(
        `INSERT OR REPLACE INTO old_versions
         SELECT id, version, size, mtime_s, mtime_ns, ? FROM nodes WHERE id = ?`,
      ),
      newVersion: prepare(
        `UPDATE nodes SET version = version + 1, size = ?, mtime_s = ?, mtime_ns = ?, ctime_s = ?, ctime_ns = ?
         WHERE id = ?`,
      ),
      count: prepare('UPDATE meta SET value = value + ? WHERE key = ?'),
      counters: database.prepare<unknown[], [string, number]>('SELECT key, value FROM meta').raw(),
      invalidationsAfter: database.prepare<unknown[], Invalidation>(
        'SELECT id, parent, name FROM invalidations WHERE id > ? ORDER BY id LIMIT 5000',
      ),
      lastInvalidation: database
        .prepare<unknown[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'invalidations'")
        .pluck(),
      forgetInvalidations: prepare('DELETE FROM invalidations WHERE id <= ?'),
      purgeEntries: prepare('DELETE FROM entries WHERE removed_at IS NOT NULL AND removed_at < ?'),
      purgeVersions: prepare('DELETE FROM old_versions WHERE ended_at < ?'),
    };
  }

  /** Makes an origin known. A known one may have moved to another root: its files keep their nodes. */
  registerOrigin(name: string, kind: string, root: string): void {
    if (this.sql.originId.get(name) === undefined) this.sql.insertOrigin.run(name, kind, root);
    else this.sql.updateOrigin.run({ kind, root, name });
  }

  origins(): OriginRow[] {
    return this.sql.origins.all().map((row) => ({ ...row, firstScanComplete: row.firstScanComplete !== 0 }));
  }

  counters(): CatalogCounters {
    return countersFrom(this.sql.counters.all());
  }

  /** Which of these files must be parsed: the new and the changed. The nodes of all known ones go to `seen`. */
  compare(originName: string, files: readonly SeenFile[], seen: (node: number) => void): RealPath[] {
    const origin = this.originId(originName);
    const unread: RealPath[] = [];
    for (const file of files) {
      const path = Buffer.from(file.path, 'latin1');
      const known = this.sql.known.get(origin, path);
      if (known !== undefined) seen(known.node);
      if (known !== undefined && known.removedAt === null && !isChanged(known, file)) continue;
      const ignored = this.sql.ignored.get(origin, path);
      if (ignored === undefined || isChanged(ignored, file)) unread.push(file.path);
    }
    return unread;
  }

  /** Publishes what was read of a batch of files, in one transaction; `ignored` are those that turned out to be no music. */
  publish(
    originName: string,
    files: readonly ReadFile[],
    ignored: readonly SeenFile[],
    seen: (node: number) => void,
  ): PublishResult {
    const origin = this.originId(originName);
    return this.transaction((now, result) => {
      for (const { path, sizeBytes, mtimeNs } of ignored) {
        const { seconds, nanoseconds } = instantOf(mtimeNs);
        this.sql.ignore.run(origin, Buffer.from(path, 'latin1'), sizeBytes, seconds, nanoseconds);
      }
      const affected = new Set<number>();
      const albums = new Set<string>();
      for (const file of files) {
        const node = this.storeTrack(origin, originName, file, now, albums, result);
        if (node !== null) {
          seen(node);
          affected.add(node);
        }
      }
      for (const key of albums) {
        if (this.refreshMultiDisc(key)) for (const node of this.sql.ofAlbum.all(key)) affected.add(node);
      }
      for (const node of affected) this.place(node, now);
    });
  }

  /**
   * Known, listed files of an origin that a complete walk did not meet: how many, and their paths when they are not
   * more than `most`.
   */
  missing(originName: string, wasSeen: (node: number) => boolean, most: number): MissingFiles {
    const origin = this.originId(originName);
    let paths: RealPath[] = [];
    let count = 0;
    for (let after = 0; ; ) {
      const rows = this.sql.tracksOf.all(origin, after);
      for (const row of rows) {
        if (wasSeen(row.node)) continue;
        count += 1;
        if (count <= most) paths.push(realPath(row.realPath.toString('latin1')));
        else paths = [];
      }
      const last = rows.at(-1);
      if (last === undefined) return { known: this.sql.filesOf.get(origin) ?? 0, missing: count, paths };
      after = last.node;
    }
  }

  /** Takes files out of the tree that were seen to be gone. Their rows stay, so a return brings the same node back. */
  remove(originName: string, paths: readonly RealPath[]): PublishResult {
    const origin = this.originId(originName);
    return this.transaction((now, result) => {
      const albums = new Set<string>();
      for (const path of paths) {
        const known = this.sql.known.get(origin, Buffer.from(path, 'latin1'));
        if (known === undefined || known.removedAt !== null) continue;
        albums.add(this.sql.albumKeyOf.get(known.node) ?? '');
        this.tree.unlist(known.node, now);
        const failed = this.sql.stateOf.get(known.node) === 'failed' ? -1 : 0;
        this.sql.removeTrack.run(now.seconds, known.node);
        this.count(origin, -1, -known.size, failed);
        result.removed += 1;
      }
      for (const key of albums) {
        if (this.refreshMultiDisc(key)) for (const node of this.sql.ofAlbum.all(key)) this.place(node, now);
      }
    });
  }

  /**
   * Ends a scan that met every file: from now on the origin counts as known, on the disk that is mounted at
   * `mountPoint`. Old tombstones go.
   */
  finishScan(originName: string, mountPoint: string): void {
    const now = this.options.nowMs();
    this.database.transaction(() => {
      this.sql.firstScanDone.run(mountPoint, this.originId(originName));
      this.sql.purgeEntries.run(Math.floor((now - limits.tombstoneMs) / 1000));
      this.sql.purgeVersions.run(Math.floor((now - limits.oldVersionMs) / 1000));
    })();
    // A daemon is idle for most of its life: the page cache that the scan filled goes back.
    this.database.pragma('shrink_memory');
  }

  /** What the kernel has not been told yet, oldest first. */
  pendingInvalidations(afterId: number): Invalidation[] {
    return this.sql.invalidationsAfter.all(afterId);
  }

  /** The kernel has been told everything up to that row. */
  invalidated(upToId: number): void {
    this.sql.forgetInvalidations.run(upToId);
  }

  private originId(name: string): number {
    const id = this.sql.originId.get(name);
    if (id === undefined) throw new MusicfsError('not_found', `no origin ${name}`);
    return id;
  }

  private transaction(
    work: (now: Instant, result: { added: number; changed: number; removed: number }) => void,
  ): PublishResult {
    const result = { added: 0, changed: 0, removed: 0 };
    const before = this.sql.lastInvalidation.get() ?? 0;
    this.database.transaction(() => {
      const nowMs = this.options.nowMs();
      const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: Math.floor((nowMs % 1000) * 1e6) };
      work(now, result);
      this.tree.finish(now);
    })();
    const invalidations: Invalidation[] = [];
    for (let after = before; ; ) {
      const rows = this.sql.invalidationsAfter.all(after);
      invalidations.push(...rows);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.id;
    }
    return { ...result, invalidations };
  }

  /** Writes one track's row. Returns its node, or null when nothing about it changed. */
  private storeTrack(
    origin: number,
    originName: string,
    file: ReadFile,
    now: Instant,
    albums: Set<string>,
    result: { added: number; changed: number },
  ): number | null {
    const pathBytes = Buffer.from(file.path, 'latin1');
    const mtime = instantOf(file.mtimeNs);
    const albumKey = this.albumKeyOf(originName, file);
    const known = this.sql.known.get(origin, pathBytes);
    const row = [
      file.state,
      file.reason,
      file.audioFp,
      albumKey,
      file.tags.disc ?? null,
      file.tags.discTotal ?? null,
      JSON.stringify(file.tags),
    ];
    albums.add(albumKey);
    if (known === undefined) {
      const node = this.tree.addFile(file.sizeBytes, mtime, now);
      this.sql.insertTrack.run(node, origin, pathBytes, ...row);
      this.count(origin, 1, file.sizeBytes, file.state === 'failed' ? 1 : 0);
      result.added += 1;
      return node;
    }
    const wasFailed = known.removedAt === null && this.sql.stateOf.get(known.node) === 'failed' ? 1 : 0;
    albums.add(this.sql.albumKeyOf.get(known.node) ?? albumKey);
    this.sql.updateTrack.run(...row, known.node);
    const returned = known.removedAt !== null;
    this.count(
      origin,
      returned ? 1 : 0,
      file.sizeBytes - (returned ? 0 : known.size),
      (file.state === 'failed' ? 1 : 0) - wasFailed,
    );
    if (isChanged(known, file)) {
      this.sql.keepVersion.run(now.seconds, known.node);
      this.sql.newVersion.run(
        file.sizeBytes,
        mtime.seconds,
        mtime.nanoseconds,
        now.seconds,
        now.nanoseconds,
        known.node,
      );
      this.tree.repointed(known.node);
    }
    if (returned) result.added += 1;
    else result.changed += 1;
    return known.node;
  }

  private count(origin: number, tracks: number, bytes: number, failed: number): void {
    if (tracks !== 0) {
      this.sql.count.run(tracks, 'tracks');
      this.sql.countFiles.run(tracks, origin);
    }
    if (bytes !== 0) this.sql.count.run(bytes, 'bytes');
    if (failed !== 0) this.sql.count.run(failed, 'failed');
  }

  private placement(
    originName: string,
    path: RealPath,
    tags: TrackTags,
    state: TrackState,
    multiDisc: boolean,
  ): Placement {
    const facts = { originId: originName, realPath: path, tags, state };
    return placeTrack(facts, { multiDisc }, this.options.template, this.options.library);
  }

  /** The folder a track renders to, folded and hashed: tracks that share it are one album when discs are counted. */
  private albumKeyOf(originName: string, file: ReadFile): string {
    const { directories } = this.placement(originName, file.path, file.tags, file.state, false);
    return this.options.hash(directories.map(({ name }) => foldName(name)).join('/'));
  }

  /** Counts an album's discs anew; true when it became, or ceased to be, one of several discs. */
  private refreshMultiDisc(key: string): boolean {
    const discs = this.sql.discsOf.get(key);
    const isMulti = discs !== undefined && ((discs.total ?? 0) > 1 || discs.low !== discs.high);
    const wasMulti = (this.sql.multiDisc.get(key) ?? 0) !== 0;
    if (isMulti === wasMulti) return false;
    this.sql.setMultiDisc.run(key, isMulti ? 1 : 0);
    return true;
  }

  /** Lists a track where its tags now say it belongs. Leaves it alone when it stands there already. */
  private place(node: number, now: Instant): void {
    const track = this.sql.placed.get(node);
    if (track === undefined) return;
    const path = realPath(track.realPath.toString('latin1'));
    const tags = JSON.parse(track.tags) as TrackTags; // written by storeTrack
    const multiDisc = (this.sql.multiDisc.get(this.sql.albumKeyOf.get(node) ?? '') ?? 0) !== 0;
    const placement = this.placement(track.originName, path, tags, track.state, multiDisc);
    let parent = this.directories(placement, now);
    const current = this.tree.entryOf(node);
    const names = spellings(placement.file.name, track, this.options.hash);
    if (current !== undefined) {
      if (current.parent === parent && names.includes(current.name)) return;
      this.tree.unlist(node, now);
      // Unlisting may have removed a directory that the new place needs.
      parent = this.directories(placement, now);
    }
    this.tree.list(this.claim(parent, names), placement.file.sortKey, node, now);
  }

  /** The directory a placement names, made where it does not exist. */
  private directories(placement: Placement, now: Instant): number {
    let parent = rootNodeId;
    for (const { name, sortKey } of placement.directories) {
      parent = this.tree.directory(
        parent,
        name,
        sortKey,
        () => withSuffix(name, this.options.hash(name), 6),
        now,
      );
    }
    return parent;
  }

  private claim(parent: number, names: readonly string[]): Claim {
    const free = names.find((name) => this.tree.holderOf(parent, name) === undefined);
    if (free === undefined) throw new MusicfsError('internal', 'no free spelling for a track');
    return { parent, name: free };
  }
}

/** The names a file may take, best first: bare, then marked by its audio, then by its audio and its path. */
function spellings(
  name: string,
  track: Pick<PlacedTrack, 'audioFp' | 'realPath' | 'originName'>,
  hash: (text: string) => string,
): string[] {
  const ofPath = hash(`${track.originName}/${track.realPath.toString('latin1')}`);
  const identity = track.audioFp ?? ofPath;
  return [
    name,
    ...[6, 8, 12, 16].map((digits) => withSuffix(name, identity, digits)),
    ...[6, 8, 12, 16].map((digits) => withSuffix(name, `${identity.slice(0, 6)}${ofPath}`, 6 + digits)),
  ];
}

function isChanged(known: Omit<KnownTrack, 'node' | 'removedAt'>, file: SeenFile): boolean {
  const mtime = instantOf(file.mtimeNs);
  return (
    known.size !== file.sizeBytes || known.mtimeS !== mtime.seconds || known.mtimeNs !== mtime.nanoseconds
  );
}

/** Splits decimal nanoseconds since 1970 (before it: negative) into seconds and 0 … 999,999,999 nanoseconds. */
export function instantOf(nanoseconds: string): Instant {
  const total = BigInt(nanoseconds);
  const billion = 1_000_000_000n;
  const rest = ((total % billion) + billion) % billion;
  return { seconds: Number((total - rest) / billion), nanoseconds: Number(rest) };
}
