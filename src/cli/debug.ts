// musicfs debug failpoint: makes the daemon fail on purpose. Only a daemon started with --enable-failpoints obeys.
import type { Command } from 'commander';
import type { FailpointReport } from '../control/client.ts';
import { MusicfsError } from '../platform/errors.ts';
import { counted } from '../platform/plain-figures.ts';
import { addDaemonOptions, type DaemonOptions, withDaemon } from './find-daemon.ts';
import { printReport } from './print.ts';

export function registerDebug(program: Command): void {
  const failpoint = program
    .command('debug')
    .description('faults on purpose, for tests')
    .command('failpoint')
    .description('list, set and clear failpoints');
  addDaemonOptions(failpoint.command('list').description('show what is armed')).action(
    async (options: DaemonOptions) => {
      const armed = await explained(withDaemon(undefined, options, (client) => client.listFailpoints()));
      printReport(armed, options.json, describeFailpoints);
    },
  );
  addDaemonOptions(
    failpoint
      .command('set')
      .argument('<setting>', 'name=action[;p=0.0-1.0][;seed=N][;only=TEXT][;after=N][;count=N]'),
  )
    .description('arm one; the action off disarms it')
    .action(async (setting: string, options: DaemonOptions) => {
      await explained(withDaemon(undefined, options, (client) => client.setFailpoint(setting)));
    });
  addDaemonOptions(failpoint.command('clear').description('disarm all')).action(
    async (options: DaemonOptions) => {
      await explained(withDaemon(undefined, options, (client) => client.clearFailpoints()));
    },
  );
}

function describeFailpoints(armed: readonly FailpointReport[]): string {
  if (armed.length === 0) return 'nothing is armed';
  return armed.map(({ name, action, hits }) => `${name}  ${action}, ${counted(hits, 'hit')}`).join('\n');
}

async function explained<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof MusicfsError) || error.code !== 'unsupported_operation') throw error;
    const message = 'this daemon has no failpoints: mount with --enable-failpoints to get them';
    throw new MusicfsError('unsupported_operation', message, { cause: error });
  }
}
