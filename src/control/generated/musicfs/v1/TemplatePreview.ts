// Original file: proto/musicfs/v1/library.proto

import type { PathChange as _musicfs_v1_PathChange, PathChange__Output as _musicfs_v1_PathChange__Output } from '../../musicfs/v1/PathChange.ts';
import type { PathCollision as _musicfs_v1_PathCollision, PathCollision__Output as _musicfs_v1_PathCollision__Output } from '../../musicfs/v1/PathCollision.ts';

export interface TemplatePreview {
  'tracks'?: (number | string);
  'changed'?: (number | string);
  'colliding'?: (number | string);
  'examples'?: (_musicfs_v1_PathChange)[];
  'collisions'?: (_musicfs_v1_PathCollision)[];
  'longestName'?: (string);
  'longestNameBytes'?: (number);
}

export interface TemplatePreview__Output {
  'tracks': (number);
  'changed': (number);
  'colliding': (number);
  'examples': (_musicfs_v1_PathChange__Output)[];
  'collisions': (_musicfs_v1_PathCollision__Output)[];
  'longestName': (string);
  'longestNameBytes': (number);
}
