// Starts musicfsd with what the keeper has settled, its log, and the session's descriptor.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { NewSession } from '../fuse/mount.ts';
import { limits } from '../platform/limits.ts';
import type { MountOptions } from './mount-options.ts';
import { logFileOf } from './prepare-mount.ts';

/** `session` is null for a driver that mounts by itself. */
export function startDaemon(options: MountOptions, session: NewSession | null): ChildProcess {
  const log = openLog(logFileOf(options.stateDirectory));
  const daemon = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--disable-sigusr1',
      // A small young generation: the daemon is idle for most of its life, and memory is what a NAS lacks.
      '--max-semi-space-size=1',
      '--expose-gc',
      fileURLToPath(new URL('../main.ts', import.meta.url)),
      ...['--mount-point', options.mountPoint],
      ...['--state', options.stateDirectory],
      ...['--socket', options.socketPath],
      ...(session === null ? [] : ['--session-fd', String(sessionFdOfDaemon), '--device', session.device]),
      ...['--driver', options.driver],
      ...['--passthrough', options.passthrough],
      ...['--uid', String(process.getuid?.() ?? 0)],
      ...['--gid', String(process.getgid?.() ?? 0)],
      ...options.origins.flatMap(({ id, root }) => ['--origin', `${id}=${root}`]),
      ...(options.allowOther ? ['--allow-other'] : []),
      ...(options.enableFailpoints ? ['--enable-failpoints'] : []),
    ],
    {
      cwd: '/',
      // A group of its own: Ctrl-C in a terminal reaches the keeper only, which forwards it as a stop.
      detached: true,
      stdio: ['ignore', log, log, session?.fd ?? 'ignore', 'ipc'],
      // One malloc arena: with one for each thread freed memory stays scattered (10 MB of 140).
      // Reads that wait for a disk each hold a thread of libuv's pool, as does the poll of the fuse thread.
      env: { ...process.env, UV_THREADPOOL_SIZE: String(limits.poolThreads), MALLOC_ARENA_MAX: '1' },
    },
  );
  closeSync(log);
  return daemon;
}

const sessionFdOfDaemon = 3;
const rotateAtBytes = 10 * 1024 * 1024;

function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > rotateAtBytes) renameSync(file, `${file}.1`);
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  return openSync(file, flags, 0o600);
}
