// Where a track stands in the tree: the place its tags give it, and the spelling it gets there.
//
// The place is decided by library/placement. Who gets a contested name is decided here, as only the catalog knows who
// has it: the holder keeps it, the newcomer takes a suffix made of its own audio, so that neither the order nor the time
// of a scan changes a name. Used inside a publication's transaction only.
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
import type { Settled } from './folder-groups.ts';
import type { ReadFile } from './publication.ts';
import { rootNodeId } from './schema.ts';
import type { Instant, TreeWriter } from './tree-writer.ts';

/** How tags become names. */
export interface Layout {
  readonly template: Template;
  readonly library: LibraryOptions;
}

export interface PlacerOptions extends Layout {
  /** 64-bit hash of a text as 16 hex digits. */
  readonly hash: (text: string) => string;
}

interface PlacedTrack {
  readonly realPath: Buffer;
  readonly state: TrackState;
  readonly audioFp: string | null;
  readonly albumKey: string;
  readonly tags: string;
  readonly settled: string | null;
  readonly originName: string;
}

export class Placer {
  private readonly tree: TreeWriter;
  private readonly options: PlacerOptions;
  private readonly sql;

  constructor(database: Database.Database, tree: TreeWriter, options: PlacerOptions) {
    this.tree = tree;
    this.options = options;
    this.sql = {
      track: database.prepare<unknown[], PlacedTrack>(
        `SELECT t.real_path AS realPath, t.state, t.audio_fp AS audioFp, t.album_key AS albumKey, t.tags,
                t.settled, o.name AS originName
         FROM tracks t JOIN origins o ON o.id = t.origin WHERE t.node = ?`,
      ),
      ofAlbum: database
        .prepare<unknown[], number>('SELECT node FROM tracks WHERE album_key = ? AND removed_at IS NULL')
        .pluck(),
      discsOf: database.prepare<unknown[], { total: number | null; low: number | null; high: number | null }>(
        `SELECT max(disc_total) AS total, min(coalesce(disc, 1)) AS low, max(coalesce(disc, 1)) AS high
         FROM tracks WHERE album_key = ? AND removed_at IS NULL`,
      ),
      multiDisc: database.prepare<unknown[], number>('SELECT multi_disc FROM albums WHERE key = ?').pluck(),
      setAlbumKey: database.prepare<unknown[]>('UPDATE tracks SET album_key = ? WHERE node = ?'),
      setMultiDisc: database.prepare<unknown[]>(
        'INSERT INTO albums VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET multi_disc = excluded.multi_disc',
      ),
    };
  }

  /**
   * The folder a file renders to, folded and hashed: tracks that share it are one album when discs are counted.
   * `settled`: see folder-groups.ts.
   */
  albumKeyOf(
    originName: string,
    { path, tags, state }: Pick<ReadFile, 'path' | 'tags' | 'state'>,
    settled: string | null = null,
  ): string {
    const { directories } = this.placement(originName, path, tags, state, settled, false);
    return this.options.hash(directories.map(({ name }) => foldName(name)).join('/'));
  }

  /**
   * Counts the discs of these albums anew. Returns the tracks of those that became, or ceased to be, albums of several
   * discs: their names change.
   */
  tracksOfChangedAlbums(albumKeys: Iterable<string>): number[] {
    const changed: number[] = [];
    for (const key of albumKeys) {
      const discs = this.sql.discsOf.get(key);
      const isMulti = discs !== undefined && ((discs.total ?? 0) > 1 || discs.low !== discs.high);
      if (isMulti === this.isMultiDisc(key)) continue;
      this.sql.setMultiDisc.run(key, isMulti ? 1 : 0);
      for (const node of this.sql.ofAlbum.all(key)) changed.push(node);
    }
    return changed;
  }

  /** Finds out anew which album a track is of. Returns the album it was of before and the one it is of now. */
  albumAnew(node: number): readonly string[] {
    const track = this.sql.track.get(node);
    if (track === undefined) return [];
    const file = {
      path: realPath(track.realPath.toString('latin1')),
      tags: JSON.parse(track.tags) as TrackTags, // written by TrackRows
      state: track.state,
    };
    const key = this.albumKeyOf(track.originName, file, track.settled);
    if (key === track.albumKey) return [key];
    this.sql.setAlbumKey.run(key, node);
    return [track.albumKey, key];
  }

  /**
   * Lists a track where its tags say it belongs. Leaves it alone when it stands there already; with `takesBare` it takes
   * the name without a suffix when nobody has it any more.
   */
  place(node: number, now: Instant, takesBare = false): void {
    const track = this.sql.track.get(node);
    if (track === undefined) return;
    const path = realPath(track.realPath.toString('latin1'));
    const tags = JSON.parse(track.tags) as TrackTags; // written by TrackRows
    const placement = this.placement(
      track.originName,
      path,
      tags,
      track.state,
      track.settled,
      this.isMultiDisc(track.albumKey),
    );
    const parent = this.directories(placement, now);
    const current = this.tree.entryOf(node);
    const names = spellings(placement.file.name, track, this.options.hash);
    const isInPlace =
      current?.parent === parent && [...names.ofAudio, ...names.ofPath].includes(current.name);
    const [bare = ''] = names.ofAudio;
    const isBareFree = () => this.tree.holderOf(parent, bare) === undefined;
    if (isInPlace && !(takesBare && current.name !== bare && isBareFree())) return;
    const name = this.claim(parent, names, track.audioFp, node);
    this.tree.list({ parent, name }, placement.file.sortKey, node, now);
  }

  private isMultiDisc(albumKey: string): boolean {
    return (this.sql.multiDisc.get(albumKey) ?? 0) !== 0;
  }

  private placement(
    originName: string,
    path: RealPath,
    tags: TrackTags,
    state: TrackState,
    settled: string | null,
    multiDisc: boolean,
  ): Placement {
    const facts = { originId: originName, realPath: path, tags, state };
    const album = settled === null ? {} : (JSON.parse(settled) as Settled); // written by FolderGroups
    return placeTrack(facts, { ...album, multiDisc }, this.options.template, this.options.library);
  }

  /** The directory a placement names, made where it does not exist. */
  private directories(placement: Placement, now: Instant): number {
    let parent = rootNodeId;
    for (const { name, sortKey } of placement.directories) {
      let spelling = name;
      const spare = () => {
        spelling = withSuffix(name, this.options.hash(spelling), 6);
        return spelling;
      };
      parent = this.tree.directory(parent, name, sortKey, spare, now);
    }
    return parent;
  }

  /**
   * The best spelling that nobody else has. Audio does not tell a file from its own copy: past a name that a copy holds
   * only spellings with the path are tried, as more digits of the audio would go to whichever copy comes first.
   */
  private claim(parent: number, names: Spellings, audioFp: string | null, node: number): string {
    const otherHolder = (name: string): number | undefined => {
      const holder = this.tree.holderOf(parent, name)?.node;
      return holder === node ? undefined : holder;
    };
    for (const name of names.ofAudio) {
      const holder = otherHolder(name);
      if (holder === undefined) return name;
      if (audioFp !== null && this.sql.track.get(holder)?.audioFp === audioFp) break;
    }
    const free = names.ofPath.find((name) => otherHolder(name) === undefined);
    if (free === undefined) throw new MusicfsError('internal', 'no free spelling for a track');
    return free;
  }
}

/** The names a file may take, best first. */
interface Spellings {
  /** Bare, then marked by its audio. */
  readonly ofAudio: readonly string[];
  /** Marked by its audio and its path. */
  readonly ofPath: readonly string[];
}

function spellings(
  name: string,
  { audioFp, originName, realPath }: PlacedTrack,
  hash: (text: string) => string,
): Spellings {
  const ofPath = hash(`${originName}/${realPath.toString('latin1')}`);
  const identity = audioFp ?? ofPath;
  const lengths = [6, 8, 12, 16];
  return {
    ofAudio: [name, ...lengths.map((digits) => withSuffix(name, identity, digits))],
    ofPath: lengths.map((digits) => withSuffix(name, `${identity.slice(0, 6)}${ofPath}`, 6 + digits)),
  };
}
