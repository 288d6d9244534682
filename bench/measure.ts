// Measuring: medians and cold caches. Times are reported, never asserted.
import { writeFileSync } from 'node:fs';
import { runCommand } from './commands.ts';

/** The middle value; of an even number the mean of the two middle ones. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/**
 * Forgets pages, names and inodes, so that the next access asks the disk and the file system. The programs that walk are
 * read back, as their own start is not what is measured. Needs root.
 */
export async function dropCaches(): Promise<void> {
  await runCommand('sync', []);
  writeFileSync('/proc/sys/vm/drop_caches', '3');
  for (const program of ['find', 'ls']) await runCommand(program, ['--version']);
}
