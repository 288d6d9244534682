// What the parts of the chunk store share on the fetch thread: the files, the index as far as it can be used, the mode,
// the disk's fill, and what happens when a call on any of them fails. No part throws for a disk's sake; a failure is told
// here, and the part goes on without what it wanted.
import path from 'node:path';
import PQueue from 'p-queue';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import type { Logger } from '../platform/logger.ts';
import { AccessTimes } from './access-times.ts';
import { identityOf, type OpenedCacheIndex, openCacheIndex, replaceCacheIndex } from './cache-database.ts';
import type { CacheEvent } from './cache-events.ts';
import { type CacheFailure, failureOf } from './cache-failure.ts';
import { CacheIndex, type ChunkRow } from './cache-index.ts';
import { type CacheLimits, type DiskSample, type Fill, fillOf } from './cache-limits.ts';
import { CacheModes } from './cache-mode.ts';
import { cacheIndexName } from './cache-schema.ts';
import { ChunkFiles } from './chunk-files.ts';
import { type FileOperations, fileOperations } from './file-operations.ts';
import type { Hash64 } from './manifest-page.ts';

export interface ChunkStoreOptions {
  /** <state>/cache: holds cache.db and chunks/. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly failpoints: Failpoints;
  /** xxHash64, seed 0. */
  readonly hash: Hash64;
  readonly limits: CacheLimits;
  readonly onEvent: (event: CacheEvent) => void;
  /** Other calls on the disk than Node's: for tests. */
  readonly operations?: FileOperations;
}

export class StoreState {
  readonly options: ChunkStoreOptions;
  readonly operations: FileOperations;
  readonly files: ChunkFiles;
  readonly modes: CacheModes;
  /** Whatever changes chunk files or looks at many of them runs here, one after the other. */
  readonly lane = new PQueue({ concurrency: 1 });
  /** Calls on the disk within one such piece of work. */
  readonly calls = new PQueue({ concurrency: limits.cacheCallsAtOnce });
  readonly closing = new AbortController();
  readonly totals = { evictedBytes: 0, evictedChunks: 0, corruptChunks: 0, lostVictims: 0, unkeptChunks: 0 };
  times: AccessTimes;
  /** Bytes of chunks on their way to the disk. */
  reservedBytes = 0;
  /** The index was begun anew or not closed in order: there may be chunk files that it does not know. */
  onIndexNeedsFiles: () => void = () => undefined;
  private opened: CacheIndex | null = null;
  private openedIdentity: string | null = null;
  private sample: DiskSample = { freeBytes: 0, totalBytes: 0, usedBytes: 0 };
  private sampledAtMs = Number.NEGATIVE_INFINITY;
  /** When the disk last said that it is full: it is believed for a while, whatever the sample says. */
  private refusedAtMs = Number.NEGATIVE_INFINITY;
  private lastUsedBytes = 0;
  /** Rows whose files are gone, and files that should have no row: what a failure left to be done. */
  private readonly rowsToRemove = new Set<number>();
  private readonly filesToRemove = new Map<string, number>();

  constructor(options: ChunkStoreOptions) {
    const { directory, clock, failpoints, log, limits: bounds, onEvent } = options;
    this.options = options;
    this.operations = options.operations ?? fileOperations;
    const signal = this.closing.signal;
    this.files = new ChunkFiles({ directory, operations: this.operations, clock, failpoints, signal });
    this.modes = new CacheModes({ clock, log, isEnabled: bounds.enabled, onEvent });
    this.times = new AccessTimes(clock, 0);
  }

  get index(): CacheIndex | null {
    return this.opened;
  }

  get isWriting(): boolean {
    return this.modes.mode === 'normal';
  }

  // The index.

  /** Opens cache.db, a damaged one anew. False when the disk does not let it be opened. */
  openIndex(): boolean {
    try {
      this.adoptIndex(openCacheIndex(this.options.directory, this.options.clock.wallMs()));
      return true;
    } catch (error) {
      failureOf(error);
      this.abandonIndex();
      this.modes.died(`cache.db cannot be opened: ${messageOf(error)}`);
      return false;
    }
  }

  /** Puts cache.db aside and begins a new one. */
  replaceIndex(reason: string): void {
    this.abandonIndex();
    try {
      const { directory, clock } = this.options;
      this.adoptIndex(replaceCacheIndex(directory, reason, clock.wallMs()));
    } catch (error) {
      failureOf(error);
      this.abandonIndex();
      this.modes.died(`cache.db cannot be made anew: ${messageOf(error)}`);
    }
  }

  abandonIndex(): void {
    try {
      this.opened?.close();
    } catch (error) {
      failureOf(error);
    }
    this.opened = null;
  }

  /** Empties the log and closes. */
  closeIndex(): void {
    if (this.modes.mode !== 'passthrough') this.withIndex((index) => index.checkpoint());
    this.abandonIndex();
  }

  /** Whether cache.db is still the file that is open. */
  isIndexInPlace(): boolean {
    return identityOf(path.join(this.options.directory, cacheIndexName)) === this.openedIdentity;
  }

  /** Work on the index, within one turn. Undefined when there is none, or it failed, which is then known. */
  withIndex<T>(work: (index: CacheIndex) => T): T | undefined {
    if (this.opened === null) return undefined;
    try {
      return work(this.opened);
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'damaged') this.replaceIndex(messageOf(error));
      else this.failed(failure, `cache.db: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** A call on a chunk file failed. */
  fileFailed(error: unknown): CacheFailure {
    const failure = failureOf(error);
    if (!this.closing.signal.aborted) this.failed(failure, messageOf(error));
    return failure;
  }

  private failed(failure: CacheFailure, message: string): void {
    if (failure === 'full') this.refusedAtMs = this.options.clock.monotonicMs();
    this.options.log.debug({ event: 'cache_call_failed', failure, message });
    this.modes.failed(failure, message);
  }

  private adoptIndex({ database, setAside }: OpenedCacheIndex): void {
    const { directory, failpoints, clock, log, onEvent, hash } = this.options;
    this.opened = new CacheIndex(database, failpoints, this.operations, hash);
    this.openedIdentity = identityOf(path.join(directory, cacheIndexName));
    this.times = new AccessTimes(clock, this.opened.newestAccess());
    this.rowsToRemove.clear();
    if (setAside !== null) {
      log.error({ event: 'cache_index_lost', ...setAside }, 'the index of the cache is made anew');
      onEvent({ type: 'cache_index_lost', ...setAside });
    }
    const knowsAll = this.opened.meta('indexed') === 1 && this.opened.meta('clean') === 1;
    this.opened.setMeta('clean', 0);
    if (!knowsAll) this.onIndexNeedsFiles();
  }

  // Room.

  usedBytes(): number {
    this.lastUsedBytes = this.withIndex((index) => index.counters().stored_bytes) ?? this.lastUsedBytes;
    return this.lastUsedBytes;
  }

  /** With so many bytes more. */
  fill(moreBytes = 0): Fill {
    return fillOf(this.usedBytes() + this.reservedBytes + moreBytes, this.sample, this.options.limits);
  }

  get isSampleDue(): boolean {
    const ageMs = this.options.clock.monotonicMs() - this.sampledAtMs;
    return ageMs >= limits.cacheSampleMs || this.refusedAtMs >= this.sampledAtMs;
  }

  /** Asks the disk how full it is. */
  async sampleDisk(): Promise<void> {
    const space = await this.files.space();
    this.sample = { ...space, usedBytes: this.usedBytes() };
    this.sampledAtMs = this.options.clock.monotonicMs();
    this.judgeRoom();
  }

  /** Stops or allows writing by what is known of the disk. */
  judgeRoom(): void {
    const wasRefused = this.options.clock.monotonicMs() - this.refusedAtMs < limits.cacheSampleMs;
    if (this.fill().level === 'full') this.modes.measured('the cache disk is full');
    else if (!wasRefused) this.modes.measured(null);
  }

  // What goes.

  /**
   * A chunk whose file is gone or holds other bytes: the file goes, then all that is known of it. Runs in the lane. Event
   * and counter; resolves also when the disk lets nothing be removed.
   */
  async removeBad(row: ChunkRow): Promise<void> {
    this.totals.corruptChunks += 1;
    this.options.log.warn({ event: 'chunk_corrupt', key: row.name });
    try {
      await this.files.remove(row.name);
    } catch (error) {
      this.fileFailed(error);
      this.discardLater(row.name);
    }
    this.forget([row.id]);
    this.options.onEvent({ type: 'chunk_corrupt', key: row.name, repaired: false });
  }

  /** Removes rows whose files are gone; now, or when the index lets it. */
  forget(chunks: readonly number[]): void {
    for (const chunk of chunks) this.rowsToRemove.add(chunk);
    if (this.rowsToRemove.size === 0) return;
    const removed = this.withIndex((index) => {
      index.removeChunks([...this.rowsToRemove]);
      return true;
    });
    if (removed === true) this.rowsToRemove.clear();
  }

  /** A file that could not be removed is tried once more; then it is left to verify, or to a chunk that gets its name. */
  discardLater(name: string): void {
    const tries = (this.filesToRemove.get(name) ?? 0) + 1;
    this.filesToRemove.delete(name);
    if (tries <= mostTries && this.filesToRemove.size < mostFilesToRemove)
      this.filesToRemove.set(name, tries);
  }

  /** A file of that name is about to be somebody's. */
  keep(name: string): void {
    this.filesToRemove.delete(name);
  }

  /** Removes files that no row tells of, and those of earlier tries. */
  async discard(names: readonly string[]): Promise<void> {
    for (const name of names) this.discardLater(name);
    for (const name of [...this.filesToRemove.keys()]) {
      const row = this.withIndex((index) => index.chunkNamed(name) ?? null);
      if (row === undefined) return; // who knows
      try {
        if (row === null) await this.files.remove(name);
        this.filesToRemove.delete(name);
      } catch (error) {
        this.fileFailed(error);
        this.discardLater(name);
      }
    }
  }
}

const mostTries = 2;
const mostFilesToRemove = 1000;
