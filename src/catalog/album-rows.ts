// Albums as the tree sees them: which tracks are one album, whether it has several discs, and what is written behind its
// name where another album has that name already. Used by the placer, inside a publication's transaction only.
//
// Who stays bare is a claim: the album that came first keeps the name, whoever comes later is marked, and keeps its mark
// as long as any track of it is listed. So no album is renamed because of a namesake.
import type Database from 'better-sqlite3';
import {
  type AlbumDifference,
  type AlbumLook,
  albumLookOf,
  differenceOf,
  markOf,
} from '../library/album-mark.ts';
import type { LibraryOptions } from '../library/library-options.ts';
import type { TrackTags } from '../library/track-tags.ts';

/** Which album a track is of. */
export interface AlbumOfTrack {
  readonly key: string;
  /** What albums share whose names come out as one directory. */
  readonly place: string;
}

interface Discs {
  readonly tracks: number;
  readonly total: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

interface AlbumRow {
  readonly multiDisc: number;
  readonly mark: string;
}

/** Albums of one name, and files of one album, that are looked at to tell them apart. */
const mostNamesakes = 50;
const mostFiles = 200;

export class AlbumRows {
  private readonly options: LibraryOptions;
  private readonly sql;
  /** Places of albums that were met in this publication and may have no row yet. */
  private readonly places = new Map<string, string>();
  /** What was looked up since albums were settled last. */
  private readonly looks = new Map<string, { readonly isMultiDisc: boolean; readonly mark: string }>();

  constructor(database: Database.Database, options: LibraryOptions) {
    this.options = options;
    this.sql = {
      album: database.prepare<unknown[], AlbumRow>(
        'SELECT multi_disc AS multiDisc, mark FROM albums WHERE key = ?',
      ),
      discsOf: database.prepare<unknown[], Discs>(
        `SELECT count(*) AS tracks, max(disc_total) AS total, min(coalesce(disc, 1)) AS low, max(coalesce(disc, 1)) AS high
         FROM tracks WHERE album_key = ? AND removed_at IS NULL`,
      ),
      ofAlbum: database
        .prepare<unknown[], number>('SELECT node FROM tracks WHERE album_key = ? AND removed_at IS NULL')
        .pluck(),
      firstOf: database
        .prepare<unknown[], number>('SELECT min(node) FROM tracks WHERE album_key = ? AND removed_at IS NULL')
        .pluck(),
      tagsOf: database
        .prepare<unknown[], string>(
          'SELECT tags FROM tracks WHERE album_key = ? AND removed_at IS NULL ORDER BY node LIMIT ?',
        )
        .pluck(),
      namesakes: database
        .prepare<unknown[], string>('SELECT key FROM albums WHERE place = ? AND key <> ? LIMIT ?')
        .pluck(),
      placeOf: database.prepare<unknown[], string>('SELECT place FROM albums WHERE key = ?').pluck(),
      hasBare: database
        .prepare<unknown[], number>("SELECT 1 FROM albums WHERE place = ? AND key <> ? AND mark = '' LIMIT 1")
        .pluck(),
      put: database.prepare<unknown[]>(
        `INSERT INTO albums (key, multi_disc, place, mark) VALUES (@key, @multiDisc, @place, @mark)
         ON CONFLICT (key) DO UPDATE SET multi_disc = excluded.multi_disc`,
      ),
      drop: database.prepare<unknown[]>('DELETE FROM albums WHERE key = ?'),
    };
  }

  /** A track of that album is there, or is about to be. */
  met({ key, place }: AlbumOfTrack): void {
    this.places.set(key, place);
  }

  /** Whether the album has several discs, and what is written behind its name; '' for nothing. */
  look(key: string): { readonly isMultiDisc: boolean; readonly mark: string } {
    const known = this.looks.get(key);
    if (known !== undefined) return known;
    const row = this.sql.album.get(key);
    const look = { isMultiDisc: (row?.multiDisc ?? 0) !== 0, mark: row?.mark ?? '' };
    this.looks.set(key, look);
    return look;
  }

  /** Counts the discs of these albums anew, and settles the name of new ones. Returns the tracks whose names change. */
  settle(keys: Iterable<string>): number[] {
    this.looks.clear();
    const changed: number[] = [];
    const listed = new Map<string, Discs>();
    // Those that are gone leave their names to those that come.
    for (const key of keys) {
      const discs = this.sql.discsOf.get(key);
      if (discs === undefined || discs.tracks === 0) this.sql.drop.run(key);
      else listed.set(key, discs);
    }
    for (const key of this.plainFirst(listed.keys())) {
      const discs = listed.get(key);
      if (discs === undefined) continue;
      const known = this.sql.album.get(key);
      const isMulti = (discs.total ?? 0) > 1 || discs.low !== discs.high;
      if (known !== undefined && isMulti === (known.multiDisc !== 0)) continue;
      const place = this.places.get(key) ?? '';
      const mark = known?.mark ?? this.claim(key, place);
      this.sql.put.run({ key, multiDisc: isMulti ? 1 : 0, place, mark });
      if (isMulti !== ((known?.multiDisc ?? 0) !== 0) || (known === undefined && mark !== ''))
        for (const node of this.sql.ofAlbum.all(key)) changed.push(node);
    }
    this.places.clear();
    return changed;
  }

  /** How an album looks and differs from those of its name; null for one that is marked with nothing. For explanations. */
  namesakesOf(key: string): { readonly look: AlbumLook; readonly difference: AlbumDifference } | null {
    const place = this.sql.placeOf.get(key) ?? '';
    if (place === '' || this.look(key).mark === '') return null;
    const look = this.lookOf(key);
    return { look, difference: differenceOf([look, ...this.namesakes(key, place)]) };
  }

  /** Of namesakes that come together the one that says least of itself is to be bare, then the one that was met first. */
  private plainFirst(keys: Iterable<string>): string[] {
    const sorted = [...keys].sort();
    const byPlace = Map.groupBy(sorted, (key) => this.places.get(key) ?? '');
    const weights = new Map<string, readonly [fields: number, node: number]>();
    for (const [place, namesakes] of byPlace) {
      if (place === '' || namesakes.length < 2) continue;
      for (const key of namesakes)
        weights.set(key, [Object.keys(this.lookOf(key).fields).length, this.sql.firstOf.get(key) ?? 0]);
    }
    return sorted.sort((one, other) => {
      const [fields = 0, node = 0] = weights.get(one) ?? [];
      const [otherFields = 0, otherNode = 0] = weights.get(other) ?? [];
      return fields - otherFields || node - otherNode; // stable
    });
  }

  /** The mark of an album that is new in its place. */
  private claim(key: string, place: string): string {
    if (place === '' || this.sql.hasBare.get(place, key) === undefined) return '';
    const own = this.lookOf(key);
    return markOf(own, differenceOf([own, ...this.namesakes(key, place)]));
  }

  private namesakes(key: string, place: string): AlbumLook[] {
    return this.sql.namesakes.all(place, key, mostNamesakes).map((other) => this.lookOf(other));
  }

  private lookOf(key: string): AlbumLook {
    const files = this.sql.tagsOf.all(key, mostFiles).map((tags) => JSON.parse(tags) as TrackTags); // written by TrackRows
    return albumLookOf(key, files, this.options);
  }
}
