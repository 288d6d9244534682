// What a process for pictures may take of the machine, set by itself before it meets the first picture.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * From here on: it is the first to go when the machine has no memory left, sets no more than so many bytes aside beyond what
 * it has, writes no file and leaves no core behind. Throws when that cannot be.
 */
export function limitThisProcess(memoryBytes: number): void {
  writeFileSync('/proc/self/oom_score_adj', '1000');
  // Counted is what may be written to and is nobody else's; V8 sets half a gigabyte of it aside at its start.
  const startKib = Number(/^VmData:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
  const dataBytes = startKib * 1024 + memoryBytes;
  const { status, error, stderr } = spawnSync(
    'prlimit',
    ['--pid', String(process.pid), `--data=${dataBytes}`, '--fsize=0', '--core=0'],
    { encoding: 'utf8' },
  );
  if (status !== 0)
    throw new Error(`its memory cannot be limited: ${error?.message ?? stderr.split('\n')[0]}`);
}
