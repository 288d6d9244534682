// Playlists of origins: which there are, and the directory in which those that were made of them are shown. Used by the
// publisher, inside its transactions where it writes.
import type Database from 'better-sqlite3';
import type { LibraryOptions } from '../library/library-options.ts';
import { cleanName } from '../library/names.ts';
import { realPath } from '../library/real-path.ts';
import { foldText } from '../library/tag-text.ts';
import { limits } from '../platform/limits.ts';
import type { MadeRows } from './made-rows.ts';
import type { NameClaims } from './name-claims.ts';
import type { MadeFile, PlaylistFile } from './publication.ts';
import type { Instant } from './tree-writer.ts';

type Row = Omit<PlaylistFile, 'path' | 'mtimeNs'> & { realPath: Buffer; mtimeS: number; mtimeNs: number };

export class PlaylistRows {
  private readonly made: MadeRows;
  private readonly names: NameClaims;
  private readonly library: LibraryOptions;
  private readonly sql;

  constructor(database: Database.Database, made: MadeRows, names: NameClaims, library: LibraryOptions) {
    this.made = made;
    this.names = names;
    this.library = library;
    this.sql = {
      add: database.prepare<unknown[]>('INSERT OR IGNORE INTO playlists VALUES (?)'),
      all: database.prepare<unknown[], Row>(
        `SELECT p.node, n.version, o.name AS origin, o.root AS originRoot, t.real_path AS realPath,
                n.size AS sizeBytes, n.mtime_s AS mtimeS, n.mtime_ns AS mtimeNs
         FROM playlists p JOIN tracks t ON t.node = p.node JOIN nodes n ON n.id = p.node
         JOIN origins o ON o.id = t.origin
         WHERE p.node > 0 AND t.removed_at IS NULL ORDER BY p.node LIMIT ?`,
      ),
      directory: database
        .prepare<unknown[], number>(
          `SELECT e.parent FROM made_files m JOIN entries e ON e.node = m.node AND e.removed_at IS NULL
           WHERE m.kind = 'playlist' AND m.node > 0 LIMIT 1`,
        )
        .pluck(),
    };
  }

  add(node: number): void {
    this.sql.add.run(node);
  }

  /** Those that origins hold, the one that came first first. */
  all(): PlaylistFile[] {
    return this.sql.all.all(limits.playlists).map(({ realPath: bytes, mtimeS, mtimeNs, ...row }) => ({
      ...row,
      path: realPath(bytes.toString('latin1')),
      mtimeNs: (BigInt(mtimeS) * 1_000_000_000n + BigInt(mtimeNs)).toString(),
    }));
  }

  /** Shows these, and no others, in the directory of playlists. */
  show(files: readonly MadeFile[], now: Instant): void {
    const { library } = this;
    const before = this.sql.directory.get();
    const name = library.playlists === '' ? '' : cleanName(library.playlists, library);
    const directory =
      name === '' || files.length === 0
        ? undefined
        : this.names.directories([{ name, sortKey: `${foldText(name)}\u0001${name}` }], now);
    // It had another name by the settings before.
    if (before !== undefined && before !== directory) this.made.show(before, 'playlist', [], now);
    if (directory !== undefined) this.made.show(directory, 'playlist', files, now);
  }
}
