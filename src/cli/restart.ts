// musicfs restart: a new life of the daemon that reads the configuration anew. musicfs upgrade: the same, from the tree
// that this command belongs to. The mount stays, and whoever reads waits for a moment.
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ControlClient, StatusReport } from '../control/client.ts';
import { DaemonUnreachable } from '../control/client-errors.ts';
import { MusicfsError } from '../platform/errors.ts';
import { addDaemonOptions, type DaemonOptions, withDaemon } from './find-daemon.ts';

const ownTree = path.resolve(import.meta.dirname, '../..');
/** Ending the old life takes 10 s at most, and the first of a new program has 10 s until it is given up. */
const defaultTimeoutSeconds = 30;
const lookEveryMs = 50;

export function registerRestart(program: Command): void {
  addDaemonOptions(program.command('restart').argument('[mountpoint]', 'which mount'))
    .description('start the daemon anew, with its configuration read again; the mount stays')
    .action(async (mountPoint: string | undefined, options: DaemonOptions) => {
      report(await replace(mountPoint, options, null), options);
    });
}

export function registerUpgrade(program: Command): void {
  addDaemonOptions(program.command('upgrade').argument('[mountpoint]', 'which mount'))
    .description('let the daemon of this tree take over from the one that runs; the mount stays')
    .action(async (mountPoint: string | undefined, options: DaemonOptions) => {
      report(await replace(mountPoint, options, ownTree), options);
    });
}

interface Replaced {
  readonly before: StatusReport;
  readonly after: StatusReport;
}

function report({ before, after }: Replaced, { json }: DaemonOptions): void {
  const { mountPoint, pid, version, incarnation } = after;
  if (json === true) console.log(JSON.stringify({ mountPoint, pid, version, incarnation }));
  else {
    const change =
      before.version === version ? `version ${version}` : `version ${before.version} → ${version}`;
    console.log(`${mountPoint}: life ${incarnation} (pid ${pid}) has taken over, ${change}`);
  }
}

async function replace(
  mountPoint: string | undefined,
  options: DaemonOptions,
  program: string | null,
): Promise<Replaced> {
  const before = await withDaemon(mountPoint, options, async (client) => {
    const status = await client.status();
    refuseOtherTree(status, program);
    await client.restart(program);
    return status;
  });
  const deadline = AbortSignal.timeout((options.timeout ?? defaultTimeoutSeconds) * 1_000);
  const after = await nextLife(before, deadline);
  if (program !== null && after.program !== program) {
    throw new MusicfsError(
      'refused',
      `the daemon of ${program} did not come up, and the one before goes on: see ${after.stateDirectory}/musicfsd.log`,
    );
  }
  return { before, after };
}

/** A service starts from the tree that its unit names. */
function refuseOtherTree({ keptBy, program: running }: StatusReport, program: string | null): void {
  if (keptBy !== 'systemd' || program === null || program === running) return;
  throw new MusicfsError(
    'refused',
    `it is a service of ${running}: sudo ${path.join(program, 'bin/musicfs')} install-service NAME lets this tree take over`,
  );
}

async function nextLife(before: StatusReport, deadline: AbortSignal): Promise<StatusReport> {
  for (;;) {
    try {
      const status = await withDaemon(undefined, { socket: before.socket }, (client: ControlClient) =>
        client.status(),
      );
      if (status.pid !== before.pid) return status;
    } catch (error) {
      if (!(error instanceof DaemonUnreachable)) throw error;
    }
    if (deadline.aborted) {
      throw new MusicfsError(
        'deadline_exceeded',
        `no new daemon answers: see ${before.stateDirectory}/musicfsd.log`,
      );
    }
    await pause(lookEveryMs);
  }
}
