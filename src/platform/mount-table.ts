// What is mounted, from /proc/self/mountinfo, and the resolution of a mount point's path. Neither ever calls into a
// mount: a dead or hanging one must not take the command line with it.
// Format: proc_pid_mountinfo(5), https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';

export interface Mount {
  /** Unique while it exists. */
  readonly id: number;
  /** "major:minor" of st_dev; for FUSE the minor is the number of the connection. */
  readonly device: string;
  readonly point: string;
  readonly fsType: string;
  /** Who mounted it; null for file systems that do not say (only FUSE does). */
  readonly ownerUid: number | null;
  /** What is mounted below it is passed on to the other members of its peer group, in other namespaces too. */
  readonly isShared: boolean;
}

/** The type of a mount of ours in the kernel's table. */
export const musicfsType = 'fuse.musicfs';

/** Whether a mount is ours. One that mount.fuse3 made bears the program as fstab names it: `fuse./opt/bin/musicfs`. */
export function isMusicfs(mount: Mount | undefined): boolean {
  return mount !== undefined && /^fuse\.(.*\/)?musicfs$/.test(mount.fsType);
}

export function readMounts(): Mount[] {
  return parseMountTable(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/**
 * One line a mount: id, parent, major:minor, root, mount point, options, optional fields, "-", type, source, super
 * options. Blanks, tabs, newlines and backslashes in a path are written as backslash and three octal digits.
 */
export function parseMountTable(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [front = '', back = ''] = line.split(' - ');
    const [id, , device, , point, , ...optional] = front.split(' ');
    const [fsType, , superOptions = ''] = back.split(' ');
    if (
      id === undefined ||
      device === undefined ||
      point === undefined ||
      fsType === undefined ||
      fsType === ''
    )
      return [];
    const owner = /(?:^|,)user_id=(\d+)/.exec(superOptions)?.[1];
    const ownerUid = owner === undefined ? null : Number(owner);
    const isShared = optional.some((field) => field.startsWith('shared:'));
    return [
      { id: Number(id), device, point: unescaped(point), fsType: unescaped(fsType), ownerUid, isShared },
    ];
  });
}

/** The topmost mount at a path: what a look at the path would see. */
export function mountAt(point: string, mounts: readonly Mount[]): Mount | undefined {
  return mounts.findLast((mount) => mount.point === point);
}

/**
 * The path as the kernel's table has it: absolute, links resolved, but without asking what is mounted at its end.
 * A path that does not exist comes back absolute.
 */
export function resolveMountPoint(given: string): string {
  let point = path.resolve(given);
  for (let links = 0; links < longestLinkChain; links++) {
    point = path.join(realParentOf(point), path.basename(point));
    const target = linkTarget(point);
    if (target === undefined) return point;
    point = path.resolve(path.dirname(point), target);
  }
  return point;
}

/** As the kernel: more links in a row are a loop. */
const longestLinkChain = 40;

function realParentOf(point: string): string {
  const parent = path.dirname(point);
  try {
    return realpathSync(parent);
  } catch {
    return parent; // it does not exist: then nothing is mounted there, and the caller will say so
  }
}

/** readlink looks at the name only; on a mounted directory the kernel refuses without asking the file system. */
function linkTarget(point: string): string | undefined {
  try {
    return readlinkSync(point);
  } catch {
    return undefined;
  }
}

function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_all, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
