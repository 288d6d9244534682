// Original file: proto/musicfs/v1/cache.proto


export interface ClearCacheRequest {
  'originId'?: (string);
  'path'?: (string);
  'includePinned'?: (boolean);
  'dryRun'?: (boolean);
  '_originId'?: "originId";
  '_path'?: "path";
}

export interface ClearCacheRequest__Output {
  'originId'?: (string);
  'path'?: (string);
  'includePinned': (boolean);
  'dryRun': (boolean);
}
