// Memory and life of processes, as /proc shows them.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { childrenOf, isAlive } from '../test/fixtures/processes.ts';

/** Resident memory of a process in MB, shared pages included; NaN when it has ended. */
export function residentMb(pid: number): number {
  return memoryMb(pid, 'Rss');
}

/** Proportional memory of processes in MB: what they share counts once. */
export function proportionalMb(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + memoryMb(pid, 'Pss'), 0);
}

function memoryMb(pid: number, field: 'Rss' | 'Pss'): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text);
  return (Number(line?.[1] ?? Number.NaN) * 1024) / 1e6;
}

/** A process and all below it. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

/** Processes that were started with a text in their environment. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(text))
    .map(Number);
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // it has ended
  }
}

/** True when none is left within the limit. */
export async function haveEnded(pids: readonly number[], limitMs: number): Promise<boolean> {
  const endMs = performance.now() + limitMs;
  while (pids.some(isAlive)) {
    if (performance.now() > endMs) return false;
    await pause(10);
  }
  return true;
}
