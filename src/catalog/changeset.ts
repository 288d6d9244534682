// What becomes of the files of one publication: each is stored, becomes another holder of what is known, or leaves; then
// everything that depends on them gets its place. Made for one transaction of the publisher's, and used inside it only.
import { playlistFormats } from '../library/playlist.ts';
import { extensionOf, realPath } from '../library/real-path.ts';
import { MusicfsError } from '../platform/errors.ts';
import type { FolderGroups } from './folder-groups.ts';
import type { OriginRows } from './origin-rows.ts';
import type { Placer } from './placer.ts';
import type { PlaylistRows } from './playlist-rows.ts';
import { type ReadFile, type SeenFile, seenKey } from './publication.ts';
import type { ReplicaRows } from './replica-rows.ts';
import type { SidecarPlacer } from './sidecar-placer.ts';
import type { TrackRows } from './track-rows.ts';
import type { Instant, TreeWriter } from './tree-writer.ts';

/** The parts of the catalog that a publication changes. */
export interface CatalogRows {
  readonly tree: TreeWriter;
  readonly origins: OriginRows;
  readonly tracks: TrackRows;
  readonly replicas: ReplicaRows;
  readonly placer: Placer;
  readonly groups: FolderGroups;
  readonly sidecars: SidecarPlacer;
  readonly playlists: PlaylistRows;
}

/** Counts of a publication. */
export interface Changes {
  added: number;
  changed: number;
  removed: number;
}

/** An album that nobody named may be a whole library: its tracks are not all held in memory. */
const placedAtOnce = 1_000;

export class Changeset {
  private readonly rows: CatalogRows;
  private readonly now: Instant;
  private readonly changes: Changes;
  /** Tracks that are to get a place. */
  private readonly nodes = new Set<number>();
  /** What lost or got a track, and has to be looked at again. */
  private readonly albums = new Set<string>();
  private readonly groups = new Set<string>();

  constructor(rows: CatalogRows, now: Instant, changes: Changes) {
    this.rows = rows;
    this.now = now;
    this.changes = changes;
    rows.sidecars.begin();
  }

  /** A file that turned out to be no music: it leaves the tree if it was in it, and is not read again. */
  ignore(origin: number, file: SeenFile): void {
    this.rows.tracks.ignore(origin, file);
    this.takeOut(origin, file);
  }

  /** A file that was read. Returns what it is seen as. */
  store(originName: string, origin: number, file: ReadFile): number {
    const { tracks, placer, groups, sidecars } = this.rows;
    if (file.state === 'sidecar') return this.storeSidecar(origin, file);
    const replica = this.asReplica(origin, file);
    if (replica !== null) return replica;
    const same = tracks.sameAs(origin, file);
    if (same !== null) return seenKey.track(same); // it was read as its time was doubtful
    const albumKey = placer.albumKeyOf(originName, file);
    const groupKey = groups.keyOf(originName, file);
    const stored = tracks.store(origin, file, { albumKey, groupKey }, this.now);
    const { node, isNew, formerAlbumKey, formerGroupKey } = stored;
    if (isNew) this.changes.added += 1;
    else this.changes.changed += 1;
    this.nodes.add(node);
    sidecars.touch(origin, file.path);
    if (!isNew) this.lookAgainAtAlbums(placer.albumAnew(node));
    if (groupKey === null && formerGroupKey !== null) groups.leave(node);
    this.lookAgainAtAlbums([albumKey, formerAlbumKey]);
    this.lookAgainAtGroups([groupKey, formerGroupKey]);
    return seenKey.track(node);
  }

  /** Takes a file out of the tree, or gives its entry to another origin that holds it. Does nothing when it is not there. */
  takeOut(origin: number, file: Pick<SeenFile, 'path'>): void {
    const { tracks, replicas, sidecars } = this.rows;
    const replica = replicas.known(origin, file);
    if (replica !== undefined) {
      replicas.drop(replica.id);
      tracks.countReplica(origin, -1);
    }
    const known = tracks.known(origin, file);
    if (known === undefined || known.removedAt !== null) return;
    sidecars.touch(origin, file.path);
    const next = replicas.bestOf(known.node);
    if (next !== undefined) {
      // The same entry, the same inode, from there; and with what lies beside it there.
      tracks.moveTo(known.node, next);
      sidecars.touch(next.origin, realPath(next.realPath.toString('latin1')));
      replicas.drop(next.id);
      tracks.countReplica(origin, -1);
      this.changes.changed += 1;
      return;
    }
    if (known.state !== 'sidecar') this.lookAgainAtAlbums([known.albumKey]);
    this.lookAgainAtGroups([known.groupKey]);
    this.rows.tree.unlist(known.node, this.now);
    tracks.remove(origin, known, this.now);
    this.changes.removed += 1;
  }

  /** Tracks that are to be placed by other settings; with `keepsAlbums` their albums and groups were found out already. */
  placeAnew(nodes: readonly number[], keepsAlbums: boolean): void {
    const { placer, groups } = this.rows;
    for (const node of nodes) this.nodes.add(node);
    if (keepsAlbums) return;
    this.lookAgainAtGroups(nodes.flatMap((node) => groups.join(node)));
    this.lookAgainAtAlbums(nodes.flatMap((node) => placer.albumAnew(node)));
  }

  /**
   * Gives everything its place, also the tracks whose album or group has changed: neighbours say whose an album is, and how
   * many discs it has. `takesBare`: see Placer.place. Returns how many tracks were looked at. Ends the changeset.
   */
  place(takesBare = false): number {
    const { placer, groups, tracks, sidecars } = this.rows;
    for (const node of groups.settle(this.groups)) {
      this.nodes.add(node);
      this.lookAgainAtAlbums(placer.albumAnew(node));
    }
    for (const node of placer.tracksOfChangedAlbums(this.albums)) this.nodes.add(node);
    const all = [...this.nodes];
    for (let at = 0; at < all.length; at += placedAtOnce) {
      for (const wish of placer.wishesOf(all.slice(at, at + placedAtOnce))) {
        if (!placer.place(wish, this.now, takesBare) || !sidecars.isNeeded) continue;
        const { origin, path } = tracks.whereOf(wish.track.node);
        sidecars.touch(origin, path);
      }
    }
    sidecars.follow(this.now);
    return all.length;
  }

  private lookAgainAtAlbums(keys: readonly (string | null)[]): void {
    for (const key of keys) if (key !== null) this.albums.add(key);
  }

  private lookAgainAtGroups(keys: readonly (string | null)[]): void {
    for (const key of keys) if (key !== null) this.groups.add(key);
  }

  private storeSidecar(origin: number, file: ReadFile): number {
    const { tracks, playlists, sidecars } = this.rows;
    const { node, isNew } = tracks.store(origin, file, { albumKey: '', groupKey: null }, this.now);
    if (playlistFormats.has(extensionOf(file.path))) playlists.add(node);
    else {
      sidecars.store(origin, node, file.path);
      sidecars.touch(origin, file.path);
    }
    if (isNew) this.changes.added += 1;
    else this.changes.changed += 1;
    return seenKey.track(node);
  }

  /**
   * Makes a file that equals a track of another origin a replica of it, or that track's new holder when its word counts
   * more. Returns what it is seen as; null: it equals none.
   */
  private asReplica(origin: number, file: ReadFile): number | null {
    const { tree, origins, tracks, replicas, sidecars } = this.rows;
    const twin = replicas.twinOf(origin, file);
    if (twin === undefined) return null;
    const own = tracks.known(origin, file);
    if (own !== undefined && own.removedAt === null) {
      // It was another file until now, and shown as such.
      this.lookAgainAtAlbums([own.albumKey]);
      this.lookAgainAtGroups([own.groupKey]);
      tree.unlist(own.node, this.now);
      tracks.remove(origin, own, this.now);
      this.changes.removed += 1;
    }
    if (replicas.put(origin, file, twin.node, twin.version)) tracks.countReplica(origin, 1);
    const replica = replicas.known(origin, file);
    if (replica === undefined) throw new MusicfsError('internal', 'a replica was not kept');
    if (origins.priorityOf(origin) >= twin.priority) return seenKey.replica(replica.id);
    const former = tracks.placeOf(twin.node);
    tracks.moveTo(twin.node, replica);
    replicas.drop(replica.id);
    replicas.put(twin.origin, former, twin.node, twin.version);
    sidecars.touch(twin.origin, former.path);
    sidecars.touch(origin, file.path);
    this.changes.changed += 1;
    return seenKey.track(twin.node);
  }
}
