// Where a track stands in the tree: the place its tags give it, and the spelling it gets there.
//
// The place is decided by library/placement, contested names by NameClaims, what is written behind an album by AlbumRows,
// further places by ViewPlacer. Used inside a publication's transaction only.
import type Database from 'better-sqlite3';
import { albumOf } from '../library/album-of-track.ts';
import type { LibraryOptions } from '../library/library-options.ts';
import { type PlacedName, placeTrack, withAlbumMark } from '../library/placement.ts';
import { realPath } from '../library/real-path.ts';
import type { Template } from '../library/template.ts';
import type { TrackFacts, TrackState } from '../library/track-facts.ts';
import type { TrackTags } from '../library/track-tags.ts';
import { AlbumRows } from './album-rows.ts';
import type { Settled } from './folder-groups.ts';
import { NameClaims } from './name-claims.ts';
import type { ReadFile } from './publication.ts';
import type { Instant, TreeWriter } from './tree-writer.ts';
import { type PlacedTrack, ViewPlacer } from './view-placer.ts';

/** How tags become names. */
export interface Layout {
  readonly template: Template;
  readonly library: LibraryOptions;
}

export interface PlacerOptions extends Layout {
  /** 64-bit hash of a text as 16 hex digits. */
  readonly hash: (text: string) => string;
}

interface TrackRow {
  readonly realPath: Buffer;
  readonly state: TrackState;
  readonly audioFp: string | null;
  readonly albumKey: string;
  readonly tags: string;
  readonly settled: string | null;
  readonly addedAt: number | null;
  readonly originName: string;
}

export class Placer {
  readonly names: NameClaims;
  private readonly tree: TreeWriter;
  private readonly options: PlacerOptions;
  private readonly views: ViewPlacer;
  private readonly albums: AlbumRows;
  private readonly sql;

  constructor(database: Database.Database, tree: TreeWriter, options: PlacerOptions) {
    this.tree = tree;
    this.options = options;
    this.names = new NameClaims(database, tree, options.hash);
    this.views = new ViewPlacer(tree, this.names, options.library);
    this.albums = new AlbumRows(database, options.library);
    this.sql = {
      track: database.prepare<unknown[], TrackRow>(
        `SELECT t.real_path AS realPath, t.state, t.audio_fp AS audioFp, t.album_key AS albumKey, t.tags,
                t.settled, t.added_at AS addedAt, o.name AS originName
         FROM tracks t JOIN origins o ON o.id = t.origin WHERE t.node = ?`,
      ),
      setAlbumKey: database.prepare<unknown[]>('UPDATE tracks SET album_key = ? WHERE node = ?'),
    };
  }

  /**
   * Which album a file is of: one artist, title and edition in one folder of the tree. Tracks that share the key are one
   * album when discs are counted. `settled`: see folder-groups.ts.
   */
  albumKeyOf(
    originName: string,
    { path, tags, state }: Pick<ReadFile, 'path' | 'tags' | 'state'>,
    settled: string | null = null,
  ): string {
    const { template, library, hash } = this.options;
    const facts = { originId: originName, realPath: path, tags, state };
    const album = albumOf(facts, { ...settledOf(settled), multiDisc: false }, template, library, hash);
    this.albums.met(album);
    return album.key;
  }

  /** Looks at these albums anew, as tracks came or went. Returns the tracks whose names change. */
  tracksOfChangedAlbums(albumKeys: Iterable<string>): number[] {
    return this.albums.settle(albumKeys);
  }

  /** Finds out anew which album a track is of. Returns the album it was of before and the one it is of now. */
  albumAnew(node: number): readonly string[] {
    const track = this.sql.track.get(node);
    if (track === undefined || track.state === 'sidecar') return [];
    const { originId, realPath: path, tags, state } = factsOf(track);
    const key = this.albumKeyOf(originId, { path, tags, state }, track.settled);
    if (key === track.albumKey) return [key];
    this.sql.setAlbumKey.run(key, node);
    return [track.albumKey, key];
  }

  /**
   * Lists a track where its tags say it belongs, and in each view. Leaves it alone where it stands there already; with
   * `takesBare` it takes the name without a suffix when nobody has it any more. Answers whether it went to another place
   * by the template.
   */
  place(node: number, now: Instant, takesBare = false): boolean {
    const row = this.sql.track.get(node);
    if (row === undefined || row.state === 'sidecar') return false;
    const { isMultiDisc, mark } = this.albums.look(row.albumKey);
    const track: PlacedTrack = {
      node,
      facts: factsOf(row),
      album: { ...settledOf(row.settled), multiDisc: isMultiDisc },
      audioFp: row.audioFp,
    };
    const { template, library } = this.options;
    const placement = withAlbumMark(placeTrack(track.facts, track.album, template, library), mark);
    const parent = this.names.directories(placement.directories, now);
    const hasMoved = this.placeByTemplate(track, parent, placement.file, now, takesBare);
    this.views.place(track, now);
    return hasMoved;
  }

  private placeByTemplate(
    track: PlacedTrack,
    parent: number,
    file: PlacedName,
    now: Instant,
    takesBare: boolean,
  ): boolean {
    const current = this.tree.entryOf(track.node);
    const names = this.names.spellings(file.name, track);
    const isInPlace =
      current?.parent === parent && [...names.ofAudio, ...names.ofPath].includes(current.name);
    const [bare = ''] = names.ofAudio;
    const isBareFree = () => this.tree.holderOf(parent, bare) === undefined;
    if (isInPlace && !(takesBare && current.name !== bare && isBareFree())) return false;
    const name = this.names.claim(parent, names, track, now);
    this.tree.list({ parent, name }, file.sortKey, track.node, now);
    return true;
  }
}

/** The facts of a track from its row. */
function factsOf({ originName, realPath: bytes, tags, state, addedAt }: TrackRow): TrackFacts {
  return {
    originId: originName,
    realPath: realPath(bytes.toString('latin1')),
    tags: JSON.parse(tags) as TrackTags, // written by TrackRows
    state,
    addedAtSeconds: addedAt,
  };
}

function settledOf(settled: string | null): Partial<Settled> {
  return settled === null ? {} : (JSON.parse(settled) as Settled); // written by FolderGroups
}
