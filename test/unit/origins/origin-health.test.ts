import { describe, expect, it } from 'vitest';
import { orderOfOrigins } from '../../../src/origins/choose-origin.ts';
import { Latency } from '../../../src/origins/latency.ts';
import {
  afterAnswer,
  afterError,
  type OriginHealthFacts,
  unknownHealth,
} from '../../../src/origins/origin-health.ts';
import type { ErrorCode } from '../../../src/platform/errors.ts';

const statesAfter = (codes: readonly (ErrorCode | 'ok')[], threshold = 3): string[] => {
  let health: OriginHealthFacts = unknownHealth;
  return codes.map((code) => {
    health = code === 'ok' ? afterAnswer(health, false) : afterError(health, code, 'why', threshold);
    return health.state;
  });
};

describe('the health of an origin', () => {
  it('turns degraded with the first failure and unhealthy at the threshold; one answer makes it well', () => {
    const down = 'origin_unavailable';
    expect(statesAfter([down, down, down, down, 'ok'])).toEqual([
      'degraded',
      'degraded',
      'unhealthy',
      'unhealthy',
      'healthy',
    ]);
    expect(statesAfter([down], 1)).toEqual(['unhealthy']);
    expect(statesAfter(['ok', down, down, 'ok', down])).toEqual([
      'healthy',
      'degraded',
      'degraded',
      'healthy',
      'degraded',
    ]);
  });

  it('is not touched by what is said of one file or by the caller', () => {
    const codes = [
      'not_found',
      'permission_denied',
      'version_gone',
      'invalid_argument',
      'cancelled',
    ] as const;
    expect(statesAfter(['ok', ...codes])).toEqual(Array.from({ length: 6 }, () => 'healthy'));
  });

  it('R-25: is degraded, and no more, by a name that does not resolve', () => {
    expect(statesAfter(Array.from({ length: 5 }, () => 'name_resolution' as const)).at(-1)).toBe('degraded');
    expect(
      statesAfter(['origin_unavailable', 'origin_unavailable', 'origin_unavailable', 'name_resolution']).at(
        -1,
      ),
    ).toBe('unhealthy');
  });

  it('is degraded by a probe that is refused: it lets nobody in', () => {
    const refused = afterError(unknownHealth, 'permission_denied', 'the password is wrong', 3, {
      wasProbe: true,
    });
    expect([refused.state, refused.lastError?.message]).toEqual(['degraded', 'the password is wrong']);
    expect(afterError(unknownHealth, 'permission_denied', 'one file', 3).state).toBe('unknown');
  });

  it('R-47: is degraded while it is slow, although it answers', () => {
    expect(afterAnswer(unknownHealth, true).state).toBe('degraded');
    expect(afterAnswer(afterAnswer(unknownHealth, true), false).state).toBe('healthy');
  });
});

describe('latency', () => {
  it('is the expected one until something is seen, then the middle of the last 100', () => {
    const latency = new Latency(100);
    expect(latency.p50()).toBe(100);
    for (let ms = 1; ms <= 150; ms += 1) latency.add(ms, 0);
    expect([latency.p50(), latency.p99()]).toEqual([101, 150]);
  });

  it('R-47: counts as slow only by 20 answers of the last two minutes', () => {
    const latency = new Latency(10);
    for (let call = 0; call < 19; call += 1) latency.add(3000, 1000);
    expect(latency.recentP50(1000)).toBe(10);
    latency.add(3000, 1000);
    expect(latency.recentP50(1000)).toBe(3000);
    expect(latency.recentP50(200_000)).toBe(10);
  });
});

describe('the order in which holders are asked', () => {
  const candidate = (originId: string, change = {}) => ({
    ...{
      originId,
      state: 'healthy' as const,
      isOpen: false,
      priority: 100,
      p50Ms: 10,
      consecutiveFailures: 0,
    },
    ...change,
  });
  const order = (...candidates: Parameters<typeof orderOfOrigins>[0]) =>
    orderOfOrigins(candidates).map(({ originId }) => originId);

  it('is health, then priority, then latency, then id', () => {
    expect(
      order(
        candidate('slow', { p50Ms: 20 }),
        candidate('b'),
        candidate('a'),
        candidate('first', { priority: 1, p50Ms: 999 }),
        candidate('sick', { state: 'degraded', priority: 0 }),
        candidate('new', { state: 'unknown', priority: 0, p50Ms: 9 }),
        candidate('down', { state: 'unhealthy', priority: 0 }),
      ),
    ).toEqual(['first', 'a', 'b', 'slow', 'new', 'sick', 'down']);
  });

  it('leaves out those that would refuse, and takes the least bad of the unhealthy', () => {
    expect(
      order(
        candidate('open', { isOpen: true }),
        candidate('worse', { state: 'unhealthy', consecutiveFailures: 9, priority: 1 }),
        candidate('bad', { state: 'unhealthy', consecutiveFailures: 4 }),
      ),
    ).toEqual(['bad', 'worse']);
  });
});
