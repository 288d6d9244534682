// `musicfs unmount --if-final` and `--if-dead`: what a unit of systemd runs when its daemon has ended. Both decide by
// themselves whether the mount is to go, as a unit's commands are run after a stop, before a restart and after a crash
// alike; whatever they decide is a success.
//
// - if-final, after every life (ExecStopPost): the mount stays, unless the unit is being stopped. The next life adopts it.
// - if-dead, when there will be no next life (the clean-up unit): systemd has let the descriptor go, or is about to;
//   the mount goes once it answers ENOTCONN. One that is served again is left alone.
import { setTimeout as pause } from 'node:timers/promises';
import { readConfigFile } from '../config/config-file.ts';
import { type MountHealth, probeMount } from '../fuse/mount.ts';
import { detachByChild } from '../fuse/unmount.ts';
import { MusicfsError } from '../platform/errors.ts';
import { resolveMountPoint } from '../platform/mount-table.ts';
import { pendingJobOf } from '../platform/service-manager.ts';

/** What became of the mount, as a word for the journal. */
export type AfterService = 'absent' | 'left' | 'detached';

/** systemd lets the descriptors go a moment after it tells the clean-up unit; until then the mount is silent. */
const releaseMs = 10_000;
const lookEveryMs = 100;

/** Detaches what the service left, when the manager is stopping `unit`. */
export async function unmountIfFinal(unit: string, mountPoint: string): Promise<AfterService> {
  if ((await pendingJobOf(unit)) !== 'stop') return 'left';
  const health = await probeMount(mountPoint);
  return isServedOrNotOurs(health) ? nothingToDo(health) : detach(mountPoint);
}

/** Detaches a mount that nobody can serve any more; waits a while for one that does not answer to become one. */
export async function unmountIfDead(mountPoint: string): Promise<AfterService> {
  const giveUpAtMs = performance.now() + releaseMs;
  for (;;) {
    const health = await probeMount(mountPoint);
    if (health === 'dead') return detach(mountPoint);
    if (isServedOrNotOurs(health) || performance.now() > giveUpAtMs) return nothingToDo(health);
    await pause(lookEveryMs);
  }
}

function isServedOrNotOurs(health: MountHealth): boolean {
  return health === 'alive' || health === 'absent' || health === 'foreign';
}

function nothingToDo(health: MountHealth): AfterService {
  return health === 'absent' ? 'absent' : 'left';
}

async function detach(mountPoint: string): Promise<AfterService> {
  const reason = await detachByChild(mountPoint);
  if (reason !== null) throw new MusicfsError('refused', `${mountPoint}: ${reason}`);
  return 'detached';
}

/** The mount point that a command of a unit means: named, or by the configuration of its service. */
export function mountPointOfService(argument: string | undefined, configFile: string | undefined): string {
  const point = argument ?? (configFile === undefined ? undefined : readConfigFile(configFile).mount?.point);
  if (point === undefined) {
    throw new MusicfsError(
      'invalid_argument',
      'which mount: name the mount point, or a configuration that does with --config FILE',
    );
  }
  return resolveMountPoint(point);
}
