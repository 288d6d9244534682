// Original file: proto/musicfs/v1/system.proto

import type { ShutdownMode as _musicfs_v1_ShutdownMode, ShutdownMode__Output as _musicfs_v1_ShutdownMode__Output } from '../../musicfs/v1/ShutdownMode.ts';

export interface ShutdownRequest {
  'mode'?: (_musicfs_v1_ShutdownMode);
}

export interface ShutdownRequest__Output {
  'mode': (_musicfs_v1_ShutdownMode__Output);
}
