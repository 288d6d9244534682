// Everything that can be refused before anything is touched, in the order a person would look: the mount point, the
// state directory. Also heals what a dead daemon left behind, and writes down what was settled. Throws `refused` or
// `already_exists`, one line each.
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { MountOptions } from '../config/mount-options.ts';
import { recordOptions } from '../config/recorded-options.ts';
import { probeMount } from '../fuse/mount.ts';
import { unmount } from '../fuse/unmount.ts';
import { errnoOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { isMusicfs, mountAt, readMounts } from '../platform/mount-table.ts';
import { isFetched, isMounted } from '../platform/origin-settings.ts';
import { checkStateAccess } from '../platform/state-access.ts';
import { lockState } from '../platform/state-lock.ts';

export async function prepareMount(
  options: MountOptions,
  { isMounted }: { isMounted: boolean },
): Promise<void> {
  refuseNesting(options);
  refuseFetchedForDriver(options);
  prepareState(options.stateDirectory);
  checkStateAccess(options.stateDirectory, options.socketPath);
  // Only while we look: the daemon takes it for good.
  const lock = lockState(options.stateDirectory, options.mountPoint);
  try {
    // Mounted already means: a look at the mount point waits for the daemon that is yet to be started.
    if (!isMounted) await prepareMountPoint(options);
    recordOptions(options);
  } finally {
    lock.release();
  }
}

async function prepareMountPoint({ mountPoint, driver }: MountOptions): Promise<void> {
  await healMountPoint(mountPoint);
  checkMountPoint(mountPoint);
  if (driver !== 'fuse-native') return;
  const { refusePlace } = await import('../fuse/drivers/fuse-native/refuse-place.ts');
  refusePlace(mountPoint);
}

function refuseNesting({ mountPoint, stateDirectory, origins }: MountOptions): void {
  const isInside = (inner: string, outer: string) => {
    const relative = path.relative(outer, inner);
    return relative === '' || !(relative === '..' || relative.startsWith('../'));
  };
  for (const { root } of origins.filter(isMounted)) {
    if (isInside(root, mountPoint)) {
      throw new MusicfsError(
        'invalid_argument',
        `origin ${root} lies inside the mount point ${mountPoint}: choose another mount point`,
      );
    }
    if (isInside(mountPoint, root)) {
      throw new MusicfsError(
        'invalid_argument',
        `mount point ${mountPoint} lies inside the origin ${root}: choose one outside of it`,
      );
    }
    if (isInside(stateDirectory, root)) {
      throw new MusicfsError(
        'invalid_argument',
        `state directory ${stateDirectory} lies inside the origin ${root}, where nothing is written: choose another --state DIR`,
      );
    }
  }
  if (isInside(stateDirectory, mountPoint)) {
    throw new MusicfsError(
      'invalid_argument',
      `state directory ${stateDirectory} lies inside the mount point: choose another --state DIR`,
    );
  }
}

/** It is a process of its own, and asks nobody for bytes. */
function refuseFetchedForDriver({ driver, origins }: MountOptions): void {
  const origin = origins.find(isFetched);
  if (driver !== 'fuse-native' || origin === undefined) return;
  throw new MusicfsError(
    'config_invalid',
    `driver fuse-native reads local directories only, origin ${origin.id} is ${origin.root}: use driver kernel`,
  );
}

function prepareState(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    refuseSharedState(directory);
  } catch (error) {
    if (error instanceof MusicfsError) throw error;
    throw new MusicfsError(
      'refused',
      `cannot make the state directory ${directory} (${errnoOf(error) ?? messageOf(error)}): pass another with --state DIR`,
      { cause: error },
    );
  }
}

/** Whoever may write there decides what root serves. */
function refuseSharedState(directory: string): void {
  const { uid, mode } = statSync(directory);
  if (uid === process.getuid?.() && (mode & othersMayWrite) === 0) return;
  throw new MusicfsError(
    'refused',
    `the state directory ${directory} may be written by others: chown it to yourself and chmod 700 it, or pass another --state DIR`,
  );
}

const othersMayWrite = 0o022;

/** A dead mount of ours is taken away; whatever lives is left alone and refuses the new one. */
async function healMountPoint(mountPoint: string): Promise<void> {
  for (let layers = 0; layers < mostDeadLayers; layers += 1) {
    refuseMountOfOthers(mountPoint);
    const health = await probeMount(mountPoint);
    switch (health) {
      case 'absent':
        return;
      case 'dead':
        await detachDead(mountPoint);
        continue;
      case 'alive':
        throw new MusicfsError(
          'refused',
          `${mountPoint} is mounted by musicfs already: musicfs status ${mountPoint}`,
        );
      case 'silent':
        throw new MusicfsError(
          'refused',
          `${mountPoint} is a musicfs mount that does not answer: musicfs unmount ${mountPoint}`,
        );
      case 'foreign':
        throw new MusicfsError(
          'refused',
          `${mountPoint} is busy: ${mountAt(mountPoint, readMounts())?.fsType ?? 'another file system'} is mounted there`,
        );
    }
  }
  throw new MusicfsError('refused', `${mountPoint} is covered by dead mounts: umount -l ${mountPoint}`);
}

/** Another user's mount cannot be asked, not even by root (unless it lets others in), and is not ours to take away. */
function refuseMountOfOthers(mountPoint: string): void {
  const top = mountAt(mountPoint, readMounts());
  const uid = process.getuid?.() ?? 0;
  if (top === undefined || !isMusicfs(top) || top.ownerUid === uid) return;
  throw new MusicfsError(
    'refused',
    `${mountPoint} is mounted by musicfs already, as uid ${top.ownerUid}: choose another mount point, or sudo umount ${mountPoint}`,
  );
}

async function detachDead(mountPoint: string): Promise<void> {
  const reason = await unmount(mountPoint, 'giving-up');
  if (reason === null) return;
  throw new MusicfsError(
    'refused',
    `${mountPoint} is a dead mount that cannot be taken away (${reason}): sudo umount -l ${mountPoint}`,
  );
}

/** More dead mounts on top of each other than any accident leaves. */
const mostDeadLayers = 8;

function checkMountPoint(mountPoint: string): void {
  let isDirectory: boolean;
  try {
    isDirectory = statSync(mountPoint).isDirectory();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      throw new MusicfsError(
        'invalid_argument',
        `mount point ${mountPoint} does not exist: mkdir -p ${mountPoint}`,
      );
    }
    throw new MusicfsError('refused', `mount point ${mountPoint}: ${messageOf(error)}`, { cause: error });
  }
  if (!isDirectory)
    throw new MusicfsError('invalid_argument', `mount point ${mountPoint} is not a directory`);
  if (readdirSync(mountPoint).length > 0) {
    throw new MusicfsError(
      'refused',
      `mount point ${mountPoint} is not empty: what is in it would be hidden; choose an empty directory`,
    );
  }
}
