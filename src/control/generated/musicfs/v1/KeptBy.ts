// Original file: proto/musicfs/v1/system.proto

export const KeptBy = {
  KEPT_BY_UNSPECIFIED: 'KEPT_BY_UNSPECIFIED',
  KEPT_BY_NONE: 'KEPT_BY_NONE',
  KEPT_BY_KEEPER: 'KEPT_BY_KEEPER',
  KEPT_BY_SYSTEMD: 'KEPT_BY_SYSTEMD',
} as const;

export type KeptBy =
  | 'KEPT_BY_UNSPECIFIED'
  | 0
  | 'KEPT_BY_NONE'
  | 1
  | 'KEPT_BY_KEEPER'
  | 2
  | 'KEPT_BY_SYSTEMD'
  | 3

export type KeptBy__Output = typeof KeptBy[keyof typeof KeptBy]
