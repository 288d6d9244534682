// The cache of bytes: content of files in chunks that are named by their hash, below one directory. This is its writing
// side, which lives on the fetch thread; the fuse thread reads for itself (chunk-reader.ts).
//
//   <directory>/cache.db                       which chunks make up which content, when they were used (cache-schema.ts)
//   <directory>/chunks/<2 hex>/<16 hex>[-n]    the bytes of a chunk, nothing else (chunk-name.ts)
//   <directory>/chunks/tmp/                    chunks that have no name yet
//
// Promises: nothing that is wrong is ever given; a chunk is recorded whole or not at all, whenever the process is killed;
// the quota is never exceeded; no call waits for the disk in its own turn, but for short statements on cache.db; and a
// disk that is dead, full or read-only costs the cache, never a caller. What the store keeps can all be fetched again.
//
// Never here: the network, the catalog, a decision about which origin is asked.

import { MusicfsError } from '../platform/errors.ts';
import type { CacheMode, CacheStats } from './cache-events.ts';
import { unavailable } from './cache-failure.ts';
import type { CacheIndex } from './cache-index.ts';
import {
  type ScrubResult,
  scrubStore,
  type VerifyOptions,
  type VerifyProgress,
  type VerifyResult,
  verifyStore,
} from './check-store.ts';
import { chunkName } from './chunk-name.ts';
import { type ChunkRun, type RunFile, StoreRun } from './chunk-run.ts';
import { type ClearOptions, type ClearResult, clearStore } from './clear-store.ts';
import type { ByteRange, ContentKey } from './content-key.ts';
import { Evictor } from './evictor.ts';
import { type Extent, gapsIn } from './extents.ts';
import { GroupWriter } from './group-writer.ts';
import { Housekeeping } from './housekeeping.ts';
import { type ChunkStoreOptions, StoreState } from './store-state.ts';

export interface Pin {
  readonly content: ContentKey;
  /** null while nothing of it was ever held. */
  readonly sizeBytes: number | null;
  readonly heldBytes: number;
}

export class ChunkStore {
  private readonly state: StoreState;
  private readonly evictor: Evictor;
  private readonly writer: GroupWriter;
  private readonly janitor: Housekeeping;

  private constructor(options: ChunkStoreOptions) {
    this.state = new StoreState(options);
    this.evictor = new Evictor(this.state);
    this.writer = new GroupWriter(this.state, this.evictor);
    this.janitor = new Housekeeping(this.state, this.evictor);
  }

  /**
   * Costs the same whatever the cache holds: no walk. A damaged cache.db is put aside and begun anew, and chunk files are
   * indexed again in the background. A disk that cannot be used gives a store in mode passthrough; rejects for a bug only.
   */
  static async open(options: ChunkStoreOptions): Promise<ChunkStore> {
    const store = new ChunkStore(options);
    if (options.limits.enabled) await store.janitor.begin();
    return store;
  }

  get mode(): CacheMode {
    return this.state.modes.mode;
  }

  // Reading.

  /** What of the range is not held, sorted. All of it in mode passthrough. */
  gaps(content: ContentKey, offset: number, lengthBytes: number): ByteRange[] {
    const range = { offset, lengthBytes };
    return gapsIn(this.extents(content, range), range);
  }

  /** The bytes of the range, verified; null when they are not all held, or a chunk turned out bad and was removed. */
  async read(content: ContentKey, offset: number, lengthBytes: number): Promise<Uint8Array | null> {
    const range = { offset, lengthBytes };
    const extents = this.extents(content, range);
    if (gapsIn(extents, range).length > 0) return null;
    const area = Buffer.allocUnsafeSlow(lengthBytes);
    for (const extent of extents) {
      const from = Math.max(offset, extent.offset);
      const to = Math.min(offset + lengthBytes, extent.offset + extent.lengthBytes);
      if (to <= from) continue;
      const chunk = await this.chunkOf(extent);
      if (chunk === null) return null;
      const skip = extent.skipBytes + from - extent.offset;
      area.set(chunk.subarray(skip, skip + to - from), from - offset);
    }
    this.touched(extents.map(({ chunk }) => chunk));
    return area;
  }

  heldBytes(content: ContentKey): number {
    return this.state.withIndex((index) => index.manifest(content)?.held) ?? 0;
  }

  /** Every byte of the file is held; of an empty file, as soon as a run of it was flushed. */
  isComplete(content: ContentKey): boolean {
    const manifest = this.state.withIndex((index) => index.manifest(content));
    return manifest !== undefined && manifest.held === manifest.size;
  }

  // Writing.

  /** A run of bytes from `offset` on. Any number at a time, also of the same content. */
  beginRun(content: ContentKey, file: RunFile, offset: number): ChunkRun {
    const { state, writer } = this;
    return new StoreRun({
      content,
      file,
      offset,
      beginsAtCut: offset === 0 || this.isCutAt(content, offset),
      hash: state.options.hash,
      writer,
      isWriting: () => state.isWriting,
      recordEmpty: () => void state.withIndex((index) => index.recordEmpty(content, file.originId)),
    });
  }

  /** Chunks the reader served. */
  touched(chunks: readonly number[]): void {
    for (const chunk of chunks) this.state.times.touch(chunk);
    this.janitor.flushAccessTimes('when-many');
  }

  /** The reader found it wrong or missing. It is looked at again, and removed, the file first, when it is. Rejects for a bug only. */
  reportBad(chunk: number): Promise<void> {
    const { state } = this;
    return state.lane.add(async () => {
      const row = state.withIndex((index) => index.chunk(chunk));
      if (row === undefined) return;
      try {
        const bytes = await state.files.read(row.name);
        const isSound =
          bytes?.length === row.length && row.name.startsWith(chunkName(state.options.hash(bytes), 0));
        if (!isSound) await state.removeBad(row);
      } catch (error) {
        state.fileFailed(error);
      }
    });
  }

  // What is kept, and what is not.

  /** A newer version took its place: it is the first to go, and forgotten after a day. */
  retire(content: ContentKey): void {
    this.janitor.retire(content);
  }

  /** Never evicted from now on, what is held of it and what will be. Throws `unavailable` when that cannot be written. */
  pin(content: ContentKey): void {
    this.orThrow((index) => index.pin(content, true));
  }

  unpin(content: ContentKey): void {
    this.orThrow((index) => index.pin(content, false));
    this.evictor.lookAgain();
  }

  pins(): readonly Pin[] {
    return this.orThrow((index) => index.pins()).map(({ node, version, size, held }) => ({
      content: { node, version },
      sizeBytes: size,
      heldBytes: held ?? 0,
    }));
  }

  /** Removes what belongs to an origin or a content, or everything. What others share stays. Rejects with `unavailable`. */
  async clear(options: ClearOptions): Promise<ClearResult> {
    this.demandIndex();
    return clearStore(this.state, this.evictor, options);
  }

  // Looking after it.

  /** Rejects with `unavailable` when the disk fails, or with the signal's reason. */
  async verify(
    options: VerifyOptions,
    onProgress: (progress: VerifyProgress) => void,
    signal: AbortSignal,
  ): Promise<VerifyResult> {
    this.demandIndex();
    return this.checking(() => verifyStore(this.state, options, onProgress, signal), signal);
  }

  /** Reads a hundred chunks, or one of a hundred, those that were checked longest ago; nothing while there is no room. */
  async scrub(signal: AbortSignal): Promise<ScrubResult> {
    this.demandIndex();
    if (this.state.fill().level !== 'fine' && this.state.fill().level !== 'high') {
      return { checked: 0, bad: 0, wasFull: false };
    }
    return this.checking(() => scrubStore(this.state, signal), signal);
  }

  /** One step of looking after everything: see housekeeping.ts. Called every few seconds; rejects for a bug only. */
  housekeeping(signal: AbortSignal): Promise<void> {
    this.writer.buffers.trim();
    return this.janitor.step(signal);
  }

  stats(): CacheStats {
    const { modes, totals } = this.state;
    const counters = this.state.withIndex((index) => index.counters());
    const origins = this.state.withIndex((index) => index.origins()) ?? [];
    const sum = (of: (origin: (typeof origins)[number]) => number) =>
      origins.reduce((all, origin) => all + of(origin), 0);
    const storedBytes = counters?.stored_bytes ?? 0;
    const logicalBytes = sum((origin) => origin.logicalBytes);
    const { limitBytes, share } = this.state.fill();
    return {
      mode: modes.mode,
      cause: modes.cause,
      limitBytes,
      fillShare: share,
      storedBytes,
      storedChunks: counters?.stored_chunks ?? 0,
      collisions: counters?.collisions ?? 0,
      logicalBytes,
      sharedShare: logicalBytes === 0 ? 0 : Math.max(0, 1 - storedBytes / logicalBytes),
      completeFiles: sum((origin) => origin.completeFiles),
      partialFiles: sum((origin) => origin.partialFiles),
      pinnedBytes: sum((origin) => origin.pinnedBytes),
      origins,
      ...totals,
    };
  }

  /** Writes what waits and closes; within 3 s, also on a disk that hangs. May be called twice; nothing is kept after it. */
  close(): Promise<void> {
    return this.janitor.close(this.writer);
  }

  private extents(content: ContentKey, range: ByteRange): Extent[] {
    if (this.mode === 'passthrough') return [];
    return this.state.withIndex((index) => index.extents(content, range)) ?? [];
  }

  private isCutAt(content: ContentKey, offset: number): boolean {
    const [before] = this.extents(content, { offset: offset - 1, lengthBytes: 1 }).filter(
      (extent) => extent.offset + extent.lengthBytes === offset,
    );
    return (
      before !== undefined && !before.isEdge && before.skipBytes + before.lengthBytes === before.chunkBytes
    );
  }

  private async chunkOf(extent: Extent): Promise<Uint8Array | null> {
    const { files, options } = this.state;
    try {
      const bytes = await files.read(chunkName(extent.hash, extent.ordinal));
      if (bytes?.length === extent.chunkBytes && options.hash(bytes) === extent.hash) return bytes;
    } catch (error) {
      this.state.fileFailed(error);
      return null;
    }
    await this.reportBad(extent.chunk);
    return null;
  }

  private orThrow<T>(work: (index: CacheIndex) => T): T {
    this.demandIndex();
    const result = this.state.withIndex((index) => ({ value: work(index) }));
    if (result === undefined) throw new MusicfsError('unavailable', 'the index of the cache cannot be used');
    return result.value;
  }

  private demandIndex(): void {
    if (this.state.index === null) {
      throw new MusicfsError('unavailable', `the cache is not used: ${this.state.modes.cause}`);
    }
  }

  private async checking<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw error;
      throw unavailable('the cache disk fails', error);
    }
  }
}
