// The first byte: of a file that is not kept, and behind a seek in one that is being read, from servers 50 ms away. Connections
// are open and the mount has given some files already, as it has for whoever listens: a daemon runs for years, and its first
// reads, in code that is not compiled yet, take some ms more. Also how much is fetched for such a seek.
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Workload } from '../bench.ts';
import { ofKind, remoteKinds } from '../figures.ts';
import { median } from '../measure.ts';
import { remoteReads, times } from '../remote/reads.ts';
import type { RemoteBench, RemoteMount } from '../remote/remote-bench.ts';
import type { RemoteServer } from '../remote/remote-servers.ts';

const filesARound = 3;
/** Read before them, by every system. */
const warmingFiles = 9;
/** The fetch of a seek has ended. */
const calmMs = 1_500;
const seekTo = [0.8, 0.3, 0.55];

export const remoteFirstByte: Workload = {
  name: 'remote-first-byte',
  libraries: [],
  needsAgedFiles: false,
  figures: [
    ...remoteKinds.map((kind) => ofKind('firstByte', kind)),
    ...remoteKinds.map((kind) => ofKind('seek', kind)),
    ...remoteKinds.map((kind) => ofKind('seekBytes', kind)),
  ],
  async run(bench) {
    const remote = await bench.parts.remote();
    for (const server of remote.servers.servers) {
      for (let round = 0; round < bench.parts.sizes.rounds; round += 1)
        await aRound(bench, remote, server, round);
    }
  },
};

async function aRound(bench: Bench, remote: RemoteBench, server: RemoteServer, round: number): Promise<void> {
  const { samples } = bench.parts;
  const [firstByte, seek] = [ofKind('firstByte', server.kind), ofKind('seek', server.kind)];
  await remote.ours(bench, server, 'far', async (mount) => {
    await mount.mount.settle(); // the server has been listed in this life, as it is soon after each start
    samples.add(firstByte, 'musicfs', await firstBytes(bench, remote, mount, round));
    const before = await mount.fetchedBytes();
    samples.add(seek, 'musicfs', await seeks(bench, remote, mount));
    await pause(calmMs, undefined, { signal: bench.parts.signal });
    const bytes = (await mount.fetchedBytes()) - before;
    // The beginning of the file was fetched as well.
    samples.add(ofKind('seekBytes', server.kind), 'musicfs', bytes / 1e6 / (seekTo.length + 1));
  });
  const ways = remote.rcloneWays.filter(({ name }) => name !== 'large chunks');
  const found: { first: number; seek: number }[] = [];
  for (const way of ways) {
    await remote.rclone(bench, server, 'far', way, async (mount) => {
      const first = await firstBytes(bench, remote, mount, round);
      found.push({ first, seek: await seeks(bench, remote, mount) });
    });
  }
  samples.add(firstByte, 'rclone', Math.min(...found.map(({ first }) => first)));
  samples.add(seek, 'rclone', Math.min(...found.map((each) => each.seek)));
}

async function firstBytes(
  bench: Bench,
  { music }: RemoteBench,
  { placeOf }: RemoteMount,
  round: number,
): Promise<number> {
  // Every third song, so that none is the next one of another.
  const songs = music.songs.filter((_, index) => index % 3 === 0).map(placeOf);
  const files = warmingFiles + filesARound;
  const start = (round * files) % songs.length;
  const chosen = [...songs, ...songs].slice(start, start + files);
  const took = await remoteReads(bench, ['first', ...chosen], times);
  return median(took.slice(warmingFiles));
}

async function seeks(bench: Bench, { music }: RemoteBench, { placeOf }: RemoteMount): Promise<number> {
  const places = seekTo.map((share) => String(Math.floor((share * music.big.sizeBytes) / 4096) * 4096));
  return median(await remoteReads(bench, ['seek', placeOf(music.big), ...places], times));
}
