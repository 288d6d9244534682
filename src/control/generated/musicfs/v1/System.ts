// Original file: proto/musicfs/v1/system.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ActorInfo as _musicfs_v1_ActorInfo, ActorInfo__Output as _musicfs_v1_ActorInfo__Output } from '../../musicfs/v1/ActorInfo.ts';
import type { GetStatusRequest as _musicfs_v1_GetStatusRequest, GetStatusRequest__Output as _musicfs_v1_GetStatusRequest__Output } from '../../musicfs/v1/GetStatusRequest.ts';
import type { GetSupervisionRequest as _musicfs_v1_GetSupervisionRequest, GetSupervisionRequest__Output as _musicfs_v1_GetSupervisionRequest__Output } from '../../musicfs/v1/GetSupervisionRequest.ts';
import type { RestartRequest as _musicfs_v1_RestartRequest, RestartRequest__Output as _musicfs_v1_RestartRequest__Output } from '../../musicfs/v1/RestartRequest.ts';
import type { RestartResponse as _musicfs_v1_RestartResponse, RestartResponse__Output as _musicfs_v1_RestartResponse__Output } from '../../musicfs/v1/RestartResponse.ts';
import type { ShutdownRequest as _musicfs_v1_ShutdownRequest, ShutdownRequest__Output as _musicfs_v1_ShutdownRequest__Output } from '../../musicfs/v1/ShutdownRequest.ts';
import type { ShutdownResponse as _musicfs_v1_ShutdownResponse, ShutdownResponse__Output as _musicfs_v1_ShutdownResponse__Output } from '../../musicfs/v1/ShutdownResponse.ts';
import type { Status as _musicfs_v1_Status, Status__Output as _musicfs_v1_Status__Output } from '../../musicfs/v1/Status.ts';

export interface SystemClient extends grpc.Client {
  GetStatus(argument: _musicfs_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_Status__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _musicfs_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_Status__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _musicfs_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_Status__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _musicfs_v1_GetStatusRequest, callback: grpc.requestCallback<_musicfs_v1_Status__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _musicfs_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_Status__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _musicfs_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_Status__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _musicfs_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_Status__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _musicfs_v1_GetStatusRequest, callback: grpc.requestCallback<_musicfs_v1_Status__Output>): grpc.ClientUnaryCall;
  
  GetSupervision(argument: _musicfs_v1_GetSupervisionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ActorInfo__Output>): grpc.ClientUnaryCall;
  GetSupervision(argument: _musicfs_v1_GetSupervisionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ActorInfo__Output>): grpc.ClientUnaryCall;
  GetSupervision(argument: _musicfs_v1_GetSupervisionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ActorInfo__Output>): grpc.ClientUnaryCall;
  GetSupervision(argument: _musicfs_v1_GetSupervisionRequest, callback: grpc.requestCallback<_musicfs_v1_ActorInfo__Output>): grpc.ClientUnaryCall;
  getSupervision(argument: _musicfs_v1_GetSupervisionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ActorInfo__Output>): grpc.ClientUnaryCall;
  getSupervision(argument: _musicfs_v1_GetSupervisionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ActorInfo__Output>): grpc.ClientUnaryCall;
  getSupervision(argument: _musicfs_v1_GetSupervisionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ActorInfo__Output>): grpc.ClientUnaryCall;
  getSupervision(argument: _musicfs_v1_GetSupervisionRequest, callback: grpc.requestCallback<_musicfs_v1_ActorInfo__Output>): grpc.ClientUnaryCall;
  
  Restart(argument: _musicfs_v1_RestartRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_RestartResponse__Output>): grpc.ClientUnaryCall;
  Restart(argument: _musicfs_v1_RestartRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_RestartResponse__Output>): grpc.ClientUnaryCall;
  Restart(argument: _musicfs_v1_RestartRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_RestartResponse__Output>): grpc.ClientUnaryCall;
  Restart(argument: _musicfs_v1_RestartRequest, callback: grpc.requestCallback<_musicfs_v1_RestartResponse__Output>): grpc.ClientUnaryCall;
  restart(argument: _musicfs_v1_RestartRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_RestartResponse__Output>): grpc.ClientUnaryCall;
  restart(argument: _musicfs_v1_RestartRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_RestartResponse__Output>): grpc.ClientUnaryCall;
  restart(argument: _musicfs_v1_RestartRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_RestartResponse__Output>): grpc.ClientUnaryCall;
  restart(argument: _musicfs_v1_RestartRequest, callback: grpc.requestCallback<_musicfs_v1_RestartResponse__Output>): grpc.ClientUnaryCall;
  
  Shutdown(argument: _musicfs_v1_ShutdownRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ShutdownResponse__Output>): grpc.ClientUnaryCall;
  Shutdown(argument: _musicfs_v1_ShutdownRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ShutdownResponse__Output>): grpc.ClientUnaryCall;
  Shutdown(argument: _musicfs_v1_ShutdownRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ShutdownResponse__Output>): grpc.ClientUnaryCall;
  Shutdown(argument: _musicfs_v1_ShutdownRequest, callback: grpc.requestCallback<_musicfs_v1_ShutdownResponse__Output>): grpc.ClientUnaryCall;
  shutdown(argument: _musicfs_v1_ShutdownRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ShutdownResponse__Output>): grpc.ClientUnaryCall;
  shutdown(argument: _musicfs_v1_ShutdownRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ShutdownResponse__Output>): grpc.ClientUnaryCall;
  shutdown(argument: _musicfs_v1_ShutdownRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ShutdownResponse__Output>): grpc.ClientUnaryCall;
  shutdown(argument: _musicfs_v1_ShutdownRequest, callback: grpc.requestCallback<_musicfs_v1_ShutdownResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface SystemHandlers extends grpc.UntypedServiceImplementation {
  GetStatus: grpc.handleUnaryCall<_musicfs_v1_GetStatusRequest__Output, _musicfs_v1_Status>;
  
  GetSupervision: grpc.handleUnaryCall<_musicfs_v1_GetSupervisionRequest__Output, _musicfs_v1_ActorInfo>;
  
  Restart: grpc.handleUnaryCall<_musicfs_v1_RestartRequest__Output, _musicfs_v1_RestartResponse>;
  
  Shutdown: grpc.handleUnaryCall<_musicfs_v1_ShutdownRequest__Output, _musicfs_v1_ShutdownResponse>;
  
}

export interface SystemDefinition extends grpc.ServiceDefinition {
  GetStatus: MethodDefinition<_musicfs_v1_GetStatusRequest, _musicfs_v1_Status, _musicfs_v1_GetStatusRequest__Output, _musicfs_v1_Status__Output>
  GetSupervision: MethodDefinition<_musicfs_v1_GetSupervisionRequest, _musicfs_v1_ActorInfo, _musicfs_v1_GetSupervisionRequest__Output, _musicfs_v1_ActorInfo__Output>
  Restart: MethodDefinition<_musicfs_v1_RestartRequest, _musicfs_v1_RestartResponse, _musicfs_v1_RestartRequest__Output, _musicfs_v1_RestartResponse__Output>
  Shutdown: MethodDefinition<_musicfs_v1_ShutdownRequest, _musicfs_v1_ShutdownResponse, _musicfs_v1_ShutdownRequest__Output, _musicfs_v1_ShutdownResponse__Output>
}
