// Starts a keeper that goes on without us, and waits until the mount answers.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { type ErrorCode, errorCodes, MusicfsError } from '../platform/errors.ts';
import type { MountOptions } from './mount-options.ts';

const newsSchema = v.variant('type', [
  v.object({ type: v.literal('serving') }),
  v.object({
    type: v.literal('refused'),
    code: v.custom<ErrorCode>((code) => typeof code === 'string' && Object.hasOwn(errorCodes, code)),
    message: v.string(),
  }),
]);

/** Resolves when the mount answers; rejects with why it does not. The keeper ends by itself in that case. */
export function startDetachedKeeper(options: MountOptions): Promise<void> {
  const keeper = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), [], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning', '--disable-sigusr1', '--max-semi-space-size=1'],
  });
  return new Promise((resolve, reject) => {
    keeper.once('error', reject);
    keeper.once('exit', (code) =>
      reject(new MusicfsError('refused', `the keeper ended at its start (${code})`)),
    );
    keeper.on('message', (message) => {
      const news = v.safeParse(newsSchema, message);
      if (!news.success) return;
      keeper.removeAllListeners();
      if (keeper.connected) keeper.disconnect();
      keeper.unref();
      if (news.output.type === 'serving') resolve();
      else reject(new MusicfsError(news.output.code, news.output.message));
    });
    keeper.send(options);
  });
}
