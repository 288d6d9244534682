// Original file: proto/musicfs/v1/scan.proto

import type { ScanPhase as _musicfs_v1_ScanPhase, ScanPhase__Output as _musicfs_v1_ScanPhase__Output } from '../../musicfs/v1/ScanPhase.ts';

export interface ScanStatus {
  'running'?: (boolean);
  'complete'?: (boolean);
  'done'?: (number);
  'total'?: (number);
  'errors'?: (number);
  'phase'?: (_musicfs_v1_ScanPhase);
  'filesPerSecond'?: (number | string);
  'etaSeconds'?: (number | string);
  'currentPath'?: (string);
  'parsed'?: (number);
  '_phase'?: "phase";
  '_etaSeconds'?: "etaSeconds";
  '_currentPath'?: "currentPath";
}

export interface ScanStatus__Output {
  'running': (boolean);
  'complete': (boolean);
  'done': (number);
  'total': (number);
  'errors': (number);
  'phase'?: (_musicfs_v1_ScanPhase__Output);
  'filesPerSecond': (number);
  'etaSeconds'?: (number);
  'currentPath'?: (string);
  'parsed': (number);
}
