// Original file: proto/musicfs/v1/system.proto

export const OriginState = {
  ORIGIN_STATE_UNSPECIFIED: 'ORIGIN_STATE_UNSPECIFIED',
  ORIGIN_STATE_HEALTHY: 'ORIGIN_STATE_HEALTHY',
  ORIGIN_STATE_DEGRADED: 'ORIGIN_STATE_DEGRADED',
  ORIGIN_STATE_UNHEALTHY: 'ORIGIN_STATE_UNHEALTHY',
  ORIGIN_STATE_DISABLED: 'ORIGIN_STATE_DISABLED',
} as const;

export type OriginState =
  | 'ORIGIN_STATE_UNSPECIFIED'
  | 0
  | 'ORIGIN_STATE_HEALTHY'
  | 1
  | 'ORIGIN_STATE_DEGRADED'
  | 2
  | 'ORIGIN_STATE_UNHEALTHY'
  | 3
  | 'ORIGIN_STATE_DISABLED'
  | 4

export type OriginState__Output = typeof OriginState[keyof typeof OriginState]
