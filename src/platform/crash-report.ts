// A throw that nobody caught: one report on stderr, written synchronously, then the end. The program's state may be
// broken, so nothing asynchronous happens and nothing is saved.
import { writeSync } from 'node:fs';

/** Installs the hooks; the first statement of a program. `exitCode` is what the process then ends with. */
export function reportCrashes(program: string, exitCode: number): void {
  const report = (kind: string) => (error: unknown) => {
    const { name, message, stack } =
      error instanceof Error ? error : { name: 'unknown', message: String(error), stack: '' };
    const line = {
      level: 60,
      time: new Date().toISOString(),
      event: 'crashed',
      program,
      kind,
      error: `${name}: ${message}`,
      stack,
      cause: error instanceof Error && error.cause !== undefined ? String(error.cause) : undefined,
      pid: process.pid,
      uptimeSeconds: Math.round(process.uptime()),
    };
    try {
      writeSync(2, `${JSON.stringify(line)}\n`);
    } finally {
      process.exit(exitCode);
    }
  };
  process.on('uncaughtException', report('uncaught exception'));
  process.on('unhandledRejection', report('unhandled rejection'));
}
