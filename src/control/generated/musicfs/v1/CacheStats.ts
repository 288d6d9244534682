// Original file: proto/musicfs/v1/cache.proto

import type { CacheMode as _musicfs_v1_CacheMode, CacheMode__Output as _musicfs_v1_CacheMode__Output } from '../../musicfs/v1/CacheMode.ts';
import type { OriginCacheStats as _musicfs_v1_OriginCacheStats, OriginCacheStats__Output as _musicfs_v1_OriginCacheStats__Output } from '../../musicfs/v1/OriginCacheStats.ts';

export interface CacheStats {
  'mode'?: (_musicfs_v1_CacheMode);
  'cause'?: (string);
  'limitBytes'?: (number | string);
  'storedBytes'?: (number | string);
  'storedChunks'?: (number);
  'logicalBytes'?: (number | string);
  'sharedShare'?: (number | string);
  'completeFiles'?: (number);
  'partialFiles'?: (number);
  'pinnedBytes'?: (number | string);
  'hits'?: (number);
  'misses'?: (number);
  'bytesFromCache'?: (number | string);
  'bytesFromOrigins'?: (number | string);
  'evictedBytes'?: (number | string);
  'evictedChunks'?: (number);
  'corruptChunks'?: (number);
  'collisions'?: (number);
  'origins'?: (_musicfs_v1_OriginCacheStats)[];
}

export interface CacheStats__Output {
  'mode': (_musicfs_v1_CacheMode__Output);
  'cause': (string);
  'limitBytes': (number);
  'storedBytes': (number);
  'storedChunks': (number);
  'logicalBytes': (number);
  'sharedShare': (number);
  'completeFiles': (number);
  'partialFiles': (number);
  'pinnedBytes': (number);
  'hits': (number);
  'misses': (number);
  'bytesFromCache': (number);
  'bytesFromOrigins': (number);
  'evictedBytes': (number);
  'evictedChunks': (number);
  'corruptChunks': (number);
  'collisions': (number);
  'origins': (_musicfs_v1_OriginCacheStats__Output)[];
}
