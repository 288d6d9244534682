// Original file: proto/musicfs/v1/library.proto

import type { ExplainedRule as _musicfs_v1_ExplainedRule, ExplainedRule__Output as _musicfs_v1_ExplainedRule__Output } from '../../musicfs/v1/ExplainedRule.ts';
import type { ExplainedTag as _musicfs_v1_ExplainedTag, ExplainedTag__Output as _musicfs_v1_ExplainedTag__Output } from '../../musicfs/v1/ExplainedTag.ts';

export interface Explanation {
  'path'?: (string);
  'originId'?: (string);
  'realPath'?: (string);
  'state'?: (string);
  'reason'?: (string);
  'holders'?: (string)[];
  'rules'?: (_musicfs_v1_ExplainedRule)[];
  'tags'?: (_musicfs_v1_ExplainedTag)[];
}

export interface Explanation__Output {
  'path': (string);
  'originId': (string);
  'realPath': (string);
  'state': (string);
  'reason': (string);
  'holders': (string)[];
  'rules': (_musicfs_v1_ExplainedRule__Output)[];
  'tags': (_musicfs_v1_ExplainedTag__Output)[];
}
