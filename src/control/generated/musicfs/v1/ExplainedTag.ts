// Original file: proto/musicfs/v1/library.proto


export interface ExplainedTag {
  'field'?: (string);
  'values'?: (string)[];
}

export interface ExplainedTag__Output {
  'field': (string);
  'values': (string)[];
}
