// Original file: proto/musicfs/v1/library.proto


export interface ExplainedRule {
  'id'?: (string);
  'text'?: (string);
}

export interface ExplainedRule__Output {
  'id': (string);
  'text': (string);
}
