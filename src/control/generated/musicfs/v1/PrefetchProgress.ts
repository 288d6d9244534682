// Original file: proto/musicfs/v1/cache.proto


export interface PrefetchProgress {
  'currentPath'?: (string);
  'total'?: (number);
  'completed'?: (number);
  'bytesFetched'?: (number | string);
  'skipped'?: (number);
  'failed'?: (number);
  '_currentPath'?: "currentPath";
}

export interface PrefetchProgress__Output {
  'currentPath'?: (string);
  'total': (number);
  'completed': (number);
  'bytesFetched': (number);
  'skipped': (number);
  'failed': (number);
}
