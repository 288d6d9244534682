// Which programs this machine has.
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Whether a program of that name is in one of the folders of PATH and may be run. */
export function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
