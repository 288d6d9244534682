// Original file: proto/musicfs/v1/cache.proto


export interface PinState {
  'path'?: (string);
  'tracks'?: (number);
  'heldTracks'?: (number);
  'bytes'?: (number | string);
  'heldBytes'?: (number | string);
}

export interface PinState__Output {
  'path': (string);
  'tracks': (number);
  'heldTracks': (number);
  'bytes': (number);
  'heldBytes': (number);
}
