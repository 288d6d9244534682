// From facts about files to the tree: the one writer of the library. Runs on the writer thread, knows no threads.
//
// A publication is one transaction: the tracks, where each now stands in the tree, and what the kernel must forget.
// Rows of tracks are TrackRows' business, names and places the Placer's, the tree itself TreeWriter's.
import type Database from 'better-sqlite3';
import { playlistFormats } from '../library/playlist.ts';
import { extensionOf, type RealPath, realPath } from '../library/real-path.ts';
import type { ClockWatch } from '../platform/clock-watch.ts';
import { MusicfsError } from '../platform/errors.ts';
import { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
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

/** What lost or got a track, and has to be looked at again. */
interface Left {
  albums: Set<string>;
  groups: Set<string>;
}

type Changes = { added: number; changed: number; removed: number };

/** An album that nobody named may be a whole library: its tracks are not all held in memory. */
const placedAtOnce = 1_000;

export class Publisher {
  private readonly database: Database.Database;
  private readonly hash: (text: string) => string;
  private readonly hidesPlaylists: boolean;
  private readonly nowMs: () => number;
  private readonly failpoints: Failpoints;
  private readonly watch: ClockWatch | null;
  private readonly wantsFileFp: boolean;
  private readonly tree: TreeWriter;
  private readonly originRows: OriginRows;
  private readonly tracks: TrackRows;
  private readonly replicas: ReplicaRows;
  private readonly placer: Placer;
  private readonly groups: FolderGroups;
  private readonly layout: LayoutProgress;
  private readonly sidecars: SidecarPlacer;
  private readonly made: MadeRows;
  private readonly playlistRows: PlaylistRows;
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
    this.tree = new TreeWriter(database, counters, options.library.case);
    this.originRows = new OriginRows(database);
    this.tracks = new TrackRows(database, this.tree, counters);
    this.replicas = new ReplicaRows(database);
    this.placer = new Placer(database, this.tree, options);
    this.groups = new FolderGroups(database, options);
    this.layout = new LayoutProgress(database, options);
    this.sidecars = new SidecarPlacer(database, this.tree, this.placer.names, options.library);
    this.made = new MadeRows(database, this.tree);
    this.playlistRows = new PlaylistRows(database, this.made, this.placer.names, options.library);
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
    this.originRows.register(name, kind, root, priority);
  }

  origins(): OriginRow[] {
    return this.originRows.all();
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
    const origin = this.originRows.idOf(originName);
    const isDoubtful = this.doubt();
    return files.flatMap((file) => {
      const known = this.tracks.known(origin, file);
      if (known !== undefined) seen(seenKey.track(known.node));
      const replica = known === undefined ? this.replicas.known(origin, file) : undefined;
      if (replica !== undefined) seen(seenKey.replica(replica.id));
      const mustBeRead =
        replica === undefined
          ? this.tracks.mustBeRead(origin, file, known) || (known !== undefined && this.lacksFileFp(known))
          : !this.replicas.isStill(replica, file);
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
    const origin = this.originRows.idOf(originName);
    return this.transaction((now, changes) => {
      const nodes = new Set<number>();
      const left: Left = { albums: new Set(), groups: new Set() };
      this.sidecars.begin();
      for (const file of ignored) {
        this.tracks.ignore(origin, file);
        this.takeOut(origin, file, left, now, changes);
      }
      for (const file of files) {
        if (file.state === 'sidecar') {
          seen(this.storeSidecar(origin, file, now, changes));
          continue;
        }
        const replica = this.asReplica(origin, file, left, now, changes);
        if (replica !== null) {
          seen(replica);
          continue;
        }
        const same = this.tracks.sameAs(origin, file);
        if (same !== null) {
          seen(seenKey.track(same)); // it was read as its time was doubtful
          continue;
        }
        const albumKey = this.placer.albumKeyOf(originName, file);
        const groupKey = this.groups.keyOf(originName, file);
        const stored = this.tracks.store(origin, file, { albumKey, groupKey }, now);
        const { node, isNew, formerAlbumKey, formerGroupKey } = stored;
        if (isNew) changes.added += 1;
        else changes.changed += 1;
        nodes.add(node);
        this.sidecars.touch(origin, file.path);
        if (!isNew) for (const album of this.placer.albumAnew(node)) left.albums.add(album);
        if (groupKey === null && formerGroupKey !== null) this.groups.leave(node);
        for (const album of [albumKey, formerAlbumKey]) if (album !== null) left.albums.add(album);
        for (const group of [groupKey, formerGroupKey]) if (group !== null) left.groups.add(group);
        seen(seenKey.track(node));
      }
      this.placeAll(nodes, left, now);
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
    const origin = this.originRows.idOf(originName);
    const known = this.originRows.filesOf(origin);
    const paths: RealPath[] = [];
    let { of, after }: MissingCursor = from ?? { of: 'tracks', after: 0 };
    for (;;) {
      const ids =
        of === 'tracks' ? this.tracks.nodesAfter(origin, after) : this.replicas.after(origin, after);
      for (const id of ids) {
        after = id;
        if (wasSeen(of === 'tracks' ? seenKey.track(id) : seenKey.replica(id))) continue;
        paths.push(of === 'tracks' ? this.tracks.pathOf(id) : this.replicas.pathOf(id));
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
    const origin = this.originRows.idOf(originName);
    return this.transaction((now, changes) => {
      const left: Left = { albums: new Set(), groups: new Set() };
      this.sidecars.begin();
      for (const path of paths) this.takeOut(origin, { path }, left, now, changes);
      this.placeAll(new Set(), left, now);
    });
  }

  /**
   * Ends a scan that met every file: from now on the origin counts as known, on the disks that are mounted at
   * `mountPoints`. Old tombstones go.
   */
  finishScan(originName: string, mountPoints: readonly string[]): void {
    const now = this.nowMs();
    this.database.transaction(() => {
      this.originRows.scanned(this.originRows.idOf(originName), mountPoints);
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
      const nodes = this.tracks.listedAfter(step.after, most);
      const last = nodes.at(-1);
      if (last === undefined) {
        if (this.hidesPlaylists) this.playlistRows.show([], now);
        return this.layout.passed(step);
      }
      const toPlace = new Set(nodes);
      const left: Left = { albums: new Set(), groups: new Set() };
      this.sidecars.begin();
      if (!step.isSecond) {
        left.groups = new Set(nodes.flatMap((node) => this.groups.join(node)));
        left.albums = new Set(nodes.flatMap((node) => this.placer.albumAnew(node)));
      }
      this.placeAll(toPlace, left, now, step.isSecond);
      this.layout.reached(step, last);
      changes.changed = toPlace.size;
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
    return this.playlistRows.all();
  }

  showPlaylists(files: readonly MadeFile[]): PublishResult {
    return this.transaction((now) => this.playlistRows.show(files, now));
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

  /**
   * Gives these tracks their places, and all those whose album or group has changed: neighbours say whose an album is, and
   * how many discs it has. They are added to `nodes`.
   */
  private placeAll(nodes: Set<number>, { albums, groups }: Left, now: Instant, takesBare = false): void {
    for (const node of this.groups.settle(groups)) {
      nodes.add(node);
      for (const album of this.placer.albumAnew(node)) albums.add(album);
    }
    for (const node of this.placer.tracksOfChangedAlbums(albums)) nodes.add(node);
    const all = [...nodes];
    for (let at = 0; at < all.length; at += placedAtOnce) {
      for (const wish of this.placer.wishesOf(all.slice(at, at + placedAtOnce))) {
        if (!this.placer.place(wish, now, takesBare) || !this.sidecars.isNeeded) continue;
        const { origin, path } = this.tracks.whereOf(wish.track.node);
        this.sidecars.touch(origin, path);
      }
    }
    this.sidecars.follow(now);
  }

  /** Takes one file out of the tree; what it was part of goes to `left`. Does nothing when it is not there. */
  private takeOut(
    origin: number,
    file: Pick<SeenFile, 'path'>,
    left: Left,
    now: Instant,
    changes: Changes,
  ): void {
    const replica = this.replicas.known(origin, file);
    if (replica !== undefined) {
      this.replicas.drop(replica.id);
      this.tracks.countReplica(origin, -1);
    }
    const known = this.tracks.known(origin, file);
    if (known === undefined || known.removedAt !== null) return;
    const next = this.replicas.bestOf(known.node);
    if (next !== undefined) {
      // Another origin has it: the same entry, the same inode, from there; and with what lies beside it there.
      this.tracks.moveTo(known.node, next);
      this.sidecars.touch(origin, file.path);
      this.sidecars.touch(next.origin, realPath(next.realPath.toString('latin1')));
      this.replicas.drop(next.id);
      this.tracks.countReplica(origin, -1);
      changes.changed += 1;
      return;
    }
    if (known.state !== 'sidecar') left.albums.add(known.albumKey);
    if (known.groupKey !== null) left.groups.add(known.groupKey);
    this.sidecars.touch(origin, file.path);
    this.tree.unlist(known.node, now);
    this.tracks.remove(origin, known, now);
    changes.removed += 1;
  }

  /** Stores a file that lies beside the music. Returns what it is seen as. */
  private storeSidecar(origin: number, file: ReadFile, now: Instant, changes: Changes): number {
    const { node, isNew } = this.tracks.store(origin, file, { albumKey: '', groupKey: null }, now);
    if (playlistFormats.has(extensionOf(file.path))) this.playlistRows.add(node);
    else {
      this.sidecars.store(origin, node, file.path);
      this.sidecars.touch(origin, file.path);
    }
    if (isNew) changes.added += 1;
    else changes.changed += 1;
    return seenKey.track(node);
  }

  /**
   * Makes a file that equals a track of another origin a replica of it, or that track's new holder when its word counts
   * more. Returns what it is seen as; null: it equals none.
   */
  private asReplica(
    origin: number,
    file: ReadFile,
    left: Left,
    now: Instant,
    changes: Changes,
  ): number | null {
    const twin = this.replicas.twinOf(origin, file);
    if (twin === undefined) return null;
    const own = this.tracks.known(origin, file);
    if (own !== undefined && own.removedAt === null) {
      // It was another file until now, and shown as such.
      left.albums.add(own.albumKey);
      if (own.groupKey !== null) left.groups.add(own.groupKey);
      this.tree.unlist(own.node, now);
      this.tracks.remove(origin, own, now);
      changes.removed += 1;
    }
    if (this.replicas.put(origin, file, twin.node, twin.version)) this.tracks.countReplica(origin, 1);
    const replica = this.replicas.known(origin, file);
    if (replica === undefined) throw new MusicfsError('internal', 'a replica was not kept');
    if (this.originRows.priorityOf(origin) >= twin.priority) return seenKey.replica(replica.id);
    const former = this.tracks.placeOf(twin.node);
    this.tracks.moveTo(twin.node, replica);
    this.replicas.drop(replica.id);
    this.replicas.put(twin.origin, former, twin.node, twin.version);
    this.sidecars.touch(twin.origin, former.path);
    this.sidecars.touch(origin, file.path);
    changes.changed += 1;
    return seenKey.track(twin.node);
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
      this.tree.begin();
      work(now, changes);
      this.tree.finish(now, pictured);
      this.failpoints.check('catalog.commit.before');
    })();
    this.failpoints.check('catalog.commit.after');
    return { ...changes, hasInvalidations: (this.sql.lastInvalidation.get() ?? 0) > before };
  }
}
