import { describe, expect, test } from 'vitest';
import { AccessTimes } from '../../../src/content/access-times.ts';
import type { CacheEvent } from '../../../src/content/cache-events.ts';
import { failureOf } from '../../../src/content/cache-failure.ts';
import { CacheModes } from '../../../src/content/cache-mode.ts';
import { InjectedCrash } from '../../../src/platform/failpoints.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { SimulatedClock } from '../supervision/simulated-clock.ts';

function modes(isEnabled = true) {
  const clock = new SimulatedClock();
  const events: CacheEvent[] = [];
  const subject = new CacheModes({
    clock,
    log: silentLogger,
    isEnabled,
    onEvent: (event) => events.push(event),
  });
  return { clock, events, subject };
}

describe('the mode', () => {
  test('R-39: five failures within 30 s are a dead disk, told once; spread out they are not', () => {
    const { clock, events, subject } = modes();
    for (let count = 0; count < 10; count += 1) {
      subject.failed('passing', 'EIO');
      clock.spend(8_000);
    }
    expect(subject.mode).toBe('normal');
    for (let count = 0; count < 5; count += 1) subject.failed('passing', 'EIO');
    expect(subject.mode).toBe('passthrough');
    subject.failed('denied', 'EROFS');
    expect(events).toEqual([
      {
        type: 'cache_mode_changed',
        from: 'normal',
        to: 'passthrough',
        cause: expect.stringContaining('EIO'),
      },
    ]);
    subject.recovered();
    expect(subject.mode).toBe('normal');
    subject.failed('passing', 'EIO');
    expect(subject.mode).toBe('normal');
  });

  test('R-39: a disk that refuses or does not answer is dead at once', () => {
    for (const failure of ['denied', 'hung'] as const) {
      const { subject } = modes();
      subject.failed(failure, 'no');
      expect([subject.mode, subject.isDead]).toEqual(['passthrough', true]);
    }
  });

  test('R-08: a full disk stops writes only, until there is room; a dead one matters more', () => {
    const { subject } = modes();
    subject.failed('full', 'ENOSPC');
    expect([subject.mode, subject.cause]).toEqual(['no-writes', 'ENOSPC']);
    subject.died('the probe failed');
    expect(subject.mode).toBe('passthrough');
    subject.recovered();
    expect(subject.mode).toBe('no-writes');
    subject.measured(null);
    expect(subject.mode).toBe('normal');
  });

  test('switched off is passthrough whatever happens', () => {
    const { subject, events } = modes(false);
    subject.recovered();
    expect([subject.mode, subject.cause, events]).toEqual(['passthrough', 'switched off', []]);
  });
});

test('failures are told apart by their codes, and a bug is none', () => {
  const of = (code: string) => failureOf(Object.assign(new Error('text'), { code }));
  expect(
    ['ENOSPC', 'EROFS', 'EIO', 'SQLITE_FULL', 'SQLITE_CORRUPT_VTAB', 'SQLITE_IOERR_WRITE'].map(of),
  ).toEqual(['full', 'denied', 'passing', 'full', 'damaged', 'passing']);
  expect(() => failureOf(new InjectedCrash('on purpose'))).toThrow(InjectedCrash);
  expect(() => of('ERR_ASSERTION')).toThrow('text');
});

describe('access times', () => {
  test('R-20: never go back, whatever the wall clock does, and go on behind the newest of the index', () => {
    const clock = new SimulatedClock();
    const first = new AccessTimes(clock, 0);
    expect(first.now()).toBe(clock.wallMs());
    clock.spend(500);
    clock.jumpWall(-3_600_000);
    expect(first.now()).toBe(clock.wallMs() + 3_600_000);
    const second = new AccessTimes(clock, first.now());
    expect(second.now()).toBe(first.now() + 1);
  });

  test('what waits is counted from its first change', () => {
    const clock = new SimulatedClock();
    const times = new AccessTimes(clock, 0);
    times.touch(7);
    clock.spend(9_000);
    times.touch(8);
    expect(times.waiting).toEqual({ count: 2, ms: 9_000 });
    times.flushed();
    expect([times.waiting.count, times.lastOf(7)]).toEqual([0, undefined]);
  });
});
