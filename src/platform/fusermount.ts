// fusermount3, the setuid program through which ordinary users mount and unmount, and its configuration. Asked by
// mounting, by unmounting, and by doctor.
import { readFileSync, statSync } from 'node:fs';
import { errnoOf } from './errors.ts';
import { findOnPath } from './programs.ts';

export interface Fusermount {
  readonly file: string;
  /** Owned by root with the setuid bit: without it an ordinary user's mount is refused by the kernel. */
  readonly isSetuid: boolean;
}

/** fusermount3, or the fusermount of libfuse 2 that older systems have (the same protocol); null without either. */
export function findFusermount(): Fusermount | null {
  const file = findOnPath('fusermount3') ?? findOnPath('fusermount');
  if (file === undefined) return null;
  const { uid, mode } = statSync(file);
  return { file, isSetuid: uid === 0 && (mode & setuidBit) !== 0 };
}

const setuidBit = 0o4000;

export const fuseConfigFile = '/etc/fuse.conf';

/** Whether ordinary users may let others in; null where the configuration may not be read. */
export function mayUsersAllowOthers(): boolean | null {
  try {
    return allowsOthers(readFileSync(fuseConfigFile, 'utf8'));
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? false : null;
  }
}

/** A line of its own; blanks around it and a comment behind it are allowed. */
export function allowsOthers(config: string): boolean {
  return config.split('\n').some((line) => line.replace(/#.*/, '').trim() === 'user_allow_other');
}
