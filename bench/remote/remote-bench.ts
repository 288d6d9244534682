// What the remote workloads work with: the servers, started when the first workload needs them, and fresh mounts of them by
// us and by rclone.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import type { OriginTable } from '../../test/fixtures/remote-library.ts';
import type { Bench } from '../bench.ts';
import { runCommand } from '../commands.ts';
import { mountPeer } from '../peer-mount.ts';
import type { Sizes } from '../sizes.ts';
import type { Mount } from '../system.ts';
import { findMusic, type MusicFile, type RemoteMusic, writeRemoteMusic } from './remote-music.ts';
import { type Distance, type RemoteServer, RemoteServers } from './remote-servers.ts';

/** How rclone is mounted; each figure is compared with the one that is best at it. */
export interface RcloneWay {
  readonly name: string;
  readonly options: readonly string[];
}

/** A mount of a server's music. */
export interface RemoteMount {
  readonly mount: Mount;
  readonly placeOf: (file: MusicFile) => string;
}

export interface OwnRemoteMount extends RemoteMount {
  /** Bytes that came from the origin since the mount. */
  fetchedBytes(): Promise<number>;
  /** Holds cache.db and chunks/. */
  readonly cacheDirectory: string;
}

const large = ['--vfs-read-chunk-size', '128M', '--buffer-size', '64M'];
const withStreams: RcloneWay = {
  name: 'streams',
  options: ['--vfs-read-chunk-size', '4M', '--vfs-read-chunk-streams', '16', '--buffer-size', '64M'],
};
const cacheReport = v.looseObject({ bytesFromOrigins: v.number() });
const streamsSince = 68; // rclone 1.68

/**
 * Gives the space of a folder back and leaves its files, which go with the bench: for minutes ext4 looks at each inode that
 * was freed before it makes a new file, and whoever is measured next would pay for it (0.3 ms a file).
 */
function emptyFiles(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) truncateSync(path.join(entry.parentPath, entry.name));
  }
}

export class RemoteBench {
  readonly rcloneWays: readonly RcloneWay[];
  readonly music: RemoteMusic;
  readonly servers: RemoteServers;
  private readonly folder: string;

  private constructor(
    folder: string,
    music: RemoteMusic,
    servers: RemoteServers,
    ways: readonly RcloneWay[],
  ) {
    this.folder = folder;
    this.music = music;
    this.servers = servers;
    this.rcloneWays = ways;
  }

  static async start(folder: string, sizes: Sizes, signal: AbortSignal): Promise<RemoteBench> {
    const own = path.join(folder, 'remote');
    mkdirSync(own);
    const music = writeRemoteMusic(path.join(own, 'music'), sizes);
    const { stdout } = await runCommand('rclone', ['version'], { signal });
    const minor = Number(/^rclone v1\.(\d+)/.exec(stdout)?.[1] ?? 0);
    const ways = [
      { name: 'plain', options: [] },
      { name: 'large chunks', options: large },
      { name: 'cache', options: ['--vfs-cache-mode', 'full', ...large] },
      ...(minor >= streamsSince ? [withStreams] : []),
    ];
    return new RemoteBench(own, music, await RemoteServers.start(own, music, signal), ways);
  }

  async end(): Promise<void> {
    await this.servers.end();
  }

  /** A fresh mount of ours, that has listed the server and keeps nothing yet. */
  async ours<T>(
    bench: Bench,
    server: RemoteServer,
    distance: Distance,
    work: (mount: OwnRemoteMount) => Promise<T>,
    config = '',
  ): Promise<T> {
    const state = await this.freshState(bench, server);
    const { origin } = server;
    return this.mounted(
      bench,
      (mountPoint) => this.mountOurs(bench, origin(distance), state, mountPoint, config),
      {
        work: async (found) => {
          const fetchedBytes = async () => {
            const report = await bench.parts.musicfs.ask(['cache', 'stats'], found.mount.root);
            return v.parse(cacheReport, report).bytesFromOrigins;
          };
          return work({ ...found, fetchedBytes, cacheDirectory: path.join(state, 'cache') });
        },
        end: () => emptyFiles(state),
      },
    );
  }

  /** What a scan found, made once for each server, and nothing kept. */
  private async freshState(bench: Bench, { kind, origin }: RemoteServer): Promise<string> {
    const scanned = path.join(this.folder, `scanned-${kind}`);
    if (!existsSync(scanned)) {
      mkdirSync(scanned);
      await bench.withMountPoint(async (mountPoint) => {
        const mount = await this.mountOurs(bench, origin('near'), scanned, mountPoint);
        await mount.unmount();
      });
    }
    const state = mkdtempSync(path.join(this.folder, 'state-'));
    cpSync(scanned, state, { recursive: true });
    return state;
  }

  /** Mounts with a state that is the caller's. */
  mountOurs(
    { parts }: Bench,
    origin: OriginTable,
    state: string,
    mountPoint: string,
    config = '',
  ): Promise<Mount> {
    const file = path.join(state, 'bench.toml');
    const lines = Object.entries(origin).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
    writeFileSync(file, [config, '[[origins]]', ...lines, ''].join('\n'));
    return parts.musicfs.mountWith(['--config', file, '--wait'], state, mountPoint);
  }

  /** A fresh mount of rclone's. */
  async rclone<T>(
    bench: Bench,
    server: RemoteServer,
    distance: Distance,
    { options }: RcloneWay,
    work: (mount: RemoteMount) => Promise<T>,
  ): Promise<T> {
    const scratch = mkdtempSync(path.join(this.folder, 'rclone-'));
    const { lines, path: below } = await server.rclone(distance);
    const config = path.join(scratch, 'rclone.conf');
    writeFileSync(config, ['[bench]', ...lines, ''].join('\n'), { mode: 0o600 });
    const words = ['--read-only', '--config', config, '--cache-dir', scratch, '--dir-cache-time', '1h'];
    return this.mounted(
      bench,
      (mountPoint) =>
        mountPeer(
          'rclone',
          ['mount', `bench:${below}`, mountPoint, ...words, ...options],
          mountPoint,
          bench.parts.signal,
        ),
      { work, end: () => rmSync(scratch, { recursive: true, force: true }) },
    );
  }

  private mounted<T>(
    bench: Bench,
    mountAt: (mountPoint: string) => Promise<Mount>,
    { work, end }: { work: (mount: RemoteMount) => Promise<T>; end: () => void },
  ): Promise<T> {
    return bench
      .withMountPoint(async (mountPoint) => {
        const mount = await mountAt(mountPoint);
        try {
          const placeOf = await findMusic(mountPoint, this.music, bench.parts.signal);
          return await work({ mount, placeOf });
        } finally {
          await mount.unmount();
        }
      })
      .finally(end);
  }
}
