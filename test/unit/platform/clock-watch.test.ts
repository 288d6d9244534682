import { expect, test } from 'vitest';
import { ClockWatch } from '../../../src/platform/clock-watch.ts';
import { limits } from '../../../src/platform/limits.ts';
import { SimulatedClock } from '../supervision/simulated-clock.ts';

const hour = 3_600_000;
const day = 24 * hour;

function watched(): { clock: SimulatedClock; watch: ClockWatch } {
  const clock = new SimulatedClock();
  return { clock, watch: new ClockWatch(clock) };
}

test('R-32: time that passes, and a clock that is set right in small steps, are no jump', () => {
  const { clock, watch } = watched();
  for (let step = 0; step < 1000; step += 1) {
    clock.spend(60_000);
    clock.jumpWall(limits.clockJumpMs);
    expect(watch.look()).toBe(null);
  }
  expect(watch.hasJumped()).toBe(false);
});

test.each([hour, -hour, day, -day, limits.clockJumpMs + 1])(
  'R-32: a jump by %i ms is seen once, whenever one looks',
  (byMs) => {
    const { clock, watch } = watched();
    clock.spend(7 * hour);
    clock.jumpWall(byMs);
    clock.spend(hour);
    expect(watch.look()).toBe(byMs);
    expect(watch.look()).toBe(null);
    expect(watch.hasJumped()).toBe(true);
    expect(watch.hasJumped(60_000)).toBe(true);
    clock.spend(60_000);
    expect(watch.hasJumped(60_000)).toBe(false);
  },
);

test.each([hour, -hour])(
  'R-32: times just before and after a jump by %i ms are doubtful, and those in the future',
  (byMs) => {
    const { clock, watch } = watched();
    const before = clock.wallMs();
    clock.jumpWall(byMs);
    const after = clock.wallMs();
    watch.look();
    for (const jumped of [before, after]) {
      expect(watch.isDoubtful(jumped - limits.clockJumpMs)).toBe(true);
    }
    expect(watch.isDoubtful(Math.min(before, after) - limits.clockJumpMs - 1)).toBe(false);
    expect(watch.isDoubtful(after - 30 * 60_000)).toBe(false);
    expect(watch.isDoubtful(Math.max(before, after) + day)).toBe(true);
  },
);

test('R-32: without a jump only the future is doubtful', () => {
  const { clock, watch } = watched();
  expect(watch.isDoubtful(clock.wallMs())).toBe(false);
  expect(watch.isDoubtful(0)).toBe(false);
  expect(watch.isDoubtful(clock.wallMs() + limits.clockJumpMs + 1)).toBe(true);
});
