// The keeper: owns the mount's descriptor and watches the daemon. Few lines, nothing but Node and the mount calls; it
// never reads the device and never names a path of the mount.
//
// It opens /dev/fuse, mounts, starts musicfsd with the descriptor as fd 3 and stays. A daemon that stopped on purpose
// (exit 0) has unmounted. When the daemon dies otherwise the keeper says so and ends: the mount is then dead (ENOTCONN,
// which no scanner takes for an empty library) and the next `musicfs mount` heals it.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, renameSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { detachMount, mountNewSession, type NewSession } from '../fuse/mount.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { mountAt, readMounts } from '../platform/mount-table.ts';
import { newsFrom } from './daemon-news.ts';
import type { MountOptions } from './mount-options.ts';
import { logFileOf } from './prepare-mount.ts';

/** How a keeper ends: the exit codes of `musicfs mount` in the foreground. */
export const keeperExit = { stopped: 0, refused: 1, daemonDied: 70 } as const;

export interface Keeper {
  /** Resolves when the mount answers; rejects with the daemon's refusal. The mount is gone again then. */
  readonly serving: Promise<void>;
  /** Resolves to the exit code when the daemon has ended. */
  readonly ended: Promise<number>;
  /** Asks the daemon to stop; the second call ends it at once. */
  stop(): void;
}

/** Mounts and starts the daemon. Throws `refused` when mounting is. */
export function startKeeper(options: MountOptions): Keeper {
  const session = mountNewSession({
    mountPoint: options.mountPoint,
    allowOther: options.allowOther,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
  });
  const daemon = startDaemon(options, session);
  let isServing = false;
  let isStopping = false;
  let stops = 0;
  const clearMount = () => {
    if (mountAt(options.mountPoint, readMounts())?.device === session.device) detachMount(options.mountPoint);
  };

  const ended = new Promise<number>((resolve) => {
    daemon.once('error', () => resolve(keeperExit.refused));
    daemon.once('exit', (code) => {
      if (isStopping) clearMount(); // it was cut off before it came to it
      closeSync(session.fd);
      resolve(code === 0 ? keeperExit.stopped : isServing ? keeperExit.daemonDied : keeperExit.refused);
    });
  });
  const serving = new Promise<void>((resolve, reject) => {
    // Told when the daemon is gone, so that a refused mount leaves no process either.
    const refuse = (error: MusicfsError) => {
      clearMount();
      void Promise.race([ended, pause(refusedEndMs, undefined, { ref: false })]).then(() => reject(error));
    };
    daemon.on('message', (message) => {
      const news = newsFrom(message);
      if (news === null) return;
      switch (news.type) {
        case 'refused':
          return refuse(new MusicfsError(news.code, news.message));
        case 'stopping':
          isStopping = true;
          return;
        case 'serving':
          isServing = true;
          return resolve();
      }
    });
    void ended.then((code) => {
      if (!isServing) {
        refuse(
          new MusicfsError(
            'refused',
            `the daemon ended at its start (${code}): see ${logFileOf(options.stateDirectory)}`,
          ),
        );
      }
    });
  });
  return {
    serving,
    ended,
    stop() {
      stops += 1;
      isStopping = true;
      daemon.kill(stops === 1 ? 'SIGTERM' : 'SIGKILL');
    },
  };
}

function startDaemon(options: MountOptions, session: NewSession): ChildProcess {
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
      ...['--session-fd', String(sessionFdOfDaemon)],
      ...['--device', session.device],
      ...['--driver', options.driver],
      ...['--passthrough', options.passthrough],
      ...['--uid', String(process.getuid?.() ?? 0)],
      ...['--gid', String(process.getgid?.() ?? 0)],
      ...options.origins.flatMap(({ id, root }) => ['--origin', `${id}=${root}`]),
      ...(options.enableFailpoints ? ['--enable-failpoints'] : []),
    ],
    {
      cwd: '/',
      // A group of its own: Ctrl-C in a terminal reaches the keeper only, which forwards it as a stop.
      detached: true,
      stdio: ['ignore', log, log, session.fd, 'ipc'],
      // One malloc arena: with one for each thread freed memory stays scattered (10 MB of 140).
      // Reads that wait for a disk each hold a thread of libuv's pool, as does the poll of the fuse thread.
      env: { ...process.env, UV_THREADPOOL_SIZE: String(limits.poolThreads), MALLOC_ARENA_MAX: '1' },
    },
  );
  closeSync(log);
  return daemon;
}

const sessionFdOfDaemon = 3;
/** A daemon that refused has only to close what it opened. */
const refusedEndMs = 5_000;
const rotateAtBytes = 10 * 1024 * 1024;

function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > rotateAtBytes) renameSync(file, `${file}.1`);
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  return openSync(file, flags, 0o600);
}
