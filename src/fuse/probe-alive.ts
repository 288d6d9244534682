// Asks a mount through the mount, as any program would, from a child: whoever serves a mount and looks at it himself
// waits for himself, and cannot even be killed. Used by the watchdog and at a start.
import { execFile } from 'node:child_process';
import path from 'node:path';

/**
 * Looks `/.musicfs/alive` up, which is never cached and costs one look into the catalog. Resolves to null, or to what was
 * wrong; always within `limitMs`, even where the child cannot be ended.
 */
export function probeAlive(mountPoint: string, limitMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(`no answer within ${limitMs} ms`), limitMs + 100);
    execFile(
      '/usr/bin/stat',
      ['-c', '%s', '--', path.join(mountPoint, '.musicfs/alive')],
      { cwd: '/', timeout: limitMs, killSignal: 'SIGKILL', env: { LC_ALL: 'C' } },
      (error, _stdout, stderr) => {
        clearTimeout(late);
        if (error === null) return resolve(null);
        resolve(error.killed === true ? `no answer within ${limitMs} ms` : stderr.trim() || error.message);
      },
    ).unref();
  });
}
