// Original file: proto/musicfs/v1/origin.proto

import type { ScanPhase as _musicfs_v1_ScanPhase, ScanPhase__Output as _musicfs_v1_ScanPhase__Output } from '../../musicfs/v1/ScanPhase.ts';

export interface ScanProgress {
  'originId'?: (string);
  'phase'?: (_musicfs_v1_ScanPhase);
  'done'?: (number);
  'total'?: (number);
  'filesPerSecond'?: (number | string);
  'etaSeconds'?: (number | string);
  'currentPath'?: (string);
  'added'?: (number);
  'changed'?: (number);
  'moved'?: (number);
  'removed'?: (number);
  'held'?: (number);
  'errors'?: (number);
  '_originId'?: "originId";
  '_etaSeconds'?: "etaSeconds";
  '_currentPath'?: "currentPath";
}

export interface ScanProgress__Output {
  'originId'?: (string);
  'phase': (_musicfs_v1_ScanPhase__Output);
  'done': (number);
  'total': (number);
  'filesPerSecond': (number);
  'etaSeconds'?: (number);
  'currentPath'?: (string);
  'added': (number);
  'changed': (number);
  'moved': (number);
  'removed': (number);
  'held': (number);
  'errors': (number);
}
