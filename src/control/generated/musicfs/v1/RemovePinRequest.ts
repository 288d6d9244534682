// Original file: proto/musicfs/v1/cache.proto


export interface RemovePinRequest {
  'path'?: (string);
}

export interface RemovePinRequest__Output {
  'path': (string);
}
