// Original file: proto/musicfs/v1/cache.proto

export const CacheMode = {
  CACHE_MODE_UNSPECIFIED: 'CACHE_MODE_UNSPECIFIED',
  CACHE_MODE_NORMAL: 'CACHE_MODE_NORMAL',
  CACHE_MODE_NO_WRITES: 'CACHE_MODE_NO_WRITES',
  CACHE_MODE_PASSTHROUGH: 'CACHE_MODE_PASSTHROUGH',
  CACHE_MODE_OFF: 'CACHE_MODE_OFF',
} as const;

export type CacheMode =
  | 'CACHE_MODE_UNSPECIFIED'
  | 0
  | 'CACHE_MODE_NORMAL'
  | 1
  | 'CACHE_MODE_NO_WRITES'
  | 2
  | 'CACHE_MODE_PASSTHROUGH'
  | 3
  | 'CACHE_MODE_OFF'
  | 4

export type CacheMode__Output = typeof CacheMode[keyof typeof CacheMode]
