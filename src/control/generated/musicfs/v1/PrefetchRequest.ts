// Original file: proto/musicfs/v1/cache.proto


export interface PrefetchRequest {
  'paths'?: (string)[];
}

export interface PrefetchRequest__Output {
  'paths': (string)[];
}
