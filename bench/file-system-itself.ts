// What everything is compared with: the files where they lie, without a mount.
import { readFileSync } from 'node:fs';
import type { System } from './system.ts';

/** `folder` lies on the file system in question. */
export function fileSystemItself(folder: string): System {
  return {
    name: 'file system itself',
    version: typeOf(folder),
    layout: 'origin',
    prepare: async () => undefined,
    mount: async ({ root }) => ({
      root,
      mountSeconds: 0,
      processes: async () => undefined,
      settle: async () => undefined,
      counters: async () => undefined,
      unmount: async () => undefined,
    }),
  };
}

/** Type of the file system that holds a folder, as the mount table says: ext4, tmpfs. */
export function typeOf(folder: string): string {
  const holding = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => ({ point: line.split(' ')[4] ?? '', type: / - (\S+)/.exec(line)?.[1] ?? '' }))
    .filter(({ point }) => `${folder}/`.startsWith(point === '/' ? '/' : `${point}/`));
  return holding.reduce((best, entry) => (entry.point.length >= best.point.length ? entry : best), {
    point: '',
    type: 'unknown',
  }).type;
}
