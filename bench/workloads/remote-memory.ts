// Memory of a daemon whose origin is over a network: idle, and with many files open whose every byte is kept. Ours alone.
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import { makeFlac } from '../../test/fixtures/audio-files.ts';
import { startRclone, webdavPassword, webdavUser } from '../../test/fixtures/servers/webdav-servers.ts';
import type { Bench, Workload } from '../bench.ts';
import { runCommand } from '../commands.ts';
import { residentMb } from '../processes.ts';
import { fillCache } from '../remote/fill-cache.ts';
import { remoteReads } from '../remote/reads.ts';

const lookMs = 100;

export const remoteMemory: Workload = {
  name: 'remote-memory',
  libraries: [],
  needsAgedFiles: false,
  figures: ['remoteIdle', 'remoteOpenFiles'],
  async run(bench) {
    const server = await startRclone();
    const state = path.join(bench.parts.folder, 'memory-state');
    try {
      writeSparseMusic(bench, server.folder);
      mkdirSync(state);
      const credentials = path.join(state, 'webdav.toml');
      const values = { username: webdavUser, password: webdavPassword };
      const lines = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
      writeFileSync(credentials, `${lines.join('\n')}\n`, { mode: 0o600 });
      const config = path.join(state, 'bench.toml');
      writeFileSync(
        config,
        [
          '[cache]\ncontent_max = "20GiB"\n[[origins]]\nid = "bench"\nkind = "webdav"',
          `url = "http://127.0.0.1:${server.process.port}/"`,
          `credentials = "file:${credentials}"`,
          '',
        ].join('\n'),
      );
      await bench.withMountPoint((mountPoint) => scan(bench, config, state, mountPoint));
      const chunks = await fillCache(state, 'bench', server.folder, bench.parts.signal);
      for (let round = 0; round < bench.parts.sizes.rounds; round += 1) {
        await bench.withMountPoint((mountPoint) => measured(bench, config, state, mountPoint, chunks));
      }
    } finally {
      await server.end();
      rmSync(state, { recursive: true, force: true });
    }
  },
};

async function scan(bench: Bench, config: string, state: string, mountPoint: string): Promise<void> {
  const mount = await bench.parts.musicfs.mountWith(['--config', config, '--wait'], state, mountPoint);
  await mount.unmount();
}

async function measured(
  bench: Bench,
  config: string,
  state: string,
  mountPoint: string,
  chunks: number,
): Promise<void> {
  const { parts } = bench;
  const mount = await parts.musicfs.mountWith(['--config', config, '--wait'], state, mountPoint);
  try {
    const daemon = (await mount.processes())?.server ?? 0;
    await pause(parts.sizes.idleMs, undefined, { signal: parts.signal });
    parts.samples.add('remoteIdle', 'musicfs', residentMb(daemon), { chunks });
    const { stdout } = await runCommand('find', [mountPoint, '-name', '*.flac'], { signal: parts.signal });
    const files = stdout.trimEnd().split('\n');
    const mark = path.join(parts.folder, 'holding');
    const holding = remoteReads(bench, ['hold', mark, ...files], v.number());
    const hasEnded = holding.then(
      () => true,
      () => true,
    );
    while (!existsSync(mark)) if (await Promise.race([hasEnded, pause(lookMs, false)])) break;
    if (existsSync(mark)) {
      parts.samples.add('remoteOpenFiles', 'musicfs', residentMb(daemon), { files: files.length });
      rmSync(mark);
    }
    await holding;
  } finally {
    await mount.unmount();
  }
}

/** Files of which there is a beginning and a hole. */
function writeSparseMusic({ parts }: Bench, root: string): void {
  const { openFiles, keptBytes } = parts.sizes;
  for (let index = 0; index < openFiles; index += 1) {
    const tags = [
      ['TITLE', `Title ${index}`],
      ['ARTIST', `Artist ${index % 40}`],
      ['ALBUM', `Album ${Math.floor(index / 12)}`],
      ['TRACKNUMBER', String((index % 12) + 1)],
    ] as const;
    const fd = openSync(path.join(root, `${index}.flac`), 'w');
    writeSync(fd, makeFlac(tags, { audioBytes: 600_000, seed: index }));
    ftruncateSync(fd, Math.floor(keptBytes / openFiles) + index);
    closeSync(fd);
  }
}
