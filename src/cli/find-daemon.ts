// Which daemon a command means: by socket, by mount point, or the only one that runs. Also the options that all
// commands which call the daemon share.
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { ControlClient } from '../control/client.ts';
import { DaemonUnreachable } from '../control/client-errors.ts';
import { MusicfsError } from '../platform/errors.ts';
import { findSockets, socketCandidatesFor } from '../platform/instance-paths.ts';
import { isMusicfs, mountAt, readMounts, resolveMountPoint } from '../platform/mount-table.ts';

/** A mount answers before its daemon takes calls: loading gRPC takes a moment. */
const controlStartMs = 3_000;
const lookEveryMs = 25;

export interface DaemonOptions {
  readonly mount?: string;
  readonly socket?: string;
  readonly timeout?: number;
  readonly json?: boolean;
}

export function addDaemonOptions(command: Command): Command {
  return command
    .option('--mount <point>', 'the daemon of this mount point')
    .option('--socket <path>', 'the daemon at this control socket')
    .option('--timeout <seconds>', 'give up after this long', parseSeconds)
    .option('--json', 'print JSON');
}

/** Connects to the daemon that is meant, and ends the connection when `work` is done. Errors: DaemonUnreachable. */
export async function withDaemon<T>(
  mountPoint: string | undefined,
  options: DaemonOptions,
  work: (client: ControlClient) => Promise<T>,
): Promise<T> {
  const socketPath = await findDaemon(mountPoint, options);
  const { connect } = await import('../control/client.ts');
  const client = connect(
    socketPath,
    options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1_000 },
  );
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** Path of the control socket. `mountPoint` is the argument of a command. */
async function findDaemon(mountPoint: string | undefined, options: DaemonOptions): Promise<string> {
  refuseTwoNames(mountPoint, options);
  if (options.socket !== undefined) return path.resolve(options.socket);
  const point = mountPoint ?? options.mount;
  return point === undefined ? findOnlyDaemon() : findDaemonOf(point);
}

/** Two names may mean two daemons, and then any choice is wrong. */
export function refuseTwoNames(mountPoint: string | undefined, { mount, socket }: DaemonOptions): void {
  if ([mountPoint, mount, socket].filter((named) => named !== undefined).length > 1) {
    throw new MusicfsError(
      'invalid_argument',
      'name the daemon once: by its mount point, --mount or --socket',
    );
  }
}

async function findDaemonOf(given: string): Promise<string> {
  if (!path.isAbsolute(given)) {
    throw new MusicfsError('invalid_argument', `${given}: a mount point is named by its absolute path`);
  }
  const point = resolveMountPoint(given);
  const isMounted = isMusicfs(mountAt(point, readMounts()));
  const giveUpAtMs = performance.now() + (isMounted ? controlStartMs : 0);
  do {
    const candidates = socketCandidatesFor(point, process.env, ownUid());
    for (const candidate of candidates) {
      if (existsSync(candidate) && (await accepts(candidate))) return candidate;
    }
    // That of a service lies under the name of the service.
    for (const socket of findSockets(process.env, ownUid())) {
      if (!candidates.includes(socket) && (await serves(socket, point))) return socket;
    }
    if (isMounted) await pause(lookEveryMs);
  } while (performance.now() < giveUpAtMs);
  throw new DaemonUnreachable(
    `no daemon answers for ${point}: start one with: musicfs mount ${point} --origin PATH`,
  );
}

async function findOnlyDaemon(): Promise<string> {
  const isAnyMounted = readMounts().some(isMusicfs);
  const giveUpAtMs = performance.now() + (isAnyMounted ? controlStartMs : 0);
  const alive: string[] = [];
  do {
    const sockets = findSockets(process.env, ownUid());
    for (const socket of sockets) if (await accepts(socket)) alive.push(socket);
    if (isAnyMounted && alive.length === 0) await pause(lookEveryMs);
  } while (alive.length === 0 && performance.now() < giveUpAtMs);
  const [only, ...others] = alive;
  if (only === undefined) {
    throw new DaemonUnreachable('no daemon runs: start one with: musicfs mount MOUNTPOINT --origin PATH');
  }
  if (others.length > 0) {
    const names = alive.map((socket) => path.basename(path.dirname(socket))).join(', ');
    throw new MusicfsError('invalid_argument', `several daemons run (${names}): name one with --mount POINT`);
  }
  return only;
}

/** Waits until a daemon that was just started takes calls. Errors: DaemonUnreachable. */
export async function waitUntilAccepted(socketPath: string): Promise<void> {
  const giveUpAtMs = performance.now() + controlStartMs;
  while (!(existsSync(socketPath) && (await accepts(socketPath)))) {
    if (performance.now() > giveUpAtMs) throw new DaemonUnreachable(`no daemon answers at ${socketPath}`);
    await pause(lookEveryMs);
  }
}

/** Whether somebody listens there; what a dead daemon left behind refuses at once. */
function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socketPath);
    const settle = (answer: boolean) => {
      connection.destroy();
      resolve(answer);
    };
    connection.once('connect', () => settle(true));
    connection.once('error', () => settle(false));
  });
}

async function serves(socketPath: string, mountPoint: string): Promise<boolean> {
  if (!(await accepts(socketPath))) return false;
  try {
    const { connect } = await import('../control/client.ts');
    const client = connect(socketPath, { timeoutMs: controlStartMs });
    try {
      return (await client.status()).mountPoint === mountPoint;
    } finally {
      client.close();
    }
  } catch {
    return false; // it ended, or does not answer: then it is of no use to anybody
  }
}

export function ownUid(): number {
  return process.getuid?.() ?? 0;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError('It takes a number of seconds above 0.');
}
