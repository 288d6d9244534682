// Daemons that systemd runs. One that only ends is started again by it, so that whoever wants an end stops its unit.
import { readFileSync } from 'node:fs';
import { MusicfsError } from '../platform/errors.ts';
import { runProgram } from './run-program.ts';

/** Longer than the unit's own limits: TimeoutStopSec, and what it runs afterwards. */
const stopMs = 40_000;

/** The unit of the system's manager that a process belongs to; null when there is none. See cgroups(7), /proc/PID/cgroup. */
export function unitIn(cgroups: string): string | null {
  for (const line of cgroups.split('\n')) {
    const [, controllers, place = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers !== '' && controllers !== 'name=systemd') continue;
    const parts = place.split('/');
    const unit = parts.findLast((part) => part.endsWith('.service'));
    if (unit !== undefined && !parts.some((part) => /^user@\d+\.service$/.test(part))) return unit;
  }
  return null;
}

/** Stops the unit of a daemon, which unmounts. Throws `refused` with the line that does it. */
export async function stopUnitOf(pid: number): Promise<void> {
  const unit = unitIn(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
  if (unit === null)
    throw new MusicfsError('refused', 'a service manager would start it again: stop its unit');
  if (process.getuid?.() !== 0) {
    throw new MusicfsError(
      'refused',
      `it is a service, which would start again: sudo systemctl stop ${unit}`,
    );
  }
  const { code, said } = await runProgram('systemctl', ['stop', unit], stopMs);
  if (code !== 0) throw new MusicfsError('refused', `systemctl stop ${unit}: ${said}`);
}
