// Original file: proto/musicfs/v1/cache.proto


export interface RemovePinResponse {
  'removed'?: (boolean);
}

export interface RemovePinResponse__Output {
  'removed': (boolean);
}
