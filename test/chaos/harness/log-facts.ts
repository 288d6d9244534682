// What the daemon's log says about failures, over all its lives.
import type { LogLine } from '../../fixtures/mounted.ts';

export interface LoggedFailure {
  readonly id: string;
  readonly message: string;
}

export interface LogFacts {
  /** Reports of exceptions that nobody caught: each ended a process. */
  readonly crashes: readonly string[];
  /** Lives of actors that failed. */
  readonly failures: readonly LoggedFailure[];
  /** Ends of daemons that their keeper saw, other than on purpose. */
  readonly deaths: number;
  /** Actors that gave up or were parked. */
  readonly gaveUp: readonly string[];
}

/** Why a life may end without the failpoint's own words: a hang is found by silence. */
const silence = /^(no handler has returned for|the fuse thread gives no sign of life)/;

/** The failure was made on purpose. */
export function injected({ message }: LoggedFailure): boolean {
  return message.startsWith('failpoint ') || silence.test(message);
}

export function logFacts(log: readonly LogLine[]): LogFacts {
  const of = (event: string) => log.filter((line) => line.event === event);
  return {
    crashes: of('crashed').map(({ program, kind, error }) => `${program} crashed: ${kind}: ${error}`),
    failures: of('child_restarting').map(({ id, message }) => ({ id: String(id), message: String(message) })),
    deaths: of('daemon_died').length,
    gaveUp: [...of('child_gave_up'), ...of('child_parked')].map(({ id }) => String(id)),
  };
}
