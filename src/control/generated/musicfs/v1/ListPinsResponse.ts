// Original file: proto/musicfs/v1/cache.proto

import type { PinState as _musicfs_v1_PinState, PinState__Output as _musicfs_v1_PinState__Output } from '../../musicfs/v1/PinState.ts';

export interface ListPinsResponse {
  'pins'?: (_musicfs_v1_PinState)[];
}

export interface ListPinsResponse__Output {
  'pins': (_musicfs_v1_PinState__Output)[];
}
