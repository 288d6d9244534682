// What lies in one real folder, from the index of the tracks' paths: its tracks and the folders in it that have some, at
// the cost of one look for each, whatever lies deeper.
import type Database from 'better-sqlite3';
import { type RealPath, realPath } from '../library/real-path.ts';

/** A listed track as it is shown. */
export interface ShownTrack {
  readonly node: number;
  readonly path: RealPath;
  /** The directory of the tree it is listed in. */
  readonly directory: number;
  readonly name: string;
}

export interface TracksOfFolder {
  readonly tracks: readonly ShownTrack[];
  readonly folders: readonly RealPath[];
}

interface Row {
  readonly node: number;
  readonly realPath: Buffer;
  readonly directory: number | null;
  readonly name: string | null;
}

export class TrackFolders {
  private readonly next;

  constructor(database: Database.Database) {
    this.next = database.prepare<unknown[], Row>(
      `SELECT t.node, t.real_path AS realPath, e.parent AS directory, e.name
       FROM tracks t LEFT JOIN entries e ON e.node = t.node AND e.removed_at IS NULL AND e.view = 0
       WHERE t.origin = ? AND t.real_path >= ? AND t.real_path < ?
       AND t.removed_at IS NULL AND t.state <> 'sidecar' ORDER BY t.real_path LIMIT 1`,
    );
  }

  /** Up to `most` of both together; what is beyond is not looked at. */
  look(origin: number, folder: RealPath, most: number): TracksOfFolder {
    const tracks: ShownTrack[] = [];
    const folders: RealPath[] = [];
    const [start, end] = rangeOf(folder);
    let from = start;
    for (let step = 0; step < most; step += 1) {
      const row = this.next.get(origin, from, end);
      if (row === undefined) break;
      const path = realPath(row.realPath.toString('latin1'));
      const child = childOf(folder, path);
      if (child === path) {
        const { node, directory, name } = row;
        if (directory !== null && name !== null) tracks.push({ node, path, directory, name });
        from = Buffer.from(`${path}\0`, 'latin1');
      } else {
        folders.push(child);
        from = rangeOf(child)[1];
      }
    }
    return { tracks, folders };
  }
}

/** All paths below a folder: from the first one, up to but without the second. */
export function rangeOf(folder: RealPath): readonly [Buffer, Buffer] {
  if (folder === '') return [Buffer.alloc(0), Buffer.from([0xff, 0xff])];
  return [Buffer.from(`${folder}/`, 'latin1'), Buffer.from(`${folder}0`, 'latin1')]; // "0" follows "/"
}

/** What lies directly in the folder and leads to the path: the path itself, or a folder. */
export function childOf(folder: RealPath, path: RealPath): RealPath {
  const start = folder === '' ? 0 : folder.length + 1;
  const slash = path.indexOf('/', start);
  return slash < 0 ? path : realPath(path.slice(0, slash));
}
