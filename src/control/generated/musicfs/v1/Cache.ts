// Original file: proto/musicfs/v1/cache.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CacheStats as _musicfs_v1_CacheStats, CacheStats__Output as _musicfs_v1_CacheStats__Output } from '../../musicfs/v1/CacheStats.ts';
import type { ClearCacheRequest as _musicfs_v1_ClearCacheRequest, ClearCacheRequest__Output as _musicfs_v1_ClearCacheRequest__Output } from '../../musicfs/v1/ClearCacheRequest.ts';
import type { ClearCacheResponse as _musicfs_v1_ClearCacheResponse, ClearCacheResponse__Output as _musicfs_v1_ClearCacheResponse__Output } from '../../musicfs/v1/ClearCacheResponse.ts';
import type { GetCacheStatsRequest as _musicfs_v1_GetCacheStatsRequest, GetCacheStatsRequest__Output as _musicfs_v1_GetCacheStatsRequest__Output } from '../../musicfs/v1/GetCacheStatsRequest.ts';
import type { VerifyCacheProgress as _musicfs_v1_VerifyCacheProgress, VerifyCacheProgress__Output as _musicfs_v1_VerifyCacheProgress__Output } from '../../musicfs/v1/VerifyCacheProgress.ts';
import type { VerifyCacheRequest as _musicfs_v1_VerifyCacheRequest, VerifyCacheRequest__Output as _musicfs_v1_VerifyCacheRequest__Output } from '../../musicfs/v1/VerifyCacheRequest.ts';

export interface CacheClient extends grpc.Client {
  ClearCache(argument: _musicfs_v1_ClearCacheRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ClearCacheResponse__Output>): grpc.ClientUnaryCall;
  ClearCache(argument: _musicfs_v1_ClearCacheRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ClearCacheResponse__Output>): grpc.ClientUnaryCall;
  ClearCache(argument: _musicfs_v1_ClearCacheRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ClearCacheResponse__Output>): grpc.ClientUnaryCall;
  ClearCache(argument: _musicfs_v1_ClearCacheRequest, callback: grpc.requestCallback<_musicfs_v1_ClearCacheResponse__Output>): grpc.ClientUnaryCall;
  clearCache(argument: _musicfs_v1_ClearCacheRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ClearCacheResponse__Output>): grpc.ClientUnaryCall;
  clearCache(argument: _musicfs_v1_ClearCacheRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_ClearCacheResponse__Output>): grpc.ClientUnaryCall;
  clearCache(argument: _musicfs_v1_ClearCacheRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_ClearCacheResponse__Output>): grpc.ClientUnaryCall;
  clearCache(argument: _musicfs_v1_ClearCacheRequest, callback: grpc.requestCallback<_musicfs_v1_ClearCacheResponse__Output>): grpc.ClientUnaryCall;
  
  GetCacheStats(argument: _musicfs_v1_GetCacheStatsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_CacheStats__Output>): grpc.ClientUnaryCall;
  GetCacheStats(argument: _musicfs_v1_GetCacheStatsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_CacheStats__Output>): grpc.ClientUnaryCall;
  GetCacheStats(argument: _musicfs_v1_GetCacheStatsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_CacheStats__Output>): grpc.ClientUnaryCall;
  GetCacheStats(argument: _musicfs_v1_GetCacheStatsRequest, callback: grpc.requestCallback<_musicfs_v1_CacheStats__Output>): grpc.ClientUnaryCall;
  getCacheStats(argument: _musicfs_v1_GetCacheStatsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_CacheStats__Output>): grpc.ClientUnaryCall;
  getCacheStats(argument: _musicfs_v1_GetCacheStatsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_CacheStats__Output>): grpc.ClientUnaryCall;
  getCacheStats(argument: _musicfs_v1_GetCacheStatsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_CacheStats__Output>): grpc.ClientUnaryCall;
  getCacheStats(argument: _musicfs_v1_GetCacheStatsRequest, callback: grpc.requestCallback<_musicfs_v1_CacheStats__Output>): grpc.ClientUnaryCall;
  
  VerifyCache(argument: _musicfs_v1_VerifyCacheRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_VerifyCacheProgress__Output>;
  VerifyCache(argument: _musicfs_v1_VerifyCacheRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_VerifyCacheProgress__Output>;
  verifyCache(argument: _musicfs_v1_VerifyCacheRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_VerifyCacheProgress__Output>;
  verifyCache(argument: _musicfs_v1_VerifyCacheRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_VerifyCacheProgress__Output>;
  
}

export interface CacheHandlers extends grpc.UntypedServiceImplementation {
  ClearCache: grpc.handleUnaryCall<_musicfs_v1_ClearCacheRequest__Output, _musicfs_v1_ClearCacheResponse>;
  
  GetCacheStats: grpc.handleUnaryCall<_musicfs_v1_GetCacheStatsRequest__Output, _musicfs_v1_CacheStats>;
  
  VerifyCache: grpc.handleServerStreamingCall<_musicfs_v1_VerifyCacheRequest__Output, _musicfs_v1_VerifyCacheProgress>;
  
}

export interface CacheDefinition extends grpc.ServiceDefinition {
  ClearCache: MethodDefinition<_musicfs_v1_ClearCacheRequest, _musicfs_v1_ClearCacheResponse, _musicfs_v1_ClearCacheRequest__Output, _musicfs_v1_ClearCacheResponse__Output>
  GetCacheStats: MethodDefinition<_musicfs_v1_GetCacheStatsRequest, _musicfs_v1_CacheStats, _musicfs_v1_GetCacheStatsRequest__Output, _musicfs_v1_CacheStats__Output>
  VerifyCache: MethodDefinition<_musicfs_v1_VerifyCacheRequest, _musicfs_v1_VerifyCacheProgress, _musicfs_v1_VerifyCacheRequest__Output, _musicfs_v1_VerifyCacheProgress__Output>
}
