// Original file: proto/musicfs/v1/system.proto

import type { MountState as _musicfs_v1_MountState, MountState__Output as _musicfs_v1_MountState__Output } from '../../musicfs/v1/MountState.ts';
import type { ScanStatus as _musicfs_v1_ScanStatus, ScanStatus__Output as _musicfs_v1_ScanStatus__Output } from '../../musicfs/v1/ScanStatus.ts';
import type { KeptBy as _musicfs_v1_KeptBy, KeptBy__Output as _musicfs_v1_KeptBy__Output } from '../../musicfs/v1/KeptBy.ts';
import type { Session as _musicfs_v1_Session, Session__Output as _musicfs_v1_Session__Output } from '../../musicfs/v1/Session.ts';
import type { Process as _musicfs_v1_Process, Process__Output as _musicfs_v1_Process__Output } from '../../musicfs/v1/Process.ts';
import type { OriginStatus as _musicfs_v1_OriginStatus, OriginStatus__Output as _musicfs_v1_OriginStatus__Output } from '../../musicfs/v1/OriginStatus.ts';
import type { FuseCounters as _musicfs_v1_FuseCounters, FuseCounters__Output as _musicfs_v1_FuseCounters__Output } from '../../musicfs/v1/FuseCounters.ts';
import type { SupervisionSummary as _musicfs_v1_SupervisionSummary, SupervisionSummary__Output as _musicfs_v1_SupervisionSummary__Output } from '../../musicfs/v1/SupervisionSummary.ts';
import type { CacheSummary as _musicfs_v1_CacheSummary, CacheSummary__Output as _musicfs_v1_CacheSummary__Output } from '../../musicfs/v1/CacheSummary.ts';

export interface Status {
  'pid'?: (number);
  'version'?: (string);
  'mountPoint'?: (string);
  'state'?: (_musicfs_v1_MountState);
  'driver'?: (string);
  'tracks'?: (number);
  'files'?: (number);
  'directories'?: (number);
  'uptimeSeconds'?: (number | string);
  'scan'?: (_musicfs_v1_ScanStatus | null);
  'warnings'?: (string)[];
  'socket'?: (string);
  'stateDirectory'?: (string);
  'keptBy'?: (_musicfs_v1_KeptBy);
  'incarnation'?: (number);
  'session'?: (_musicfs_v1_Session | null);
  'process'?: (_musicfs_v1_Process | null);
  'origins'?: (_musicfs_v1_OriginStatus)[];
  'fuse'?: (_musicfs_v1_FuseCounters | null);
  'supervision'?: (_musicfs_v1_SupervisionSummary | null);
  'program'?: (string);
  'cache'?: (_musicfs_v1_CacheSummary | null);
}

export interface Status__Output {
  'pid': (number);
  'version': (string);
  'mountPoint': (string);
  'state': (_musicfs_v1_MountState__Output);
  'driver': (string);
  'tracks': (number);
  'files': (number);
  'directories': (number);
  'uptimeSeconds': (number);
  'scan': (_musicfs_v1_ScanStatus__Output | null);
  'warnings': (string)[];
  'socket': (string);
  'stateDirectory': (string);
  'keptBy': (_musicfs_v1_KeptBy__Output);
  'incarnation': (number);
  'session': (_musicfs_v1_Session__Output | null);
  'process': (_musicfs_v1_Process__Output | null);
  'origins': (_musicfs_v1_OriginStatus__Output)[];
  'fuse': (_musicfs_v1_FuseCounters__Output | null);
  'supervision': (_musicfs_v1_SupervisionSummary__Output | null);
  'program': (string);
  'cache': (_musicfs_v1_CacheSummary__Output | null);
}
