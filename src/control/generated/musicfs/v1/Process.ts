// Original file: proto/musicfs/v1/system.proto


export interface Process {
  'rssBytes'?: (number | string);
}

export interface Process__Output {
  'rssBytes': (number);
}
