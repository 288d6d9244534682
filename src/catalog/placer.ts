// Where a track stands in the tree: the place its tags give it, and the spelling it gets there.
//
// The place is decided by library/placement, contested names by NameClaims, what is written behind an album by AlbumRows,
// further places by ViewPlacer. Used inside a publication's transaction only.
import type Database from 'better-sqlite3';
import { agreedDirectories } from '../library/agreed-directories.ts';
import { albumOf } from '../library/album-of-track.ts';
import type { LibraryOptions, NameCase } from '../library/library-options.ts';
import { nameKey } from '../library/names.ts';
import { type Placement, placeTrack, withAlbumMark } from '../library/placement.ts';
import { realPath } from '../library/real-path.ts';
import { splitListFields } from '../library/split-values.ts';
import type { Template } from '../library/template.ts';
import type { TrackFacts, TrackState } from '../library/track-facts.ts';
import type { TrackTags } from '../library/track-tags.ts';
import { AlbumRows } from './album-rows.ts';
import type { Settled } from './folder-groups.ts';
import { NameClaims } from './name-claims.ts';
import type { ReadFile } from './publication.ts';
import type { Instant, TreeWriter } from './tree-writer.ts';
import { eachAlbumArtist, type PlacedTrack, type PlaceInView, ViewPlacer } from './view-placer.ts';

/** How tags become names. */
export interface Layout {
  readonly template: Template;
  readonly library: LibraryOptions;
}

export interface PlacerOptions extends Layout {
  /** 64-bit hash of a text as 16 hex digits. */
  readonly hash: (text: string) => string;
}

/** Where a track is to stand. */
export interface Wish {
  readonly track: PlacedTrack;
  readonly place: Pick<Placement, 'directories' | 'file'>;
  readonly inViews: readonly PlaceInView[];
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
   * Where these tracks are to stand; of those that want one name the lowest identity comes first. Directories that are new
   * to the tree are spelled as most of them wish, of equals with the lowest bytes; one that stands keeps its spelling.
   */
  wishesOf(nodes: Iterable<number>): Wish[] {
    const wishes = [...nodes].flatMap((node) => this.wishOf(node) ?? []);
    const agreed = agreedDirectories(
      wishes.flatMap(({ place, inViews }) => [place, ...inViews].map(({ directories }) => directories)),
      this.options.library.case,
    );
    return rivalsInOrder(
      wishes.map(({ track, place, inViews }) => ({
        track,
        place: { ...place, directories: agreed(place.directories) },
        inViews: inViews.map((view) => ({ ...view, directories: agreed(view.directories) })),
      })),
      this.options.library.case,
    );
  }

  private wishOf(node: number): Wish | null {
    const row = this.sql.track.get(node);
    if (row === undefined || row.state === 'sidecar') return null;
    const { isMultiDisc, mark } = this.albums.look(row.albumKey);
    const track: PlacedTrack = {
      node,
      facts: factsOf(row),
      album: { ...settledOf(row.settled), multiDisc: isMultiDisc },
      audioFp: row.audioFp,
    };
    const { template, library } = this.options;
    const place = withAlbumMark(placeTrack(track.facts, track.album, template, library), mark);
    return { track, place, inViews: [...this.ofEachArtist(track, mark), ...this.views.placesOf(track)] };
  }

  /** With `multi_artist = "all"`, the place that each of several album artists alone would give. */
  private ofEachArtist({ facts, album }: PlacedTrack, mark: string): readonly PlaceInView[] {
    const { template, library } = this.options;
    if (library.multiArtist === 'first') return [];
    return eachAlbumArtist(splitListFields(facts.tags, library)).map((tags) =>
      withAlbumMark(placeTrack({ ...facts, tags }, album, template, library), mark),
    );
  }

  /**
   * Lists a track where it wishes to stand, and in each view. Leaves it alone where it stands there already; with
   * `takesBare` it takes the name without a suffix when nobody has it any more. Answers whether it went to another place
   * by the template.
   */
  place(wish: Wish, now: Instant, takesBare = false): boolean {
    const hasMoved = this.placeByTemplate(wish, now, takesBare);
    this.views.place(wish.track, wish.inViews, now, takesBare);
    return hasMoved;
  }

  private placeByTemplate(
    { track, place: { directories, file } }: Wish,
    now: Instant,
    takesBare: boolean,
  ): boolean {
    const parent = this.names.directories(directories, now);
    const current = this.tree.entryOf(track.node);
    const names = this.names.spellings(file.name, track);
    const isInPlace =
      current?.parent === parent &&
      this.tree.isOfThisCase(current) &&
      [...names.ofAudio, ...names.ofPath].includes(current.name);
    const [bare = ''] = names.ofAudio;
    const isBareFree = () => this.tree.holderOf(parent, bare) === undefined;
    if (isInPlace && !(takesBare && current.name !== bare && isBareFree())) return false;
    const name = this.names.claim(parent, names, track, now);
    this.tree.list({ parent, name }, file.sortKey, track.node, now);
    return true;
  }
}

/** Those that want one name by their identity, in the places that they have among the others. */
function rivalsInOrder(wishes: readonly Wish[], nameCase: NameCase): Wish[] {
  const wanted = ({ place: { directories, file } }: Wish) =>
    [...directories.map(({ name }) => name), nameKey(file.name, nameCase)].join('/');
  const names = wishes.map(wanted);
  if (new Set(names).size === names.length) return [...wishes];
  const rivals = Map.groupBy(wishes, wanted);
  for (const each of rivals.values()) each.sort(byIdentity);
  return names.flatMap((name) => rivals.get(name)?.shift() ?? []);
}

/** By the audio, then, of copies, by their path; what has no audio comes last. */
function byIdentity({ track: one }: Wish, { track: other }: Wish): number {
  const order = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  const pathOf = ({ facts }: PlacedTrack) => `${facts.originId}/${facts.realPath}`;
  return order(one.audioFp ?? '~', other.audioFp ?? '~') || order(pathOf(one), pathOf(other));
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
