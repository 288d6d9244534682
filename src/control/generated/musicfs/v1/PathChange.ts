// Original file: proto/musicfs/v1/library.proto


export interface PathChange {
  'before'?: (string);
  'after'?: (string);
}

export interface PathChange__Output {
  'before': (string);
  'after': (string);
}
