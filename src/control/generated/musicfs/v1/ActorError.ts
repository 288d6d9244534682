// Original file: proto/musicfs/v1/supervision.proto


export interface ActorError {
  'code'?: (string);
  'message'?: (string);
  'atMs'?: (number | string);
  'count'?: (number);
}

export interface ActorError__Output {
  'code': (string);
  'message': (string);
  'atMs': (number);
  'count': (number);
}
