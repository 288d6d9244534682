// What the chunk store tells: how it works, and what happened to what it holds.

/** normal · no-writes: what is held is read, nothing is added · passthrough: as if there were no cache. */
export type CacheMode = 'normal' | 'no-writes' | 'passthrough';

export type CacheEvent =
  | { readonly type: 'cache_eviction'; readonly bytesFreed: number; readonly chunks: number }
  | {
      readonly type: 'cache_mode_changed';
      readonly from: CacheMode;
      readonly to: CacheMode;
      readonly cause: string;
    }
  /** `key` is the name of its file. The bytes are fetched again when somebody wants them. */
  | { readonly type: 'chunk_corrupt'; readonly key: string; readonly repaired: boolean }
  /** cache.db was put aside, null when there was none; what it knew of files is forgotten, the chunks are kept. */
  | { readonly type: 'cache_index_lost'; readonly reason: string; readonly keptAs: string | null };

export interface OriginCacheStats {
  readonly originId: string;
  /** Held bytes of its files, each counted for itself. */
  readonly logicalBytes: number;
  readonly completeFiles: number;
  readonly partialFiles: number;
  readonly pinnedBytes: number;
}

export interface CacheStats {
  readonly mode: CacheMode;
  /** Why it is not normal, else empty. */
  readonly cause: string;
  readonly limitBytes: number;
  /** Of the limit; Infinity when there is no room at all. */
  readonly fillShare: number;
  readonly storedBytes: number;
  readonly storedChunks: number;
  /** Chunk files whose hash another one has as well. */
  readonly collisions: number;
  /** The sum over the origins, without replaced versions. */
  readonly logicalBytes: number;
  /** 1 - stored / logical; 0 when nothing is shared. */
  readonly sharedShare: number;
  readonly completeFiles: number;
  readonly partialFiles: number;
  readonly pinnedBytes: number;
  readonly origins: readonly OriginCacheStats[];
  /** Since the store was opened. */
  readonly evictedBytes: number;
  readonly evictedChunks: number;
  readonly corruptChunks: number;
  /** Victims whose file could not be removed; they are no longer counted. */
  readonly lostVictims: number;
  /** Chunks that were not kept: no room, or the disk failed. */
  readonly unkeptChunks: number;
}
