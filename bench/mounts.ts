// The file systems under comparison, each mounted on a directory of its own for one measurement and taken away again.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

const musicfs = fileURLToPath(new URL('../bin/musicfs', import.meta.url));

const statusSchema = v.object({
  pid: v.number(),
  scan: v.object({ running: v.boolean() }),
  fuse: v.object({ requests: v.record(v.string(), v.number()), statements: v.number() }),
});

export interface Mounted {
  readonly mountPoint: string;
  /** Seconds the mount command took. */
  readonly mountSeconds: number;
}

/** Runs `work` on a fresh mount of our own; the state directory is kept by the caller. */
export function withMusicfs<T>(
  { origin, state, wait = false }: { origin: string; state: string; wait?: boolean },
  work: (mounted: Mounted) => T,
): T {
  return withMountPoint((mountPoint) => {
    const startedAtMs = performance.now();
    execFileSync(
      musicfs,
      ['mount', mountPoint, '--origin', origin, '--state', state, ...(wait ? ['--wait'] : [])],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const mountSeconds = (performance.now() - startedAtMs) / 1000;
    try {
      return work({ mountPoint, mountSeconds });
    } finally {
      execFileSync(musicfs, ['unmount', mountPoint], { stdio: 'ignore' });
    }
  });
}

/** Runs `work` on a bindfs mount of `origin`. */
export function withBindfs<T>(origin: string, work: (mountPoint: string) => T): T {
  return withMountPoint((mountPoint) => {
    execFileSync('bindfs', ['-o', 'ro', origin, mountPoint]);
    try {
      return work(mountPoint);
    } finally {
      execFileSync('umount', [mountPoint]);
    }
  });
}

export function statusOf(mountPoint: string): v.InferOutput<typeof statusSchema> {
  const text = execFileSync(musicfs, ['status', mountPoint, '--json'], { encoding: 'utf8' });
  return v.parse(v.pipe(v.string(), v.parseJson(), statusSchema), text);
}

/** Resident memory of a process in MB. */
export function residentMb(pid: number): number {
  const line = /^Rss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}

function withMountPoint<T>(work: (mountPoint: string) => T): T {
  const mountPoint = mkdtempSync(path.join(tmpdir(), 'musicfs-bench-mount-'));
  try {
    return work(mountPoint);
  } finally {
    rmdirSync(mountPoint);
  }
}
