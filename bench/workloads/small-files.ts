// Opening, reading the head of, and closing small files, as a tag reader does: cold, then the same files again. After
// that the server has worked, and its memory is looked at.
import { setTimeout as pause } from 'node:timers/promises';
import { randomOf } from '../../test/fixtures/mutations.ts';
import type { Bench, Workload } from '../bench.ts';
import { fileLoop, writeList } from '../file-loop-program.ts';
import { proportionalMb, residentMb } from '../processes.ts';
import type { Mount, System } from '../system.ts';

/** Lets a peer end what it still does in the background. */
const calmMs = 1_000;

export const smallFiles: Workload = {
  name: 'small-files',
  libraries: ['small'],
  needsAgedFiles: true,
  figures: ['openReadCold', 'openReadWarm', 'loadedDaemon', 'loadedAll'],
  async run(bench) {
    await bench.eachRound('small', (mount, system, names) => opened(bench, mount, system, names));
  },
};

async function opened(bench: Bench, mount: Mount, system: System, names: readonly string[]): Promise<void> {
  const list = writeList(bench, system, names, randomOf(2), bench.parts.sizes.openedFiles);
  let warm = Number.NaN;
  const [cold, counters] = await bench.counted(mount, 'cold', async () => {
    const passes = await fileLoop(bench, ['open-read', mount.root, list, '2']);
    warm = passes[1] ?? Number.NaN;
    return passes[0] ?? Number.NaN;
  });
  bench.record('openReadCold', system, cold, counters); // of both passes, which one process makes
  bench.record('openReadWarm', system, warm);
  await bench.command('find', [mount.root, '-type', 'f', '-printf', '%s\n']);
  await pause(calmMs, undefined, { signal: bench.parts.signal });
  const processes = await mount.processes();
  if (processes === undefined) return;
  bench.record('loadedDaemon', system, residentMb(processes.server));
  bench.record('loadedAll', system, proportionalMb(processes.all), { processes: processes.all.length });
}
