// Which programs this machine has.
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Where a program of that name lies in the folders of PATH, if it may be run there. */
export function findOnPath(program: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(':')
    .map((folder) => path.join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Whether a program of that name is in one of the folders of PATH and may be run. */
export function isOnPath(program: string): boolean {
  return findOnPath(program) !== undefined;
}
