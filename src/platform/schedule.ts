// What happens again and again by the clock on the wall: "03:30", every day at that time, or a cron pattern of five fields.
// Local time of this machine. croner reads the patterns and knows the hours that daylight saving skips or repeats.
import { Cron } from 'croner';
import type { Clock } from './clock.ts';

/** A machine that slept, or whose clock was set, is late by this at most. */
const longestWaitMs = 60_000;

/** What is wrong with a schedule; null: nothing. */
export function problemOfSchedule(schedule: string): string | null {
  if (!/^\S+( \S+){4}$/.test(patternOf(schedule)))
    return 'a time of day, "03:30", or a cron pattern of five fields';
  try {
    return cron(schedule).nextRun() === null ? 'that time never comes' : null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Calls `fire` at each time of a schedule that has no problem. What was missed, as the machine slept, is made up for once.
 * Returns an undo.
 */
export function repeatAt(schedule: string, clock: Clock, fire: () => void): () => void {
  const pattern = cron(schedule);
  const dueAfter = (ms: number) => pattern.nextRun(new Date(ms))?.getTime() ?? Number.POSITIVE_INFINITY;
  let dueMs = dueAfter(clock.wallMs());
  let undo = () => {};
  const wait = (): void => {
    undo = clock.after(Math.min(Math.max(dueMs - clock.wallMs(), 0), longestWaitMs), () => {
      const now = clock.wallMs();
      if (now >= dueMs) fire();
      // Found out anew each time: the clock may have been set, either way.
      dueMs = dueAfter(now);
      wait();
    });
  };
  wait();
  return () => undo();
}

function cron(schedule: string): Cron {
  return new Cron(patternOf(schedule), { paused: true });
}

function patternOf(schedule: string): string {
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(schedule.trim()) ?? [];
  return hour === undefined ? schedule.trim().replace(/\s+/g, ' ') : `${minute} ${hour} * * *`;
}
