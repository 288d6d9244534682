// Runs the command line as a user would: a child process, from its entry file to its exit code.
import { type SpawnOptions, spawn } from 'node:child_process';
import path from 'node:path';

const entry = path.resolve(import.meta.dirname, '../../../src/cli/main.ts');

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `env` is the whole environment but PATH. */
export function runMusicfs(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  options: SpawnOptions = {},
): Promise<CommandResult> {
  return runProgram(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', entry, ...args],
    env,
    options,
  );
}

export function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  options: SpawnOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      timeout: 15_000,
      killSignal: 'SIGKILL',
      ...options,
      env: { PATH: process.env['PATH'], ...env },
    });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (part: string) => {
        text[name] += part;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...text }));
  });
}
