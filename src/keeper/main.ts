// A keeper in the background, started by `musicfs mount` in a session of its own. Is told which mount in its first
// message, tells how the start went, and then outlives its starter.
import * as v from 'valibot';
import { recordedOptions } from '../config/recorded-options.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import type { DaemonNews } from './daemon-news.ts';
import { keeperExit, startKeeper } from './keeper.ts';
import { openKeeperLog } from './keeper-log.ts';

const orderSchema = v.object({
  stateDirectory: v.string(),
  /** Mounted already, by mount.fuse3. */
  session: v.nullable(v.object({ fd: v.number(), device: v.string() })),
});

process.once('message', (message) => {
  void keep(v.parse(orderSchema, message)).then((code) => process.exit(code));
});

async function keep({ stateDirectory, session }: v.InferOutput<typeof orderSchema>): Promise<number> {
  const tell = (news: DaemonNews) => {
    if (process.connected) process.send?.(news);
  };
  try {
    process.on('uncaughtException', (error) => {
      openKeeperLog(stateDirectory)('keeper_crashed', { error: messageOf(error), stack: error.stack });
      process.exit(keeperExit.gaveUp); // the daemon goes on, and says that nobody keeps the mount
    });
    const keeper = startKeeper(recordedOptions(stateDirectory), session);
    process.on('SIGTERM', () => keeper.stop());
    process.on('SIGINT', () => keeper.stop());
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);
    process.on('SIGHUP', () => undefined); // the terminal it was started from is closed
    await keeper.serving;
    tell({ type: 'serving', hasResend: true });
    if (process.connected) process.disconnect();
    return await keeper.ended;
  } catch (error) {
    tell({ type: 'refused', code: codeOf(error), message: messageOf(error) });
    return keeperExit.refused;
  }
}
