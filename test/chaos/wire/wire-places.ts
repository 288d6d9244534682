// Where the files of a wire scene lie, for each kind of origin: a real server behind toxiproxy and our fault proxy, or a
// disk that does what it is told. A place is filled, struck by a fault, healed, and ended; what it says of itself is the
// configuration of an origin. The servers are started once for all places of a run.
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Proxy as ToxicProxy } from 'toxiproxy-node-client';
import type { OriginTable } from '../../fixtures/remote-library.ts';
import { webdavCredentials } from '../../fixtures/remote-library.ts';
import { s3Hand } from '../../fixtures/s3-harness.ts';
import { type ScriptedDisk, startScriptedDisk } from '../../fixtures/scripted-disk.ts';
import { type S3Server, s3Bucket, startS3rver } from '../../fixtures/servers/s3-servers.ts';
import { freePort } from '../../fixtures/servers/server-process.ts';
import { Sshd, sftpUser } from '../../fixtures/servers/sshd.ts';
import { ToxiproxyServer } from '../../fixtures/servers/toxiproxy.ts';
import { startRclone, type WebdavServer } from '../../fixtures/servers/webdav-servers.ts';
import { FaultProxy } from '../fault-proxy.ts';
import type { WireFault, WireKind } from './cells.ts';

export type NetworkKind = Exclude<WireKind, 'local' | 'nfs'>;

export type ToxicType = 'latency' | 'bandwidth' | 'limit_data' | 'slicer' | 'slow_close' | 'reset_peer';

export interface WirePlace {
  /** Keys of `[[origins]]`, without id. */
  readonly table: OriginTable;
  put(name: string, bytes: Buffer): Promise<void>;
  /** Resolves when the fault is there. */
  strike(fault: WireFault): Promise<void>;
  /** Ends it. */
  heal(): Promise<void>;
  /** How often a fault has hit something since the last strike, as far as the place can see. */
  hits(): Promise<number>;
  end(): Promise<void>;
}

/** ms down and up by turns; bytes that pass before an end; distance of bits that are turned. */
const flapMs = 1_000;
const cutAfterBytes = 150_000;
const flipEveryBytes = 100_000;
/** What slows the way: before an answer, and while it comes. */
const slowMs = 150;
const slowKbPerSecond = 600;
const eio = 5;

/** Real servers of all network kinds, and toxiproxy. */
export class WireServers {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'musicfs-wire-'));
  readonly toxiproxy: ToxiproxyServer;
  readonly sshd: Sshd;
  readonly s3: S3Server;
  readonly hand: S3Client;
  readonly webdav: WebdavServer;
  private places = 0;

  private constructor(
    toxiproxy: ToxiproxyServer,
    sshd: Sshd,
    s3: S3Server,
    hand: S3Client,
    webdav: WebdavServer,
  ) {
    this.toxiproxy = toxiproxy;
    this.sshd = sshd;
    this.s3 = s3;
    this.hand = hand;
    this.webdav = webdav;
  }

  static async start(): Promise<WireServers> {
    const sshFolder = mkdtempSync(path.join(tmpdir(), 'musicfs-wire-ssh-'));
    const sshd = new Sshd(sshFolder, await freePort(), ['ed25519']);
    const [toxiproxy, s3, webdav] = await Promise.all([
      ToxiproxyServer.start(),
      startS3rver(),
      startRclone(),
      sshd.start(),
    ]);
    return new WireServers(toxiproxy, sshd, s3, await s3Hand(s3), webdav);
  }

  place(kind: WireKind, seed: number): Promise<WirePlace> {
    this.places += 1;
    const name = `place-${this.places}`;
    switch (kind) {
      case 'local':
        return DiskPlace.make(path.join(this.folder, name), { kind, cache: 'always' });
      case 'nfs':
        return DiskPlace.make(path.join(this.folder, name), { kind });
      default:
        return NetworkPlace.make(this, kind, name, seed);
    }
  }

  network(kind: NetworkKind, seed: number): Promise<NetworkPlace> {
    this.places += 1;
    return NetworkPlace.make(this, kind, `place-${this.places}`, seed);
  }

  /** A disk of this machine whose files are read where they lie: nothing of them is kept. */
  bareDisk(): Promise<WirePlace> {
    this.places += 1;
    return DiskPlace.make(path.join(this.folder, `place-${this.places}`), { kind: 'local' });
  }

  async end(): Promise<void> {
    this.hand.destroy();
    await Promise.all([this.toxiproxy.end(), this.s3.end(), this.webdav.end(), this.sshd.stop()]);
    for (const folder of [this.folder, this.sshd.folder]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Flaps until it is told to stop. */
class Flapping {
  private isOver = false;
  private running: Promise<void> = Promise.resolve();

  async begin(down: () => Promise<unknown>, up: () => Promise<unknown>): Promise<void> {
    this.isOver = false;
    await down();
    this.running = this.go(down, up);
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  private async go(down: () => Promise<unknown>, up: () => Promise<unknown>): Promise<void> {
    for (let isUp = false; !this.isOver; isUp = !isUp) {
      await pause(flapMs);
      await (isUp ? down() : up());
    }
  }
}

class DiskPlace implements WirePlace {
  readonly table: OriginTable;
  private readonly home: string;
  private readonly disk: ScriptedDisk;
  private readonly flapping = new Flapping();
  private hitsBefore = 0;
  private hung = 0;
  private isGone = false;

  private constructor(home: string, disk: ScriptedDisk, table: OriginTable) {
    this.home = home;
    this.disk = disk;
    this.table = { ...table, path: disk.mountPoint };
  }

  static async make(home: string, table: OriginTable): Promise<DiskPlace> {
    mkdirSync(home, { recursive: true });
    return new DiskPlace(home, await startScriptedDisk(home), table);
  }

  async put(name: string, bytes: Buffer): Promise<void> {
    writeFileSync(path.join(this.disk.folder, name), bytes);
  }

  async strike(fault: WireFault): Promise<void> {
    const { disk } = this;
    this.hitsBefore = (await disk.look()).harmed;
    this.hung = 0;
    // A share that is away hangs; a disk of this machine fails.
    const down = () => (this.table['kind'] === 'nfs' ? this.hang() : disk.harm({ break: eio }));
    switch (fault) {
      case 'healthy':
        return;
      case 'slow':
        return disk.harm({ slow: slowMs });
      case 'truncating':
        return disk.harm({ cut: cutAfterBytes });
      case 'corrupting':
        return disk.harm({ flip: flipEveryBytes });
      case 'flapping':
        return this.flapping.begin(down, () => this.goOn());
      case 'down':
        return down();
      case 'gone':
        this.isGone = true;
        return disk.unmount();
    }
  }

  async heal(): Promise<void> {
    await this.flapping.end();
    await this.goOn();
  }

  async hits(): Promise<number> {
    if (this.isGone) return 1;
    const { harmed, held } = await this.disk.look();
    return harmed - this.hitsBefore + held + this.hung;
  }

  async end(): Promise<void> {
    await this.flapping.end();
    this.disk.unmount();
    rmSync(this.home, { recursive: true, force: true });
  }

  private hang(): Promise<void> {
    return this.disk.hang('LOOKUP', 'GETATTR', 'OPEN', 'READ', 'STATFS', 'OPENDIR', 'READDIR');
  }

  private async goOn(): Promise<void> {
    this.hung += (await this.disk.look()).held;
    await this.disk.goOn();
  }
}

export class NetworkPlace implements WirePlace {
  readonly table: OriginTable;
  readonly proxy: FaultProxy;
  private readonly toxiproxy: ToxiproxyServer;
  private toxic: ToxicProxy;
  private readonly isHttp: boolean;
  private readonly write: (name: string, bytes: Buffer) => Promise<void>;
  private readonly flapping = new Flapping();
  private readonly credentials: string;
  private hasToxics = false;
  private hitsBefore = 0;

  private constructor(options: {
    table: OriginTable;
    proxy: FaultProxy;
    toxiproxy: ToxiproxyServer;
    toxic: ToxicProxy;
    isHttp: boolean;
    credentials: string;
    write: (name: string, bytes: Buffer) => Promise<void>;
  }) {
    this.table = options.table;
    this.proxy = options.proxy;
    this.toxiproxy = options.toxiproxy;
    this.toxic = options.toxic;
    this.isHttp = options.isHttp;
    this.credentials = options.credentials;
    this.write = options.write;
  }

  static async make(
    servers: WireServers,
    kind: NetworkKind,
    name: string,
    seed: number,
  ): Promise<NetworkPlace> {
    const { s3, sshd, webdav } = servers;
    const upstream = { sftp: sshd.port, s3: s3.process.port, webdav: webdav.process.port }[kind];
    const proxy = await FaultProxy.start({ host: '127.0.0.1', port: upstream }, seed);
    const { proxy: toxic, port } = await servers.toxiproxy.proxy(name, proxy.port);
    const shared = { proxy, toxiproxy: servers.toxiproxy, toxic, isHttp: kind !== 'sftp' };
    const credentials = path.join(servers.folder, `${name}.toml`);
    const secret = (values: Readonly<Record<string, string>>) => {
      const lines = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
      writeFileSync(credentials, `${lines.join('\n')}\n`, { mode: 0o600 });
      return `file:${credentials}`;
    };
    switch (kind) {
      case 'sftp': {
        const folder = path.join(sshd.music, name);
        mkdirSync(folder);
        chownSync(folder, sftpUser.uid, sftpUser.uid);
        const write = async (file: string, bytes: Buffer) => writeFileSync(path.join(folder, file), bytes);
        const table = {
          ...{ kind, host: '127.0.0.1', port, path: folder, host_key: 'accept-new' },
          credentials: secret({ username: sftpUser.name, password: sftpUser.password }),
        };
        return new NetworkPlace({ ...shared, table, credentials, write });
      }
      case 's3': {
        const write = async (file: string, bytes: Buffer) => {
          await servers.hand.send(
            new PutObjectCommand({ Bucket: s3Bucket, Key: `${name}/${file}`, Body: bytes }),
          );
        };
        const table = {
          ...{ kind, bucket: s3Bucket, prefix: name, endpoint: `http://127.0.0.1:${port}` },
          credentials: secret({ access_key_id: s3.accessKeyId, secret_access_key: s3.secretAccessKey }),
        };
        return new NetworkPlace({ ...shared, table, credentials, write });
      }
      case 'webdav': {
        const folder = path.join(webdav.folder, name);
        mkdirSync(folder);
        const write = async (file: string, bytes: Buffer) => writeFileSync(path.join(folder, file), bytes);
        const table = {
          ...{ kind, url: `http://127.0.0.1:${port}/${name}/` },
          credentials: webdavCredentials(folder),
        };
        return new NetworkPlace({ ...shared, table, credentials: `${folder}.toml`, write });
      }
    }
  }

  put(name: string, bytes: Buffer): Promise<void> {
    return this.write(name, bytes);
  }

  async strike(fault: WireFault): Promise<void> {
    const { proxy, toxic } = this;
    const inBody = this.isHttp;
    this.hitsBefore = proxy.counters.applied;
    switch (fault) {
      case 'healthy':
        return;
      case 'slow':
        await this.toxin('latency', { latency: slowMs, jitter: 0 });
        return this.toxin('bandwidth', { rate: slowKbPerSecond });
      case 'truncating':
        return proxy.setFault({ type: 'truncate_at', bytes: cutAfterBytes, inBody });
      case 'corrupting':
        return proxy.setFault({ type: 'bit_flip', offset: 50_000, every: flipEveryBytes, inBody });
      case 'flapping':
        return this.flapping.begin(
          () => toxic.update({ ...addressOf(toxic), enabled: false }),
          () => toxic.update({ ...addressOf(toxic), enabled: true }),
        );
      case 'down':
      case 'gone':
        await toxic.update({ ...addressOf(toxic), enabled: false });
    }
  }

  async heal(): Promise<void> {
    const { proxy, toxic } = this;
    await this.flapping.end();
    proxy.setFault(undefined);
    // A toxic is not let go of while bytes wait in it: the proxy goes with its connections, and another takes its port.
    if (this.hasToxics) this.toxic = await this.toxiproxy.anew(toxic);
    this.hasToxics = false;
    await toxic.update({ ...addressOf(toxic), enabled: true });
  }

  async hits(): Promise<number> {
    return this.proxy.counters.applied - this.hitsBefore;
  }

  async end(): Promise<void> {
    await this.flapping.end();
    await this.toxic.remove().catch(() => undefined);
    await this.proxy.down();
    rmSync(this.credentials, { force: true });
  }

  /** On what comes from the server, until it is healed. */
  async toxin(type: ToxicType, attributes: object): Promise<void> {
    this.hasToxics = true;
    await this.toxic.addToxic({ name: type, type, stream: 'downstream', toxicity: 1, attributes });
  }
}

const addressOf = ({ listen, upstream }: ToxicProxy) => ({ listen, upstream });
