// A file that was fetched once and is kept: read from start to end through the mount, the kernel's pages of it forgotten. Ours
// checks every chunk on the way; rclone reads its sparse copy.

import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Workload } from '../bench.ts';
import type { FigureId } from '../figures.ts';
import { forgetPages, speedOf } from '../remote/reads.ts';
import type { RemoteMount } from '../remote/remote-bench.ts';
import type { SystemName } from '../system.ts';

const mebibyte = 1024 ** 2;
/** What is on its way to the disk has come to rest. */
const restMs = 3_000;

export const remoteKept: Workload = {
  name: 'remote-kept',
  libraries: [],
  needsAgedFiles: false,
  figures: ['remoteCached', 'remoteCachedDirect', 'keptShare'],
  async run(bench) {
    const remote = await bench.parts.remote();
    const server = remote.servers.servers.find(({ kind }) => kind === 'webdav');
    if (server === undefined) return;
    const { rounds } = bench.parts.sizes;
    await remote.ours(bench, server, 'near', async (mount) => {
      const { big } = remote.music;
      await speedOf(bench, mount.placeOf(big), big.sizeBytes / mebibyte);
      await pause(restMs, undefined, { signal: bench.parts.signal });
      const kept = chunkBytes(mount.cacheDirectory) / big.sizeBytes;
      bench.parts.samples.add('keptShare', 'musicfs', Math.min(100, 100 * kept));
      await kernelRounds(bench, 'musicfs', mount, rounds);
    });
    const cached = remote.rcloneWays.find(({ name }) => name === 'cache');
    if (cached === undefined) return;
    await remote.rclone(bench, server, 'near', cached, (mount) =>
      kernelRounds(bench, 'rclone', mount, rounds),
    );
  },
};

/** Reads until all of it is kept, then measures. */
async function kernelRounds(
  bench: Bench,
  system: SystemName,
  { placeOf }: RemoteMount,
  rounds: number,
): Promise<void> {
  const { big } = (await bench.parts.remote()).music;
  const file = placeOf(big);
  const mebibytes = big.sizeBytes / mebibyte;
  const read = async (figure: FigureId | null, ...flags: readonly string[]) => {
    await forgetPages(bench, file);
    const speed = await speedOf(bench, file, mebibytes, ...flags);
    if (figure !== null) bench.parts.samples.add(figure, system, speed);
  };
  for (let pass = 0; pass < 2; pass += 1) {
    await read(null);
    await pause(restMs, undefined, { signal: bench.parts.signal });
  }
  for (let round = 0; round < rounds; round += 1) {
    await read('remoteCached');
    await read('remoteCachedDirect', 'iflag=direct');
  }
}

function chunkBytes(cacheDirectory: string): number {
  const chunks = path.join(cacheDirectory, 'chunks');
  return readdirSync(chunks, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
}
