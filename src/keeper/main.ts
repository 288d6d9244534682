// A keeper in the background, started by `musicfs mount` in a session of its own. Gets its options as the first
// message, tells how the start went, and then outlives its starter.
import * as v from 'valibot';
import { codeOf, messageOf } from '../platform/errors.ts';
import { driverNames, passthroughModes } from '../platform/fuse-settings.ts';
import { keeperExit, startKeeper } from './keeper.ts';

const optionsSchema = v.object({
  mountPoint: v.string(),
  stateDirectory: v.string(),
  socketPath: v.string(),
  origins: v.array(v.object({ id: v.string(), root: v.string() })),
  driver: v.picklist(driverNames),
  passthrough: v.picklist(passthroughModes),
  allowOther: v.boolean(),
  session: v.nullable(v.object({ fd: v.number(), device: v.string() })),
  enableFailpoints: v.boolean(),
});

process.once('message', (message) => {
  void keep(v.parse(optionsSchema, message)).then((code) => process.exit(code));
});

async function keep(options: v.InferOutput<typeof optionsSchema>): Promise<number> {
  const tell = (news: object) => {
    if (process.connected) process.send?.(news);
  };
  try {
    const keeper = startKeeper(options);
    process.on('SIGTERM', () => keeper.stop());
    process.on('SIGINT', () => keeper.stop());
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);
    process.on('SIGHUP', () => undefined); // the terminal it was started from is closed
    await keeper.serving;
    tell({ type: 'serving' });
    if (process.connected) process.disconnect();
    return await keeper.ended;
  } catch (error) {
    tell({ type: 'refused', code: codeOf(error), message: messageOf(error) });
    return keeperExit.refused;
  }
}
