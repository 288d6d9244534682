// Which paths lie on a file system whose calls may never return: a share of another machine, or one that a program on this
// one serves. Their calls belong into a process of their own (origins/mounted-origin.ts).
//
// Found out from the kernel's table of mounts: statfs, which knows too, is one of the calls that may never return.
import { readlinkSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errors.ts';
import type { Mount } from './mount-table.ts';
import type { MountedSettings } from './origin-settings.ts';

/** As the kernel: more links in a row are a loop. */
const longestLinkChain = 40;

const otherTypes = new Set([
  ...['9p', 'acfs', 'afs', 'beegfs', 'ceph', 'coda', 'davfs', 'gfs2', 'gpfs', 'lustre', 'ncpfs', 'ocfs2'],
  ...['orangefs', 'prl_fs', 'pvfs2', 'vboxsf', 'virtiofs', 'vmhgfs'],
  'autofs', // whatever will be mounted there when somebody looks
]);

/** The kind as which files on a file system of that type are read, null when it is a disk of this machine. */
export function networkKindOf(fsType: string): MountedSettings['kind'] | null {
  if (/^nfs\d*$/.test(fsType)) return 'nfs';
  if (/^(cifs|smb\w*)$/.test(fsType)) return 'smb';
  return /^fuse/.test(fsType) || otherTypes.has(fsType) ? 'local' : null;
}

/**
 * The mount of that sort on which an absolute path lies, or through which its links lead; null when there is none. Nothing
 * on such a mount is asked.
 */
export function networkMountOf(
  absolutePath: string,
  mounts: readonly Mount[],
  linkTarget: (place: string) => string | null = readLink,
): Mount | null {
  let rest = partsOf(absolutePath);
  let place = '/';
  for (let links = 0; ; ) {
    const mount = mountHolding(place, mounts);
    if (mount !== undefined && networkKindOf(mount.fsType) !== null) return mount;
    const [next, ...others] = rest;
    if (next === undefined) return null;
    rest = others;
    const below = path.join(place, next);
    // A mount point is no link, and must not be asked whether it is one.
    const target = mounts.some(({ point }) => point === below) ? null : linkTarget(below);
    if (target === null) {
      place = below;
    } else {
      links += 1;
      if (links > longestLinkChain) return null;
      rest = [...partsOf(target), ...rest];
      if (path.isAbsolute(target)) place = '/';
    }
  }
}

/** The topmost mount of those that a path is at or below. */
function mountHolding(place: string, mounts: readonly Mount[]): Mount | undefined {
  const holding = mounts.filter(({ point }) => point === '/' || `${place}/`.startsWith(`${point}/`));
  return holding.reduce<Mount | undefined>(
    (best, mount) => (best === undefined || mount.point.length >= best.point.length ? mount : best),
    undefined,
  );
}

function partsOf(place: string): string[] {
  return place.split('/').filter((part) => part !== '' && part !== '.');
}

function readLink(place: string): string | null {
  try {
    return readlinkSync(place);
  } catch (error) {
    if (errnoOf(error) !== undefined) return null; // no link, or nothing at all
    throw error;
  }
}
