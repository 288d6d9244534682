// Original file: proto/musicfs/v1/system.proto

import type { CacheMode as _musicfs_v1_CacheMode, CacheMode__Output as _musicfs_v1_CacheMode__Output } from '../../musicfs/v1/CacheMode.ts';

export interface CacheSummary {
  'mode'?: (_musicfs_v1_CacheMode);
  'storedBytes'?: (number | string);
  'limitBytes'?: (number | string);
  'completeFiles'?: (number);
  'partialFiles'?: (number);
}

export interface CacheSummary__Output {
  'mode': (_musicfs_v1_CacheMode__Output);
  'storedBytes': (number);
  'limitBytes': (number);
  'completeFiles': (number);
  'partialFiles': (number);
}
