// Places the files beside the music: they follow the tracks of their folder. Which those are is found by the real folder:
// of the tracks by the index of their paths, of the sidecars by a table of their own. Used inside a publication's
// transaction only.
import type Database from 'better-sqlite3';
import { isDiscFolder } from '../library/folder-group.ts';
import type { LibraryOptions } from '../library/library-options.ts';
import { parentOf, type RealPath, realPath } from '../library/real-path.ts';
import { type SidecarPlace, type SidecarTrack, sidecarPlace } from '../library/sidecars.ts';
import { foldText } from '../library/tag-text.ts';
import type { NameClaims } from './name-claims.ts';
import { childOf, rangeOf, TrackFolders } from './track-folders.ts';
import type { Instant, TreeWriter } from './tree-writer.ts';

interface Sidecar {
  readonly node: number;
  readonly realPath: Buffer;
  readonly originName: string;
}

interface PlacedSidecar {
  readonly node: number;
  readonly originName: string;
  readonly path: RealPath;
  /** null: there is no music beside it. */
  readonly place: SidecarPlace | null;
}

/** Looks into the index for the tracks of one folder: what is beyond is not looked at. */
const mostSteps = 2_000;
/** Behind every track. */
const sortAfterTracks = '99999999';

export class SidecarPlacer {
  private readonly tree: TreeWriter;
  private readonly folders: TrackFolders;
  private readonly names: NameClaims;
  private readonly options: LibraryOptions;
  /** There is a file beside music somewhere. */
  isNeeded = false;
  private readonly touched = new Map<string, { readonly origin: number; readonly folder: RealPath }>();
  private readonly sql;

  constructor(database: Database.Database, tree: TreeWriter, names: NameClaims, options: LibraryOptions) {
    this.tree = tree;
    this.folders = new TrackFolders(database);
    this.names = names;
    this.options = options;
    this.sql = {
      put: database.prepare<unknown[]>('INSERT OR REPLACE INTO sidecars VALUES (?, ?, ?)'),
      any: database.prepare<unknown[], number>('SELECT 1 FROM sidecars WHERE node > 0 LIMIT 1').pluck(),
      inFolder: database.prepare<unknown[], Sidecar>(
        `SELECT s.node, t.real_path AS realPath, o.name AS originName
         FROM sidecars s JOIN tracks t ON t.node = s.node JOIN origins o ON o.id = s.origin
         WHERE s.origin = ? AND s.folder = ? AND t.removed_at IS NULL AND t.state = 'sidecar'`,
      ),
      nextFolder: database
        .prepare<unknown[], Buffer>(
          'SELECT folder FROM sidecars WHERE origin = ? AND folder >= ? AND folder < ? ORDER BY folder LIMIT 1',
        )
        .pluck(),
    };
  }

  begin(): void {
    this.touched.clear();
    this.isNeeded = this.sql.any.get() !== undefined;
  }

  /** Remembers where a sidecar lies. */
  store(origin: number, node: number, path: RealPath): void {
    this.isNeeded = true;
    this.sql.put.run(node, origin, bytesOf(parentOf(path)));
  }

  /** A file of that path came, went, or is shown elsewhere: what lies beside it may have to follow. */
  touch(origin: number, path: RealPath): void {
    if (!this.isNeeded) return;
    const folder = parentOf(path);
    this.touched.set(`${origin}/${folder}`, { origin, folder });
  }

  /** Lets sidecars follow. Ends what `touch` began. */
  follow(now: Instant): void {
    if (!this.isNeeded) return;
    const folders = new Map<string, { readonly origin: number; readonly folder: RealPath }>();
    for (const { origin, folder } of this.touched.values()) {
      const concerned = [folder, ...this.foldersIn(origin, folder)];
      // The album lies above the folders of its discs.
      if (isDiscFolder(folder)) concerned.push(parentOf(folder), ...this.foldersIn(origin, parentOf(folder)));
      for (const each of concerned) folders.set(`${origin}/${each}`, { origin, folder: each });
    }
    const all = [...folders.values()].flatMap(({ origin, folder }) => this.placesIn(origin, folder));
    // Who leaves makes room for who comes.
    for (const { node, place } of all) if (place === null) this.tree.unlist(node, now);
    for (const each of all) this.show(each, now);
    this.touched.clear();
  }

  /** Where the sidecars of a folder belong now. */
  private placesIn(origin: number, folder: RealPath): PlacedSidecar[] {
    const sidecars = this.sql.inFolder.all(origin, bytesOf(folder));
    if (sidecars.length === 0) return [];
    const { home, tracks } = this.albumOf(origin, folder);
    return sidecars.map(({ node, realPath: bytes, originName }) => {
      const path = realPath(bytes.toString('latin1'));
      return { node, originName, path, place: sidecarPlace(path, home, tracks, this.options) };
    });
  }

  private show({ node, originName, path, place }: PlacedSidecar, now: Instant): void {
    if (place === null) return;
    const parent = this.names.directoriesBelow(
      place.directory,
      place.subFolders.map((name) => ({ name, sortKey: sortKeyOf(name) })),
      now,
    );
    const claimant = { node, facts: { originId: originName, realPath: path }, audioFp: null };
    const names = this.names.spellings(place.name, claimant);
    const current = this.tree.entryOf(node);
    if (current?.parent === parent && [...names.ofAudio, ...names.ofPath].includes(current.name)) return;
    const name = this.names.claim(parent, names, claimant, now);
    this.tree.list({ parent, name }, sortKeyOf(name), node, now);
  }

  /** The tracks that a folder's sidecars belong to, and the folder that counts as theirs. */
  private albumOf(origin: number, folder: RealPath): { home: RealPath; tracks: readonly SidecarTrack[] } {
    const above = folder === '' ? [] : [parentOf(folder)];
    for (const find of [this.tracksIn, this.tracksOfDiscs]) {
      for (const home of [folder, ...above]) {
        const tracks = find.call(this, origin, home);
        if (tracks.length > 0) return { home, tracks };
      }
    }
    return { home: folder, tracks: [] };
  }

  private tracksOfDiscs(origin: number, folder: RealPath): readonly SidecarTrack[] {
    return this.folders
      .look(origin, folder, mostSteps)
      .folders.filter(isDiscFolder)
      .flatMap((disc) => this.tracksIn(origin, disc));
  }

  private tracksIn(origin: number, folder: RealPath): readonly SidecarTrack[] {
    return this.folders.look(origin, folder, mostSteps).tracks;
  }

  /** The folders directly in one that have sidecars. */
  private foldersIn(origin: number, folder: RealPath): RealPath[] {
    if (folder === '') return []; // those of a whole library
    const found: RealPath[] = [];
    const [start, end] = rangeOf(folder);
    let from = start;
    for (let step = 0; step < mostSteps; step += 1) {
      const row = this.sql.nextFolder.get(origin, from, end);
      if (row === undefined) break;
      const child = childOf(folder, realPath(row.toString('latin1')));
      found.push(child);
      from = rangeOf(child)[1];
    }
    return found;
  }
}

function sortKeyOf(name: string): string {
  return `${sortAfterTracks}${foldText(name)}\u0001${name}`;
}

function bytesOf(path: RealPath): Buffer {
  return Buffer.from(path, 'latin1');
}
