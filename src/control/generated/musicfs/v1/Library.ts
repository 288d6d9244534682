// Original file: proto/musicfs/v1/library.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ExplainRequest as _musicfs_v1_ExplainRequest, ExplainRequest__Output as _musicfs_v1_ExplainRequest__Output } from '../../musicfs/v1/ExplainRequest.ts';
import type { Explanation as _musicfs_v1_Explanation, Explanation__Output as _musicfs_v1_Explanation__Output } from '../../musicfs/v1/Explanation.ts';
import type { PreviewTemplateRequest as _musicfs_v1_PreviewTemplateRequest, PreviewTemplateRequest__Output as _musicfs_v1_PreviewTemplateRequest__Output } from '../../musicfs/v1/PreviewTemplateRequest.ts';
import type { TemplatePreview as _musicfs_v1_TemplatePreview, TemplatePreview__Output as _musicfs_v1_TemplatePreview__Output } from '../../musicfs/v1/TemplatePreview.ts';

export interface LibraryClient extends grpc.Client {
  Explain(argument: _musicfs_v1_ExplainRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_Explanation__Output>): grpc.ClientUnaryCall;
  Explain(argument: _musicfs_v1_ExplainRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_Explanation__Output>): grpc.ClientUnaryCall;
  Explain(argument: _musicfs_v1_ExplainRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_Explanation__Output>): grpc.ClientUnaryCall;
  Explain(argument: _musicfs_v1_ExplainRequest, callback: grpc.requestCallback<_musicfs_v1_Explanation__Output>): grpc.ClientUnaryCall;
  explain(argument: _musicfs_v1_ExplainRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_Explanation__Output>): grpc.ClientUnaryCall;
  explain(argument: _musicfs_v1_ExplainRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_musicfs_v1_Explanation__Output>): grpc.ClientUnaryCall;
  explain(argument: _musicfs_v1_ExplainRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_musicfs_v1_Explanation__Output>): grpc.ClientUnaryCall;
  explain(argument: _musicfs_v1_ExplainRequest, callback: grpc.requestCallback<_musicfs_v1_Explanation__Output>): grpc.ClientUnaryCall;
  
  PreviewTemplate(argument: _musicfs_v1_PreviewTemplateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_TemplatePreview__Output>;
  PreviewTemplate(argument: _musicfs_v1_PreviewTemplateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_TemplatePreview__Output>;
  previewTemplate(argument: _musicfs_v1_PreviewTemplateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_TemplatePreview__Output>;
  previewTemplate(argument: _musicfs_v1_PreviewTemplateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_TemplatePreview__Output>;
  
}

export interface LibraryHandlers extends grpc.UntypedServiceImplementation {
  Explain: grpc.handleUnaryCall<_musicfs_v1_ExplainRequest__Output, _musicfs_v1_Explanation>;
  
  PreviewTemplate: grpc.handleServerStreamingCall<_musicfs_v1_PreviewTemplateRequest__Output, _musicfs_v1_TemplatePreview>;
  
}

export interface LibraryDefinition extends grpc.ServiceDefinition {
  Explain: MethodDefinition<_musicfs_v1_ExplainRequest, _musicfs_v1_Explanation, _musicfs_v1_ExplainRequest__Output, _musicfs_v1_Explanation__Output>
  PreviewTemplate: MethodDefinition<_musicfs_v1_PreviewTemplateRequest, _musicfs_v1_TemplatePreview, _musicfs_v1_PreviewTemplateRequest__Output, _musicfs_v1_TemplatePreview__Output>
}
