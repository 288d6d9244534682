// musicfs status: how one daemon is, on one screen.
import type { Command } from 'commander';
import { describeStatus } from '../control/describe-status.ts';
import { addDaemonOptions, type DaemonOptions, withDaemon } from './find-daemon.ts';
import { printReport } from './print.ts';

export function registerStatus(program: Command): void {
  addDaemonOptions(program.command('status').argument('[mountpoint]', 'which mount'))
    .description('show how the daemon is')
    .action(async (mountPoint: string | undefined, options: DaemonOptions) => {
      const report = await withDaemon(mountPoint, options, (client) => client.status());
      printReport(report, options.json, describeStatus);
    });
}
