// Starts a keeper that goes on without us, and waits until the mount answers.
import { fork } from 'node:child_process';
import { closeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MountOptions } from '../config/mount-options.ts';
import type { NewSession } from '../fuse/mount.ts';
import { MusicfsError } from '../platform/errors.ts';
import { newsFrom } from './daemon-news.ts';

/** Resolves when the mount answers; rejects with why it does not. The keeper ends by itself in that case. */
export function startDetachedKeeper(
  { stateDirectory }: MountOptions,
  session: NewSession | null,
): Promise<void> {
  const keeper = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), [], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc', ...(session === null ? [] : [session.fd])],
    execArgv: ['--disable-warning=ExperimentalWarning', '--disable-sigusr1', '--max-semi-space-size=1'],
  });
  if (session !== null) closeSync(session.fd); // the keeper has its own
  return new Promise((resolve, reject) => {
    keeper.once('error', reject);
    keeper.once('exit', (code) =>
      reject(new MusicfsError('refused', `the keeper ended at its start (${code})`)),
    );
    keeper.on('message', (message) => {
      const news = newsFrom(message);
      if (news?.type !== 'serving' && news?.type !== 'refused') return;
      keeper.removeAllListeners();
      if (keeper.connected) keeper.disconnect();
      keeper.unref();
      if (news.type === 'serving') resolve();
      else reject(new MusicfsError(news.code, news.message));
    });
    keeper.send({ stateDirectory, session: session && { ...session, fd: sessionFdOfKeeper } });
  });
}

/** Behind the standard descriptors and the channel. */
const sessionFdOfKeeper = 4;
