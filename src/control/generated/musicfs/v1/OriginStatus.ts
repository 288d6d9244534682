// Original file: proto/musicfs/v1/system.proto

import type { OriginState as _musicfs_v1_OriginState, OriginState__Output as _musicfs_v1_OriginState__Output } from '../../musicfs/v1/OriginState.ts';

export interface OriginStatus {
  'id'?: (string);
  'kind'?: (string);
  'root'?: (string);
  'files'?: (number);
  'state'?: (_musicfs_v1_OriginState);
}

export interface OriginStatus__Output {
  'id': (string);
  'kind': (string);
  'root': (string);
  'files': (number);
  'state': (_musicfs_v1_OriginState__Output);
}
