import { describe, expect, it } from 'vitest';
import { parseBandwidth } from '../../../src/config/bandwidth.ts';
import { Bandwidth, rateAt } from '../../../src/origins/bandwidth.ts';
import { SimulatedClock } from '../supervision/simulated-clock.ts';

const kib = 1024;

describe('a bandwidth', () => {
  it('is one rate, or one for each part of the day', () => {
    expect(parseBandwidth('2MiB')).toEqual([{ fromMinute: 0, toMinute: 1440, bytesPerSecond: 2 ** 21 }]);
    const rules = parseBandwidth('08:00-23:30 2MiB; else 0') ?? [];
    expect([0, 479, 480, 1409, 1410].map((minute) => rateAt(rules, minute))).toEqual([
      0,
      0,
      2 ** 21,
      2 ** 21,
      0,
    ]);
    const night = parseBandwidth('22:00-06:00 0; else 100KB') ?? [];
    expect([1320, 0, 359, 360, 1319].map((minute) => rateAt(night, minute))).toEqual([0, 0, 0, 1e5, 1e5]);
  });

  it.each(['', '2', 'fast', '08:00 2MiB', '25:00-26:00 1MiB', '08:61-09:00 1MiB', '2MiB;', '08:00-09:00'])(
    'is not "%s"',
    (text) => {
      expect(parseBandwidth(text)).toBeNull();
    },
  );

  it('lets through what a second allows, then as much as time earns', () => {
    const clock = new SimulatedClock();
    const bandwidth = new Bandwidth([{ fromMinute: 0, toMinute: 1440, bytesPerSecond: 100 * kib }], clock);
    clock.spend(5_000);
    expect(bandwidth.take(100 * kib)).toBe(0);
    expect(bandwidth.take(50 * kib)).toBe(500);
    clock.spend(500);
    expect(bandwidth.take(10 * kib)).toBe(100);
  });

  it('is no limit where the rate is 0', () => {
    const bandwidth = new Bandwidth(
      [{ fromMinute: 0, toMinute: 1440, bytesPerSecond: 0 }],
      new SimulatedClock(),
    );
    expect(bandwidth.take(10 ** 9)).toBe(0);
  });
});
