// Mount points of the bench: found in the mount table, taken away whatever holds them.
import { existsSync, readFileSync, rmdirSync } from 'node:fs';
import { runCommand } from './commands.ts';

/** Mounts below a folder, the topmost first. */
export function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .filter((point) => point.startsWith(`${folder}/`))
    .reverse();
}

export function isMounted(mountPoint: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${mountPoint} `);
}

/** Politely first, then lazily; the directory goes too. */
export async function removeMountPoint(mountPoint: string): Promise<void> {
  for (const options of [[], ['-l']]) {
    if (!isMounted(mountPoint)) break;
    await runCommand('umount', [...options, mountPoint], { limitMs: 5_000 }).catch(() => undefined);
  }
  if (!isMounted(mountPoint) && existsSync(mountPoint)) rmdirSync(mountPoint);
}
