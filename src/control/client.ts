// The typed client of the control API, for the command line. Errors of the daemon come back as the MusicfsErrors they
// were; that nobody answers at all is told apart, as it is the caller's case to explain.
import {
  type CallOptions,
  type ClientReadableStream,
  credentials,
  Metadata,
  makeClientConstructor,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { MusicfsError } from '../platform/errors.ts';
import { DaemonUnreachable } from './client-errors.ts';
import type {
  CacheReport,
  ClearCacheRequest,
  ExplanationReport,
  FailpointReport,
  PinReport,
  PrefetchReport,
  PreviewTemplateRequest,
  RescanRequest,
  ScanProgress,
  ShutdownMode,
  StatusReport,
  SupervisionNode,
  TemplatePreviewReport,
  VerifyCacheProgress,
  VerifyCacheRequest,
} from './daemon-port.ts';
import { createErrorDetailCodec } from './error-detail.ts';
import type { AddPinResponse__Output } from './generated/musicfs/v1/AddPinResponse.ts';
import type { CacheClient } from './generated/musicfs/v1/Cache.ts';
import type { CancelScanResponse__Output } from './generated/musicfs/v1/CancelScanResponse.ts';
import type { ClearCacheResponse__Output } from './generated/musicfs/v1/ClearCacheResponse.ts';
import type { DebugClient } from './generated/musicfs/v1/Debug.ts';
import type { Explanation__Output } from './generated/musicfs/v1/Explanation.ts';
import type { LibraryClient } from './generated/musicfs/v1/Library.ts';
import type { ListFailpointsResponse__Output } from './generated/musicfs/v1/ListFailpointsResponse.ts';
import type { ListPinsResponse__Output } from './generated/musicfs/v1/ListPinsResponse.ts';
import type { OriginClient } from './generated/musicfs/v1/Origin.ts';
import type { PinClient } from './generated/musicfs/v1/Pin.ts';
import type { PrefetchProgress__Output } from './generated/musicfs/v1/PrefetchProgress.ts';
import type { RemovePinResponse__Output } from './generated/musicfs/v1/RemovePinResponse.ts';
import type { SystemClient } from './generated/musicfs/v1/System.ts';
import type { TemplatePreview__Output } from './generated/musicfs/v1/TemplatePreview.ts';
import type { VerifyCacheProgress__Output } from './generated/musicfs/v1/VerifyCacheProgress.ts';
import { callTimeoutMs, maxMessageBytes } from './limits.ts';
import { loadControlProto, shippedProtoDirectory } from './load-proto.ts';
import {
  fromActorInfo,
  fromCacheStatsMessage,
  fromScanProgressMessage,
  fromStatusMessage,
  toEnum,
} from './messages.ts';

export type {
  CacheReport,
  ExplanationReport,
  FailpointReport,
  PinReport,
  PrefetchReport,
  ScanProgress,
  StatusReport,
  SupervisionNode,
  TemplatePreviewReport,
} from './daemon-port.ts';

/** Every method rejects with DaemonUnreachable, `deadline_exceeded`, or what the daemon answered. */
export interface ControlClient {
  status(): Promise<StatusReport>;
  supervision(): Promise<SupervisionNode>;
  /** Leaving the loop cancels the call, and with it a scan that is not detached. */
  rescan(request: RescanRequest): AsyncIterable<ScanProgress>;
  cancelScan(originId?: string): Promise<boolean>;
  shutdown(mode: ShutdownMode): Promise<void>;
  restart(program: string | null): Promise<void>;
  cacheStats(): Promise<CacheReport>;
  clearCache(request: ClearCacheRequest): Promise<{ readonly bytes: number; readonly chunks: number }>;
  /** Leaving the loop cancels the call, and what it does. */
  verifyCache(request: VerifyCacheRequest): AsyncIterable<VerifyCacheProgress>;
  pins(): Promise<readonly PinReport[]>;
  addPin(path: string): Promise<boolean>;
  removePin(path: string): Promise<boolean>;
  prefetch(paths: readonly string[]): AsyncIterable<PrefetchReport>;
  explain(path: string): Promise<ExplanationReport>;
  /** Leaving the call early stops it. */
  previewTemplate(request: PreviewTemplateRequest): AsyncIterable<TemplatePreviewReport>;
  listFailpoints(): Promise<readonly FailpointReport[]>;
  setFailpoint(setting: string): Promise<void>;
  clearFailpoints(): Promise<void>;
  /** Ends the connection; calls under way fail. May be called twice. */
  close(): void;
}

export interface ConnectOptions {
  /** Milliseconds for each call. Left out: 10 s for the short ones, no limit for a rescan. */
  readonly timeoutMs?: number;
}

/** A client for one socket. Connects with the first call. */
export function connect(socketPath: string, { timeoutMs }: ConnectOptions = {}): ControlClient {
  const proto = loadControlProto(shippedProtoDirectory);
  const errors = createErrorDetailCodec(shippedProtoDirectory);
  const open = <C>(service: ServiceDefinition): C =>
    new (makeClientConstructor(service, 'musicfs'))(`unix:${socketPath}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.enable_channelz': 0,
    }) as unknown as C;
  const system = open<SystemClient>(proto.system);
  const origin = open<OriginClient>(proto.origin);
  const cache = open<CacheClient>(proto.cache);
  const pin = open<PinClient>(proto.pin);
  const library = open<LibraryClient>(proto.library);
  const debug = open<DebugClient>(proto.debug);

  const failure = (error: ServiceError): MusicfsError => {
    const code = errors.codeIn(error.metadata);
    if (code !== undefined) return new MusicfsError(code, error.details, { cause: error });
    switch (error.code) {
      case status.UNAVAILABLE:
        return new DaemonUnreachable(`no daemon answers at ${socketPath}`, { cause: error });
      case status.DEADLINE_EXCEEDED:
        return new MusicfsError(
          'deadline_exceeded',
          'the daemon did not answer in time: look at its log, or allow more with --timeout',
          { cause: error },
        );
      case status.CANCELLED:
        return new MusicfsError('cancelled', 'the call was cancelled', { cause: error });
      case status.UNIMPLEMENTED:
        return new MusicfsError('unsupported_operation', 'the daemon does not offer this', { cause: error });
      default:
        return new MusicfsError('internal', `${status[error.code]}: ${error.details}`, { cause: error });
    }
  };

  const limit = (ms: number): CallOptions => ({ deadline: Date.now() + ms });
  const ask = <Answer>(
    call: (options: CallOptions, done: (error: ServiceError | null, answer?: Answer) => void) => unknown,
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      call(limit(timeoutMs ?? callTimeoutMs), (error, answer) => {
        if (error !== null) reject(failure(error));
        else resolve(answer as Answer);
      });
    });

  return {
    status: async () => fromStatusMessage(await ask((options, done) => system.getStatus({}, options, done))),
    supervision: async () =>
      fromActorInfo(await ask((options, done) => system.getSupervision({}, options, done))),
    rescan: (request) =>
      partsOf(
        () => origin.rescanOrigin(request, new Metadata(), timeoutMs === undefined ? {} : limit(timeoutMs)),
        fromScanProgressMessage,
        failure,
      ),
    cancelScan: async (originId) => {
      const request = originId === undefined ? {} : { originId };
      const answer = await ask<CancelScanResponse__Output>((options, done) =>
        origin.cancelScan(request, options, done),
      );
      return answer.cancelled;
    },
    shutdown: async (mode) => {
      await ask((options, done) => system.shutdown({ mode: toEnum('SHUTDOWN_MODE', mode) }, options, done));
    },
    restart: async (program) => {
      await ask((options, done) => system.restart(program === null ? {} : { program }, options, done));
    },
    cacheStats: async () =>
      fromCacheStatsMessage(await ask((options, done) => cache.getCacheStats({}, options, done))),
    clearCache: (request) =>
      ask<ClearCacheResponse__Output>((options, done) => cache.clearCache(request, options, done)),
    verifyCache: (request) =>
      partsOf(
        () => cache.verifyCache(request, new Metadata(), timeoutMs === undefined ? {} : limit(timeoutMs)),
        (message: VerifyCacheProgress__Output): VerifyCacheProgress => message,
        failure,
      ),
    pins: async () =>
      (await ask<ListPinsResponse__Output>((options, done) => pin.listPins({}, options, done))).pins,
    addPin: async (path) =>
      (await ask<AddPinResponse__Output>((options, done) => pin.addPin({ path }, options, done))).added,
    removePin: async (path) =>
      (await ask<RemovePinResponse__Output>((options, done) => pin.removePin({ path }, options, done)))
        .removed,
    prefetch: (paths) =>
      partsOf(
        () =>
          pin.prefetch(
            { paths: [...paths] },
            new Metadata(),
            timeoutMs === undefined ? {} : limit(timeoutMs),
          ),
        (message: PrefetchProgress__Output): PrefetchReport => message,
        failure,
      ),
    explain: async (path) =>
      ask<Explanation__Output>((options, done) => library.explain({ path }, options, done)),
    previewTemplate: (request) =>
      partsOf(
        () =>
          library.previewTemplate(request, new Metadata(), timeoutMs === undefined ? {} : limit(timeoutMs)),
        (message: TemplatePreview__Output): TemplatePreviewReport => message,
        failure,
      ),
    listFailpoints: async () => {
      const answer = await ask<ListFailpointsResponse__Output>((options, done) =>
        debug.listFailpoints({}, options, done),
      );
      return answer.failpoints;
    },
    setFailpoint: async (setting) => {
      await ask((options, done) => debug.setFailpoint({ setting }, options, done));
    },
    clearFailpoints: async () => {
      await ask((options, done) => debug.clearFailpoints({}, options, done));
    },
    close() {
      for (const client of [system, origin, cache, pin, library, debug]) client.close();
    },
  };
}

async function* partsOf<Message, Part>(
  start: () => ClientReadableStream<Message>,
  read: (message: Message) => Part,
  failure: (error: ServiceError) => MusicfsError,
): AsyncGenerator<Part> {
  const call = start();
  try {
    for await (const message of call) yield read(message as Message);
  } catch (error) {
    throw isServiceError(error) ? failure(error) : error;
  } finally {
    call.cancel();
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'details' in error && 'metadata' in error;
}
