// What mount.fuse3 starts for a line of fstab:
//
//   musicfs#/srv/music  /mnt/music  fuse3  ro,setuid=alice,drop_privileges,allow_other  0 0
//
// It becomes alice and execs `musicfs SOURCE TARGET -o OPTIONS`; SOURCE is missing when nothing follows the #. With
// drop_privileges it has mounted before, TARGET is /dev/fd/N, and nothing that we start can ever gain a privilege again:
// unmounting is then root's (umount) or alice's, never the daemon's. Without, TARGET is the mount point and we mount.
// The program must go to the background by itself: mount(8) waits for it.
// Source: https://github.com/libfuse/libfuse/blob/master/util/mount.fuse.c
import { userInfo } from 'node:os';
import { findMountOf } from '../fuse/mounted-before.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import { readMounts } from '../platform/mount-table.ts';
import { ownUid } from './find-daemon.ts';
import { type MountArguments, mount } from './mount.ts';

export interface FstabCall {
  readonly source: string | undefined;
  readonly target: string;
  readonly allowOther: boolean;
  /** Options of ours: state=DIR, config=FILE, mountpoint=PATH. */
  readonly state: string | undefined;
  readonly config: string | undefined;
  readonly mountPoint: string | undefined;
}

/** Never rejects: says why in one line and sets the exit code. */
export async function mountFromFstab(argv: readonly string[]): Promise<void> {
  try {
    const call = parseFstabCall(argv);
    useHomeOf(userInfo());
    const origins = call.source === undefined ? [] : [call.source];
    const given: MountArguments = {
      driver: 'kernel',
      allowOther: call.allowOther,
      ...(call.state === undefined ? {} : { state: call.state }),
      ...(call.config === undefined ? {} : { config: call.config }),
    };
    const fd = descriptorIn(call.target);
    if (fd !== null && ownUid() === 0) {
      throw invalid('drop_privileges takes from root what it needs: add setuid=USER to the options in fstab');
    }
    if (fd === null) return await mount({ mountPoint: call.target, origins }, given);
    const { point, device } = findMountOf(fd, readMounts(), ownUid(), call.mountPoint);
    await mount({ mountPoint: point, origins }, given, { fd, device });
  } catch (error) {
    // What mount.fuse3 mounted before is dead now, and not ours to take away.
    const wayBack = descriptorIn(argv.at(-3) ?? '') === null ? '' : '; then: sudo umount MOUNTPOINT';
    process.stderr.write(`musicfs: ${messageOf(error)}${wayBack}\n`);
    process.exitCode = 2;
  }
}

/** `[SOURCE] TARGET -o OPTIONS`. Throws `invalid_argument`. */
export function parseFstabCall(argv: readonly string[]): FstabCall {
  const [target, source, ...others] = argv.slice(0, -2).reverse();
  if (target === undefined || others.length > 0) {
    throw invalid('as a program of mount.fuse3 it takes: [SOURCE] TARGET -o OPTIONS');
  }
  const options = (argv.at(-1) ?? '').split(',');
  if (!options.includes('ro')) throw invalid('a music library is read-only: add ro to the options in fstab');
  const optionOf = (name: string) =>
    options.findLast((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
  return {
    source: source === '' ? undefined : source,
    target,
    allowOther: options.includes('allow_other'),
    state: optionOf('state'),
    config: optionOf('config'),
    mountPoint: optionOf('mountpoint'),
  };
}

function descriptorIn(target: string): number | null {
  const number = /^\/dev\/fd\/(\d+)$/.exec(target)?.[1];
  return number === undefined ? null : Number(number);
}

/**
 * The environment is that of whoever ran mount(8): none at boot, root's otherwise. The line of fstab means the same
 * each time, so only the user's own home counts.
 */
function useHomeOf({ homedir }: { readonly homedir: string }): void {
  for (const name of ['XDG_STATE_HOME', 'XDG_RUNTIME_DIR', 'XDG_CACHE_HOME']) delete process.env[name];
  process.env['HOME'] = homedir;
}

function invalid(message: string): MusicfsError {
  return new MusicfsError('invalid_argument', message);
}
