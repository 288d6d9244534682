// Original file: proto/musicfs/v1/debug.proto


export interface SetFailpointRequest {
  'setting'?: (string);
}

export interface SetFailpointRequest__Output {
  'setting': (string);
}
