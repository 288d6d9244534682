// What happens at a time of day, on a machine that sleeps and whose clock is set.
import { expect, test } from 'vitest';
import { problemOfSchedule, repeatAt } from '../../../src/platform/schedule.ts';
import { SimulatedClock } from '../supervision/simulated-clock.ts';

const hour = 3_600_000;

function scene(schedule: string, now = new Date(2026, 10, 29, 12, 0)) {
  const clock = new SimulatedClock();
  clock.jumpWall(now.getTime() - clock.wallMs());
  const fired: string[] = [];
  const undo = repeatAt(schedule, clock, () => {
    const at = new Date(clock.wallMs());
    fired.push(`${at.getDate()}. ${at.getHours()}:${String(at.getMinutes()).padStart(2, '0')}`);
  });
  return { clock, fired, undo };
}

test('every day at that time, until it is undone', async () => {
  const { clock, fired, undo } = scene('03:30');
  await clock.advance(40 * hour);
  expect(fired).toEqual(['30. 3:30', '1. 3:30']);
  undo();
  await clock.advance(48 * hour);
  expect(fired).toHaveLength(2);
});

test('by a cron pattern', async () => {
  const { clock, fired } = scene('0 4 * * 1,3'); // Mondays and Wednesdays
  await clock.advance(7 * 24 * hour);
  expect(fired).toEqual(['30. 4:00', '2. 4:00']);
});

test('what was missed asleep is made up for once, within a minute', async () => {
  const { clock, fired } = scene('03:30');
  clock.jumpWall(72 * hour); // three nights in which no timer ran
  await clock.advance(60_000);
  expect(fired).toEqual(['2. 12:01']);
  await clock.advance(24 * hour);
  expect(fired).toEqual(['2. 12:01', '3. 3:30']);
});

test('a clock that is set back does not stop it', async () => {
  const { clock, fired } = scene('03:30');
  await clock.advance(hour);
  clock.jumpWall(-5 * hour);
  await clock.advance(24 * hour);
  expect(fired).toEqual(['30. 3:30']);
});

test('a schedule that is none is named with the way out', () => {
  for (const good of ['03:30', '3:30', '0 4 * * 1', '*/15 * * * *', '  30 3 * * SUN '])
    expect(problemOfSchedule(good), good).toBeNull();
  for (const bad of ['25:00', '03:60', 'daily', '', '* * * *', '0 0 0 0 0 0', '0 0 31 2 *'])
    expect(problemOfSchedule(bad), bad).not.toBeNull();
});
