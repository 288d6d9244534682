// musicfs unmount: ends one mount. Its daemon is asked to stop; where none answers, the dead mount is detached. Looks
// at the kernel's table only, never at a path inside the mount, which might hang.
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { DaemonUnreachable } from '../control/client-errors.ts';
import { detachByChild } from '../fuse/unmount.ts';
import { MusicfsError } from '../platform/errors.ts';
import { isMusicfs, type Mount, mountAt, readMounts, resolveMountPoint } from '../platform/mount-table.ts';
import { addDaemonOptions, type DaemonOptions, ownUid, refuseTwoNames, withDaemon } from './find-daemon.ts';
import { stopUnitOf } from './managed-daemon.ts';
import { printReport } from './print.ts';

/** Longer than the daemon needs to drain its reads (10 s). */
const defaultTimeoutSeconds = 15;

/** The kernel's table has no event that Node can wait for. */
const lookEveryMs = 20;

export function registerUnmount(program: Command): void {
  addDaemonOptions(program.command('unmount').argument('[mountpoint]', 'which mount'))
    .description('end a mount and its daemon')
    .option('--if-final <unit>', 'for a unit of systemd: only what is left when that unit is being stopped')
    .option('--if-dead', 'for a unit of systemd: only a mount that nobody can serve any more')
    .option('--config <file>', 'with these two: the mount that this configuration describes')
    .action(async (argument: string | undefined, options: UnmountOptions) => {
      if (options.ifFinal !== undefined || options.ifDead === true) return afterService(argument, options);
      refuseTwoNames(argument, options);
      const named = argument ?? options.mount ?? (await mountPointOfDaemon(options));
      const point = resolveMountPoint(named);
      const how = await unmount(findMount(point), options);
      if (options.json === true) console.log(JSON.stringify({ mountPoint: point, how }));
      else if (how === 'detached') console.log(`${point}: no daemon answered, the dead mount is detached`);
    });
}

interface UnmountOptions extends DaemonOptions {
  readonly ifFinal?: string;
  readonly ifDead?: boolean;
  readonly config?: string;
}

async function afterService(
  argument: string | undefined,
  { ifFinal, config, json }: UnmountOptions,
): Promise<void> {
  const service = await import('./unmount-after-service.ts');
  const mountPoint = service.mountPointOfService(argument, config);
  const how = await (ifFinal === undefined
    ? service.unmountIfDead(mountPoint)
    : service.unmountIfFinal(ifFinal, mountPoint));
  printReport({ mountPoint, how }, json, () => `${mountPoint}: ${how}`);
}

async function mountPointOfDaemon(options: DaemonOptions): Promise<string> {
  return (await withDaemon(undefined, options, (client) => client.status())).mountPoint;
}

function findMount(point: string): Mount {
  const mount = mountAt(point, readMounts());
  if (mount !== undefined && isMusicfs(mount)) return mount;
  throw new MusicfsError(
    'not_found',
    mount === undefined
      ? `${point} is not mounted: musicfs doctor lists the mounts there are`
      : `${point} is a mount of ${mount.fsType}, not of musicfs`,
  );
}

async function unmount(mount: Mount, options: DaemonOptions): Promise<'stopped' | 'detached'> {
  const limitMs = (options.timeout ?? defaultTimeoutSeconds) * 1_000;
  const deadline = AbortSignal.timeout(limitMs);
  let pid: number;
  try {
    const { mount: _resolved, ...others } = options;
    const point = options.socket === undefined ? mount.point : undefined;
    pid = await withDaemon(point, others, async (client) => {
      const status = await client.status();
      if (status.keptBy === 'systemd') await stopUnitOf(status.pid);
      else await client.shutdown('drain');
      return status.pid;
    });
  } catch (error) {
    if (!(error instanceof DaemonUnreachable)) throw error;
    refuseMountOfOthers(mount);
    await detach(mount.point);
    await waitUntilGone(mount, deadline);
    return 'detached';
  }
  await waitUntilGone(mount, deadline, pid);
  await waitUntilEnded(pid, deadline);
  return 'stopped';
}

function refuseMountOfOthers({ point, ownerUid }: Mount): void {
  const uid = ownUid();
  if (uid === 0 || ownerUid === uid) return;
  throw new MusicfsError('refused', `${point} was mounted by uid ${ownerUid}: sudo umount ${point}`);
}

async function detach(point: string): Promise<void> {
  const reason = await detachByChild(point);
  if (reason !== null) throw new MusicfsError('refused', `${point}: ${reason}`);
}

/** The mount goes first; the daemon then still closes its catalog and frees its lock. */
async function waitUntilEnded(pid: number, deadline: AbortSignal): Promise<void> {
  while (existsSync(`/proc/${pid}`)) {
    if (deadline.aborted) {
      throw new MusicfsError(
        'deadline_exceeded',
        `unmounted, but the daemon (PID ${pid}) has not ended: see its log`,
      );
    }
    await pause(lookEveryMs);
  }
}

/** `pid`: the daemon that unmounts. One that may not (mount.fuse3 took the right from it) ends, and leaves it to us. */
async function waitUntilGone(mount: Mount, deadline: AbortSignal, pid?: number): Promise<void> {
  const isThere = () => readMounts().some(({ id, point }) => id === mount.id && point === mount.point);
  while (isThere()) {
    if (pid !== undefined && !existsSync(`/proc/${pid}`) && isThere()) await detach(mount.point);
    if (deadline.aborted) {
      throw new MusicfsError(
        'deadline_exceeded',
        `${mount.point} is still mounted: look at musicfs status, or give it more time with --timeout`,
      );
    }
    await pause(lookEveryMs);
  }
}
