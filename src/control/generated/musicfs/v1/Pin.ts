// Original file: proto/musicfs/v1/cache.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AddPinRequest as _musicfs_v1_AddPinRequest, AddPinRequest__Output as _musicfs_v1_AddPinRequest__Output } from '../../musicfs/v1/AddPinRequest.ts';
import type { AddPinResponse as _musicfs_v1_AddPinResponse, AddPinResponse__Output as _musicfs_v1_AddPinResponse__Output } from '../../musicfs/v1/AddPinResponse.ts';
import type { ListPinsRequest as _musicfs_v1_ListPinsRequest, ListPinsRequest__Output as _musicfs_v1_ListPinsRequest__Output } from '../../musicfs/v1/ListPinsRequest.ts';
import type { ListPinsResponse as _musicfs_v1_ListPinsResponse, ListPinsResponse__Output as _musicfs_v1_ListPinsResponse__Output } from '../../musicfs/v1/ListPinsResponse.ts';
import type { PrefetchProgress as _musicfs_v1_PrefetchProgress, PrefetchProgress__Output as _musicfs_v1_PrefetchProgress__Output } from '../../musicfs/v1/PrefetchProgress.ts';
import type { PrefetchRequest as _musicfs_v1_PrefetchRequest, PrefetchRequest__Output as _musicfs_v1_PrefetchRequest__Output } from '../../musicfs/v1/PrefetchRequest.ts';
import type { RemovePinRequest as _musicfs_v1_RemovePinRequest, RemovePinRequest__Output as _musicfs_v1_RemovePinRequest__Output } from '../../musicfs/v1/RemovePinRequest.ts';
import type { RemovePinResponse as _musicfs_v1_RemovePinResponse, RemovePinResponse__Output as _musicfs_v1_RemovePinResponse__Output } from '../../musicfs/v1/RemovePinResponse.ts';

export interface PinClient extends grpc.Client {
  AddPin(argument: _musicfs_v1_AddPinRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_AddPinResponse__Output>): grpc.ClientUnaryCall;
  AddPin(argument: _musicfs_v1_AddPinRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_AddPinResponse__Output>): grpc.ClientUnaryCall;
  AddPin(argument: _musicfs_v1_AddPinRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_AddPinResponse__Output>): grpc.ClientUnaryCall;
  AddPin(argument: _musicfs_v1_AddPinRequest, callback: grpc.requestCallback<_musicfs_v1_AddPinResponse__Output>): grpc.ClientUnaryCall;
  addPin(argument: _musicfs_v1_AddPinRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_AddPinResponse__Output>): grpc.ClientUnaryCall;
  addPin(argument: _musicfs_v1_AddPinRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_AddPinResponse__Output>): grpc.ClientUnaryCall;
  addPin(argument: _musicfs_v1_AddPinRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_AddPinResponse__Output>): grpc.ClientUnaryCall;
  addPin(argument: _musicfs_v1_AddPinRequest, callback: grpc.requestCallback<_musicfs_v1_AddPinResponse__Output>): grpc.ClientUnaryCall;
  
  ListPins(argument: _musicfs_v1_ListPinsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ListPinsResponse__Output>): grpc.ClientUnaryCall;
  ListPins(argument: _musicfs_v1_ListPinsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ListPinsResponse__Output>): grpc.ClientUnaryCall;
  ListPins(argument: _musicfs_v1_ListPinsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ListPinsResponse__Output>): grpc.ClientUnaryCall;
  ListPins(argument: _musicfs_v1_ListPinsRequest, callback: grpc.requestCallback<_musicfs_v1_ListPinsResponse__Output>): grpc.ClientUnaryCall;
  listPins(argument: _musicfs_v1_ListPinsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ListPinsResponse__Output>): grpc.ClientUnaryCall;
  listPins(argument: _musicfs_v1_ListPinsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ListPinsResponse__Output>): grpc.ClientUnaryCall;
  listPins(argument: _musicfs_v1_ListPinsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ListPinsResponse__Output>): grpc.ClientUnaryCall;
  listPins(argument: _musicfs_v1_ListPinsRequest, callback: grpc.requestCallback<_musicfs_v1_ListPinsResponse__Output>): grpc.ClientUnaryCall;
  
  Prefetch(argument: _musicfs_v1_PrefetchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_PrefetchProgress__Output>;
  Prefetch(argument: _musicfs_v1_PrefetchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_PrefetchProgress__Output>;
  prefetch(argument: _musicfs_v1_PrefetchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_PrefetchProgress__Output>;
  prefetch(argument: _musicfs_v1_PrefetchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_PrefetchProgress__Output>;
  
  RemovePin(argument: _musicfs_v1_RemovePinRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_RemovePinResponse__Output>): grpc.ClientUnaryCall;
  RemovePin(argument: _musicfs_v1_RemovePinRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_RemovePinResponse__Output>): grpc.ClientUnaryCall;
  RemovePin(argument: _musicfs_v1_RemovePinRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_RemovePinResponse__Output>): grpc.ClientUnaryCall;
  RemovePin(argument: _musicfs_v1_RemovePinRequest, callback: grpc.requestCallback<_musicfs_v1_RemovePinResponse__Output>): grpc.ClientUnaryCall;
  removePin(argument: _musicfs_v1_RemovePinRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_RemovePinResponse__Output>): grpc.ClientUnaryCall;
  removePin(argument: _musicfs_v1_RemovePinRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_RemovePinResponse__Output>): grpc.ClientUnaryCall;
  removePin(argument: _musicfs_v1_RemovePinRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_RemovePinResponse__Output>): grpc.ClientUnaryCall;
  removePin(argument: _musicfs_v1_RemovePinRequest, callback: grpc.requestCallback<_musicfs_v1_RemovePinResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface PinHandlers extends grpc.UntypedServiceImplementation {
  AddPin: grpc.handleUnaryCall<_musicfs_v1_AddPinRequest__Output, _musicfs_v1_AddPinResponse>;
  
  ListPins: grpc.handleUnaryCall<_musicfs_v1_ListPinsRequest__Output, _musicfs_v1_ListPinsResponse>;
  
  Prefetch: grpc.handleServerStreamingCall<_musicfs_v1_PrefetchRequest__Output, _musicfs_v1_PrefetchProgress>;
  
  RemovePin: grpc.handleUnaryCall<_musicfs_v1_RemovePinRequest__Output, _musicfs_v1_RemovePinResponse>;
  
}

export interface PinDefinition extends grpc.ServiceDefinition {
  AddPin: MethodDefinition<_musicfs_v1_AddPinRequest, _musicfs_v1_AddPinResponse, _musicfs_v1_AddPinRequest__Output, _musicfs_v1_AddPinResponse__Output>
  ListPins: MethodDefinition<_musicfs_v1_ListPinsRequest, _musicfs_v1_ListPinsResponse, _musicfs_v1_ListPinsRequest__Output, _musicfs_v1_ListPinsResponse__Output>
  Prefetch: MethodDefinition<_musicfs_v1_PrefetchRequest, _musicfs_v1_PrefetchProgress, _musicfs_v1_PrefetchRequest__Output, _musicfs_v1_PrefetchProgress__Output>
  RemovePin: MethodDefinition<_musicfs_v1_RemovePinRequest, _musicfs_v1_RemovePinResponse, _musicfs_v1_RemovePinRequest__Output, _musicfs_v1_RemovePinResponse__Output>
}
