// Original file: proto/musicfs/v1/cache.proto


export interface AddPinRequest {
  'path'?: (string);
}

export interface AddPinRequest__Output {
  'path': (string);
}
