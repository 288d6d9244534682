// Original file: proto/musicfs/v1/cache.proto


export interface OriginCacheStats {
  'originId'?: (string);
  'logicalBytes'?: (number | string);
  'completeFiles'?: (number);
  'partialFiles'?: (number);
  'pinnedBytes'?: (number | string);
}

export interface OriginCacheStats__Output {
  'originId': (string);
  'logicalBytes': (number);
  'completeFiles': (number);
  'partialFiles': (number);
  'pinnedBytes': (number);
}
