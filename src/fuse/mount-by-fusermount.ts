// An ordinary user's mount: fusermount3, which is setuid root, opens /dev/fuse, mounts, and sends the descriptor back.
//
// Protocol: the helper finds the number of a Unix socket in _FUSE_COMMFD; once mounted it sends one byte there with the
// descriptor as SCM_RIGHTS, and ends with 0. Refused: a line on stderr, exit code 1, nothing sent. Options it takes
// from users: ro, nosuid, nodev, noatime, default_permissions, max_read, allow_other (if /etc/fuse.conf lets them),
// fsname, subtype. `auto_unmount` is never asked for: it would unmount when the daemon dies.
// Source: https://github.com/libfuse/libfuse/blob/master/util/fusermount.c
import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, statSync } from 'node:fs';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import {
  type Fusermount,
  findFusermount,
  fuseConfigFile,
  mayUsersAllowOthers,
} from '../platform/fusermount.ts';
import { limits } from '../platform/limits.ts';
import { createSocketPair, makeNonBlocking, receiveDescriptor } from '../platform/native-mount.ts';
import { hasNoNewPrivileges } from '../platform/privileges.ts';

interface UserMount {
  readonly mountPoint: string;
  readonly allowOther: boolean;
  readonly uid: number;
}

/** It opens a device and mounts: milliseconds, unless the folder above the mount point hangs. */
const helperMs = 10_000;
/** Where the helper finds its socket: the first descriptor behind the standard ones. */
const socketOfHelper = 3;

/** Mounts and returns the descriptor, non-blocking and close-on-exec. Throws `refused` with the way out. */
export function mountByFusermount(request: UserMount): number {
  const helper = findFusermount();
  if (helper === null) {
    throw refused('an ordinary user mounts through fusermount3, which is missing: apt-get install fuse3');
  }
  refuseKnownObstacles(request);
  const [ours, theirs] = createSocketPair();
  try {
    const { status, error, stderr } = spawnSync(
      helper.file,
      ['-o', optionsFor(request), '--', request.mountPoint],
      {
        cwd: '/',
        env: { LC_ALL: 'C', _FUSE_COMMFD: String(socketOfHelper) },
        stdio: ['ignore', 'ignore', 'pipe', theirs],
        encoding: 'utf8',
        timeout: helperMs,
        killSignal: 'SIGKILL',
      },
    );
    const fd = status === 0 ? receiveDescriptor(ours) : null;
    if (fd === null) {
      throw refused(helperRefusal(helper, request, error === undefined ? stderr : messageOf(error)));
    }
    makeNonBlocking(fd); // the serving thread polls it together with its wake-up
    return fd;
  } finally {
    closeSync(ours);
    closeSync(theirs);
  }
}

function optionsFor({ allowOther }: UserMount): string {
  return [
    'ro,nosuid,nodev,noatime,fsname=musicfs,subtype=musicfs,default_permissions',
    `max_read=${limits.readRequestBytes}`,
    ...(allowOther ? ['allow_other'] : []),
  ].join(',');
}

/** What the helper would refuse too, but without a way out. */
function refuseKnownObstacles({ mountPoint, allowOther, uid }: UserMount): void {
  if (allowOther && mayUsersAllowOthers() === false) {
    throw refused(
      `an ordinary user may not let others in (allow_other): echo user_allow_other | sudo tee -a ${fuseConfigFile}`,
    );
  }
  const { uid: owner, mode } = statSync(mountPoint);
  const isOthersInSharedFolder = (mode & stickyBit) !== 0 && owner !== uid;
  if (isOthersInSharedFolder || !isWritable(mountPoint)) {
    throw refused(
      `mount point ${mountPoint} is not yours (it belongs to uid ${owner}): sudo chown ${uid} ${mountPoint}, or choose a directory of your own`,
    );
  }
}

const stickyBit = 0o1000;

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function helperRefusal(helper: Fusermount, { mountPoint }: UserMount, said: string): string {
  const line = said
    .replace(/^fusermount3?: /gm, '')
    .trim()
    .replace(/\s*\n\s*/g, '; ');
  const text = `cannot mount on ${mountPoint}: ${line || 'fusermount3 gave no reason'}`;
  if (hasNoNewPrivileges()) {
    return `${text}: no_new_privs is set, under which no fusermount3 works (in a unit of systemd: NoNewPrivileges=no)`;
  }
  if (!helper.isSetuid) {
    return `${text}: ${helper.file} has lost its setuid bit: apt-get install --reinstall fuse3`;
  }
  return text;
}

function refused(message: string): MusicfsError {
  return new MusicfsError('refused', message);
}
