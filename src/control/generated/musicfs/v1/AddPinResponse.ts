// Original file: proto/musicfs/v1/cache.proto


export interface AddPinResponse {
  'added'?: (boolean);
}

export interface AddPinResponse__Output {
  'added': (boolean);
}
