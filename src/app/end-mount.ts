// Taking the daemon's own mount away at its end.
import { setTimeout as pause } from 'node:timers/promises';
import { unmount } from '../fuse/unmount.ts';
import type { Logger } from '../platform/logger.ts';
import { mountAt, readMounts } from '../platform/mount-table.ts';

/** What is busy is given this long to end by itself. */
const busyRetryMs = 200;

/** Unmounts while requests are still answered; what is busy is detached, so that the path is free at once. */
export async function endMount(mountPoint: string, device: string, log: Logger): Promise<void> {
  const top = mountAt(mountPoint, readMounts());
  if (top?.device !== device) {
    if (top !== undefined) log.warn({ event: 'mount_covered', mountPoint, by: top.fsType });
    return; // gone already, or somebody mounted over it: theirs is not ours to take away
  }
  if ((await unmount(mountPoint, 'when-unused')) === null) return;
  await pause(busyRetryMs);
  if ((await unmount(mountPoint, 'when-unused')) === null) return;
  const error = await unmount(mountPoint, 'lazy');
  log.warn(
    error === null
      ? { event: 'unmounted_lazily', mountPoint }
      : { event: 'unmount_failed', mountPoint, error },
  );
}
