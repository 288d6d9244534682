// A session that mount.fuse3 mounted before it started us (a line of fstab with `drop_privileges`): all there is is the
// number of a descriptor. Finds the mount that belongs to it, without naming a path of the mount: nobody serves it yet,
// and whoever asks it waits for himself.
import { readFileSync, readlinkSync } from 'node:fs';
import { MusicfsError } from '../platform/errors.ts';
import { isMusicfs, type Mount } from '../platform/mount-table.ts';

/**
 * The mount of a descriptor on /dev/fuse. Linux says which connection it is from 6.16 on; before, the only musicfs
 * mount of this user that can be meant is taken, and of several the one at `claimedPoint`. Throws `invalid_argument`.
 */
export function findMountOf(
  fd: number,
  mounts: readonly Mount[],
  uid: number,
  claimedPoint: string | undefined,
): Mount {
  if (targetOf(fd) !== '/dev/fuse') throw invalid(`/dev/fd/${fd} is no descriptor of a FUSE mount`);
  return pickMount(connectionIn(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')), mounts, uid, claimedPoint);
}

/** The choice alone. `connection` is the number that fdinfo gives, null on older kernels. */
export function pickMount(
  connection: number | null,
  mounts: readonly Mount[],
  uid: number,
  claimedPoint: string | undefined,
): Mount {
  if (connection !== null) {
    const mount = mounts.findLast(({ device }) => device === `0:${connection}`);
    if (mount !== undefined) return mount;
    throw invalid('the mount that was to be served has gone again: is something unmounting it?');
  }
  const candidates = mounts.filter((mount) => isMusicfs(mount) && mount.ownerUid === uid);
  const claimed = candidates.findLast(({ point }) => point === claimedPoint);
  if (claimed !== undefined) return claimed;
  const [only, ...others] = candidates;
  if (only !== undefined && others.length === 0) return only;
  throw invalid(
    'this kernel (before 6.16) does not say which mount is to be served: add mountpoint=PATH to the options of each line in fstab',
  );
}

function connectionIn(fdinfo: string): number | null {
  const found = /^fuse_connection:\s*(\d+)$/m.exec(fdinfo)?.[1];
  return found === undefined ? null : Number(found);
}

function targetOf(fd: number): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return null;
  }
}

function invalid(message: string): MusicfsError {
  return new MusicfsError('invalid_argument', message);
}
