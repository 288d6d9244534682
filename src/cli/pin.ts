// musicfs pin, unpin, pins: what is to be held whatever else must go. musicfs prefetch: fetched once, held while there is
// room.
import type { Command } from 'commander';
import type { PinReport, PrefetchReport } from '../control/client.ts';
import { MusicfsError } from '../platform/errors.ts';
import { bytes, count, counted } from '../platform/plain-figures.ts';
import { exitCodes } from './exit-codes.ts';
import { addDaemonOptions, type DaemonOptions, withDaemon } from './find-daemon.ts';
import { harmless, printJsonLine, printReport } from './print.ts';
import { pathInMount } from './tree-path.ts';

export function registerPin(program: Command): void {
  addDaemonOptions(program.command('pin').argument('<path>', 'file or directory of the mount'))
    .description('hold all below that path, whatever else must go; it is fetched in the background')
    .action(async (path: string, options: DaemonOptions) => {
      const result = await withDaemon(undefined, options, async (client) => {
        const target = await pathInMount(client, path);
        return { path: target, added: await client.addPin(target) };
      });
      printReport(result, options.json, ({ path: target, added }) =>
        added
          ? `pinned ${shown(target)}; musicfs pins tells how far it is`
          : `${shown(target)} was pinned before`,
      );
    });
}

export function registerUnpin(program: Command): void {
  addDaemonOptions(program.command('unpin').argument('<path>', 'as it was pinned'))
    .description('let what was pinned go when room is needed')
    .action(async (path: string, options: DaemonOptions) => {
      const result = await withDaemon(undefined, options, async (client) => {
        const target = await pathInMount(client, path);
        if (!(await client.removePin(target))) {
          throw new MusicfsError('not_found', `${shown(target)} is not pinned: musicfs pins lists what is`);
        }
        return { path: target, removed: true };
      });
      printReport(result, options.json, ({ path: target }) => `unpinned ${shown(target)}`);
    });
}

export function registerPins(program: Command): void {
  addDaemonOptions(program.command('pins'))
    .description('list what is pinned, and how much of it is held')
    .action(async (options: DaemonOptions) => {
      const pins = await withDaemon(undefined, options, (client) => client.pins());
      printReport(pins, options.json, (all) =>
        all.length === 0 ? 'nothing is pinned' : all.map(describePin).join('\n'),
      );
    });
}

export function registerPrefetch(program: Command): void {
  addDaemonOptions(program.command('prefetch').argument('<path...>', 'files or directories of the mount'))
    .description('fetch all below these paths now; interrupting stops it')
    .action(async (paths: readonly string[], options: DaemonOptions) => {
      await withDaemon(undefined, options, async (client) => {
        const targets: string[] = [];
        for (const path of paths) targets.push(await pathInMount(client, path));
        let last: PrefetchReport | undefined;
        for await (const part of client.prefetch(targets)) {
          last = part;
          if (options.json === true) printJsonLine(part);
          else if (part.currentPath !== undefined) showProgress(part);
        }
        if (last === undefined || last.currentPath !== undefined) {
          throw new MusicfsError('cancelled', 'it was stopped before its end');
        }
        if (options.json !== true) console.log(describeEnd(last));
        if (last.failed > 0) process.exitCode = exitCodes.failed.code;
      });
    });
}

function showProgress({ completed, total, currentPath = '' }: PrefetchReport): void {
  process.stderr.write(`${count(completed)} of ${counted(total, 'file')}  ${shown(currentPath)}\n`);
}

function describeEnd({ completed, skipped, failed, bytesFetched }: PrefetchReport): string {
  const fetched = completed - skipped - failed;
  return `fetched ${counted(fetched, 'file')}, ${bytes(bytesFetched)}; ${count(skipped)} were there already, ${count(failed)} could not be read`;
}

function describePin({ path, tracks, heldTracks, bytes: all, heldBytes }: PinReport): string {
  return `${shown(path)}  ${count(heldTracks)} of ${counted(tracks, 'track')} held, ${bytes(heldBytes)} of ${bytes(all)}`;
}

function shown(path: string): string {
  return path === '' ? 'everything' : harmless(path);
}
