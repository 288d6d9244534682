// Original file: proto/musicfs/v1/supervision.proto

export const RestartStrategy = {
  RESTART_STRATEGY_UNSPECIFIED: 'RESTART_STRATEGY_UNSPECIFIED',
  RESTART_STRATEGY_ONE_FOR_ONE: 'RESTART_STRATEGY_ONE_FOR_ONE',
  RESTART_STRATEGY_REST_FOR_ONE: 'RESTART_STRATEGY_REST_FOR_ONE',
} as const;

export type RestartStrategy =
  | 'RESTART_STRATEGY_UNSPECIFIED'
  | 0
  | 'RESTART_STRATEGY_ONE_FOR_ONE'
  | 1
  | 'RESTART_STRATEGY_REST_FOR_ONE'
  | 2

export type RestartStrategy__Output = typeof RestartStrategy[keyof typeof RestartStrategy]
