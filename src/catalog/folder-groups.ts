// What the files of one folder say of each other: whose album it is where none of them says so, and which year, edition
// and number they share. Kept with each track, as its place depends on it; settled anew whenever a group changes. The
// rules are library/settle-group's. Used inside a publication's transaction only.
import type Database from 'better-sqlite3';
import type { AlbumArtistGuess } from '../library/album-artist.ts';
import { type SharedFields, withShared } from '../library/album-identity.ts';
import { folderGroupOf } from '../library/folder-group.ts';
import type { LibraryOptions } from '../library/library-options.ts';
import { type RealPath, realPath } from '../library/real-path.ts';
import { settleGroup } from '../library/settle-group.ts';
import type { TrackTags } from '../library/track-tags.ts';
import { limits } from '../platform/limits.ts';
import type { ReadFile } from './publication.ts';

/** What a track's neighbours say, as it is kept. */
export interface Settled {
  readonly guess: AlbumArtistGuess | null;
  readonly shared: SharedFields;
}

interface Member {
  readonly node: number;
  readonly realPath: Buffer;
  readonly tags: string;
  readonly settled: string | null;
}

export class FolderGroups {
  private readonly options: LibraryOptions;
  private readonly hash: (text: string) => string;
  private readonly sql;

  constructor(
    database: Database.Database,
    { library, hash }: { readonly library: LibraryOptions; readonly hash: (text: string) => string },
  ) {
    this.options = library;
    this.hash = hash;
    this.sql = {
      members: database.prepare<unknown[], Member>(
        `SELECT node, real_path AS realPath, tags, settled FROM tracks
         WHERE group_key = ? AND removed_at IS NULL LIMIT ?`,
      ),
      // So many that nobody is asked about the others any more.
      settledOf: database
        .prepare<unknown[], number>(
          'SELECT node FROM tracks WHERE group_key = ? AND removed_at IS NULL AND settled IS NOT NULL',
        )
        .pluck(),
      settle: database.prepare<unknown[]>('UPDATE tracks SET settled = ? WHERE node = ?'),
      keyOf: database
        .prepare<unknown[], string | null>('SELECT group_key FROM tracks WHERE node = ?')
        .pluck(),
      setKey: database.prepare<unknown[]>('UPDATE tracks SET group_key = ? WHERE node = ?'),
      track: database.prepare<
        unknown[],
        { originName: string; realPath: Buffer; tags: string; state: string }
      >(
        `SELECT o.name AS originName, t.real_path AS realPath, t.tags, t.state
         FROM tracks t JOIN origins o ON o.id = t.origin WHERE t.node = ?`,
      ),
    };
  }

  /** The group of a file; null when it has none. */
  keyOf(originName: string, { path, tags, state }: Pick<ReadFile, 'path' | 'tags' | 'state'>): string | null {
    if (state === 'failed') return null;
    const group = folderGroupOf({ originId: originName, realPath: path, tags });
    return group === null ? null : this.hash(group);
  }

  /** Puts a track that is known into the group that its tags give it now. Returns the groups that this concerns. */
  join(node: number): readonly string[] {
    const track = this.sql.track.get(node);
    if (track === undefined) return [];
    const before = this.sql.keyOf.get(node) ?? null;
    const key = this.keyOf(track.originName, {
      path: pathOf(track.realPath),
      tags: JSON.parse(track.tags) as TrackTags, // written by TrackRows
      state: track.state as ReadFile['state'],
    });
    if (before !== key) {
      this.sql.setKey.run(key, node);
      if (key === null) this.sql.settle.run(null, node);
    }
    return [before, key].filter((group) => group !== null);
  }

  /** The track is of no group any more. */
  leave(node: number): void {
    this.sql.settle.run(null, node);
  }

  /** Settles these groups. Returns the tracks of which something else is said now. */
  settle(groups: Iterable<string>): number[] {
    const changed: number[] = [];
    for (const group of groups) {
      const members = this.sql.members.all(group, limits.groupTracks + 1);
      if (members.length > limits.groupTracks) {
        for (const node of this.sql.settledOf.all(group)) {
          this.sql.settle.run(null, node);
          changed.push(node);
        }
        continue;
      }
      const tracks = members.map(({ realPath: bytes, tags }) => ({
        realPath: pathOf(bytes),
        tags: JSON.parse(tags) as TrackTags, // written by TrackRows
      }));
      const { guess, tracks: settled } = settleGroup(tracks, this.options, this.hash);
      for (const [index, { node, settled: before }] of members.entries()) {
        const shared = settled[index]?.shared ?? {};
        const after = textOf(guess, shared, tracks[index]?.tags ?? {});
        if (after === before) continue;
        this.sql.settle.run(after, node);
        changed.push(node);
      }
    }
    return changed;
  }
}

/** Null when it makes no difference to the track: so it is for nearly all. */
function textOf(guess: AlbumArtistGuess | null, shared: SharedFields, tags: TrackTags): string | null {
  const { edition, catalogNumber, barcode, year, mbAlbumId } = withShared(tags, shared);
  const isSame =
    edition === tags.edition &&
    catalogNumber?.[0] === tags.catalogNumber?.[0] &&
    barcode === tags.barcode &&
    year === tags.year &&
    mbAlbumId === tags.mbAlbumId;
  if (guess === null && isSame) return null;
  const kept: AlbumArtistGuess | null =
    guess === null
      ? null
      : { name: guess.name, ...(guess.sortTag === undefined ? {} : { sortTag: guess.sortTag }) };
  return JSON.stringify({ guess: kept, shared } satisfies Settled);
}

function pathOf(bytes: Buffer): RealPath {
  return realPath(bytes.toString('latin1'));
}
