// Whether the rows of cache.db agree with each other: pages with the chunks and uses they name, held bytes with pages,
// counters with what they count. Called by check-store.ts within the store's lane.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CacheIndex, Counters } from './cache-index.ts';
import { recountChunks, recountOrigins } from './cache-schema.ts';
import { chunkName } from './chunk-name.ts';
import { type Extent, flawOf, heldIn } from './extents.ts';
import type { PageRow } from './manifest-pages.ts';
import type { StoreState } from './store-state.ts';

/** How many pages, manifests and counters are wrong; with `repair` they are right afterwards. */
export async function checkRows(state: StoreState, repair: boolean, signal: AbortSignal): Promise<number> {
  let bad = 0;
  for (let after = 0, isMore = true; isMore; ) {
    signal.throwIfAborted();
    const checked = state.withIndex((index) => checkManifest(index, after, repair));
    bad += checked?.bad ?? 0;
    after = checked?.id ?? after;
    isMore = checked?.id !== undefined;
    await nextTurn();
  }
  for (let after: number | undefined = 0; after !== undefined; await nextTurn()) {
    const behind: number = after;
    const checked = state.withIndex((index) => checkUses(index, behind, repair));
    bad += checked?.bad ?? 0;
    after = checked?.last;
  }
  if (!(await countersAreRight(state))) {
    bad += 1;
    if (repair) state.withIndex(recount);
  }
  return bad;
}

export async function countersAreRight(state: StoreState): Promise<boolean> {
  const isRight = state.withIndex((index) => {
    const { statements } = index;
    const counters = statements.prepare<Counters>(recountChunks).get();
    const kept =
      statements.prepare(`SELECT origin, logical_bytes, complete_files, partial_files, pinned_bytes FROM origins
      WHERE logical_bytes + complete_files + partial_files + pinned_bytes != 0 ORDER BY origin`);
    const counted = statements.prepare(`SELECT * FROM (${recountOrigins})
      WHERE logical_bytes + complete_files + partial_files + pinned_bytes != 0`);
    const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
    return isSame(counters, index.counters()) && isSame(kept.all(), counted.all());
  });
  return isRight ?? false;
}

function recount({ statements }: CacheIndex): void {
  statements.transaction(() => {
    statements.prepare('DELETE FROM counters').run();
    statements
      .prepare(`INSERT INTO counters (stored_bytes, stored_chunks, collisions) ${recountChunks}`)
      .run();
    statements.prepare('DELETE FROM origins').run();
    statements
      .prepare(
        `INSERT INTO origins (origin, logical_bytes, complete_files, partial_files, pinned_bytes) ${recountOrigins}`,
      )
      .run();
  });
}

/** The manifest behind that id. */
function checkManifest(
  index: CacheIndex,
  after: number,
  repair: boolean,
): { id: number | undefined; bad: number } {
  const { statements, pages } = index;
  const manifest = statements
    .prepare<{ id: number; size: number; held: number }>(
      'SELECT id, size, held FROM manifests WHERE id > ? ORDER BY id LIMIT 1',
    )
    .get(after);
  if (manifest === undefined) return { id: undefined, bad: 0 };
  let bad = 0;
  let held = 0;
  let end = 0;
  for (const page of pages.over(manifest.id, 0, Number.MAX_SAFE_INTEGER)) {
    const extents = pages.extentsOf(page);
    const isRight = extents !== null && isPageRight(index, page, extents, end, manifest.size);
    if (!isRight) bad += 1;
    if (!isRight && repair) {
      statements.transaction(() => {
        statements.prepare('DELETE FROM uses WHERE page = ?').run(page.id);
        statements.prepare('DELETE FROM pages WHERE id = ?').run(page.id);
      });
      continue;
    }
    const last = extents?.at(-1);
    end = last === undefined ? end : last.offset + last.lengthBytes;
    held += heldIn(extents ?? []);
  }
  if (held !== manifest.held) {
    bad += 1;
    if (repair) statements.prepare('UPDATE manifests SET held = ? WHERE id = ?').run(held, manifest.id);
  }
  return { id: manifest.id, bad };
}

function isPageRight(
  index: CacheIndex,
  page: PageRow,
  extents: readonly Extent[],
  from: number,
  size: number,
): boolean {
  const first = extents[0];
  if (
    first === undefined ||
    first.offset !== page.start ||
    first.offset < from ||
    flawOf(extents, size) !== null
  )
    return false;
  const uses = index.statements.prepare<{ chunk: number }>(
    'SELECT chunk FROM uses WHERE chunk = ? AND page = ?',
  );
  return extents.every((extent) => {
    const row = index.chunk(extent.chunk);
    const isSame = row?.name === chunkName(extent.hash, extent.ordinal) && row.length === extent.chunkBytes;
    return isSame && uses.get(extent.chunk, page.id) !== undefined;
  });
}

const chunksAtOnce = 2000;

/**
 * Uses of what is not there, and chunks whose number of uses is wrong, among those behind `after`. Also returns the last
 * chunk that was looked at; undefined when that was all.
 */
function checkUses(
  { statements }: CacheIndex,
  after: number,
  repair: boolean,
): { last: number | undefined; bad: number } {
  const last = statements
    .prepare<{ id: number }>('SELECT id FROM chunks WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?')
    .get(after, chunksAtOnce)?.id;
  const range = [after, last ?? Number.MAX_SAFE_INTEGER] as const;
  const stray = `chunk > ? AND chunk <= ? AND (page NOT IN (SELECT id FROM pages WHERE id = uses.page)
    OR chunk NOT IN (SELECT id FROM chunks WHERE id = uses.chunk))`;
  const miscounted = 'id > ? AND id <= ? AND refs != (SELECT count(*) FROM uses WHERE chunk = chunks.id)';
  const count = (sql: string) => statements.prepare<{ bad: number }>(sql).get(...range)?.bad ?? 0;
  const bad =
    count(`SELECT count(*) AS bad FROM uses WHERE ${stray}`) +
    count(`SELECT count(*) AS bad FROM chunks WHERE ${miscounted}`);
  if (bad > 0 && repair) {
    statements.transaction(() => {
      statements.prepare(`DELETE FROM uses WHERE ${stray}`).run(...range);
      statements
        .prepare(
          `UPDATE chunks SET refs = (SELECT count(*) FROM uses WHERE chunk = chunks.id) WHERE ${miscounted}`,
        )
        .run(...range);
    });
  }
  return { last, bad };
}
