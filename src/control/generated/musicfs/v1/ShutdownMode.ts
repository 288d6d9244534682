// Original file: proto/musicfs/v1/system.proto

export const ShutdownMode = {
  SHUTDOWN_MODE_UNSPECIFIED: 'SHUTDOWN_MODE_UNSPECIFIED',
  SHUTDOWN_MODE_DRAIN: 'SHUTDOWN_MODE_DRAIN',
  SHUTDOWN_MODE_FAST: 'SHUTDOWN_MODE_FAST',
} as const;

export type ShutdownMode =
  | 'SHUTDOWN_MODE_UNSPECIFIED'
  | 0
  | 'SHUTDOWN_MODE_DRAIN'
  | 1
  | 'SHUTDOWN_MODE_FAST'
  | 2

export type ShutdownMode__Output = typeof ShutdownMode[keyof typeof ShutdownMode]
