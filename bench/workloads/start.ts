// From the mount command to the first listing, with catalogs from small to very large, and the memory that an idle
// daemon then keeps. Ours alone: the catalogs are generated, no peer has such.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Workload } from '../bench.ts';
import { generateCatalog } from '../generate-catalog.ts';
import { proportionalMb, residentMb } from '../processes.ts';
import type { Mount, System } from '../system.ts';

export const start: Workload = {
  name: 'start',
  libraries: [],
  needsAgedFiles: false,
  figures: ['firstListingSmall', 'firstListingMiddle', 'firstListingLarge', 'idleDaemon', 'idleAll'],
  async run(bench) {
    const system = bench.parts.systems.find(({ name }) => name === 'musicfs');
    if (system === undefined) return;
    const { sizes, folder } = bench.parts;
    const empty = path.join(folder, 'start-origin');
    mkdirSync(empty);
    const [small, middle, large] = sizes.catalogs;
    const catalogs = [
      ['firstListingSmall', small],
      ['firstListingMiddle', middle],
      ['firstListingLarge', large],
    ] as const;
    for (const [, tracks] of catalogs) await makeCatalog(bench, empty, tracks);
    // The first round reads the programs into memory and is not counted.
    for (let round = 0; round <= sizes.rounds; round += 1) {
      for (const [figure, tracks] of catalogs) {
        await started(bench, empty, tracks, async (mount, milliseconds) => {
          if (round === 0) return;
          bench.record(figure, system, milliseconds);
          if (tracks === large) await idleMemory(bench, system, mount);
        });
      }
    }
    for (const [, tracks] of catalogs) rmSync(stateOf(bench, tracks), { recursive: true, force: true });
  },
};

const stateOf = (bench: Bench, tracks: number) => path.join(bench.parts.folder, `state-catalog-${tracks}`);

async function makeCatalog(bench: Bench, origin: string, tracks: number): Promise<void> {
  const state = stateOf(bench, tracks);
  mkdirSync(state);
  const startedAtMs = performance.now();
  await generateCatalog(state, origin, tracks, bench.parts.signal);
  const seconds = (performance.now() - startedAtMs) / 1000;
  console.log(`generated a catalog of ${tracks} tracks: ${Math.round(tracks / seconds)} tracks/s`);
}

async function started(
  bench: Bench,
  origin: string,
  tracks: number,
  work: (mount: Mount, milliseconds: number) => Promise<void>,
): Promise<void> {
  await bench.withMountPoint(async (mountPoint) => {
    const mount = await bench.parts.musicfs.mount(origin, stateOf(bench, tracks), mountPoint);
    try {
      const listing = await bench.command('ls', [mountPoint]);
      await work(mount, (mount.mountSeconds + listing.seconds) * 1000);
    } finally {
      await mount.unmount();
    }
  });
}

async function idleMemory(bench: Bench, system: System, mount: Mount): Promise<void> {
  await pause(bench.parts.sizes.idleMs, undefined, { signal: bench.parts.signal });
  const processes = await mount.processes();
  if (processes === undefined) return;
  bench.record('idleDaemon', system, residentMb(processes.server));
  bench.record('idleAll', system, proportionalMb(processes.all), { processes: processes.all.length });
}
