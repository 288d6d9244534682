// Original file: proto/musicfs/v1/library.proto


export interface ExplainRequest {
  'path'?: (string);
}

export interface ExplainRequest__Output {
  'path': (string);
}
