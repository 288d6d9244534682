// Original file: proto/musicfs/v1/cache.proto


export interface ClearCacheResponse {
  'bytes'?: (number | string);
  'chunks'?: (number);
}

export interface ClearCacheResponse__Output {
  'bytes': (number);
  'chunks': (number);
}
