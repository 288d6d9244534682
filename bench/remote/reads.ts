// Measured reads of files on a mount: dd, which times itself, and bench/programs/remote-reads.ts.
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Bench } from '../bench.ts';

const program = fileURLToPath(new URL('../programs/remote-reads.ts', import.meta.url));

/** MB/s of one sequential read of at most so many MiB. */
export async function speedOf(
  bench: Bench,
  file: string,
  mebibytes: number,
  ...flags: readonly string[]
): Promise<number> {
  const words = [`if=${file}`, 'of=/dev/null', 'bs=1M', `count=${mebibytes}`, ...flags];
  const { stderr } = await bench.command('dd', words, { env: { LC_ALL: 'C' } });
  const [, bytes, seconds] = /^(\d+) bytes.* ([\d.e-]+) s, /m.exec(stderr) ?? [];
  return Number(bytes) / 1e6 / Number(seconds);
}

/** The kernel's pages of a file go, those of what serves it stay. */
export async function forgetPages(bench: Bench, file: string): Promise<void> {
  await bench.command('dd', [`if=${file}`, 'of=/dev/null', 'iflag=nocache', 'count=0']);
}

/** What remote-reads.ts prints. */
export async function remoteReads<Schema extends v.GenericSchema>(
  bench: Bench,
  words: readonly string[],
  schema: Schema,
  threads = 4,
): Promise<v.InferOutput<Schema>> {
  const { stdout } = await bench.command(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, ...words],
    { output: 'text', env: { UV_THREADPOOL_SIZE: String(threads) } },
  );
  return v.parse(schema, JSON.parse(stdout));
}

export const times = v.array(v.number());
