// Original file: proto/musicfs/v1/origin.proto


export interface RescanOriginRequest {
  'originId'?: (string);
  'detached'?: (boolean);
  'full'?: (boolean);
  '_originId'?: "originId";
}

export interface RescanOriginRequest__Output {
  'originId'?: (string);
  'detached': (boolean);
  'full': (boolean);
}
