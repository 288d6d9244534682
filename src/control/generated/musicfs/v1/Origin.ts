// Original file: proto/musicfs/v1/origin.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CancelScanRequest as _musicfs_v1_CancelScanRequest, CancelScanRequest__Output as _musicfs_v1_CancelScanRequest__Output } from '../../musicfs/v1/CancelScanRequest.ts';
import type { CancelScanResponse as _musicfs_v1_CancelScanResponse, CancelScanResponse__Output as _musicfs_v1_CancelScanResponse__Output } from '../../musicfs/v1/CancelScanResponse.ts';
import type { RescanOriginRequest as _musicfs_v1_RescanOriginRequest, RescanOriginRequest__Output as _musicfs_v1_RescanOriginRequest__Output } from '../../musicfs/v1/RescanOriginRequest.ts';
import type { ScanProgress as _musicfs_v1_ScanProgress, ScanProgress__Output as _musicfs_v1_ScanProgress__Output } from '../../musicfs/v1/ScanProgress.ts';

export interface OriginClient extends grpc.Client {
  CancelScan(argument: _musicfs_v1_CancelScanRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_CancelScanResponse__Output>): grpc.ClientUnaryCall;
  CancelScan(argument: _musicfs_v1_CancelScanRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_CancelScanResponse__Output>): grpc.ClientUnaryCall;
  CancelScan(argument: _musicfs_v1_CancelScanRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_CancelScanResponse__Output>): grpc.ClientUnaryCall;
  CancelScan(argument: _musicfs_v1_CancelScanRequest, callback: grpc.requestCallback<_musicfs_v1_CancelScanResponse__Output>): grpc.ClientUnaryCall;
  cancelScan(argument: _musicfs_v1_CancelScanRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_CancelScanResponse__Output>): grpc.ClientUnaryCall;
  cancelScan(argument: _musicfs_v1_CancelScanRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_CancelScanResponse__Output>): grpc.ClientUnaryCall;
  cancelScan(argument: _musicfs_v1_CancelScanRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_CancelScanResponse__Output>): grpc.ClientUnaryCall;
  cancelScan(argument: _musicfs_v1_CancelScanRequest, callback: grpc.requestCallback<_musicfs_v1_CancelScanResponse__Output>): grpc.ClientUnaryCall;
  
  RescanOrigin(argument: _musicfs_v1_RescanOriginRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_ScanProgress__Output>;
  RescanOrigin(argument: _musicfs_v1_RescanOriginRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_ScanProgress__Output>;
  rescanOrigin(argument: _musicfs_v1_RescanOriginRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_ScanProgress__Output>;
  rescanOrigin(argument: _musicfs_v1_RescanOriginRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_ScanProgress__Output>;
  
}

export interface OriginHandlers extends grpc.UntypedServiceImplementation {
  CancelScan: grpc.handleUnaryCall<_musicfs_v1_CancelScanRequest__Output, _musicfs_v1_CancelScanResponse>;
  
  RescanOrigin: grpc.handleServerStreamingCall<_musicfs_v1_RescanOriginRequest__Output, _musicfs_v1_ScanProgress>;
  
}

export interface OriginDefinition extends grpc.ServiceDefinition {
  CancelScan: MethodDefinition<_musicfs_v1_CancelScanRequest, _musicfs_v1_CancelScanResponse, _musicfs_v1_CancelScanRequest__Output, _musicfs_v1_CancelScanResponse__Output>
  RescanOrigin: MethodDefinition<_musicfs_v1_RescanOriginRequest, _musicfs_v1_ScanProgress, _musicfs_v1_RescanOriginRequest__Output, _musicfs_v1_ScanProgress__Output>
}
