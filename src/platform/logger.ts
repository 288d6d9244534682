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

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** A logger on file descriptor 2. Synchronous, so that the last line before a crash is there. */
export function createLogger(level: LogLevel, component: string): Logger {
  const destination = pino.destination({ fd: 2, sync: true });
  // A full disk under the log costs lines, never the daemon.
  destination.on('error', () => undefined);
  return pino(
    { level, base: { component, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  );
}

export const silentLogger: Logger = pino({ level: 'silent' });
