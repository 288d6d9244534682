// What a directory lies on, as a text that is the same as long as the same share or disk is mounted there: type, source and,
// where the file system has one, its id. A share that is not mounted leaves an empty directory of another file system
// behind, which must not be taken for an empty library. (The device number is no part of it: a share gets a new one each
// time it is mounted.)
//
// Opening the directory waits for a dead share; so this runs in the process of the share only.
import { close } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { MusicfsError } from '../platform/errors.ts';
import { errnoName, fileSystemOfAsync } from '../platform/native.ts';
import { orThrow } from './file-failures.ts';
import { openRootAsync } from './origin-root.ts';

/** Rejects with `origin_unavailable` when the directory is not there, or with a system error. */
export async function mountIdentityOf(root: string): Promise<string> {
  const fd = await openRootAsync(root);
  if (fd < 0) throw new MusicfsError('origin_unavailable', `${root}: ${errnoName(-fd)}`);
  try {
    const facts = await fileSystemOfAsync(fd);
    if (typeof facts === 'number') throw new MusicfsError('internal', String(orThrow(facts, 'statfs')));
    const mountId = /^mnt_id:\s*(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    const table = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
    const [type, source] =
      table
        .find((line) => line.startsWith(`${mountId} `))
        ?.split(' - ')[1]
        ?.split(' ') ?? [];
    if (type === undefined || source === undefined)
      throw new MusicfsError('origin_unavailable', `${root}: what is mounted there has just gone`);
    return [type, source, ...(facts.id === '0' ? [] : [facts.id])].join(' ');
  } finally {
    close(fd, () => undefined);
  }
}
