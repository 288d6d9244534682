// Reading from start to end what is not kept: from servers beside us and from servers 50 ms away. rclone is measured in each of
// its ways once, and then in the best one.
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Workload } from '../bench.ts';
import { ofKind, remoteKinds } from '../figures.ts';
import { residentMb } from '../processes.ts';
import { speedOf } from '../remote/reads.ts';
import type { RcloneWay, RemoteBench } from '../remote/remote-bench.ts';
import type { Distance, RemoteServer } from '../remote/remote-servers.ts';

const mebibyte = 1024 ** 2;
const lookMs = 50;

export const remoteSpeed: Workload = {
  name: 'remote-speed',
  libraries: [],
  needsAgedFiles: false,
  figures: [
    ...remoteKinds.map((kind) => ofKind('far', kind)),
    ...remoteKinds.map((kind) => ofKind('near', kind)),
    'remoteStreamed',
  ],
  async run(bench) {
    const remote = await bench.parts.remote();
    for (const distance of ['far', 'near'] as const) {
      for (const server of remote.servers.servers) await compared(bench, remote, server, distance);
    }
  },
};

async function compared(
  bench: Bench,
  remote: RemoteBench,
  server: RemoteServer,
  distance: Distance,
): Promise<void> {
  const figure = ofKind(distance, server.kind);
  const { samples, sizes } = bench.parts;
  let ways = remote.rcloneWays;
  for (let round = 0; round < sizes.rounds; round += 1) {
    samples.add(figure, 'musicfs', await ours(bench, remote, server, distance));
    const speeds: { way: RcloneWay; speed: number }[] = [];
    for (const way of ways) {
      const speed = await remote.rclone(bench, server, distance, way, async ({ placeOf }) =>
        speedOf(bench, placeOf(remote.music.big), mebibytes(bench)),
      );
      speeds.push({ way, speed });
    }
    const best = speeds.reduce((one, other) => (other.speed > one.speed ? other : one));
    samples.add(figure, 'rclone', best.speed, ways.length > 1 ? countersOf(speeds) : undefined);
    ways = [best.way];
  }
}

async function ours(
  bench: Bench,
  remote: RemoteBench,
  server: RemoteServer,
  distance: Distance,
): Promise<number> {
  return remote.ours(bench, server, distance, async ({ mount, placeOf }) => {
    const pid = (await mount.processes())?.server ?? 0;
    const file = placeOf(remote.music.big);
    const [speed, mostMb] = await watched(pid, () => speedOf(bench, file, mebibytes(bench)));
    bench.parts.samples.add('remoteStreamed', 'musicfs', mostMb);
    return speed;
  });
}

/** Most resident memory while something is done. */
async function watched<T>(pid: number, work: () => Promise<T>): Promise<[T, number]> {
  let mostMb = 0;
  let isOver = false;
  const done = work().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    mostMb = Math.max(mostMb, residentMb(pid));
    await Promise.race([pause(lookMs), done.catch(() => undefined)]);
  }
  return [await done, mostMb];
}

const mebibytes = (bench: Bench): number => bench.parts.sizes.remoteReadBytes / mebibyte;

function countersOf(speeds: readonly { way: RcloneWay; speed: number }[]): Record<string, number> {
  return Object.fromEntries(speeds.map(({ way, speed }) => [way.name, speed]));
}
