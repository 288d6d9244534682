// Original file: proto/musicfs/v1/library.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { PreviewTemplateRequest as _musicfs_v1_PreviewTemplateRequest, PreviewTemplateRequest__Output as _musicfs_v1_PreviewTemplateRequest__Output } from '../../musicfs/v1/PreviewTemplateRequest.ts';
import type { TemplatePreview as _musicfs_v1_TemplatePreview, TemplatePreview__Output as _musicfs_v1_TemplatePreview__Output } from '../../musicfs/v1/TemplatePreview.ts';

export interface LibraryClient extends grpc.Client {
  PreviewTemplate(argument: _musicfs_v1_PreviewTemplateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_TemplatePreview__Output>;
  PreviewTemplate(argument: _musicfs_v1_PreviewTemplateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_TemplatePreview__Output>;
  previewTemplate(argument: _musicfs_v1_PreviewTemplateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_TemplatePreview__Output>;
  previewTemplate(argument: _musicfs_v1_PreviewTemplateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_musicfs_v1_TemplatePreview__Output>;
  
}

export interface LibraryHandlers extends grpc.UntypedServiceImplementation {
  PreviewTemplate: grpc.handleServerStreamingCall<_musicfs_v1_PreviewTemplateRequest__Output, _musicfs_v1_TemplatePreview>;
  
}

export interface LibraryDefinition extends grpc.ServiceDefinition {
  PreviewTemplate: MethodDefinition<_musicfs_v1_PreviewTemplateRequest, _musicfs_v1_TemplatePreview, _musicfs_v1_PreviewTemplateRequest__Output, _musicfs_v1_TemplatePreview__Output>
}
