// musicfs rescan: looks for changes on the origins. Without --wait the scan is the daemon's business; with it, this
// command follows the scan, and ending the command ends the scan.
import type { Command } from 'commander';
import type { ScanProgress } from '../control/client.ts';
import { MusicfsError } from '../platform/errors.ts';
import { count, counted, duration } from '../platform/plain-figures.ts';
import { addDaemonOptions, type DaemonOptions, withDaemon } from './find-daemon.ts';
import { printJsonLine } from './print.ts';
import { createProgressView, type ProgressView } from './progress-view.ts';

interface RescanOptions extends DaemonOptions {
  readonly origin?: string;
  readonly wait?: boolean;
  readonly full?: boolean;
}

export function registerRescan(program: Command): void {
  addDaemonOptions(program.command('rescan').argument('[mountpoint]', 'which mount'))
    .description('look for changes on the origins')
    .option('--origin <id>', 'this origin only')
    .option('--full', 'read every file again, whether it changed or not')
    .option('--wait', 'follow the scan to its end; interrupting ends the scan')
    .action(async (mountPoint: string | undefined, options: RescanOptions) => {
      await withDaemon(mountPoint, options, async (client) => {
        const request = options.origin === undefined ? {} : { originId: options.origin };
        const progress = client.rescan({
          ...request,
          detached: options.wait !== true,
          full: options.full === true,
        });
        await (options.wait === true ? follow(progress, options) : noteStart(progress, options));
      });
    });
}

async function noteStart(progress: AsyncIterable<ScanProgress>, { json }: RescanOptions): Promise<void> {
  for await (const first of progress) {
    if (json === true) printJsonLine(first);
    else console.log('scan started; musicfs status tells how it goes');
    return;
  }
}

async function follow(progress: AsyncIterable<ScanProgress>, { json }: RescanOptions): Promise<void> {
  const began = performance.now();
  const view = json === true ? jsonView : await createProgressView();
  let last: ScanProgress | undefined;
  try {
    for await (const part of progress) {
      last = part;
      view.show(part);
    }
  } finally {
    view.end();
  }
  if (last?.phase !== 'done') throw new MusicfsError('cancelled', 'the scan was stopped before its end');
  if (json !== true) console.log(describeEnd(last, (performance.now() - began) / 1_000));
}

const jsonView: ProgressView = { show: printJsonLine, end() {} };

export function describeEnd(end: ScanProgress, seconds: number): string {
  const held = end.held === 0 ? '' : `, ${counted(end.held, 'removal')} held back`;
  return `scanned ${counted(end.done, 'file')} in ${duration(seconds)}: ${count(end.added)} added, ${count(end.changed)} changed, ${count(end.moved)} moved, ${count(end.removed)} removed${held}, ${counted(end.errors, 'error')}`;
}
