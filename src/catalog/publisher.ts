// From facts about files to the tree: the one writer of the library. Runs on the writer thread, knows no threads.
//
// A publication is one transaction: the tracks, where each now stands in the tree, and what the kernel must forget. What
// becomes of the files is decided by changeset.ts; rows of tracks are TrackRows' business, names and places the Placer's,
// the tree itself TreeWriter's.
import type Database from 'better-sqlite3';
import type { RealPath } from '../library/real-path.ts';
import type { ClockWatch } from '../platform/clock-watch.ts';
import { MusicfsError } from '../platform/errors.ts';
import { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { type CatalogRows, type Changes, Changeset } from './changeset.ts';
import { Counters } from './counters.ts';
import { FolderGroups } from './folder-groups.ts';
import { LayoutProgress } from './layout-progress.ts';
import { MadeRows } from './made-rows.ts';
import { OriginRows } from './origin-rows.ts';
import { Placer, type PlacerOptions } from './placer.ts';
import { PlaylistRows } from './playlist-rows.ts';
import {
  type AlbumWantingArt,
  type Invalidation,
  type MadeFile,
  type MissingCursor,
  type MissingFiles,
  type OriginRow,
  type PinRow,
  type PlaylistFile,
  type PublishResult,
  type ReadFile,
  type SeenFile,
  seenKey,
} from './publication.ts';
import { ReplicaRows } from './replica-rows.ts';
import { nodeKind } from './schema.ts';
import { SidecarPlacer } from './sidecar-placer.ts';
import { type KnownTrack, TrackRows } from './track-rows.ts';
import { type CatalogCounters, countersFrom } from './tree-reader.ts';
import { type Instant, TreeWriter } from './tree-writer.ts';

export interface PublisherOptions extends PlacerOptions {
  readonly nowMs: () => number;
  readonly failpoints?: Failpoints;
  /** Left out: the clock has always been right. */
  readonly watch?: ClockWatch;
  /** Several origins may hold the same files: a track whose fingerprint is not known is read again. */
  readonly wantsFileFp?: boolean;
}

export class Publisher {
  private readonly database: Database.Database;
  private readonly hash: (text: string) => string;
  private readonly hidesPlaylists: boolean;
  private readonly nowMs: () => number;
  private readonly failpoints: Failpoints;
  private readonly watch: ClockWatch | null;
  private readonly wantsFileFp: boolean;
  private readonly rows: CatalogRows;
  private readonly layout: LayoutProgress;
  private readonly made: MadeRows;
  private readonly sql;

  constructor(database: Database.Database, options: PublisherOptions) {
    this.database = database;
    this.hash = options.hash;
    this.hidesPlaylists = options.library.playlists === '';
    this.nowMs = options.nowMs;
    this.failpoints = options.failpoints ?? new Failpoints(false);
    this.watch = options.watch ?? null;
    this.wantsFileFp = options.wantsFileFp ?? false;
    const counters = new Counters(database);
    const tree = new TreeWriter(database, counters, options.library.case);
    const placer = new Placer(database, tree, options);
    this.made = new MadeRows(database, tree);
    this.layout = new LayoutProgress(database, options);
    this.rows = {
      tree,
      placer,
      origins: new OriginRows(database),
      tracks: new TrackRows(database, tree, counters),
      replicas: new ReplicaRows(database),
      groups: new FolderGroups(database, options),
      sidecars: new SidecarPlacer(database, tree, placer.names, options.library),
      playlists: new PlaylistRows(database, this.made, placer.names, options.library),
    };
    const prepare = (text: string) => database.prepare<unknown[]>(text);
    this.sql = {
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
      purgeDirectories: prepare(
        `DELETE FROM nodes WHERE kind = ${nodeKind.directory}
         AND id IN (SELECT node FROM entries WHERE removed_at IS NOT NULL AND removed_at < ?)
         AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.node = nodes.id AND e.removed_at IS NULL)`,
      ),
      purgeEntries: prepare('DELETE FROM entries WHERE removed_at IS NOT NULL AND removed_at < ?'),
      pins: database.prepare<unknown[], PinRow>(
        'SELECT target, added_at AS addedAtMs FROM pins ORDER BY target',
      ),
      addPin: prepare('INSERT OR IGNORE INTO pins VALUES (?, ?)'),
      removePin: prepare('DELETE FROM pins WHERE target = ?'),
      purgeVersions: prepare('DELETE FROM old_versions WHERE ended_at < ?'),
    };
  }

  /** See OriginRows. */
  registerOrigin(name: string, kind: string, root: string, priority?: number): void {
    this.rows.origins.register(name, kind, root, priority);
  }

  origins(): OriginRow[] {
    return this.rows.origins.all();
  }

  counters(): CatalogCounters {
    return countersFrom(this.sql.counters.all());
  }

  /**
   * Which of these files must be parsed: the new, the changed, and those whose times say nothing as the clock jumped.
   * All known ones go to `seen`, as their `seenKey`.
   */
  compare(originName: string, files: readonly SeenFile[], seen: (key: number) => void): RealPath[] {
    // One transaction, as a lock for each statement costs more than the statement.
    return this.database.transaction(() => this.comparedNow(originName, files, seen))();
  }

  private comparedNow(
    originName: string,
    files: readonly SeenFile[],
    seen: (key: number) => void,
  ): RealPath[] {
    const origin = this.rows.origins.idOf(originName);
    const isDoubtful = this.doubt();
    return files.flatMap((file) => {
      const known = this.rows.tracks.known(origin, file);
      if (known !== undefined) seen(seenKey.track(known.node));
      const replica = known === undefined ? this.rows.replicas.known(origin, file) : undefined;
      if (replica !== undefined) seen(seenKey.replica(replica.id));
      const mustBeRead =
        replica === undefined
          ? this.rows.tracks.mustBeRead(origin, file, known) ||
            (known !== undefined && this.lacksFileFp(known))
          : !this.rows.replicas.isStill(replica, file);
      return mustBeRead || isDoubtful(file) ? file.path : [];
    });
  }

  private lacksFileFp({ fileFp, state, removedAt }: KnownTrack): boolean {
    return (
      this.wantsFileFp && fileFp === null && removedAt === null && state !== 'failed' && state !== 'sidecar'
    );
  }

  /**
   * Publishes what was read of a batch of files, in one transaction. `ignored` are those that turned out to be no
   * music; one that was music before leaves the tree. A file that equals a track of another origin becomes a replica of
   * it. All published ones go to `seen`, as their `seenKey`.
   */
  publish(
    originName: string,
    files: readonly ReadFile[],
    ignored: readonly SeenFile[],
    seen: (key: number) => void,
  ): PublishResult {
    const origin = this.rows.origins.idOf(originName);
    return this.transaction((now, changes) => {
      const changeset = new Changeset(this.rows, now, changes);
      for (const file of ignored) changeset.ignore(origin, file);
      for (const file of files) seen(changeset.store(originName, origin, file));
      changeset.place();
    });
  }

  /**
   * Known, listed files of an origin that a complete walk did not meet, at most `most` of them, from `from` on (null: the
   * first). Files may be removed between two pages.
   */
  missing(
    originName: string,
    wasSeen: (key: number) => boolean,
    from: MissingCursor | null,
    most: number,
  ): MissingFiles {
    const origin = this.rows.origins.idOf(originName);
    const known = this.rows.origins.filesOf(origin);
    const paths: RealPath[] = [];
    let { of, after }: MissingCursor = from ?? { of: 'tracks', after: 0 };
    for (;;) {
      const ids =
        of === 'tracks'
          ? this.rows.tracks.nodesAfter(origin, after)
          : this.rows.replicas.after(origin, after);
      for (const id of ids) {
        after = id;
        if (wasSeen(of === 'tracks' ? seenKey.track(id) : seenKey.replica(id))) continue;
        paths.push(of === 'tracks' ? this.rows.tracks.pathOf(id) : this.rows.replicas.pathOf(id));
        if (paths.length >= most) return { known, paths, next: { of, after } };
      }
      if (ids.length > 0) continue;
      if (of === 'replicas') return { known, paths, next: null };
      of = 'replicas';
      after = 0;
    }
  }

  /** Takes files out of the tree that were seen to be gone. Their rows stay, so a return brings the same node back. */
  remove(originName: string, paths: readonly RealPath[]): PublishResult {
    const origin = this.rows.origins.idOf(originName);
    return this.transaction((now, changes) => {
      const changeset = new Changeset(this.rows, now, changes);
      for (const path of paths) changeset.takeOut(origin, { path });
      changeset.place();
    });
  }

  /**
   * Ends a scan that met every file: from now on the origin counts as known, on the disks that are mounted at
   * `mountPoints`. Old tombstones go.
   */
  finishScan(originName: string, mountPoints: readonly string[]): void {
    const now = this.nowMs();
    this.database.transaction(() => {
      this.rows.origins.scanned(this.rows.origins.idOf(originName), mountPoints);
      // After a jump nobody can say how old they are.
      if (this.watch?.hasJumped() === true) return;
      const before = Math.floor((now - limits.tombstoneMs) / 1000);
      this.sql.purgeDirectories.run(before);
      this.sql.purgeEntries.run(before);
      const versionsBefore = Math.floor((now - limits.oldVersionMs) / 1000);
      this.sql.purgeVersions.run(versionsBefore);
      this.made.purge(versionsBefore);
      this.failpoints.check('catalog.commit.before');
    })();
    this.failpoints.check('catalog.commit.after');
    // A daemon is idle for most of its life: the page cache that the scan filled goes back.
    this.database.pragma('shrink_memory');
  }

  /** The tree, or a part of it, was laid out by other settings than these: `layOut` is to be called until it is done. */
  get isOutOfLayout(): boolean {
    return this.layout.step !== null;
  }

  /**
   * Gives so many tracks the places that the present settings give them, in one transaction; files keep their nodes. Goes
   * twice over all: a name that another had on the first way may be free on the second. It goes on where it was after a
   * crash.
   */
  layOut(most: number): PublishResult {
    const { step } = this.layout;
    if (step === null) throw new MusicfsError('internal', 'there is nothing to lay out');
    return this.transaction((now, changes) => {
      const nodes = this.rows.tracks.listedAfter(step.after, most);
      const last = nodes.at(-1);
      if (last === undefined) {
        if (this.hidesPlaylists) this.rows.playlists.show([], now);
        return this.layout.passed(step);
      }
      const changeset = new Changeset(this.rows, now, changes);
      changeset.placeAnew(nodes, step.isSecond);
      changes.changed = changeset.place(step.isSecond);
      this.layout.reached(step, last);
    });
  }

  /** See MadeRows.useSettings. */
  useArtSettings(settings: string): void {
    const hash = Number.parseInt(this.hash(settings).slice(0, 13), 16); // 52 bits: a whole number in JavaScript
    this.database.transaction(() => this.made.useSettings(hash))();
  }

  /** Directories after a node that changed since their pictures were looked for. */
  albumsWantingArt(after: number, most: number): AlbumWantingArt[] {
    return this.made.wanting(after, most);
  }

  /** Shows these pictures, and no others that were made, in a directory. */
  showArt(album: Pick<AlbumWantingArt, 'directory' | 'revision'>, files: readonly MadeFile[]): PublishResult {
    return this.transaction((now) => this.made.showArt(album, files, now), album.directory);
  }

  /** The same with none, for several. */
  showNoArt(albums: readonly Pick<AlbumWantingArt, 'directory' | 'revision'>[]): PublishResult {
    return this.transaction((now) => {
      for (const album of albums) this.made.showArt(album, [], now);
    });
  }

  /** See PlaylistRows. */
  playlists(): PlaylistFile[] {
    return this.rows.playlists.all();
  }

  showPlaylists(files: readonly MadeFile[]): PublishResult {
    return this.transaction((now) => this.rows.playlists.show(files, now));
  }

  /** Whether bytes that were made may still be read. */
  isMadeReferenced(path: string): boolean {
    return this.made.isReferenced(path);
  }

  pins(): PinRow[] {
    return this.sql.pins.all();
  }

  /** False when it was there already. */
  addPin(target: string): boolean {
    return this.sql.addPin.run(target, Math.floor(this.nowMs())).changes > 0;
  }

  /** False when there was none. */
  removePin(target: string): boolean {
    return this.sql.removePin.run(target).changes > 0;
  }

  /** Every origin was scanned since a damaged catalog was replaced: what is not known now does not exist. */
  endRecovery(): void {
    if (this.sql.endRecovery.run().changes > 0) this.rows.tree.endRecovery();
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

  /** The time of a publication: the wall clock, but always later than that of the one before, as times only go forward. */
  private nextInstant(): Instant {
    const last = this.sql.lastPublication.get() ?? 0;
    const microseconds = Math.max(Math.floor(this.nowMs() * 1000), last + 1);
    this.sql.setLastPublication.run(microseconds);
    return { seconds: Math.floor(microseconds / 1e6), nanoseconds: (microseconds % 1e6) * 1000 };
  }

  /** Runs `work` in one transaction. */
  private transaction(
    work: (now: Instant, changes: Changes) => void,
    pictured: number | null = null,
  ): PublishResult {
    const changes = { added: 0, changed: 0, removed: 0 };
    const before = this.sql.lastInvalidation.get() ?? 0;
    this.database.transaction(() => {
      const now = this.nextInstant();
      this.rows.tree.begin();
      work(now, changes);
      this.rows.tree.finish(now, pictured);
      this.failpoints.check('catalog.commit.before');
    })();
    this.failpoints.check('catalog.commit.after');
    return { ...changes, hasInvalidations: (this.sql.lastInvalidation.get() ?? 0) > before };
  }
}
