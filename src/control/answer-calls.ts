// From a gRPC call to a plain function and back: answers, errors, cancellation. The services are written in terms of
// these two, so that none of them knows gRPC's call objects.
import { once } from 'node:events';
import type { handleServerStreamingCall, handleUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { codeOf, errorCodes, MusicfsError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { requestIdIn } from './call-limits.ts';
import type { ErrorDetailCodec } from './error-detail.ts';

export interface CallAnswerer {
  unary<Request, Answer>(
    answer: (request: Request) => Answer | Promise<Answer>,
  ): handleUnaryCall<Request, Answer>;
  /** The signal aborts when the client goes away, its deadline passes, or the server is forced to close. */
  stream<Request, Part>(
    answer: (request: Request, signal: AbortSignal) => AsyncIterable<Part>,
  ): handleServerStreamingCall<Request, Part>;
  /** Aborts every stream under way. */
  abortStreams(): void;
}

/** `beforeCall` is passed with the method's name before each answer. */
export function createCallAnswerer(
  errors: ErrorDetailCodec,
  log: Logger,
  beforeCall: (method: string) => Promise<unknown> = () => Promise.resolve(),
): CallAnswerer {
  const streams = new Set<AbortController>();

  const failed = (error: unknown, call: { getPath(): string; metadata: RequestMetadata }) => {
    const code = codeOf(error);
    log[errorCodes[code].level === 'error' ? 'error' : 'debug'](
      {
        event: 'control_call_failed',
        method: call.getPath(),
        code,
        request_id: requestIdIn(call.metadata),
        error,
      },
      'a control call failed',
    );
    return errors.statusOf(error);
  };

  return {
    unary: (answer) => (call, callback) => {
      const run = async () => {
        try {
          await beforeCall(methodOf(call));
          const value = await answer(call.request);
          return () => callback(null, value);
        } catch (error) {
          const status = failed(error, call);
          return () => callback(status);
        }
      };
      void run().then((reply) => reply());
    },

    stream: (answer) => (call) => {
      const controller = new AbortController();
      streams.add(controller);
      call.on('cancelled', () => controller.abort(new MusicfsError('cancelled', 'the client went away')));
      const run = async () => {
        try {
          await beforeCall(methodOf(call));
          await pour(answer(call.request, controller.signal), call, controller.signal);
          call.end();
        } catch (error) {
          call.emit('error', failed(error, call));
        } finally {
          streams.delete(controller);
        }
      };
      void run();
    },

    abortStreams() {
      for (const controller of streams) controller.abort(new MusicfsError('cancelled', 'the daemon stops'));
    },
  };
}

/** The last part of "/musicfs.v1.System/GetStatus". */
function methodOf(call: { getPath(): string }): string {
  return call.getPath().replace(/^.*\//, '');
}

type RequestMetadata = Parameters<typeof requestIdIn>[0];

/** Writes as fast as the client reads: a slow client holds the source back instead of filling memory. */
async function pour<Request, Part>(
  parts: AsyncIterable<Part>,
  call: ServerWritableStream<Request, Part>,
  signal: AbortSignal,
): Promise<void> {
  for await (const part of parts) {
    signal.throwIfAborted();
    if (!call.write(part)) await once(call, 'drain', { signal });
  }
}
