// One big file: read from start to end through the page cache and past it, and at random places. Sequential reads are
// dd's, which times itself, so that the start of a process is not counted.
import path from 'node:path';
import type { Bench, Workload } from '../bench.ts';
import type { FigureId } from '../figures.ts';
import { fileLoop } from '../file-loop-program.ts';

export const sequentialRead: Workload = {
  name: 'sequential',
  libraries: ['big'],
  needsAgedFiles: true,
  figures: ['sequentialCold', 'sequentialWarm', 'directCold', 'directMemory'],
  async run(bench) {
    await bench.eachRound('big', async (mount, system, [name = '']) => {
      const file = path.join(mount.root, name);
      const buffered = () => speedOf(bench, file);
      bench.record('sequentialCold', system, ...(await bench.counted(mount, 'cold', buffered)));
      bench.record('sequentialWarm', system, ...(await bench.counted(mount, 'warm', buffered)));
    });
    await bench.eachRound('big', async (mount, system, [name = '']) => {
      const file = path.join(mount.root, name);
      const direct = () => speedOf(bench, file, 'iflag=direct');
      bench.record('directCold', system, ...(await bench.counted(mount, 'cold', direct)));
      // Read where it lies, not through the mount: only the origin's pages are in memory then.
      await speedOf(bench, path.join(bench.parts.libraries.get('big').root, 'big.flac'));
      bench.record('directMemory', system, ...(await bench.counted(mount, 'warm', direct)));
    });
  },
};

export const randomRead: Workload = {
  name: 'random',
  libraries: ['big'],
  needsAgedFiles: true,
  figures: ['random4k', 'random128k'],
  async run(bench) {
    const { randomReads } = bench.parts.sizes;
    const read = (figure: FigureId, bytes: number, reads: number) =>
      bench.eachRound('big', async (mount, system, [name = '']) => {
        const program = ['random', path.join(mount.root, name), String(reads), String(bytes), '7'];
        const each = async () => (await fileLoop(bench, program))[0] ?? Number.NaN;
        bench.record(figure, system, ...(await bench.counted(mount, 'cold', each)));
      });
    await read('random4k', 4096, randomReads);
    // Fewer large ones, so that they do not end up reading most of the file.
    await read('random128k', 131_072, Math.ceil(randomReads / 4));
  },
};

/** MB/s of one sequential read. */
async function speedOf(bench: Bench, file: string, ...flags: readonly string[]): Promise<number> {
  const arguments_ = [`if=${file}`, 'of=/dev/null', 'bs=1M', ...flags];
  const { stderr } = await bench.command('dd', arguments_, { env: { LC_ALL: 'C' } });
  const [, bytes, seconds] = /^(\d+) bytes.* ([\d.e-]+) s, /m.exec(stderr) ?? [];
  return Number(bytes) / 1e6 / Number(seconds);
}
