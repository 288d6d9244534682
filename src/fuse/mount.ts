// Making and finding mounts. Used by the keeper and the command line, never by the serving thread.
//
// Three ways, one result: a descriptor on /dev/fuse whose connection is mounted.
// - root: open /dev/fuse, then mount(2) with that descriptor
// - an ordinary user: fusermount3 does both and hands the descriptor over (mount-by-fusermount.ts)
// - mount.fuse3, as for a line of fstab: it did both before it started us (mounted-before.ts)
// The file system stays as long as the open file description lives, whoever holds it. A dead mount (its last descriptor
// is closed) answers ENOTCONN until somebody unmounts it.
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { errnoOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { isMusicfs, mountAt, musicfsType, readMounts } from '../platform/mount-table.ts';
import { mountFileSystem, mountFlags } from '../platform/native-mount.ts';
import { mountByFusermount } from './mount-by-fusermount.ts';

export interface MountRequest {
  readonly mountPoint: string;
  readonly allowOther: boolean;
  readonly uid: number;
  readonly gid: number;
}

/** A mounted session that nobody serves yet. The descriptor is non-blocking and close-on-exec. */
export interface NewSession {
  readonly fd: number;
  /** "major:minor" of the mount. */
  readonly device: string;
}

/** Mounts, as root or as an ordinary user. Throws `refused` with the way out. */
export function mountNewSession(request: MountRequest): NewSession {
  const fd = request.uid === 0 ? mountAsRoot(request) : mountByFusermount(request);
  const entry = mountAt(request.mountPoint, readMounts());
  if (entry === undefined) {
    closeSync(fd);
    throw new MusicfsError(
      'refused',
      `${request.mountPoint} was mounted and has gone again: is something unmounting it?`,
    );
  }
  raiseReadAhead(entry.device);
  return { fd, device: entry.device };
}

function mountAsRoot(request: MountRequest): number {
  const fd = openDevice();
  try {
    const data = [
      `fd=${fd}`,
      'rootmode=40000',
      `user_id=${request.uid}`,
      `group_id=${request.gid}`,
      'default_permissions',
      ...(request.allowOther ? ['allow_other'] : []),
      `max_read=${limits.readRequestBytes}`,
    ].join(',');
    const flags = mountFlags.readOnly | mountFlags.noSuid | mountFlags.noDev | mountFlags.noAtime;
    mountFileSystem('musicfs', request.mountPoint, musicfsType, flags, data);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw new MusicfsError('refused', mountRefusal(request.mountPoint, error), { cause: error });
  }
}

/** Throws `refused` with the way out when FUSE cannot be used here. */
export function checkDevice(): void {
  closeSync(openDevice());
}

function openDevice(): number {
  try {
    // Non-blocking: the serving thread polls it together with its wake-up.
    return openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const errno = errnoOf(error);
    const cure =
      errno === 'ENOENT' || errno === 'ENODEV'
        ? 'load the kernel module: modprobe fuse'
        : errno === 'EACCES' || errno === 'EPERM'
          ? 'run as root, or give this container the device: --device /dev/fuse'
          : messageOf(error);
    throw new MusicfsError('refused', `cannot open /dev/fuse (${errno ?? 'unknown error'}): ${cure}`, {
      cause: error,
    });
  }
}

function mountRefusal(mountPoint: string, error: unknown): string {
  switch (errnoOf(error)) {
    case 'EPERM':
      return `no permission to mount on ${mountPoint}: run as root (in a container: with CAP_SYS_ADMIN)`;
    case 'ENOENT':
      return `mount point ${mountPoint} does not exist: mkdir -p ${mountPoint}`;
    case 'EBUSY':
      return `mount point ${mountPoint} is busy: something is mounted there or uses it`;
    default:
      return `cannot mount on ${mountPoint}: ${messageOf(error)}`;
  }
}

/** Buffered reads of the mount ask for as much at once as a request may carry. Needs root; best effort by design. */
export function raiseReadAhead(device: string): void {
  try {
    writeFileSync(`/sys/class/bdi/${device}/read_ahead_kb`, String(limits.readRequestBytes / 1024));
  } catch {
    // An ordinary user, or a container without a writable /sys, keeps the kernel's 128 KiB: slower sequential reads,
    // nothing else.
  }
}

export type MountHealth = 'absent' | 'alive' | 'dead' | 'foreign' | 'silent';

const probeMs = 1000;
/** What a killed child may take to be gone. */
const killMs = 500;

/**
 * What stands at a mount point. A mount of ours is asked from a child process with a limit of 1 s, as a path of a mount
 * that nobody serves may never answer: 'silent' then.
 */
export function probeMount(mountPoint: string): Promise<MountHealth> {
  const entry = mountAt(mountPoint, readMounts());
  if (entry === undefined) return Promise.resolve('absent');
  if (!isMusicfs(entry)) return Promise.resolve('foreign');
  return new Promise((resolve) => {
    const child = execFile(
      '/usr/bin/stat',
      // statfs: a plain stat may be answered from what the kernel remembers of a dead mount
      ['-f', '-c', '%i', '--', mountPoint],
      { timeout: probeMs, killSignal: 'SIGKILL', env: { LC_ALL: 'C' } },
      (error, _stdout, stderr) => {
        clearTimeout(late);
        if (error === null) resolve('alive');
        else
          resolve(
            stderr.includes('not connected') || stderr.includes('connection abort') ? 'dead' : 'silent',
          );
      },
    );
    // Neither may the end of the child be missed because nothing else is going on here, nor one waited for that cannot
    // even be killed.
    const late = setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve('silent');
    }, probeMs + killMs);
    child.unref();
  });
}
