// Original file: proto/musicfs/v1/supervision.proto


export interface Mailbox {
  'depth'?: (number);
  'limit'?: (number);
  'highWater'?: (number);
  'oldestMs'?: (number | string);
  'dropped'?: (number | string);
}

export interface Mailbox__Output {
  'depth': (number);
  'limit': (number);
  'highWater': (number);
  'oldestMs': (number);
  'dropped': (number);
}
