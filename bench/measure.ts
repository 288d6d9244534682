// Measuring: one command's wall time, medians, cold caches. Times are reported, never asserted.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** Wall time of a command in seconds. Throws when it fails or takes longer than 5 min. */
export function secondsOf(command: string, args: readonly string[]): number {
  const startedAtMs = performance.now();
  const { status, error, stderr } = spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 300_000,
    killSignal: 'SIGKILL',
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.toString()}`);
  return (performance.now() - startedAtMs) / 1000;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Forgets pages, names and inodes, so that the next access asks the disk and the file system. Needs root. */
export function dropCaches(): void {
  execFileSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}
