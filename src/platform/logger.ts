// Structured logging: one JSON object a line on stderr, written by pino. Created once in main.ts and in each child's
// entry; everything else is handed a Logger and never makes one.
import pino from 'pino';

/** The part of pino that the product uses. `event` is a stable word of the catalogue, in past tense. */
export interface Logger {
  debug(fields: LogFields, message?: string): void;
  info(fields: LogFields, message?: string): void;
  warn(fields: LogFields, message?: string): void;
  error(fields: LogFields, message?: string): void;
  child(bindings: Record<string, unknown>): Logger;
}

export type LogFields = { readonly event: string } & Record<string, unknown>;

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The logger of a program. */
export interface ProgramLogger extends Logger {
  /** From now on, also for the loggers that were derived from it. */
  setLevel(level: LogLevel): void;
}

/** A logger on file descriptor 2. Synchronous, so that the last line before a crash is there. */
export function createLogger(level: LogLevel, component: string): ProgramLogger {
  const destination = pino.destination({ fd: 2, sync: true });
  // A full disk under the log costs lines, never the daemon.
  destination.on('error', () => undefined);
  let least = pino.levels.values[level] ?? 0;
  const log = pino(
    {
      level: 'debug',
      base: { component, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      // pino would keep the level of a derived logger as it was when that was made.
      hooks: {
        logMethod(line, write, rank) {
          if (rank >= least) write.apply(this, line);
        },
      },
    },
    destination,
  );
  return Object.assign(log, {
    setLevel(next: LogLevel) {
      least = pino.levels.values[next] ?? 0;
    },
  });
}

export const silentLogger: Logger = pino({ level: 'silent' });
