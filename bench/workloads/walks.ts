// Names and attributes: a walk with stat as a media server does it, cold and again, eight at once, and every file asked
// for by name. One fresh mount for each system and round; caches are dropped before the cold walk, everything after it
// is warm.
import { randomOf } from '../../test/fixtures/mutations.ts';
import type { Bench, Workload } from '../bench.ts';
import { fileLoop, writeList } from '../file-loop-program.ts';
import type { Mount, System } from '../system.ts';

const walkers = 8;

export const walks: Workload = {
  name: 'walk',
  libraries: ['small'],
  needsAgedFiles: false,
  figures: ['firstListing', 'walkCold', 'walkAgain', 'walkParallel', 'statStorm'],
  async run(bench) {
    await bench.eachRound('small', (mount, system, names) => walked(bench, mount, system, names));
  },
};

async function walked(bench: Bench, mount: Mount, system: System, names: readonly string[]): Promise<void> {
  const { root, mountSeconds } = mount;
  if (mountSeconds > 0) {
    const listing = await bench.command('ls', [root]);
    bench.record('firstListing', system, (mountSeconds + listing.seconds) * 1000);
  }
  const find = async () => (await bench.command('find', [root, '-type', 'f', '-printf', '%s\n'])).seconds;
  const together = () => walkedAtOnce(bench, root);
  bench.record('walkCold', system, ...(await bench.counted(mount, 'cold', find)));
  bench.record('walkAgain', system, ...(await bench.counted(mount, 'warm', find)));
  bench.record('walkParallel', system, ...(await bench.counted(mount, 'warm', together)));
  const list = writeList(bench, system, names, randomOf(1));
  const [, warm = Number.NaN] = await fileLoop(bench, ['stat', root, list, '2']);
  bench.record('statStorm', system, warm);
}

async function walkedAtOnce(bench: Bench, root: string): Promise<number> {
  const script = `for walker in $(seq ${walkers}); do find "$1" -type f -printf '%s\\n' & done; wait`;
  return (await bench.command('sh', ['-c', script, 'walkers', root])).seconds;
}
