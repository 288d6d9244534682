// Original file: proto/musicfs/v1/supervision.proto

import type { ActorKind as _musicfs_v1_ActorKind, ActorKind__Output as _musicfs_v1_ActorKind__Output } from '../../musicfs/v1/ActorKind.ts';
import type { RestartStrategy as _musicfs_v1_RestartStrategy, RestartStrategy__Output as _musicfs_v1_RestartStrategy__Output } from '../../musicfs/v1/RestartStrategy.ts';
import type { ActorState as _musicfs_v1_ActorState, ActorState__Output as _musicfs_v1_ActorState__Output } from '../../musicfs/v1/ActorState.ts';
import type { RestartBudget as _musicfs_v1_RestartBudget, RestartBudget__Output as _musicfs_v1_RestartBudget__Output } from '../../musicfs/v1/RestartBudget.ts';
import type { ActorError as _musicfs_v1_ActorError, ActorError__Output as _musicfs_v1_ActorError__Output } from '../../musicfs/v1/ActorError.ts';
import type { Mailbox as _musicfs_v1_Mailbox, Mailbox__Output as _musicfs_v1_Mailbox__Output } from '../../musicfs/v1/Mailbox.ts';
import type { ActorInfo as _musicfs_v1_ActorInfo, ActorInfo__Output as _musicfs_v1_ActorInfo__Output } from '../../musicfs/v1/ActorInfo.ts';

export interface ActorInfo {
  'path'?: (string);
  'id'?: (string);
  'kind'?: (_musicfs_v1_ActorKind);
  'strategy'?: (_musicfs_v1_RestartStrategy);
  'state'?: (_musicfs_v1_ActorState);
  'incarnation'?: (number);
  'startedMs'?: (number | string);
  'restartsTotal'?: (number);
  'restartsInWindow'?: (number);
  'budget'?: (_musicfs_v1_RestartBudget | null);
  'nextRestartMs'?: (number | string);
  'lastError'?: (_musicfs_v1_ActorError | null);
  'mailbox'?: (_musicfs_v1_Mailbox | null);
  'busyMs'?: (number | string);
  'handledTotal'?: (number | string);
  'heartbeatAgeMs'?: (number | string);
  'pid'?: (number);
  'critical'?: (boolean);
  'children'?: (_musicfs_v1_ActorInfo)[];
  '_strategy'?: "strategy";
  '_startedMs'?: "startedMs";
  '_nextRestartMs'?: "nextRestartMs";
  '_heartbeatAgeMs'?: "heartbeatAgeMs";
  '_pid'?: "pid";
}

export interface ActorInfo__Output {
  'path': (string);
  'id': (string);
  'kind': (_musicfs_v1_ActorKind__Output);
  'strategy'?: (_musicfs_v1_RestartStrategy__Output);
  'state': (_musicfs_v1_ActorState__Output);
  'incarnation': (number);
  'startedMs'?: (number);
  'restartsTotal': (number);
  'restartsInWindow': (number);
  'budget': (_musicfs_v1_RestartBudget__Output | null);
  'nextRestartMs'?: (number);
  'lastError': (_musicfs_v1_ActorError__Output | null);
  'mailbox': (_musicfs_v1_Mailbox__Output | null);
  'busyMs': (number);
  'handledTotal': (number);
  'heartbeatAgeMs'?: (number);
  'pid'?: (number);
  'critical': (boolean);
  'children': (_musicfs_v1_ActorInfo__Output)[];
}
