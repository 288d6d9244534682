// From facts about files to the tree: the one writer of the library. Runs on the writer thread, knows no threads.
//
// A publication is one transaction: the tracks, where each now stands in the tree, and what the kernel must forget.
// Rows of tracks are TrackRows' business, names and places the Placer's, the tree itself TreeWriter's.
import type Database from 'better-sqlite3';
import type { RealPath } from '../library/real-path.ts';
import type { ClockWatch } from '../platform/clock-watch.ts';
import { MusicfsError } from '../platform/errors.ts';
import { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { Placer, type PlacerOptions } from './placer.ts';
import type {
  Invalidation,
  MissingFiles,
  OriginRow,
  PublishResult,
  ReadFile,
  SeenFile,
} from './publication.ts';
import { TrackRows } from './track-rows.ts';
import { type CatalogCounters, countersFrom } from './tree-reader.ts';
import { type Instant, TreeWriter } from './tree-writer.ts';

export interface PublisherOptions extends PlacerOptions {
  readonly nowMs: () => number;
  readonly failpoints?: Failpoints;
  /** Left out: the clock has always been right. */
  readonly watch?: ClockWatch;
}

type Changes = { added: number; changed: number; removed: number };

export class Publisher {
  private readonly database: Database.Database;
  private readonly nowMs: () => number;
  private readonly failpoints: Failpoints;
  private readonly watch: ClockWatch | null;
  private readonly tree: TreeWriter;
  private readonly tracks: TrackRows;
  private readonly placer: Placer;
  private readonly sql;

  constructor(database: Database.Database, options: PublisherOptions) {
    this.database = database;
    this.nowMs = options.nowMs;
    this.failpoints = options.failpoints ?? new Failpoints(false);
    this.watch = options.watch ?? null;
    this.tree = new TreeWriter(database);
    this.tracks = new TrackRows(database, this.tree);
    this.placer = new Placer(database, this.tree, options);
    const prepare = (text: string) => database.prepare<unknown[]>(text);
    this.sql = {
      originId: database.prepare<unknown[], number>('SELECT id FROM origins WHERE name = ?').pluck(),
      insertOrigin: prepare('INSERT INTO origins (name, kind, root) VALUES (?, ?, ?)'),
      // A new root may be on another disk.
      updateOrigin: prepare(
        'UPDATE origins SET kind = @kind, mount_points = iif(root = @root, mount_points, NULL), root = @root WHERE name = @name',
      ),
      origins: database.prepare<
        unknown[],
        Omit<OriginRow, 'firstScanComplete' | 'mountPoints'> & {
          firstScanComplete: number;
          mountPoints: string | null;
        }
      >(
        `SELECT name, kind, root, first_scan_complete AS firstScanComplete, files, mount_points AS mountPoints
         FROM origins ORDER BY id`,
      ),
      firstScanDone: prepare('UPDATE origins SET first_scan_complete = 1, mount_points = ? WHERE id = ?'),
      filesOf: database.prepare<unknown[], number>('SELECT files FROM origins WHERE id = ?').pluck(),
      counters: database.prepare<unknown[], [string, number]>('SELECT key, value FROM meta').raw(),
      lastPublication: database
        .prepare<unknown[], number>("SELECT value FROM meta WHERE key = 'published_us'")
        .pluck(),
      endRecovery: prepare("DELETE FROM meta WHERE key = 'recovering'"),
      setLastPublication: prepare("UPDATE meta SET value = ? WHERE key = 'published_us'"),
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
    return this.sql.origins.all().map(({ mountPoints, ...row }) => ({
      ...row,
      firstScanComplete: row.firstScanComplete !== 0,
      mountPoints: mountPoints === null ? null : (JSON.parse(mountPoints) as string[]), // written by finishScan
    }));
  }

  counters(): CatalogCounters {
    return countersFrom(this.sql.counters.all());
  }

  /**
   * Which of these files must be parsed: the new, the changed, and those whose times say nothing as the clock jumped.
   * The nodes of all known ones go to `seen`.
   */
  compare(originName: string, files: readonly SeenFile[], seen: (node: number) => void): RealPath[] {
    const origin = this.originId(originName);
    const isDoubtful = this.doubt();
    return files.flatMap((file) => {
      const known = this.tracks.known(origin, file);
      if (known !== undefined) seen(known.node);
      return this.tracks.mustBeRead(origin, file, known) || isDoubtful(file) ? file.path : [];
    });
  }

  /**
   * Publishes what was read of a batch of files, in one transaction. `ignored` are those that turned out to be no
   * music; one that was music before leaves the tree. The nodes of all published ones go to `seen`.
   */
  publish(
    originName: string,
    files: readonly ReadFile[],
    ignored: readonly SeenFile[],
    seen: (node: number) => void,
  ): PublishResult {
    const origin = this.originId(originName);
    return this.transaction((now, changes) => {
      const nodes = new Set<number>();
      const albums = new Set<string>();
      for (const file of ignored) {
        this.tracks.ignore(origin, file);
        this.takeOut(origin, file, albums, now, changes);
      }
      for (const file of files) {
        const same = this.tracks.sameAs(origin, file);
        if (same !== null) {
          seen(same); // it was read as its time was doubtful
          continue;
        }
        const albumKey = this.placer.albumKeyOf(originName, file);
        const { node, isNew, formerAlbumKey } = this.tracks.store(origin, file, albumKey, now);
        if (isNew) changes.added += 1;
        else changes.changed += 1;
        nodes.add(node);
        albums.add(albumKey);
        if (formerAlbumKey !== null) albums.add(formerAlbumKey);
        seen(node);
      }
      for (const node of this.placer.tracksOfChangedAlbums(albums)) nodes.add(node);
      for (const node of nodes) this.placer.place(node, now);
    });
  }

  /**
   * Known, listed files of an origin that a complete walk did not meet: how many, and their paths when they are not
   * more than `most`.
   */
  missing(originName: string, wasSeen: (node: number) => boolean, most: number): MissingFiles {
    const origin = this.originId(originName);
    const nodes: number[] = [];
    let count = 0;
    for (let after = 0; ; ) {
      const page = this.tracks.nodesAfter(origin, after);
      for (const node of page) {
        if (wasSeen(node)) continue;
        count += 1;
        if (count <= most) nodes.push(node);
      }
      const last = page.at(-1);
      if (last === undefined) break;
      after = last;
    }
    const paths = count > most ? [] : nodes.map((node) => this.tracks.pathOf(node));
    return { known: this.sql.filesOf.get(origin) ?? 0, missing: count, paths };
  }

  /** Takes files out of the tree that were seen to be gone. Their rows stay, so a return brings the same node back. */
  remove(originName: string, paths: readonly RealPath[]): PublishResult {
    const origin = this.originId(originName);
    return this.transaction((now, changes) => {
      const albums = new Set<string>();
      for (const path of paths) this.takeOut(origin, { path }, albums, now, changes);
      for (const node of this.placer.tracksOfChangedAlbums(albums)) this.placer.place(node, now);
    });
  }

  /**
   * Ends a scan that met every file: from now on the origin counts as known, on the disks that are mounted at
   * `mountPoints`. Old tombstones go.
   */
  finishScan(originName: string, mountPoints: readonly string[]): void {
    const now = this.nowMs();
    this.database.transaction(() => {
      this.sql.firstScanDone.run(JSON.stringify(mountPoints), this.originId(originName));
      // After a jump nobody can say how old they are.
      if (this.watch?.hasJumped() === true) return;
      this.sql.purgeEntries.run(Math.floor((now - limits.tombstoneMs) / 1000));
      this.sql.purgeVersions.run(Math.floor((now - limits.oldVersionMs) / 1000));
      this.failpoints.check('catalog.commit.before');
    })();
    this.failpoints.check('catalog.commit.after');
    // A daemon is idle for most of its life: the page cache that the scan filled goes back.
    this.database.pragma('shrink_memory');
  }

  /** Every origin was scanned since a damaged catalog was replaced: what is not known now does not exist. */
  endRecovery(): void {
    if (this.sql.endRecovery.run().changes > 0) this.tree.endRecovery();
  }

  /** What the kernel has not been told yet, oldest first, at most 5,000. */
  pendingInvalidations(afterId: number): Invalidation[] {
    return this.sql.invalidationsAfter.all(afterId);
  }

  /** The kernel has been told everything up to that row. */
  invalidated(upToId: number): void {
    this.sql.forgetInvalidations.run(upToId);
  }

  /** A clock that is behind the last publication is wrong itself: then nothing lies in the future. */
  private doubt(): (file: SeenFile) => boolean {
    const { watch } = this;
    if (watch === null || this.nowMs() * 1000 < (this.sql.lastPublication.get() ?? 0)) return () => false;
    return ({ mtimeNs }) => watch.isDoubtful(Number(BigInt(mtimeNs) / 1_000_000n));
  }

  private originId(name: string): number {
    const id = this.sql.originId.get(name);
    if (id === undefined) throw new MusicfsError('not_found', `no origin ${name}`);
    return id;
  }

  /** Takes one file out of the tree; its album goes to `albums`. Does nothing when it is not there. */
  private takeOut(
    origin: number,
    file: Pick<SeenFile, 'path'>,
    albums: Set<string>,
    now: Instant,
    changes: Changes,
  ): void {
    const known = this.tracks.known(origin, file);
    if (known === undefined || known.removedAt !== null) return;
    albums.add(known.albumKey);
    this.tree.unlist(known.node, now);
    this.tracks.remove(origin, known, now);
    changes.removed += 1;
  }

  /** The time of a publication: the wall clock, but always later than that of the one before, as times only go forward. */
  private nextInstant(): Instant {
    const last = this.sql.lastPublication.get() ?? 0;
    const microseconds = Math.max(Math.floor(this.nowMs() * 1000), last + 1);
    this.sql.setLastPublication.run(microseconds);
    return { seconds: Math.floor(microseconds / 1e6), nanoseconds: (microseconds % 1e6) * 1000 };
  }

  /** Runs `work` in one transaction. */
  private transaction(work: (now: Instant, changes: Changes) => void): PublishResult {
    const changes = { added: 0, changed: 0, removed: 0 };
    const before = this.sql.lastInvalidation.get() ?? 0;
    this.database.transaction(() => {
      const now = this.nextInstant();
      this.tree.begin();
      work(now, changes);
      this.tree.finish(now);
      this.failpoints.check('catalog.commit.before');
    })();
    this.failpoints.check('catalog.commit.after');
    return { ...changes, hasInvalidations: (this.sql.lastInvalidation.get() ?? 0) > before };
  }
}
