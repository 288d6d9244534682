// What of fetched bytes is kept.
export interface CacheSettings {
  readonly enabled: boolean;
  /** Bytes of chunk files, at most. */
  readonly contentMaxBytes: number;
  /** Bytes that stay free on the disk, and the share of it: the larger of the two. */
  readonly minFreeBytes: number;
  readonly minFreeShare: number;
}

export const defaultCache: CacheSettings = {
  enabled: true,
  contentMaxBytes: 10 * 2 ** 30,
  minFreeBytes: 2 ** 30,
  minFreeShare: 0.05,
};
