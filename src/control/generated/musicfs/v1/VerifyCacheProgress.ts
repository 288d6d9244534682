// Original file: proto/musicfs/v1/cache.proto


export interface VerifyCacheProgress {
  'share'?: (number | string);
  'checked'?: (number);
  'bad'?: (number);
  'missing'?: (number);
  'orphans'?: (number);
  'repaired'?: (number);
  'done'?: (boolean);
  'clean'?: (boolean);
}

export interface VerifyCacheProgress__Output {
  'share': (number);
  'checked': (number);
  'bad': (number);
  'missing': (number);
  'orphans': (number);
  'repaired': (number);
  'done': (boolean);
  'clean': (boolean);
}
