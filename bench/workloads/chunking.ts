// Cutting and hashing: what one core does. Ours alone.
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Workload } from '../bench.ts';

const program = fileURLToPath(new URL('../programs/cut-and-hash.ts', import.meta.url));

export const chunking: Workload = {
  name: 'remote-chunking',
  libraries: [],
  needsAgedFiles: false,
  figures: ['chunking'],
  async run(bench) {
    const { rounds, chunkedBytes } = bench.parts.sizes;
    for (let round = 0; round < rounds; round += 1) {
      const { stdout } = await bench.command(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', program, String(chunkedBytes)],
        { output: 'text' },
      );
      bench.parts.samples.add('chunking', 'musicfs', v.parse(v.number(), JSON.parse(stdout)));
    }
  },
};
