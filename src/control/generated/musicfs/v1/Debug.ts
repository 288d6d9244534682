// Original file: proto/musicfs/v1/debug.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ClearFailpointsRequest as _musicfs_v1_ClearFailpointsRequest, ClearFailpointsRequest__Output as _musicfs_v1_ClearFailpointsRequest__Output } from '../../musicfs/v1/ClearFailpointsRequest.ts';
import type { ClearFailpointsResponse as _musicfs_v1_ClearFailpointsResponse, ClearFailpointsResponse__Output as _musicfs_v1_ClearFailpointsResponse__Output } from '../../musicfs/v1/ClearFailpointsResponse.ts';
import type { ListFailpointsRequest as _musicfs_v1_ListFailpointsRequest, ListFailpointsRequest__Output as _musicfs_v1_ListFailpointsRequest__Output } from '../../musicfs/v1/ListFailpointsRequest.ts';
import type { ListFailpointsResponse as _musicfs_v1_ListFailpointsResponse, ListFailpointsResponse__Output as _musicfs_v1_ListFailpointsResponse__Output } from '../../musicfs/v1/ListFailpointsResponse.ts';
import type { SetFailpointRequest as _musicfs_v1_SetFailpointRequest, SetFailpointRequest__Output as _musicfs_v1_SetFailpointRequest__Output } from '../../musicfs/v1/SetFailpointRequest.ts';
import type { SetFailpointResponse as _musicfs_v1_SetFailpointResponse, SetFailpointResponse__Output as _musicfs_v1_SetFailpointResponse__Output } from '../../musicfs/v1/SetFailpointResponse.ts';

export interface DebugClient extends grpc.Client {
  ClearFailpoints(argument: _musicfs_v1_ClearFailpointsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ClearFailpointsResponse__Output>): grpc.ClientUnaryCall;
  ClearFailpoints(argument: _musicfs_v1_ClearFailpointsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ClearFailpointsResponse__Output>): grpc.ClientUnaryCall;
  ClearFailpoints(argument: _musicfs_v1_ClearFailpointsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ClearFailpointsResponse__Output>): grpc.ClientUnaryCall;
  ClearFailpoints(argument: _musicfs_v1_ClearFailpointsRequest, callback: grpc.requestCallback<_musicfs_v1_ClearFailpointsResponse__Output>): grpc.ClientUnaryCall;
  clearFailpoints(argument: _musicfs_v1_ClearFailpointsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ClearFailpointsResponse__Output>): grpc.ClientUnaryCall;
  clearFailpoints(argument: _musicfs_v1_ClearFailpointsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ClearFailpointsResponse__Output>): grpc.ClientUnaryCall;
  clearFailpoints(argument: _musicfs_v1_ClearFailpointsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ClearFailpointsResponse__Output>): grpc.ClientUnaryCall;
  clearFailpoints(argument: _musicfs_v1_ClearFailpointsRequest, callback: grpc.requestCallback<_musicfs_v1_ClearFailpointsResponse__Output>): grpc.ClientUnaryCall;
  
  ListFailpoints(argument: _musicfs_v1_ListFailpointsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ListFailpointsResponse__Output>): grpc.ClientUnaryCall;
  ListFailpoints(argument: _musicfs_v1_ListFailpointsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ListFailpointsResponse__Output>): grpc.ClientUnaryCall;
  ListFailpoints(argument: _musicfs_v1_ListFailpointsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ListFailpointsResponse__Output>): grpc.ClientUnaryCall;
  ListFailpoints(argument: _musicfs_v1_ListFailpointsRequest, callback: grpc.requestCallback<_musicfs_v1_ListFailpointsResponse__Output>): grpc.ClientUnaryCall;
  listFailpoints(argument: _musicfs_v1_ListFailpointsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ListFailpointsResponse__Output>): grpc.ClientUnaryCall;
  listFailpoints(argument: _musicfs_v1_ListFailpointsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ListFailpointsResponse__Output>): grpc.ClientUnaryCall;
  listFailpoints(argument: _musicfs_v1_ListFailpointsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ListFailpointsResponse__Output>): grpc.ClientUnaryCall;
  listFailpoints(argument: _musicfs_v1_ListFailpointsRequest, callback: grpc.requestCallback<_musicfs_v1_ListFailpointsResponse__Output>): grpc.ClientUnaryCall;
  
  SetFailpoint(argument: _musicfs_v1_SetFailpointRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_SetFailpointResponse__Output>): grpc.ClientUnaryCall;
  SetFailpoint(argument: _musicfs_v1_SetFailpointRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_SetFailpointResponse__Output>): grpc.ClientUnaryCall;
  SetFailpoint(argument: _musicfs_v1_SetFailpointRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_SetFailpointResponse__Output>): grpc.ClientUnaryCall;
  SetFailpoint(argument: _musicfs_v1_SetFailpointRequest, callback: grpc.requestCallback<_musicfs_v1_SetFailpointResponse__Output>): grpc.ClientUnaryCall;
  setFailpoint(argument: _musicfs_v1_SetFailpointRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_SetFailpointResponse__Output>): grpc.ClientUnaryCall;
  setFailpoint(argument: _musicfs_v1_SetFailpointRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_SetFailpointResponse__Output>): grpc.ClientUnaryCall;
  setFailpoint(argument: _musicfs_v1_SetFailpointRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_SetFailpointResponse__Output>): grpc.ClientUnaryCall;
  setFailpoint(argument: _musicfs_v1_SetFailpointRequest, callback: grpc.requestCallback<_musicfs_v1_SetFailpointResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface DebugHandlers extends grpc.UntypedServiceImplementation {
  ClearFailpoints: grpc.handleUnaryCall<_musicfs_v1_ClearFailpointsRequest__Output, _musicfs_v1_ClearFailpointsResponse>;
  
  ListFailpoints: grpc.handleUnaryCall<_musicfs_v1_ListFailpointsRequest__Output, _musicfs_v1_ListFailpointsResponse>;
  
  SetFailpoint: grpc.handleUnaryCall<_musicfs_v1_SetFailpointRequest__Output, _musicfs_v1_SetFailpointResponse>;
  
}

export interface DebugDefinition extends grpc.ServiceDefinition {
  ClearFailpoints: MethodDefinition<_musicfs_v1_ClearFailpointsRequest, _musicfs_v1_ClearFailpointsResponse, _musicfs_v1_ClearFailpointsRequest__Output, _musicfs_v1_ClearFailpointsResponse__Output>
  ListFailpoints: MethodDefinition<_musicfs_v1_ListFailpointsRequest, _musicfs_v1_ListFailpointsResponse, _musicfs_v1_ListFailpointsRequest__Output, _musicfs_v1_ListFailpointsResponse__Output>
  SetFailpoint: MethodDefinition<_musicfs_v1_SetFailpointRequest, _musicfs_v1_SetFailpointResponse, _musicfs_v1_SetFailpointRequest__Output, _musicfs_v1_SetFailpointResponse__Output>
}
