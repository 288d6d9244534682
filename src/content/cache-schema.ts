// The tables of cache.db, the index of the cache: which chunks there are, and which of them make up which content.
// Everything in it can be built anew: chunk files are indexed again, content is fetched again.
//
//   chunks     one row a chunk file. `name` is the file's name, `refs` the number of pages that use it, `accessed_at` and
//              `verified_at` are ms on a clock that never goes back (access-times.ts). Ids are never used again.
//   manifests  one row a content version of a file. `held` is the sum of its extents; complete when it is `size`.
//              `retired_at`: ms since 1970 when a newer version took its place.
//   pages      the extents of a manifest, up to 256 a row (manifest-page.ts); `start` is the offset of the first one, so a
//              byte is looked for in the last page that starts at or before it.
//   uses       which chunk is used by which page: the way back from a chunk to its extents.
//   pins       contents that are never evicted; also before there is a manifest.
//   counters, origins  what statistics show. Kept by triggers, so that no change can forget them.
//   meta       generation: a number of this file, so that ids of another one are not mistaken for its own · clean: it was
//              closed in order · indexed: all chunk files have been looked at since the file was made.
//
// Migrations are numbered by their place in the list (`PRAGMA user_version`), run each in a transaction of its own, and
// only go forward.

export const cacheIndexName = 'cache.db';

const complete = (row: string) => `(${row}.retired_at IS NULL AND ${row}.held = ${row}.size)`;
const partial = (row: string) =>
  `(${row}.retired_at IS NULL AND ${row}.held > 0 AND ${row}.held < ${row}.size)`;

const countManifest = (row: 'NEW' | 'OLD', sign: '+' | '-') => `
  UPDATE origins SET
    logical_bytes = logical_bytes ${sign} iif(${row}.retired_at IS NULL, ${row}.held, 0),
    complete_files = complete_files ${sign} ${complete(row)},
    partial_files = partial_files ${sign} ${partial(row)},
    pinned_bytes = pinned_bytes ${sign} iif(${row}.pinned, ${row}.held, 0)
  WHERE origin = ${row}.origin;`;

const countChunk = (row: 'NEW' | 'OLD', sign: '+' | '-') => `
  UPDATE counters SET
    stored_bytes = stored_bytes ${sign} ${row}.length,
    stored_chunks = stored_chunks ${sign} 1,
    collisions = collisions ${sign} (length(${row}.name) > 16);`;

/** What the triggers keep in counters and origins, from the rows themselves: for verify. */
export const recountChunks =
  'SELECT coalesce(sum(length), 0) AS stored_bytes, count(*) AS stored_chunks, coalesce(sum(length(name) > 16), 0) AS collisions FROM chunks';
export const recountOrigins = `
  SELECT origin,
    coalesce(sum(iif(retired_at IS NULL, held, 0)), 0) AS logical_bytes,
    coalesce(sum(${complete('manifests')}), 0) AS complete_files,
    coalesce(sum(${partial('manifests')}), 0) AS partial_files,
    coalesce(sum(iif(pinned, held, 0)), 0) AS pinned_bytes
  FROM manifests GROUP BY origin ORDER BY origin`;

export const cacheMigrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    length INTEGER NOT NULL,
    refs INTEGER NOT NULL DEFAULT 0,
    accessed_at INTEGER NOT NULL,
    verified_at INTEGER NOT NULL
  );
  CREATE INDEX chunks_by_access ON chunks (accessed_at, id);
  CREATE INDEX chunks_unused ON chunks (accessed_at, id) WHERE refs = 0;
  CREATE INDEX chunks_by_check ON chunks (verified_at, id);
  CREATE TABLE manifests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    node INTEGER NOT NULL,
    version INTEGER NOT NULL,
    origin TEXT NOT NULL,
    size INTEGER NOT NULL,
    held INTEGER NOT NULL DEFAULT 0,
    pinned INTEGER NOT NULL DEFAULT 0,
    retired_at INTEGER,
    UNIQUE (node, version)
  );
  CREATE INDEX manifests_retired ON manifests (retired_at) WHERE retired_at IS NOT NULL;
  CREATE INDEX manifests_of_origin ON manifests (origin);
  CREATE TABLE pages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    manifest INTEGER NOT NULL,
    start INTEGER NOT NULL,
    extents BLOB NOT NULL
  );
  CREATE INDEX pages_by_offset ON pages (manifest, start);
  CREATE TABLE uses (chunk INTEGER NOT NULL, page INTEGER NOT NULL, PRIMARY KEY (chunk, page)) WITHOUT ROWID;
  CREATE TABLE pins (node INTEGER NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (node, version)) WITHOUT ROWID;
  CREATE TABLE counters (stored_bytes INTEGER NOT NULL, stored_chunks INTEGER NOT NULL, collisions INTEGER NOT NULL);
  CREATE TABLE origins (
    origin TEXT PRIMARY KEY,
    logical_bytes INTEGER NOT NULL DEFAULT 0,
    complete_files INTEGER NOT NULL DEFAULT 0,
    partial_files INTEGER NOT NULL DEFAULT 0,
    pinned_bytes INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  INSERT INTO counters VALUES (0, 0, 0);
  CREATE TRIGGER chunk_added AFTER INSERT ON chunks BEGIN ${countChunk('NEW', '+')} END;
  CREATE TRIGGER chunk_removed AFTER DELETE ON chunks BEGIN ${countChunk('OLD', '-')} END;
  CREATE TRIGGER use_added AFTER INSERT ON uses BEGIN
    UPDATE chunks SET refs = refs + 1 WHERE id = NEW.chunk;
  END;
  CREATE TRIGGER use_removed AFTER DELETE ON uses BEGIN
    UPDATE chunks SET refs = refs - 1 WHERE id = OLD.chunk;
  END;
  CREATE TRIGGER manifest_added AFTER INSERT ON manifests BEGIN
    INSERT OR IGNORE INTO origins (origin) VALUES (NEW.origin);
    ${countManifest('NEW', '+')}
  END;
  CREATE TRIGGER manifest_removed AFTER DELETE ON manifests BEGIN ${countManifest('OLD', '-')} END;
  CREATE TRIGGER manifest_changed AFTER UPDATE OF held, pinned, retired_at ON manifests BEGIN
    ${countManifest('OLD', '-')}
    ${countManifest('NEW', '+')}
  END;
  `,
];
