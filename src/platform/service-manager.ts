// The service manager that runs us, as far as a daemon talks to it: systemd, or whatever speaks its protocol.
//
// It hands over in the environment where it listens (NOTIFY_SOCKET), how long it bears silence (WATCHDOG_USEC), and
// which descriptors it kept from the life before (LISTEN_FDS, in the numbers from 3 on). Told is one datagram of lines
// KEY=VALUE, with descriptors beside it. Nothing here blocks the caller, and nothing here throws: whatever becomes of
// the manager, the mount goes on.
// Protocol: sd_notify(3), sd_listen_fds(3), https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
import { execFile } from 'node:child_process';
import { closeSync } from 'node:fs';
import { closeOnExec, createDatagramSocket, sendDatagram, unixAddress } from './native-notify.ts';

/** process.env, or what stands for it; what was taken from it is deleted. */
export type ServiceEnvironment = Record<string, string | undefined>;

export interface ServiceManager {
  /** Past this without WATCHDOG=1 it kills us; null: it does not watch. */
  readonly watchdogMs: number | null;
  /** Messages that it did not take: it is gone, or its queue is full. */
  readonly lostNotifications: number;
  /**
   * Tells it the fields, in their order, in one message; `fds` are those that FDSTORE=1 is about, and stay open here.
   * What would end a line of the message becomes a blank, and what is too long is cut.
   */
  notify(fields: Readonly<Record<string, string | number>>, fds?: readonly number[]): void;
}

/**
 * The manager that waits for messages from us, or null when none does. Reads the environment only: call it before
 * `takeStoredDescriptors`, which clears that.
 */
export function connectServiceManager(env: ServiceEnvironment): ServiceManager | null {
  const address = unixAddress(env['NOTIFY_SOCKET'] ?? '');
  if (address === null) return null;
  const socket = createDatagramSocket();
  let lostNotifications = 0;
  return {
    watchdogMs: watchdogOf(env),
    get lostNotifications() {
      return lostNotifications;
    },
    notify(fields, fds = []) {
      if (sendDatagram(socket, address, messageOf(fields), fds) < 0) lostNotifications += 1;
    },
  };
}

function watchdogOf(env: ServiceEnvironment): number | null {
  const pid = env['WATCHDOG_PID'];
  const periodUsec = wholeNumber(env['WATCHDOG_USEC']);
  const isOurs = pid === undefined || pid === String(process.pid);
  return isOurs && periodUsec !== null && periodUsec > 0 ? Math.floor(periodUsec / 1000) : null;
}

function messageOf(fields: Readonly<Record<string, string | number>>): Buffer {
  const lines = Object.entries(fields).map(([key, value]) => {
    const line = Buffer.from(`${key}=${value}`.replace(lineBreaks, ' '));
    // A character that is cut in two becomes one that stands for it; the manager wants UTF-8.
    return Buffer.from(line.subarray(0, longestLineBytes).toString());
  });
  return Buffer.from(lines.join('\n'));
}

const lineBreaks = /[\u0000-\u001f\u007f]+/g;

/** systemd drops a message above 4096 bytes; a status is the only field that can be long. */
const longestLineBytes = 1024;

/**
 * The descriptors that the manager kept for us, by name, each close-on-exec. Of several with one name the first is
 * kept, the others are closed. Whatever of the environment is meant for us alone is deleted from it, so that no child
 * takes it for its own.
 */
export function takeStoredDescriptors(env: ServiceEnvironment): ReadonlyMap<string, number> {
  const isOurs = env['LISTEN_PID'] === String(process.pid);
  const count = isOurs ? Math.min(wholeNumber(env['LISTEN_FDS']) ?? 0, mostDescriptors) : 0;
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  for (const name of addressedToUs) delete env[name];
  const taken = new Map<string, number>();
  for (let index = 0; index < count; index += 1) {
    const fd = firstDescriptor + index;
    const name = names[index] ?? '';
    if (!closeOnExec(fd)) continue;
    if (taken.has(name)) closeSync(fd);
    else taken.set(name, fd);
  }
  return taken;
}

const firstDescriptor = 3;
/** More than any unit of ours lets the manager keep. */
const mostDescriptors = 64;
const addressedToUs = [
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
] as const;

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

export type PendingJob = 'stop' | 'start' | 'restart';

/** A manager that is busy with a shutdown may not answer; nobody waits longer for it. */
const askMs = 1000;

/** What the manager is about to do with a unit; null when nothing, or when it does not say within a second. */
export function pendingJobOf(unit: string): Promise<PendingJob | null> {
  return new Promise((resolve) => {
    // All jobs, as a name on the command line would be a pattern.
    execFile(
      'systemctl',
      ['list-jobs', '--no-legend', '--no-pager', '--plain', '--full'],
      {
        cwd: '/',
        env: { PATH: process.env['PATH'], LC_ALL: 'C' },
        timeout: askMs,
        killSignal: 'SIGKILL',
      },
      (error, stdout) => resolve(error === null ? jobIn(stdout, unit) : null),
    );
  });
}

/** A line a job: number, unit, type, state. */
function jobIn(list: string, unit: string): PendingJob | null {
  for (const line of list.split('\n')) {
    const [, name, type] = line.trim().split(/\s+/);
    if (name === unit && (type === 'stop' || type === 'start' || type === 'restart')) return type;
  }
  return null;
}
