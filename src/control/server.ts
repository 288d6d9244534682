// The control server: gRPC on a Unix socket that only its owner may open. The daemon loads this file with
// `await import`, as gRPC costs memory and time that a start must not pay. If it fails, the mount goes on without it.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type Clock, systemClock } from '../platform/clock.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { createCallAnswerer } from './answer-calls.ts';
import { echoRequestId, limitCalls } from './call-limits.ts';
import { prepareSocketPath, removeSocket, restrictSocket } from './control-socket.ts';
import type { ControlPort } from './daemon-port.ts';
import { createErrorDetailCodec } from './error-detail.ts';
import { addHealthService } from './health.ts';
import { drainMs, maxCalls, maxMessageBytes } from './limits.ts';
import { loadControlProto, shippedProtoDirectory } from './load-proto.ts';
import { addReflection } from './reflection.ts';
import {
  cacheService,
  debugService,
  libraryService,
  originService,
  pinService,
  systemService,
} from './services.ts';

export interface ControlServerOptions {
  readonly port: ControlPort;
  /** Absolute, at most 107 bytes. A socket that lies there is removed: the caller holds the daemon's lock. */
  readonly socketPath: string;
  /** Where the .proto files lie, when not beside the sources. */
  readonly protoDirectory?: string;
  readonly log: Logger;
  readonly clock?: Clock;
}

export interface ControlServer {
  /** Tells those who watch the health of the mount that its state may have changed. */
  mountStateChanged(): void;
  /** Lets calls end for up to a second, then cuts them off; removes the socket. May be called twice. */
  close(): Promise<void>;
}

/** Resolves when the socket takes calls. Errors: `refused` with what is wrong about the path. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { port, socketPath, log, protoDirectory = shippedProtoDirectory, clock = systemClock } = options;
  const proto = loadControlProto(protoDirectory);
  const errors = createErrorDetailCodec(protoDirectory);
  const callLog = log.child({ component: 'control' });
  const answerer = createCallAnswerer(errors, callLog, port.beforeCall);
  const server = new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    // channelz stays on: grpc-js 1.14 without it forgets its connections, and forceShutdown would cut none of them.
    interceptors: [echoRequestId, limitCalls(maxCalls, errors)],
  });
  server.addService(proto.system, systemService(port, answerer));
  server.addService(proto.origin, originService(port, answerer));
  server.addService(proto.cache, cacheService(port, answerer));
  server.addService(proto.pin, pinService(port, answerer));
  server.addService(proto.library, libraryService(port, answerer));
  if (port.failpoints !== undefined) {
    server.addService(proto.debug, debugService(port.failpoints, createCallAnswerer(errors, callLog)));
  }
  const health = addHealthService(server, () => port.status().state);
  const services = [
    ...['musicfs.v1.System', 'musicfs.v1.Origin', 'musicfs.v1.Cache', 'musicfs.v1.Pin'],
    'musicfs.v1.Library',
    'grpc.health.v1.Health',
  ];
  if (port.failpoints !== undefined) services.push('musicfs.v1.Debug');
  addReflection(server, protoDirectory, services);

  await prepareSocketPath(socketPath);
  const address = `unix:${socketPath}`;
  await bind(server, address);
  await restrictSocket(socketPath);

  let closing: Promise<void> | undefined;
  const close = async () => {
    health.stop();
    await drain(server, clock, answerer.abortStreams);
    await removeSocket(socketPath);
  };
  return {
    mountStateChanged: health.refresh,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function bind(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else
        reject(
          new MusicfsError('refused', `control socket ${address}: ${messageOf(error)}`, { cause: error }),
        );
    });
  });
}

function drain(server: Server, clock: Clock, abortStreams: () => void): Promise<void> {
  return new Promise((resolve) => {
    const keepWaiting = clock.after(drainMs, () => {
      abortStreams();
      setImmediate(() => server.forceShutdown()); // the aborted ones get their last word out first
    });
    server.tryShutdown(() => {
      keepWaiting();
      resolve();
    });
  });
}
