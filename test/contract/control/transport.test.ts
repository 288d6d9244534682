import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  makeClientConstructor,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { describe, expect, it } from 'vitest';
import { connect } from '../../../src/control/client.ts';
import { createErrorDetailCodec } from '../../../src/control/error-detail.ts';
import { maxCalls } from '../../../src/control/limits.ts';
import { loadControlProto, shippedProtoDirectory } from '../../../src/control/load-proto.ts';
import { startControlServer } from '../../../src/control/server.ts';
import { errorCodes, MusicfsError } from '../../../src/platform/errors.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { createFakeDaemon, progress, sampleStatus, serve } from './fake-daemon.ts';
import { leaveStaleSocket } from './stale-socket.ts';

const proto = loadControlProto(shippedProtoDirectory);
const SystemStub = makeClientConstructor(proto.system, 'System');
const OriginStub = makeClientConstructor(proto.origin, 'Origin');

const reflectionProto = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@grpc/reflection')),
  '../proto/grpc/reflection/v1/reflection.proto',
);

describe('the control socket', () => {
  it('is open to its owner only, in a folder that is closed to others', async () => {
    await using control = await serve(createFakeDaemon().port);
    expect(statSync(control.socketPath).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(control.socketPath)).mode & 0o777).toBe(0o700);
  });

  it('closes a folder of its own that stood open', async () => {
    await inFolder(async (folder) => {
      mkdirSync(path.join(folder, 'state'), { mode: 0o755 });
      const server = await start(path.join(folder, 'state/control.sock'));
      expect(statSync(path.join(folder, 'state')).mode & 0o777).toBe(0o700);
      await server.close();
    });
  });

  it('is refused in a folder that others may write to', async () => {
    await expect(start(path.join(tmpdir(), 'musicfs-control.sock'))).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('shared with other users'),
    });
  });

  it('is refused when its path is longer than 107 bytes, with the way out', async () => {
    await expect(start(`/tmp/${'é'.repeat(60)}/control.sock`)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/at most 107 .*--state/),
    });
  });

  it('takes the place of what a dead daemon left behind', async () => {
    await inFolder(async (folder) => {
      const socketPath = path.join(folder, 'control.sock');
      await leaveStaleSocket(socketPath);
      const server = await start(socketPath);
      const client = connect(socketPath);
      expect((await client.status()).pid).toBe(4711);
      client.close();
      await server.close();
    });
  });

  it('never replaces a file', async () => {
    await inFolder(async (folder) => {
      const socketPath = path.join(folder, 'control.sock');
      writeFileSync(socketPath, 'precious');
      await expect(start(socketPath)).rejects.toMatchObject({ code: 'refused' });
      expect(existsSync(socketPath)).toBe(true);
    });
  });

  it('is gone after close, which may be called twice', async () => {
    await using control = await serve(createFakeDaemon().port);
    await Promise.all([control.server.close(), control.server.close()]);
    expect(existsSync(control.socketPath)).toBe(false);
    await control.server.close();
  });

  it('closes although a scan goes on, and aborts it', async () => {
    const fake = createFakeDaemon();
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    fake.scan = async function* (_request, signal) {
      yield progress();
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          resolve();
          reject(signal.reason as Error);
        });
      });
    };
    await using control = await serve(fake.port);
    const client = connect(control.socketPath);
    const scan = client.rescan({ detached: false })[Symbol.asyncIterator]();
    await scan.next();
    const cut = scan.next().catch((error: unknown) => error);
    await control.server.close();
    await aborted;
    expect(await cut).toMatchObject({ code: 'cancelled' });
    client.close();
  });
});

describe('every call', () => {
  it('gets its request id back', async () => {
    await using control = await serve(createFakeDaemon().port);
    const client = new SystemStub(`unix:${control.socketPath}`, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('x-request-id', 'order-66');
    const echoed = await new Promise((resolve) => {
      const call = unary(client, 'getStatus')({}, metadata, () => {});
      call.on('metadata', (headers: Metadata) => resolve(headers.get('x-request-id')));
    });
    expect(echoed).toEqual(['order-66']);
    client.close();
  });

  it('beyond 64 at once is refused, and one that ended makes room', async () => {
    const fake = createFakeDaemon();
    fake.scan = async function* (_request, signal) {
      yield progress();
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    await using control = await serve(fake.port);
    const client = connect(control.socketPath);
    const scans = Array.from({ length: maxCalls }, () =>
      client.rescan({ detached: false })[Symbol.asyncIterator](),
    );
    await Promise.all(scans.map((scan) => scan.next()));
    await expect(client.status()).rejects.toMatchObject({ code: 'overloaded' });
    await scans[0]?.return?.();
    await expect
      .poll(() =>
        client.status().then(
          ({ pid }) => pid,
          () => 0,
        ),
      )
      .toBe(4711);
    client.close();
  });

  it('with a message above 4 MiB is refused', async () => {
    await using control = await serve(createFakeDaemon().port);
    const client = new OriginStub(`unix:${control.socketPath}`, credentials.createInsecure());
    const error = await new Promise<ServiceError | null>((resolve) => {
      unary(client, 'cancelScan')({ originId: 'x'.repeat(5 * 1024 * 1024) }, new Metadata(), resolve);
    });
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    client.close();
  });

  it('that fails carries a google.rpc.Status with our code as ErrorInfo', async () => {
    await using control = await serve(createFakeDaemon().port);
    const client = new SystemStub(`unix:${control.socketPath}`, credentials.createInsecure());
    const error = await new Promise<ServiceError | null>((resolve) => {
      unary(client, 'getSupervision')({ path: 'root/nobody' }, new Metadata(), resolve);
    });
    expect(error?.code).toBe(status.NOT_FOUND);
    const [detail] = error?.metadata.get('grpc-status-details-bin') ?? [];
    expect(String(detail)).toContain('type.googleapis.com/google.rpc.ErrorInfo');
    expect(String(detail)).toContain('not_found');
    client.close();
  });

  it('for a part of the supervision tree gets that part, no deeper than asked', async () => {
    await using control = await serve(createFakeDaemon().port);
    const client = new SystemStub(`unix:${control.socketPath}`, credentials.createInsecure());
    const answer = await new Promise<unknown>((resolve, reject) => {
      unary(client, 'getSupervision')({ path: 'root/library', depth: 0 }, new Metadata(), (error, node) =>
        error === null ? resolve(node) : reject(error),
      );
    });
    expect(answer).toMatchObject({ id: 'library', children: [] });
    client.close();
  });
});

describe('the error table', () => {
  it('has a gRPC status for every code, and every code survives the way to the client', () => {
    const codec = createErrorDetailCodec(shippedProtoDirectory);
    for (const code of Object.keys(errorCodes) as (keyof typeof errorCodes)[]) {
      const answer = codec.statusOf(new MusicfsError(code, 'text'));
      expect(status[answer.code], code).toBe(errorCodes[code].grpc);
      expect(codec.codeIn(answer.metadata)).toBe(code);
    }
  });
});

describe('reflection', () => {
  it('lists the services', async () => {
    await using control = await serve(createFakeDaemon().port);
    expect(await listServices(control.socketPath)).toEqual([
      'grpc.health.v1.Health',
      'musicfs.v1.Cache',
      'musicfs.v1.Library',
      'musicfs.v1.Origin',
      'musicfs.v1.Pin',
      'musicfs.v1.System',
    ]);
  });

  it('describes map fields and names as strict clients demand', async () => {
    await using control = await serve(createFakeDaemon().port);
    const messages = await describedMessages(control.socketPath, 'musicfs.v1.FuseCounters');
    const counters = messages.find(({ name }) => name === 'FuseCounters');
    expect(counters?.nestedType?.map(({ name }) => name)).toEqual(['RequestsEntry']);
    expect(counters?.field?.find(({ name }) => name === 'requests')?.typeName).toMatch(/RequestsEntry$/);
    const status = messages.find(({ name }) => name === 'Status');
    expect(status?.field?.find(({ name }) => name === 'mount_point')?.jsonName).toBe('mountPoint');
  });

  it('lists Debug only when failpoints are on', async () => {
    await using control = await serve(createFakeDaemon({ failpoints: true }).port);
    expect(await listServices(control.socketPath)).toContain('musicfs.v1.Debug');
  });
});

describe('health', () => {
  it('serves "" while control answers, and "mount" while names are served', async () => {
    const fake = createFakeDaemon();
    await using control = await serve(fake.port);
    const check = healthCheck(control.socketPath);
    expect(await check('')).toBe('SERVING');
    expect(await check('mount')).toBe('SERVING');
    fake.report = { ...sampleStatus, state: 'offline' };
    expect(await check('mount')).toBe('SERVING');
    fake.report = { ...sampleStatus, state: 'unmounting' };
    expect(await check('mount')).toBe('NOT_SERVING');
    expect(await check('')).toBe('SERVING');
  });

  it('tells a watcher when the daemon says that its state changed', async () => {
    const fake = createFakeDaemon();
    await using control = await serve(fake.port);
    const client = stub(
      loadSync(healthProto, { enums: String }),
      'grpc.health.v1.Health',
      control.socketPath,
    );
    const seen: unknown[] = [];
    const { promise: changed, resolve } = Promise.withResolvers<void>();
    const watch = (client as unknown as { watch(request: object): NodeJS.ReadableStream }).watch({
      service: 'mount',
    });
    watch.on('error', () => {}); // the end of the server
    watch.on('data', (answer: { status: string }) => {
      seen.push(answer.status);
      if (seen.length === 2) resolve();
      fake.report = { ...sampleStatus, state: 'mounting' };
      control.server.mountStateChanged();
    });
    await changed;
    expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
    client.close();
  });
});

function start(socketPath: string) {
  return startControlServer({ port: createFakeDaemon().port, socketPath, log: silentLogger });
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'musicfs-socket-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type UnaryCall = (
  request: object,
  metadata: Metadata,
  done: (error: ServiceError | null, answer?: unknown) => void,
) => NodeJS.EventEmitter;

function unary(client: Client, method: string): UnaryCall {
  const call = (client as unknown as Record<string, UnaryCall | undefined>)[method];
  if (call === undefined) throw new Error(`no method ${method}`);
  return call.bind(client);
}

function stub(definition: PackageDefinition, service: string, socketPath: string): Client {
  let found: unknown = loadPackageDefinition(definition);
  for (const part of service.split('.')) found = (found as GrpcObject)[part];
  return new (found as ServiceClientConstructor)(`unix:${socketPath}`, credentials.createInsecure());
}

async function listServices(socketPath: string): Promise<string[]> {
  const answer = await reflect<{ listServicesResponse: { service: { name: string }[] } }>(socketPath, {
    listServices: '',
  });
  return answer.listServicesResponse.service.map(({ name }) => name).sort();
}

/** Asks the reflection service one thing. */
async function reflect<T>(socketPath: string, question: object): Promise<T> {
  const client = stub(loadSync(reflectionProto), 'grpc.reflection.v1.ServerReflection', socketPath);
  const call = (
    client as unknown as { serverReflectionInfo(): NodeJS.ReadWriteStream & { write(request: object): void } }
  ).serverReflectionInfo();
  const answer = await new Promise<T>((resolve, reject) => {
    call.on('data', resolve);
    call.on('error', reject);
    call.write(question);
  });
  call.end();
  client.close();
  return answer;
}

interface DescribedMessage {
  readonly name: string;
  readonly field?: readonly {
    readonly name: string;
    readonly jsonName: string;
    readonly typeName?: string;
  }[];
  readonly nestedType?: readonly DescribedMessage[];
}

/** The messages of the file that holds `symbol`, as a strict client reads them. */
async function describedMessages(socketPath: string, symbol: string): Promise<readonly DescribedMessage[]> {
  const { fileDescriptorResponse } = await reflect<{
    fileDescriptorResponse: { fileDescriptorProto: Buffer[] };
  }>(socketPath, { fileContainingSymbol: symbol });
  return fileDescriptorResponse.fileDescriptorProto.flatMap((bytes) => {
    const file = descriptor.FileDescriptorProto.toObject(descriptor.FileDescriptorProto.decode(bytes));
    return file['messageType'] as DescribedMessage[];
  });
}

function healthCheck(socketPath: string): (service: string) => Promise<string> {
  const client = stub(loadSync(healthProto, { enums: String }), 'grpc.health.v1.Health', socketPath);
  return (service) =>
    new Promise((resolve, reject) => {
      unary(client, 'check')({ service }, new Metadata(), (error, answer) =>
        error === null ? resolve((answer as { status: string }).status) : reject(error),
      );
    });
}
