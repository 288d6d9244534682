// The catalog's tables and how an older file becomes a newer one.
//
// catalog.db holds the library (tracks), the tree that the mount shows (nodes, entries) and what must survive a crash
// between a commit and the kernel hearing of it (invalidations).
//
//   nodes    one row per file or directory that was ever shown. The id is the inode number and is never used again
//            (AUTOINCREMENT), root is 1. `version` counts a file's content versions from 1; directories stay at 0.
//   entries  one row per name in a directory. The id is the directory offset (cookie) of that name. A row is never
//            changed but for its node: a name that goes becomes a tombstone (`removed_at`), so that an old offset
//            still says where to go on, and its sort key stays as long as the name stands. For some minutes it also
//            leads whoever knows the name to the file, if that is listed elsewhere.
//            `view` says what kind of a name of a file it is (entryView): the one by the template, a further one in a
//            view, or one that is found but never listed.
//   tracks   what an origin holds and what its tags say; `node` is its file. real_path is the raw bytes, as names
//            need not be UTF-8. `removed_at` marks one that left; the row waits for its return.
//            Files beside the music (state `sidecar`) are rows of it too: they have bytes and no tags.
//   albums   what tracks with one `album_key` share: whether it has several discs, the folder it renders to (`place`), and
//            what is written behind its name there to tell it from another of that name; '' for the one that came first.
//   sidecars real folder of each of those, by which they are found when the tracks beside them move.
//   playlists  those of them that are playlists, which are not shown themselves.
//   made_files  what musicfs made itself, by node and content version: what it is (`art`, `playlist`), the
//            path of its bytes in the store of such files, and when it was shown last (`gone_at`).
//   art_wanted  directories that changed since their pictures were looked for.
//   ignored_files  files that carry a music extension but hold no music, so that they are not parsed again.
//   pins     paths in the tree whose files are to be held, as people named them: user data.
//   old_versions  size and time of content versions that were replaced, for handles that still read them.
//
// Times are two integers (seconds, nanoseconds), as one 64-bit number of nanoseconds does not fit a JavaScript number.
// Migrations are numbered by their place in the list (`PRAGMA user_version`), run each in a transaction of its own,
// and only go forward; a file from a newer program is refused. Opening puts the copy back that was made before (see
// open-catalog.ts) when one fails.
import type Database from 'better-sqlite3';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';

export const rootNodeId = 1;

export const nodeKind = { directory: 1, file: 2 } as const;

/** `tree`: by the template, and every directory. `view`: one more name of a file. `unlisted`: answers a lookup only. */
export const entryView = { tree: 0, view: 1, unlisted: 2 } as const;

/** Row `recovering` of table meta, until every origin was scanned: what took the place of a damaged catalog. */
export const recovering = { no: 0, restored: 1, fromNothing: 2 } as const;

export function recoveringOf(database: Database.Database): number {
  const value = database.prepare<unknown[], number>("SELECT value FROM meta WHERE key = 'recovering'");
  return value.pluck().get() ?? recovering.no;
}

const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE origins (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    root TEXT NOT NULL,
    first_scan_complete INTEGER NOT NULL DEFAULT 0,
    files INTEGER NOT NULL DEFAULT 0,
    mount_points TEXT
  );
  CREATE TABLE nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0,
    mtime_s INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ctime_s INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    links INTEGER NOT NULL,
    parent INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    node INTEGER NOT NULL,
    removed_at INTEGER
  );
  CREATE UNIQUE INDEX entries_by_name ON entries (parent, folded) WHERE removed_at IS NULL;
  CREATE INDEX entries_in_order ON entries (parent, sort_key, id) WHERE removed_at IS NULL;
  CREATE INDEX entries_of_node ON entries (node) WHERE removed_at IS NULL;
  CREATE INDEX entries_removed ON entries (removed_at) WHERE removed_at IS NOT NULL;
  CREATE TABLE tracks (
    node INTEGER PRIMARY KEY,
    origin INTEGER NOT NULL,
    real_path BLOB NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    audio_fp TEXT,
    album_key TEXT NOT NULL,
    disc INTEGER,
    disc_total INTEGER,
    tags TEXT NOT NULL,
    removed_at INTEGER
  );
  CREATE UNIQUE INDEX tracks_by_path ON tracks (origin, real_path);
  CREATE INDEX tracks_of_album ON tracks (album_key) WHERE removed_at IS NULL;
  CREATE INDEX tracks_removed ON tracks (removed_at) WHERE removed_at IS NOT NULL;
  CREATE TABLE albums (key TEXT PRIMARY KEY, multi_disc INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE ignored_files (
    origin INTEGER NOT NULL,
    real_path BLOB NOT NULL,
    size INTEGER NOT NULL,
    mtime_s INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    PRIMARY KEY (origin, real_path)
  ) WITHOUT ROWID;
  CREATE TABLE old_versions (
    node INTEGER NOT NULL,
    version INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_s INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    PRIMARY KEY (node, version)
  ) WITHOUT ROWID;
  CREATE TABLE invalidations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER NOT NULL,
    name TEXT
  );
  INSERT INTO meta VALUES ('tracks', 0), ('files', 0), ('directories', 1), ('bytes', 0), ('failed', 0),
    ('published_us', 0);
  `,
  // Several origins may hold a file: `tracks` names the one whose word counts, `replicas` the others, each with the content
  // version that it was shown to be equal to.
  `
  ALTER TABLE origins ADD COLUMN priority INTEGER NOT NULL DEFAULT 100;
  ALTER TABLE tracks ADD COLUMN etag TEXT;
  ALTER TABLE tracks ADD COLUMN file_fp TEXT;
  ALTER TABLE ignored_files ADD COLUMN etag TEXT;
  ALTER TABLE old_versions ADD COLUMN etag TEXT;
  CREATE TABLE replicas (
    id INTEGER PRIMARY KEY,
    origin INTEGER NOT NULL,
    real_path BLOB NOT NULL,
    node INTEGER NOT NULL,
    version INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_s INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    etag TEXT
  );
  CREATE UNIQUE INDEX replicas_by_path ON replicas (origin, real_path);
  CREATE INDEX replicas_of_node ON replicas (node);
  CREATE TABLE pins (target TEXT PRIMARY KEY, added_at INTEGER NOT NULL) WITHOUT ROWID;
  `,
  // A name that went still leads to its file for a while.
  `
  CREATE INDEX entries_gone ON entries (parent, folded) WHERE removed_at IS NOT NULL;
  `,
  // Files of one folder and album are judged by each other: `group_key` is what they share, `settled` what that says of
  // each. Filled when the tree is laid out anew.
  `
  ALTER TABLE tracks ADD COLUMN group_key TEXT;
  ALTER TABLE tracks ADD COLUMN settled TEXT;
  CREATE INDEX tracks_of_group ON tracks (group_key) WHERE group_key IS NOT NULL AND removed_at IS NULL;
  `,
  // Files have more than one name, files beside the music are shown, and musicfs makes some itself.
  `
  ALTER TABLE entries ADD COLUMN view INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX entries_in_views ON entries (node) WHERE view = 1;
  ALTER TABLE tracks ADD COLUMN added_at INTEGER;
  UPDATE tracks SET added_at = (SELECT min(n.ctime_s, n.mtime_s) FROM nodes n WHERE n.id = tracks.node);
  ALTER TABLE albums ADD COLUMN place TEXT NOT NULL DEFAULT '';
  ALTER TABLE albums ADD COLUMN mark TEXT NOT NULL DEFAULT '';
  CREATE INDEX albums_of_place ON albums (place);
  CREATE TABLE sidecars (node INTEGER PRIMARY KEY, origin INTEGER NOT NULL, folder BLOB NOT NULL);
  CREATE INDEX sidecars_of_folder ON sidecars (origin, folder);
  CREATE TABLE playlists (node INTEGER PRIMARY KEY);
  CREATE TABLE made_files (
    node INTEGER NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    gone_at INTEGER,
    PRIMARY KEY (node, version)
  ) WITHOUT ROWID;
  CREATE INDEX made_by_path ON made_files (path);
  CREATE INDEX made_playlists ON made_files (node) WHERE kind = 'playlist';
  CREATE INDEX made_gone ON made_files (gone_at) WHERE gone_at IS NOT NULL;
  CREATE TABLE art_wanted (directory INTEGER PRIMARY KEY, revision INTEGER NOT NULL);
  `,
];

export const schemaVersion = migrations.length;

export interface MigrationOptions {
  /** Other migrations than this program's: for tests. */
  readonly migrations?: readonly string[];
  readonly failpoints?: Failpoints;
}

/** The schema of an open catalog; 0 for a new one. Throws `newer_schema`. */
export function schemaOf(
  database: Database.Database,
  path: string,
  { migrations: known = migrations }: MigrationOptions,
): { readonly found: number; readonly isOutdated: boolean } {
  const found = Number(database.pragma('user_version', { simple: true }));
  if (found > known.length) {
    throw new MusicfsError(
      'newer_schema',
      `the catalog ${path} has schema ${found}, this program knows ${known.length}: use the newer musicfs, or another --state directory`,
    );
  }
  return { found, isOutdated: found > 0 && found < known.length };
}

/**
 * Brings an open catalog to the current schema; a new one also gets its root directory, dated `nowMs`. Throws `refused`
 * naming the step that failed; the steps before it have been made.
 */
export function migrate(
  database: Database.Database,
  path: string,
  nowMs: number,
  { migrations: known = migrations, failpoints }: MigrationOptions,
): void {
  const found = Number(database.pragma('user_version', { simple: true }));
  for (const [index, sql] of known.entries()) {
    if (index < found) continue;
    try {
      database.transaction(() => {
        database.exec(sql);
        if (index === 0) {
          const seconds = Math.floor(nowMs / 1000);
          database
            .prepare('INSERT INTO nodes VALUES (?, ?, 0, 0, ?, 0, ?, 0, 2, ?)')
            .run(rootNodeId, nodeKind.directory, seconds, seconds, rootNodeId);
        }
        failpoints?.check('catalog.migrate');
        database.pragma(`user_version = ${index + 1}`);
      })();
    } catch (error) {
      throw new MusicfsError(
        'refused',
        `the catalog ${path} could not be brought from schema ${index} to ${index + 1} and is as it was: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
}
