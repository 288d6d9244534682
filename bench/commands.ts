// Commands with a limit: the only way in which the bench touches a mount. Each runs in a process group of its own, and
// the whole group is killed at the limit and when the bench is stopped.
//
// A command that waits in a mount nobody answers cannot be killed: it is given up at the limit, and ends when the mount
// is taken away.
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

export interface CommandOptions {
  /** Default 5 min. */
  readonly limitMs?: number;
  /** Added to the bench's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** `ignore` sends standard output to /dev/null: for measured commands, whose output would be work of ours. */
  readonly output?: 'text' | 'ignore';
  readonly signal?: AbortSignal;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** From the start to the end of the process. */
  readonly seconds: number;
}

const defaultLimitMs = 300_000;

/** Runs a program to its end. Rejects when it fails, takes longer than its limit, or is stopped. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { limitMs = defaultLimitMs, output = 'text', signal } = options;
  const what = `${path.basename(program)} ${args.join(' ')}`.slice(0, 200);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const startedAtMs = performance.now();
    const child = startGroup(program, args, { ...options, output });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    }
    let endedAtMs = Number.NaN;
    const giveUp = (error: Error) => {
      killGroup(child.pid, 'SIGKILL');
      settle(() => reject(error));
    };
    const stop = () => giveUp(new Error(`stopped: ${what}`));
    const watchdog = setTimeout(() => giveUp(new Error(`no end within ${limitMs} ms: ${what}`)), limitMs);
    const settle = (answer: () => void) => {
      clearTimeout(watchdog);
      signal?.removeEventListener('abort', stop);
      answer();
    };
    signal?.addEventListener('abort', stop, { once: true });
    child.once('error', (error) => settle(() => reject(error)));
    child.once('exit', () => {
      endedAtMs = performance.now();
    });
    child.once('close', (code, killedBy) =>
      settle(() => {
        if (code === 0) resolve({ ...said, seconds: (endedAtMs - startedAtMs) / 1000 });
        else reject(new Error(`${what} ended with ${code ?? killedBy}: ${said.stderr.trim().slice(-500)}`));
      }),
    );
  });
}

/** Starts a program as the head of a process group of its own. */
export function startGroup(
  program: string,
  args: readonly string[],
  { env = {}, output = 'ignore' }: CommandOptions = {},
): ChildProcess {
  return spawn(program, args, {
    cwd: '/',
    detached: true,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
    stdio: ['ignore', output === 'text' ? 'pipe' : 'ignore', 'pipe'],
  });
}

/** Does nothing where no such group is left. */
export function killGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // It has ended.
  }
}
