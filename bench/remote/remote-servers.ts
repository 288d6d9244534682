// Real servers that hold the same music: sshd, an S3 server, WebDAV by rclone; each also behind toxiproxy, where it is
// 50 ms away. One set for all remote workloads of a run, ended with it.
import { chmodSync, createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { OriginTable } from '../../test/fixtures/remote-library.ts';
import { s3Hand } from '../../test/fixtures/s3-harness.ts';
import {
  type S3Server,
  s3Bucket,
  startS3rver,
  startVersitygw,
  versitygwProgram,
} from '../../test/fixtures/servers/s3-servers.ts';
import { freePort } from '../../test/fixtures/servers/server-process.ts';
import { Sshd, sftpUser } from '../../test/fixtures/servers/sshd.ts';
import { ToxiproxyServer } from '../../test/fixtures/servers/toxiproxy.ts';
import { startRclone, webdavPassword, webdavUser } from '../../test/fixtures/servers/webdav-servers.ts';
import { runCommand } from '../commands.ts';
import type { RemoteKind } from '../figures.ts';
import type { RemoteMusic } from './remote-music.ts';

/** Where a server is reached: beside us, or at a distance. */
export type Distance = 'near' | 'far';

/** ms there and back of what is far. */
export const roundTripMs = 50;

export interface RemoteServer {
  readonly kind: RemoteKind;
  /** As our configuration names it. */
  origin(distance: Distance): OriginTable;
  /** As rclone's does: the lines of a section, and the path in it. */
  rclone(distance: Distance): Promise<{ readonly lines: readonly string[]; readonly path: string }>;
}

/** A server that runs, and how it is named at whichever port it is reached. */
interface Started {
  readonly kind: RemoteKind;
  readonly port: number;
  origin(port: number): OriginTable;
  rclone(port: number): ReturnType<RemoteServer['rclone']>;
}

type Proxy = Awaited<ReturnType<ToxiproxyServer['proxy']>>['proxy'];

export class RemoteServers {
  readonly servers: readonly RemoteServer[];
  private readonly endings: readonly (() => Promise<void>)[];

  private constructor(servers: readonly RemoteServer[], endings: readonly (() => Promise<void>)[]) {
    this.servers = servers;
    this.endings = endings;
  }

  /** Starts all of them and gives them the music. When that fails, none is left. */
  static async start(folder: string, music: RemoteMusic, signal: AbortSignal): Promise<RemoteServers> {
    const endings: (() => Promise<void>)[] = [];
    try {
      const toxiproxy = await ToxiproxyServer.start();
      endings.push(() => toxiproxy.end());
      const servers: RemoteServer[] = [];
      for (const start of [startSftp, startS3, startWebdav]) {
        signal.throwIfAborted();
        const server = await start(folder, music, signal, endings);
        const { proxy, port } = await toxiproxy.proxy(`bench-${server.kind}`, server.port);
        await putAway(proxy);
        const portAt = (distance: Distance) => (distance === 'near' ? server.port : port);
        servers.push({
          kind: server.kind,
          origin: (distance) => server.origin(portAt(distance)),
          rclone: (distance) => server.rclone(portAt(distance)),
        });
      }
      return new RemoteServers(servers, endings);
    } catch (error) {
      await endAll(endings);
      throw error;
    }
  }

  end(): Promise<void> {
    return endAll(this.endings);
  }
}

async function putAway(proxy: Proxy): Promise<void> {
  for (const stream of ['upstream', 'downstream'] as const) {
    const attributes = { latency: roundTripMs / 2, jitter: 0 };
    await proxy.addToxic({ name: stream, type: 'latency', stream, toxicity: 1, attributes });
  }
}

/** The last one first; each is tried. */
async function endAll(endings: readonly (() => Promise<void>)[]): Promise<void> {
  for (const end of endings.toReversed()) await end().catch(() => undefined);
}

async function copyTo(folder: string, { root }: RemoteMusic, signal: AbortSignal): Promise<void> {
  await runCommand('cp', ['--reflink=auto', '-r', `${root}/.`, folder], { signal });
}

async function startSftp(
  scratch: string,
  music: RemoteMusic,
  signal: AbortSignal,
  endings: (() => Promise<void>)[],
): Promise<Started> {
  const folder = path.join(scratch, 'sshd');
  mkdirSync(folder);
  for (const above of [path.dirname(scratch), scratch]) chmodSync(above, 0o711); // the user who logs in comes this way
  const server = new Sshd(folder, await freePort(), ['ed25519']);
  endings.push(() => server.stop());
  await server.start();
  await copyTo(server.music, music, signal);
  const keyFile = path.join(folder, 'bench-key');
  writeFileSync(keyFile, server.newUserKey(), { mode: 0o600 });
  const credentials = path.join(folder, 'credentials.toml');
  writeFileSync(credentials, `key_file = ${JSON.stringify(keyFile)}\n`, { mode: 0o600 });
  return {
    kind: 'sftp',
    port: server.port,
    origin: (port) => ({
      ...{ id: 'bench', kind: 'sftp', host: '127.0.0.1', port, user: sftpUser.name, path: server.music },
      ...{ host_key: 'accept-new', credentials: `file:${credentials}` },
    }),
    rclone: async (port) => ({
      lines: [
        ...['type = sftp', 'host = 127.0.0.1', `port = ${port}`, `user = ${sftpUser.name}`],
        ...[`key_file = ${keyFile}`, 'shell_type = none', 'disable_hashcheck = true'],
      ],
      path: server.music,
    }),
  };
}

async function startS3(
  scratch: string,
  { root, big, songs }: RemoteMusic,
  signal: AbortSignal,
  endings: (() => Promise<void>)[],
): Promise<Started> {
  const program = versitygwProgram();
  const server: S3Server = program === undefined ? await startS3rver() : await startVersitygw(program);
  endings.push(() => server.end());
  const hand = await s3Hand(server);
  for (const { name, sizeBytes } of [big, ...songs]) {
    const Body = createReadStream(path.join(root, name));
    const object = { Bucket: s3Bucket, Key: name, Body, ContentLength: sizeBytes };
    await hand.send(new PutObjectCommand(object), { abortSignal: signal });
  }
  hand.destroy();
  const credentials = path.join(scratch, 's3.toml');
  const { accessKeyId, secretAccessKey } = server;
  writeFileSync(
    credentials,
    `access_key_id = ${JSON.stringify(accessKeyId)}\nsecret_access_key = ${JSON.stringify(secretAccessKey)}\n`,
    { mode: 0o600 },
  );
  return {
    kind: 's3',
    port: server.process.port,
    origin: (port) => ({
      ...{ id: 'bench', kind: 's3', bucket: s3Bucket, endpoint: `http://127.0.0.1:${port}` },
      credentials: `file:${credentials}`,
    }),
    rclone: async (port) => ({
      lines: [
        ...['type = s3', 'provider = Other', 'region = us-east-1', 'force_path_style = true'],
        ...[`endpoint = http://127.0.0.1:${port}`, `access_key_id = ${accessKeyId}`],
        `secret_access_key = ${secretAccessKey}`,
      ],
      path: s3Bucket,
    }),
  };
}

async function startWebdav(
  scratch: string,
  music: RemoteMusic,
  signal: AbortSignal,
  endings: (() => Promise<void>)[],
): Promise<Started> {
  const server = await startRclone();
  endings.push(() => server.end());
  await copyTo(server.folder, music, signal);
  const credentials = path.join(scratch, 'webdav.toml');
  writeFileSync(
    credentials,
    `username = ${JSON.stringify(webdavUser)}\npassword = ${JSON.stringify(webdavPassword)}\n`,
    { mode: 0o600 },
  );
  return {
    kind: 'webdav',
    port: server.process.port,
    origin: (port) => ({
      ...{ id: 'bench', kind: 'webdav', url: `http://127.0.0.1:${port}/` },
      credentials: `file:${credentials}`,
    }),
    rclone: async (port) => {
      const { stdout } = await runCommand('rclone', ['obscure', webdavPassword], { signal });
      return {
        lines: [
          ...['type = webdav', 'vendor = other', `url = http://127.0.0.1:${port}`],
          ...[`user = ${webdavUser}`, `pass = ${stdout.trim()}`],
        ],
        path: '',
      };
    },
  };
}
