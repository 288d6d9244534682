// Ending mounts: as root by a system call, as an ordinary user through fusermount3. Used by the daemon for its own
// mount, by the keeper and the command line for dead ones.
//
// A lazy unmount (MNT_DETACH) takes a mount away at once, whatever still uses it. One that gives up (MNT_FORCE as well,
// which only root may) also fails what waits in it: a mount that nobody will answer again, whoever holds its descriptor
// still. The path of a mount is named to the kernel
// only: nothing here looks below it. A daemon may unmount what it serves itself, as long as it goes on serving: both
// ways leave its event loop alone.
import { spawn } from 'node:child_process';
import { findFusermount } from '../platform/fusermount.ts';
import { unmountAsync, unmountFlags } from '../platform/native-mount.ts';

export type UnmountHow = 'when-unused' | 'lazy' | 'giving-up';

const flagsOf: Readonly<Record<UnmountHow, number>> = {
  'when-unused': 0,
  lazy: unmountFlags.detach,
  'giving-up': unmountFlags.detach | unmountFlags.force,
};

/** Resolves to null, or to why it is mounted still (an errno's name, or a line of the helper). */
export function unmount(mountPoint: string, how: UnmountHow): Promise<string | null> {
  return process.getuid?.() === 0
    ? unmountAsync(mountPoint, flagsOf[how])
    : unmountAsUser(mountPoint, how !== 'when-unused');
}

/**
 * The same as a lazy `unmount`, always by a child: for whoever must be able to give up, as umount2(2) may hang where
 * the daemon is neither dead nor alive, and a thread in it cannot be ended.
 */
export function detachByChild(mountPoint: string): Promise<string | null> {
  if (process.getuid?.() !== 0) return unmountAsUser(mountPoint, true);
  // Helpers and path checks are off.
  const options = ['--internal-only', '--no-canonicalize', '--lazy'];
  return reasonOf('umount', [...options, '--', mountPoint]);
}

function unmountAsUser(mountPoint: string, lazy: boolean): Promise<string | null> {
  const helper = findFusermount();
  if (helper === null) return Promise.resolve('fusermount3 is missing: apt-get install fuse3');
  return reasonOf(helper.file, ['-u', ...(lazy ? ['-z'] : []), '--', mountPoint]);
}

function reasonOf(program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('error', () => resolve(`${program} cannot be run`));
    child.once('close', (code) => {
      const line = said.trim().replace(/\s*\n\s*/g, '; ');
      resolve(code === 0 ? null : line || `${program} ended with ${code}`);
    });
  });
}
