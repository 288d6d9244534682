// The rows of table pages, and of table uses that go with them: changing the extents of a manifest. Used by the index,
// within its transactions.
//
// A page holds up to 256 extents, and `start` is the offset of its first one; a page that would be empty is deleted. So
// no extent reaches into the next page, and the last page that starts at or before a byte is the only one that can hold
// it. A page that cannot be read holds nothing: it is deleted by the change that meets it.
import type { ContentKey } from './content-key.ts';
import type { CountedStatements } from './counted-statements.ts';
import { type Extent, heldIn } from './extents.ts';
import { decodedPage, encodePage, extentsPerPage, type Hash64 } from './manifest-page.ts';

/** With the content its manifest is of. */
export interface PageRow extends ContentKey {
  readonly id: number;
  readonly manifest: number;
  readonly start: number;
  readonly extents: Uint8Array;
}

/** What a statement selects for it, of pages p and manifests m. */
export const pageColumns = 'p.id, p.manifest, p.start, p.extents, m.node, m.version';

interface ManifestKey extends ContentKey {
  readonly id: number;
}

export class ManifestPages {
  private readonly sql: ReturnType<typeof prepare>;
  private readonly hash: Hash64;

  constructor(statements: CountedStatements, hash: Hash64) {
    this.sql = prepare(statements);
    this.hash = hash;
  }

  /** The pages that hold the range; where none starts before it, also the first one behind. */
  over(manifest: number, from: number, to: number): PageRow[] {
    return this.sql.over.all(manifest, from, manifest, manifest, to - 1);
  }

  /** null when the page is damaged. */
  extentsOf(page: PageRow): Extent[] | null {
    return decodedPage(page.extents, page, this.hash)?.extents() ?? null;
  }

  /**
   * Changes the extents around a range. Chunks that a page no longer uses are added to `left`. Returns by how much the held
   * bytes changed.
   */
  rewrite(
    manifest: ManifestKey,
    from: number,
    to: number,
    change: (known: readonly Extent[]) => readonly Extent[],
    left: Set<number>,
  ): number {
    const pages = this.over(manifest.id, from, to);
    const isLast = this.sql.isBehind.get(manifest.id, to, pages.at(-1)?.start ?? -1) === undefined;
    return this.replace(manifest, pages, change, isLast, left);
  }

  /** Changes one page, to no more extents than it has. */
  change(
    page: PageRow,
    change: (known: readonly Extent[]) => readonly Extent[],
    left = new Set<number>(),
  ): number {
    return this.replace(
      { id: page.manifest, node: page.node, version: page.version },
      [page],
      change,
      true,
      left,
    );
  }

  private replace(
    manifest: ManifestKey,
    pages: readonly PageRow[],
    change: (known: readonly Extent[]) => readonly Extent[],
    isLast: boolean,
    left: Set<number>,
  ): number {
    const before = pages.map((page) => this.extentsOf(page));
    const known = before.flatMap((extents) => extents ?? []);
    const isSound = !before.includes(null);
    const wanted = change(known);
    if (wanted === known && isSound) return 0;
    const parts = inPages(wanted, isLast);
    for (let index = 0; index < Math.max(pages.length, parts.length); index += 1) {
      this.replaceOne(manifest, pages[index], before[index] ?? null, parts[index] ?? [], left);
    }
    return isSound ? heldIn(wanted) - heldIn(known) : this.heldAgain(manifest.id);
  }

  private replaceOne(
    manifest: ManifestKey,
    page: PageRow | undefined,
    before: readonly Extent[] | null,
    extents: readonly Extent[],
    left: Set<number>,
  ): void {
    const usedAfter = new Set(extents.map(({ chunk }) => chunk));
    const usedBefore = new Set(
      page === undefined ? [] : (before?.map(({ chunk }) => chunk) ?? this.usedBy(page)),
    );
    const id = this.write(manifest, page, extents);
    for (const chunk of without(usedBefore, usedAfter)) {
      this.sql.removeUse.run(chunk, id);
      left.add(chunk);
    }
    for (const chunk of without(usedAfter, usedBefore)) this.sql.addUse.run(chunk, id);
  }

  private write(manifest: ManifestKey, page: PageRow | undefined, extents: readonly Extent[]): number {
    const start = extents[0]?.offset;
    if (start === undefined) {
      if (page !== undefined) this.sql.remove.run(page.id);
      return page?.id ?? 0;
    }
    const bytes = encodePage(manifest, extents, this.hash);
    if (page === undefined) return this.sql.add.get(manifest.id, start, bytes)?.id ?? 0;
    this.sql.update.run(start, bytes, page.id);
    return page.id;
  }

  private usedBy(page: PageRow): number[] {
    return this.sql.usesOfPage.all(page.id).map(({ chunk }) => chunk);
  }

  /** How far the counted held bytes are from what the pages hold, once one of them was lost. */
  private heldAgain(manifest: number): number {
    const pages = this.over(manifest, 0, Number.MAX_SAFE_INTEGER);
    const held = pages.reduce((sum, page) => sum + heldIn(this.extentsOf(page) ?? []), 0);
    return held - (this.sql.held.get(manifest)?.held ?? 0);
  }
}

function without(all: ReadonlySet<number>, others: ReadonlySet<number>): number[] {
  return [...all].filter((each) => !others.has(each));
}

/** Where a file grows at its end, full pages are left full; in the middle there is left room to grow. */
function inPages(extents: readonly Extent[], isLast: boolean): Extent[][] {
  const count = Math.ceil(extents.length / extentsPerPage);
  const each = isLast ? extentsPerPage : Math.ceil(extents.length / count);
  return Array.from({ length: count }, (_, index) => extents.slice(index * each, (index + 1) * each));
}

function prepare(statements: CountedStatements) {
  return {
    over: statements.prepare<PageRow>(`
      WITH first (at) AS (SELECT coalesce((SELECT max(start) FROM pages WHERE manifest = ? AND start <= ?),
        (SELECT min(start) FROM pages WHERE manifest = ?), 0))
      SELECT ${pageColumns} FROM pages p JOIN manifests m ON m.id = p.manifest WHERE p.manifest = ?
        AND p.start BETWEEN (SELECT at FROM first) AND max(?, (SELECT at FROM first)) ORDER BY p.start`),
    isBehind: statements.prepare<{ id: number }>(
      'SELECT id FROM pages WHERE manifest = ? AND start >= ? AND start > ? LIMIT 1',
    ),
    add: statements.prepare<{ id: number }>(
      'INSERT INTO pages (manifest, start, extents) VALUES (?, ?, ?) RETURNING id',
    ),
    update: statements.prepare('UPDATE pages SET start = ?, extents = ? WHERE id = ?'),
    remove: statements.prepare('DELETE FROM pages WHERE id = ?'),
    addUse: statements.prepare('INSERT INTO uses (chunk, page) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    removeUse: statements.prepare('DELETE FROM uses WHERE chunk = ? AND page = ?'),
    usesOfPage: statements.prepare<{ chunk: number }>('SELECT chunk FROM uses WHERE page = ?'),
    held: statements.prepare<{ held: number }>('SELECT held FROM manifests WHERE id = ?'),
  };
}
