// Original file: proto/musicfs/v1/debug.proto

import type { Failpoint as _musicfs_v1_Failpoint, Failpoint__Output as _musicfs_v1_Failpoint__Output } from '../../musicfs/v1/Failpoint.ts';

export interface ListFailpointsResponse {
  'failpoints'?: (_musicfs_v1_Failpoint)[];
}

export interface ListFailpointsResponse__Output {
  'failpoints': (_musicfs_v1_Failpoint__Output)[];
}
