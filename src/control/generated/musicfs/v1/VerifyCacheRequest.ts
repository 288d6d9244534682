// Original file: proto/musicfs/v1/cache.proto


export interface VerifyCacheRequest {
  'repair'?: (boolean);
  'full'?: (boolean);
}

export interface VerifyCacheRequest__Output {
  'repair': (boolean);
  'full': (boolean);
}
