// Programs of the system that a command runs to their end: without a shell, without a terminal, with a limit.
import { execFile } from 'node:child_process';

export interface ProgramEnd {
  /** Exit code; null when it could not be started, or was ended at the limit. */
  readonly code: number | null;
  readonly stdout: string;
  /** What it said on stderr, as one line. */
  readonly said: string;
}

const defaultLimitMs = 30_000;

/** Never rejects. */
export function runProgram(
  program: string,
  args: readonly string[],
  limitMs = defaultLimitMs,
): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      {
        cwd: '/',
        env: { PATH: systemPath, LC_ALL: 'C', SYSTEMD_COLORS: '0', SYSTEMD_PAGER: '' },
        timeout: limitMs,
        killSignal: 'SIGKILL',
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        const said = stderr.trim().replace(/\s*\n\s*/g, '; ');
        resolve({ code, stdout, said: said || (error === null ? '' : `${program}: ${error.message}`) });
      },
    );
    child.stdin?.end();
  });
}

/** As systemd gives it to a service. */
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
