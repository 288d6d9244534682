// What of fetched bytes is kept.
export interface CacheSettings {
  readonly enabled: boolean;
  /** Bytes of chunk files, at most. */
  readonly contentMaxBytes: number;
}

export const defaultCache: CacheSettings = { enabled: true, contentMaxBytes: 10 * 2 ** 30 };
