// Starts musicfsd for a mount: with its log, the session's descriptor and memory, and a channel to its keeper.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import type { MountOptions } from '../config/mount-options.ts';
import { logFileOf } from './keeper-log.ts';

/** A mounted session and what its lives leave to each other. Both descriptors belong to the keeper. */
export interface KeptSession {
  readonly fd: number;
  readonly memoryFd: number;
  /** "major:minor" of the mount. */
  readonly device: string;
}

/** The tree of programs that this file belongs to. */
export const ownProgram = path.resolve(import.meta.dirname, '../..');

/**
 * `program` is the tree whose daemon is started. `session` is null for a driver that mounts by itself. All else the
 * daemon finds in its state directory.
 */
export function startDaemon(
  program: string,
  { mountPoint, stateDirectory }: MountOptions,
  session: KeptSession | null,
): ChildProcess {
  const log = openLog(logFileOf(stateDirectory));
  const daemon = spawn(
    path.join(program, 'bin/musicfsd'),
    [
      '--kept',
      ...['--state', stateDirectory],
      ...['--mount-point', mountPoint],
      ...(session === null ? [] : ['--session-fd', '3', '--memory-fd', '4', '--device', session.device]),
    ],
    {
      cwd: '/',
      // A group of its own: Ctrl-C in a terminal reaches the keeper only, which forwards it as a stop.
      detached: true,
      stdio: ['ignore', log, log, session?.fd ?? 'ignore', session?.memoryFd ?? 'ignore', 'ipc'],
    },
  );
  if (log !== 'ignore') closeSync(log);
  return daemon;
}

const rotateAtBytes = 10 * 1024 * 1024;

/** A log that cannot be written is no reason for a mount to end. */
function openLog(file: string): number | 'ignore' {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  try {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size > rotateAtBytes) renameSync(file, `${file}.1`);
    return openSync(file, flags, 0o600);
  } catch {
    return 'ignore';
  }
}
