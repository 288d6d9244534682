// The keeper: owns the mount's descriptor and watches the daemon. Few lines, nothing but Node and the mount calls; it
// never reads the device and never names a path of the mount.
//
// It mounts (or takes over what mount.fuse3 has mounted), starts musicfsd with the descriptor as fd 3 and stays. A driver
// that mounts by itself is started without one. A daemon that stopped on purpose
// (exit 0) has unmounted. When the daemon dies otherwise the keeper says so and ends: the mount is then dead (ENOTCONN,
// which no scanner takes for an empty library) and the next `musicfs mount` heals it.

import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { mountNewSession, type NewSession, raiseReadAhead } from '../fuse/mount.ts';
import { unmount } from '../fuse/unmount.ts';
import { MusicfsError } from '../platform/errors.ts';
import { isMusicfs, mountAt, readMounts } from '../platform/mount-table.ts';
import { makeNonBlocking } from '../platform/native-mount.ts';
import { newsFrom } from './daemon-news.ts';
import type { MountOptions } from './mount-options.ts';
import { logFileOf } from './prepare-mount.ts';
import { startDaemon } from './start-daemon.ts';

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
  const session = options.driver === 'fuse-native' ? null : openSession(options);
  const daemon = startDaemon(options, session);
  let isServing = false;
  let isRefused = false;
  let isStopping = false;
  let stops = 0;
  // What cannot be taken away is left to the next start, which heals it or says why not.
  const clearMount = async () => {
    const top = mountAt(options.mountPoint, readMounts());
    const isOurs = session === null ? isMusicfs(top) : top?.device === session.device;
    if (isOurs) await unmount(options.mountPoint, { lazy: true });
  };

  const ended = new Promise<number>((resolve) => {
    daemon.once('error', () => resolve(keeperExit.refused));
    daemon.once('exit', (code) => {
      const end = code === 0 ? keeperExit.stopped : isServing ? keeperExit.daemonDied : keeperExit.refused;
      const cleared = isStopping ? clearMount() : Promise.resolve(); // it was cut off before it came to it
      void cleared.then(() => {
        if (session !== null) closeSync(session.fd);
        resolve(end);
      });
    });
  });
  const serving = new Promise<void>((resolve, reject) => {
    // Told when the daemon is gone, so that a refused mount leaves no process either.
    const refuse = (error: MusicfsError) => {
      const isOver = Promise.race([ended, pause(refusedEndMs, undefined, { ref: false })]);
      void Promise.all([clearMount(), isOver]).then(() => reject(error));
    };
    daemon.on('message', (message) => {
      const news = newsFrom(message);
      if (news === null) return;
      switch (news.type) {
        case 'refused':
          isRefused = true;
          return refuse(new MusicfsError(news.code, news.message));
        case 'stopping':
          isStopping = true;
          return;
        case 'serving':
          isServing = true;
          return resolve();
      }
    });
    void ended.then(async (code) => {
      // Its last words may still be on their way: the end of the process overtakes them.
      if (daemon.connected) {
        await Promise.race([once(daemon, 'disconnect'), pause(refusedEndMs, undefined, { ref: false })]);
      }
      if (!isServing && !isRefused) {
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

function openSession(options: MountOptions): NewSession {
  const { mountPoint, allowOther, session } = options;
  if (session === null) {
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    return mountNewSession({ mountPoint, allowOther, uid, gid });
  }
  makeNonBlocking(session.fd);
  raiseReadAhead(session.device);
  return session;
}

/** A daemon that refused has only to close what it opened. */
const refusedEndMs = 5_000;
