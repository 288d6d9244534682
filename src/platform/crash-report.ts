// A failure that no actor answers for, or the death of a thread: one report, written synchronously to stderr and, once
// the daemon knows its state directory, to a file below `<state>/crash/`. After a throw that nobody caught the program's
// state may be broken: nothing asynchronous happens, nothing is saved, and the process ends at once.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';
import { limits } from './limits.ts';

export interface CrashReports {
  /** Made when the first report is written, in a directory that exists. */
  readonly directory: string;
  readonly version: string;
  /** Ends the process although threads hang. */
  readonly exit: (code: number) => void;
}

/** What died and how. */
export interface Death {
  readonly kind: string;
  readonly error: unknown;
  /** Name of the thread or process that died. */
  readonly thread: string;
  /** The actor that owned it. */
  readonly actor?: string;
  readonly incarnation?: number;
}

let program = 'musicfs';
let kept: CrashReports | null = null;

/** Installs the hooks; the first statement of a program. `exitCode` is what the process then ends with. */
export function reportCrashes(name: string, exitCode: number): void {
  program = name;
  const thread = isMainThread ? 'main' : `worker ${threadId}`;
  const crash = (kind: string) => (error: unknown) => {
    try {
      write('crashed', { kind, error, thread });
    } finally {
      kept?.exit(exitCode);
      process.exit(exitCode);
    }
  };
  process.on('uncaughtException', crash('uncaught exception'));
  process.on('unhandledRejection', crash('unhandled rejection'));
}

/** From now on reports are kept in files, too. */
export function keepCrashReports(reports: CrashReports): void {
  kept = reports;
}

/** The death of a part that is started again: reported like a crash, and the program goes on. */
export function reportDeath(death: Death): void {
  write('part_died', death);
}

function write(event: string, { kind, error, thread, actor = '', incarnation = 0 }: Death): void {
  const now = new Date().toISOString();
  const report = {
    level: 60,
    time: now,
    event,
    program,
    kind,
    thread,
    actor: actor === '' ? undefined : actor,
    incarnation: incarnation === 0 ? undefined : incarnation,
    error: textOf(error),
    stack: error instanceof Error ? error.stack : undefined,
    causes: causesOf(error),
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    version: kept?.version,
  };
  try {
    writeSync(2, `${JSON.stringify(report)}\n`);
  } catch {
    // A log that cannot be written must not keep the file from being.
  }
  if (kept === null) return;
  try {
    if (!existsSync(kept.directory)) mkdirSync(kept.directory, { mode: 0o700 });
    const name = `${now.replaceAll(':', '-')}-${process.pid}.json`;
    writeFileSync(path.join(kept.directory, name), `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
    // Names begin with the time.
    const names = readdirSync(kept.directory).sort();
    for (const old of names.slice(0, -limits.crashReportsKept)) rmSync(path.join(kept.directory, old));
  } catch {
    // The disk is full or gone: the line on stderr has it all.
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : `unknown: ${String(error)}`;
}

/** The errors behind an error, nearest first; a chain that bites its tail ends. */
function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  let { cause } = error instanceof Error ? error : { cause: undefined };
  while (cause !== undefined && causes.length < mostCauses) {
    causes.push(textOf(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

const mostCauses = 8;
