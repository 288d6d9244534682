// Original file: proto/musicfs/v1/library.proto


export interface PathCollision {
  'path'?: (string);
  'realPaths'?: (string)[];
}

export interface PathCollision__Output {
  'path': (string);
  'realPaths': (string)[];
}
