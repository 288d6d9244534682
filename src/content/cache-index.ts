// The writing side of cache.db: what is held, by which chunks, when it was used. Owned by the store, on the fetch thread.
// Every change is one transaction of a few milliseconds, and leaves counters, extents and their uses in agreement. Throws
// what SQLite throws; the store knows what that means.
import type Database from 'better-sqlite3';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import type { OriginCacheStats } from './cache-events.ts';
import { chunkName } from './chunk-name.ts';
import type { ByteRange, ContentKey } from './content-key.ts';
import { CountedStatements } from './counted-statements.ts';
import type { Candidate } from './eviction.ts';
import { type Extent, placed } from './extents.ts';
import type { FileOperations } from './file-operations.ts';
import type { Hash64 } from './manifest-page.ts';
import { ManifestPages, type PageRow, pageColumns } from './manifest-pages.ts';

/** A chunk whose file is in place, and the piece of a file that it holds. */
export interface Placement {
  readonly content: ContentKey;
  readonly fileBytes: number;
  readonly originId: string;
  readonly offset: number;
  readonly hash: bigint;
  readonly ordinal: number;
  readonly lengthBytes: number;
  readonly isEdge: boolean;
}

export interface ChunkRow {
  readonly id: number;
  readonly name: string;
  readonly length: number;
}

export interface ManifestRow extends ContentKey {
  readonly id: number;
  readonly origin: string;
  readonly size: number;
  readonly held: number;
  readonly pinned: number;
  readonly retired_at: number | null;
}

export interface Counters {
  readonly stored_bytes: number;
  readonly stored_chunks: number;
  readonly collisions: number;
}

/** Where a search for victims stopped. */
export interface Cursor {
  readonly accessedAt: number;
  readonly chunk: number;
}

const isPinned = `EXISTS (SELECT 1 FROM uses u JOIN pages p ON p.id = u.page JOIN manifests m ON m.id = p.manifest
  WHERE u.chunk = chunks.id AND m.pinned) AS isPinned`;

interface CandidateRow {
  readonly chunk: number;
  readonly name: string;
  readonly lengthBytes: number;
  readonly accessedAt: number;
  readonly isPinned: number;
}

export class CacheIndex {
  readonly statements: CountedStatements;
  readonly pages: ManifestPages;
  private readonly failpoints: Failpoints;
  private readonly sql: ReturnType<typeof prepare>;

  constructor(database: Database.Database, failpoints: Failpoints, operations: FileOperations, hash: Hash64) {
    this.statements = new CountedStatements(database, operations);
    this.pages = new ManifestPages(this.statements, hash);
    this.failpoints = failpoints;
    this.sql = prepare(this.statements);
  }

  // What is held.

  manifest(content: ContentKey): ManifestRow | undefined {
    return this.sql.manifest.get(content.node, content.version);
  }

  /** All extents that touch the range, and perhaps some around it; sorted. */
  extents(content: ContentKey, range: ByteRange): Extent[] {
    const manifest = this.manifest(content);
    if (manifest === undefined) return [];
    const end = range.offset + range.lengthBytes;
    return this.pages
      .over(manifest.id, range.offset, end)
      .flatMap((page) => this.pages.extentsOf(page) ?? []);
  }

  chunk(id: number): ChunkRow | undefined {
    return this.sql.chunk.get(id);
  }

  chunkNamed(name: string): ChunkRow | undefined {
    return this.sql.chunkNamed.get(name);
  }

  /** Those of one hash, whatever their ordinal. */
  chunksOfHash(hash: bigint): ChunkRow[] {
    const first = chunkName(hash, 0);
    return this.sql.chunksNamed.all(first, `${first}.`); // "." is what follows "-"
  }

  /** Those in one of the 256 folders. */
  namesInFolder(folder: string): string[] {
    return this.sql.chunksNamed.all(folder, `${folder}g`).map(({ name }) => name);
  }

  counters(): Counters {
    return this.sql.counters.get() ?? { stored_bytes: 0, stored_chunks: 0, collisions: 0 };
  }

  origins(): OriginCacheStats[] {
    return this.sql.origins.all();
  }

  newestAccess(): number {
    return this.sql.newestAccess.get()?.value ?? 0;
  }

  meta(key: 'generation' | 'clean' | 'indexed'): number {
    return this.sql.meta.get(key)?.value ?? 0;
  }

  setMeta(key: 'clean' | 'indexed', value: number): void {
    this.sql.setMeta.run(value, key);
  }

  // What comes.

  /**
   * Records chunks and the pieces of files they hold, in one transaction. Returns chunks that gave way and belong to no
   * file any more.
   */
  commit(placements: readonly Placement[], now: number): ChunkRow[] {
    return this.statements.transaction(() => {
      const left = new Set<number>();
      for (const ofOne of Map.groupBy(
        placements,
        ({ content }) => `${content.node}.${content.version}`,
      ).values()) {
        const manifest = this.manifestOf(ofOne);
        if (manifest === null) continue;
        const added = ofOne.map((placement) => extentOf(placement, this.chunkRow(placement, now)));
        const from = Math.min(...added.map(({ offset }) => offset));
        const to = Math.max(...added.map(({ offset, lengthBytes }) => offset + lengthBytes));
        const held = this.pages.rewrite(manifest, from, to, (known) => added.reduce(placed, known), left);
        this.sql.addHeld.run(held, manifest.id);
      }
      this.failpoints.check('manifest.store.before-commit');
      return this.unusedOf(left);
    });
  }

  /** A file without bytes: complete as soon as it is known. */
  recordEmpty(content: ContentKey, originId: string): void {
    this.statements.transaction(() => this.sql.addManifest.run(content.node, content.version, originId, 0));
  }

  /** Chunk files that the index does not know. Their bytes are checked when somebody wants them. */
  adopt(found: readonly { readonly name: string; readonly sizeBytes: number }[]): void {
    this.statements.transaction(() => {
      for (const { name, sizeBytes } of found) this.sql.adoptChunk.run(name, sizeBytes);
    });
  }

  touch(times: ReadonlyMap<number, number>): void {
    this.statements.transaction(() => {
      for (const [chunk, at] of times) this.sql.touch.run(at, chunk, at);
    });
  }

  verified(chunks: readonly number[], now: number): void {
    this.statements.transaction(() => {
      for (const chunk of chunks) this.sql.verified.run(now, chunk);
    });
  }

  // What goes.

  /** Forgets chunks whose files are gone, and every piece of a file they held. */
  removeChunks(chunks: readonly number[]): void {
    this.statements.transaction(() => {
      const gone = new Set(chunks);
      const pages = new Map<number, PageRow>();
      for (const chunk of gone) for (const page of this.sql.pagesOfChunk.all(chunk)) pages.set(page.id, page);
      for (const page of pages.values()) {
        const held = this.pages.change(page, (extents) => extents.filter(({ chunk }) => !gone.has(chunk)));
        this.sql.addHeld.run(held, page.manifest);
        this.sql.removeIfEmpty.run(page.manifest);
      }
      for (const chunk of gone) this.sql.removeChunk.run(chunk);
    });
  }

  /** Chunks of no file that were not used since then, the least recently used first. */
  unusedChunks(usedSince: number, most: number): Candidate[] {
    return this.sql.unused.all(usedSince, most).map(candidateOf);
  }

  /** Chunks of files that were not used since then, behind the cursor. */
  leastRecent(after: Cursor, usedSince: number, most: number): Candidate[] {
    return this.sql.leastRecent.all(after.accessedAt, after.chunk, usedSince, most).map(candidateOf);
  }

  /** The version that was replaced first, before that time. */
  oldestRetired(beforeMs: number): number | undefined {
    return this.sql.oldestRetired.get(beforeMs)?.id;
  }

  /** Drops up to so many pages of a manifest, and it when none is left. Its chunks stay, as far as others use them or not. */
  dropPages(manifest: number, most: number): { readonly isGone: boolean; readonly chunks: number[] } {
    return this.statements.transaction(() => {
      const left = new Set<number>();
      for (const page of this.sql.firstPages.all(manifest, most)) {
        const held = this.pages.change(page, () => [], left);
        this.sql.addHeld.run(held, manifest);
      }
      const isGone = this.sql.firstPages.all(manifest, 1).length === 0;
      if (isGone) this.sql.removeManifest.run(manifest);
      return { isGone, chunks: [...left] };
    });
  }

  /**
   * Drops what is not in use from a page of a version that was replaced, those replaced first in front, behind so many
   * others. Its chunks stay; those that nobody else uses are of no file then.
   */
  dropRetiredPage(
    skipped: number,
    isInUse: (chunk: number, accessedAt: number) => boolean,
  ): 'dropped' | 'in-use' | 'none' {
    return this.statements.transaction(() => {
      const page = this.sql.retiredPage.get(skipped);
      if (page === undefined) return 'none';
      const held = this.pages.change(page, (known) => {
        const kept = known.filter(({ chunk }) => isInUse(chunk, this.sql.accessedAt.get(chunk)?.value ?? 0));
        return kept.length === known.length ? known : kept;
      });
      if (held === 0) return 'in-use';
      this.sql.addHeld.run(held, page.manifest);
      this.sql.removeIfEmpty.run(page.manifest);
      return 'dropped';
    });
  }

  /** Of those chunks, the ones of no file. */
  unusedOf(chunks: Iterable<number>): ChunkRow[] {
    return [...chunks].flatMap((chunk) => this.sql.chunkIfUnused.all(chunk));
  }

  // What people want.

  pin(content: ContentKey, isPinned: boolean): void {
    this.statements.transaction(() => {
      const { node, version } = content;
      if (isPinned) this.sql.pin.run(node, version);
      else this.sql.unpin.run(node, version);
      this.sql.markPinned.run(isPinned ? 1 : 0, node, version);
    });
  }

  pins(): { node: number; version: number; size: number | null; held: number | null }[] {
    return this.sql.pins.all();
  }

  retire(content: ContentKey, nowMs: number): void {
    this.sql.retire.run(nowMs, content.node, content.version);
  }

  /** Manifests to clear: of one origin, of one content, or all. */
  manifestsToClear(which: { originId?: string; content?: ContentKey; includePinned: boolean }): number[] {
    const { originId = null, content, includePinned } = which;
    const values = [
      originId,
      originId,
      content?.node ?? null,
      content?.node ?? null,
      content?.version ?? null,
    ];
    return this.sql.toClear.all(...values, includePinned ? 1 : 0).map(({ id }) => id);
  }

  /** Chunks behind that id, and the manifests that use each. */
  usersBehind(after: number, most: number): { id: number; length: number; users: number[] }[] {
    return this.sql.chunksBehind.all(after, most).map(({ id, length }) => ({
      id,
      length,
      users: this.sql.usersOf.all(id).map(({ manifest }) => manifest),
    }));
  }

  chunksToCheck(most: number): ChunkRow[] {
    return this.sql.toCheck.all(most);
  }

  /** Moves the log into the file, as far as the disk lets it. */
  checkpoint(): void {
    this.statements.database.pragma('wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.statements.database.close();
  }

  private manifestOf([placement]: readonly Placement[]): ManifestRow | null {
    if (placement === undefined) return null;
    const { content, fileBytes, originId } = placement;
    const known = this.manifest(content);
    if (known !== undefined && known.size === fileBytes) return known;
    // The same version in another size: what is held is of some other file.
    if (known !== undefined) while (!this.dropPagesNow(known.id));
    this.sql.addManifest.run(content.node, content.version, originId, fileBytes);
    return this.manifest(content) ?? null;
  }

  private dropPagesNow(manifest: number): boolean {
    return this.dropPages(manifest, limits.manifestPagesAtOnce).isGone;
  }

  private chunkRow(placement: Placement, now: number): number {
    const name = chunkName(placement.hash, placement.ordinal);
    return this.sql.addChunk.get(name, placement.lengthBytes, now, now)?.id ?? 0;
  }
}

function extentOf(placement: Placement, chunk: number): Extent {
  const { offset, lengthBytes, hash, ordinal, isEdge } = placement;
  return { offset, lengthBytes, skipBytes: 0, chunkBytes: lengthBytes, chunk, hash, ordinal, isEdge };
}

function candidateOf(row: CandidateRow): Candidate {
  return { ...row, isPinned: row.isPinned !== 0 };
}

function prepare(statements: CountedStatements) {
  const select = <T>(sql: string) => statements.prepare<T>(sql);
  const candidate = 'id AS chunk, name, length AS lengthBytes, accessed_at AS accessedAt';
  return {
    manifest: select<ManifestRow>('SELECT * FROM manifests WHERE node = ? AND version = ?'),
    chunk: select<ChunkRow>('SELECT id, name, length FROM chunks WHERE id = ?'),
    chunkNamed: select<ChunkRow>('SELECT id, name, length FROM chunks WHERE name = ?'),
    chunksNamed: select<ChunkRow>(
      'SELECT id, name, length FROM chunks WHERE name >= ? AND name < ? ORDER BY name',
    ),
    chunkIfUnused: select<ChunkRow>('SELECT id, name, length FROM chunks WHERE id = ? AND refs = 0'),
    counters: select<Counters>('SELECT * FROM counters'),
    origins: select<OriginCacheStats>(`SELECT origin AS originId, logical_bytes AS logicalBytes,
      complete_files AS completeFiles, partial_files AS partialFiles, pinned_bytes AS pinnedBytes FROM origins ORDER BY origin`),
    newestAccess: select<{ value: number | null }>('SELECT max(accessed_at) AS value FROM chunks'),
    meta: select<{ value: number }>('SELECT value FROM meta WHERE key = ?'),
    setMeta: select('UPDATE meta SET value = ? WHERE key = ?'),
    addChunk: select<{
      id: number;
    }>(`INSERT INTO chunks (name, length, accessed_at, verified_at) VALUES (?, ?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET accessed_at = excluded.accessed_at, verified_at = excluded.verified_at RETURNING id`),
    adoptChunk: select(`INSERT INTO chunks (name, length, accessed_at, verified_at) VALUES (?, ?, 0, 0)
      ON CONFLICT (name) DO NOTHING`),
    touch: select('UPDATE chunks SET accessed_at = ? WHERE id = ? AND accessed_at < ?'),
    verified: select('UPDATE chunks SET verified_at = ? WHERE id = ?'),
    pagesOfChunk: select<PageRow>(
      `SELECT ${pageColumns} FROM uses u JOIN pages p ON p.id = u.page JOIN manifests m ON m.id = p.manifest
        WHERE u.chunk = ?`,
    ),
    removeChunk: select('DELETE FROM chunks WHERE id = ?'),
    unused: select<CandidateRow>(`SELECT ${candidate}, 0 AS isPinned FROM chunks
      WHERE refs = 0 AND accessed_at <= ? ORDER BY accessed_at, id LIMIT ?`),
    leastRecent: select<CandidateRow>(`SELECT ${candidate}, ${isPinned} FROM chunks
      WHERE (accessed_at, id) > (?, ?) AND accessed_at <= ? ORDER BY accessed_at, id LIMIT ?`),
    oldestRetired: select<{ id: number }>(
      'SELECT id FROM manifests WHERE retired_at < ? AND NOT pinned ORDER BY retired_at, id LIMIT 1',
    ),
    retiredPage: select<PageRow>(`SELECT ${pageColumns} FROM manifests m
      JOIN pages p ON p.manifest = m.id WHERE m.retired_at IS NOT NULL AND NOT m.pinned
      ORDER BY m.retired_at, m.id, p.start LIMIT 1 OFFSET ?`),
    accessedAt: select<{ value: number }>('SELECT accessed_at AS value FROM chunks WHERE id = ?'),
    firstPages: select<PageRow>(
      `SELECT ${pageColumns} FROM pages p JOIN manifests m ON m.id = p.manifest WHERE p.manifest = ?
        ORDER BY p.start LIMIT ?`,
    ),
    addManifest:
      select(`INSERT INTO manifests (node, version, origin, size, pinned) SELECT column1, column2, column3, column4,
      EXISTS (SELECT 1 FROM pins WHERE node = column1 AND version = column2) FROM (VALUES (?, ?, ?, ?))
      WHERE true ON CONFLICT DO NOTHING`),
    addHeld: select('UPDATE manifests SET held = held + ? WHERE id = ?'),
    removeIfEmpty: select('DELETE FROM manifests WHERE id = ? AND held = 0'),
    removeManifest: select('DELETE FROM manifests WHERE id = ?'),
    pin: select('INSERT INTO pins (node, version) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    unpin: select('DELETE FROM pins WHERE node = ? AND version = ?'),
    markPinned: select('UPDATE manifests SET pinned = ? WHERE node = ? AND version = ?'),
    pins: select<{ node: number; version: number; size: number | null; held: number | null }>(
      'SELECT p.node, p.version, m.size, m.held FROM pins p LEFT JOIN manifests m USING (node, version) ORDER BY 1, 2',
    ),
    retire: select(
      'UPDATE manifests SET retired_at = ? WHERE node = ? AND version = ? AND retired_at IS NULL',
    ),
    toClear: select<{ id: number }>(`SELECT id FROM manifests WHERE (? IS NULL OR origin = ?)
      AND (? IS NULL OR (node = ? AND version = ?)) AND (? OR NOT pinned)`),
    chunksBehind: select<ChunkRow>('SELECT id, name, length FROM chunks WHERE id > ? ORDER BY id LIMIT ?'),
    usersOf: select<{ manifest: number }>(
      'SELECT DISTINCT p.manifest FROM uses u JOIN pages p ON p.id = u.page WHERE u.chunk = ?',
    ),
    toCheck: select<ChunkRow>('SELECT id, name, length FROM chunks ORDER BY verified_at, id LIMIT ?'),
  };
}
