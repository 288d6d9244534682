// One directory with very many files: its names alone, and with what stat says of each. Caches are dropped before each.
import path from 'node:path';
import type { Workload } from '../bench.ts';
import type { FigureId } from '../figures.ts';

export const wideDirectory: Workload = {
  name: 'wide',
  libraries: ['wide'],
  needsAgedFiles: false,
  figures: ['wideNames', 'wideStat'],
  async run(bench) {
    const listed = (
      figure: FigureId,
      program: string,
      argumentsFor: (directory: string) => readonly string[],
    ) =>
      bench.eachRound('wide', async (mount, system, [first = '']) => {
        const directory = path.join(mount.root, path.dirname(first));
        const list = async () => (await bench.command(program, argumentsFor(directory))).seconds;
        bench.record(figure, system, ...(await bench.counted(mount, 'cold', list)));
      });
    await listed('wideNames', 'ls', (directory) => ['-f', directory]);
    await listed('wideStat', 'find', (directory) => [directory, '-printf', '%s %p\n']);
  },
};
