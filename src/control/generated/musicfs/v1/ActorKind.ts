// Original file: proto/musicfs/v1/supervision.proto

export const ActorKind = {
  ACTOR_KIND_UNSPECIFIED: 'ACTOR_KIND_UNSPECIFIED',
  ACTOR_KIND_SUPERVISOR: 'ACTOR_KIND_SUPERVISOR',
  ACTOR_KIND_ACTOR: 'ACTOR_KIND_ACTOR',
  ACTOR_KIND_WORKER: 'ACTOR_KIND_WORKER',
  ACTOR_KIND_PROCESS: 'ACTOR_KIND_PROCESS',
} as const;

export type ActorKind =
  | 'ACTOR_KIND_UNSPECIFIED'
  | 0
  | 'ACTOR_KIND_SUPERVISOR'
  | 1
  | 'ACTOR_KIND_ACTOR'
  | 2
  | 'ACTOR_KIND_WORKER'
  | 3
  | 'ACTOR_KIND_PROCESS'
  | 4

export type ActorKind__Output = typeof ActorKind[keyof typeof ActorKind]
