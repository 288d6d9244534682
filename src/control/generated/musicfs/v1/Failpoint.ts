// Original file: proto/musicfs/v1/debug.proto


export interface Failpoint {
  'name'?: (string);
  'action'?: (string);
  'hits'?: (number);
}

export interface Failpoint__Output {
  'name': (string);
  'action': (string);
  'hits': (number);
}
