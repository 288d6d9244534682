// What holds for every call of the control server, whichever service it is for: how many run at once, and the
// request id that comes back to the caller.
import {
  type Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js';
import { MusicfsError } from '../platform/errors.ts';
import type { ErrorDetailCodec } from './error-detail.ts';
import { maxRequestIdLength } from './limits.ts';

const requestIdKey = 'x-request-id';

/** Refuses the call that would be one too many with `overloaded`. */
export function limitCalls(limit: number, errors: ErrorDetailCodec): ServerInterceptor {
  let running = 0;
  return (_method, call) => {
    let counted = false;
    const release = () => {
      if (counted) running -= 1;
      counted = false;
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        if (running >= limit) {
          call.sendStatus(
            errors.statusOf(new MusicfsError('overloaded', `${limit} calls run already: try again`)),
          );
          return;
        }
        running += 1;
        counted = true;
        next(metadata);
      })
      .withOnCancel(release)
      .build();
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendStatus((status, next) => {
        release();
        next(status);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };
}

/** Sends the caller's x-request-id back with the headers. */
export const echoRequestId: ServerInterceptor = (_method, call) => {
  let requestId: string | undefined;
  const listener = new ServerListenerBuilder()
    .withOnReceiveMetadata((metadata, next) => {
      requestId = requestIdIn(metadata);
      next(metadata);
    })
    .build();
  const responder = new ResponderBuilder()
    .withStart((next) => next(listener))
    .withSendMetadata((metadata, next) => {
      if (requestId !== undefined) metadata.set(requestIdKey, requestId);
      next(metadata);
    })
    .withSendStatus((status, next) => {
      // A refused call has no headers of its own: the id goes into the trailers.
      if (requestId !== undefined) status.metadata?.set(requestIdKey, requestId);
      next(status);
    })
    .build();
  return new ServerInterceptingCall(call, responder);
};

export function requestIdIn(metadata: Metadata): string | undefined {
  const value = metadata.get(requestIdKey)[0];
  return typeof value === 'string' && value.length <= maxRequestIdLength ? value : undefined;
}
