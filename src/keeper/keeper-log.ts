// The keeper's own lines in the daemon's log: why a life ended and what was done about it.
import { appendFileSync } from 'node:fs';
import path from 'node:path';

/** The file a daemon's log goes to, when a keeper started it. */
export function logFileOf(stateDirectory: string): string {
  return path.join(stateDirectory, 'musicfsd.log');
}

export type KeeperLog = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

export function openKeeperLog(stateDirectory: string): KeeperLog {
  return (event, fields = {}) => {
    const head = { level: 40, time: new Date().toISOString(), component: 'keeper', pid: process.pid, event };
    try {
      appendFileSync(logFileOf(stateDirectory), `${JSON.stringify({ ...head, ...fields })}\n`);
    } catch {
      // A full disk costs lines, never the mount.
    }
  };
}
