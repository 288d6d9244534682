import { expect, test } from 'vitest';
import { type Vitals, verdictOf } from '../../../src/actors/watchdog-checks.ts';
import type { ActorSnapshot } from '../../../src/supervision/actor-snapshot.ts';

function node(change: Partial<ActorSnapshot>): ActorSnapshot {
  return {
    path: 'root',
    id: 'root',
    kind: 'supervisor',
    strategy: null,
    incarnation: 1,
    startedAtMs: 0,
    budget: { max: 5, resetAfterMs: 1 },
    mailbox: { depth: 0, limit: 1, highWater: 0, oldestMs: 0, dropped: 0 },
    busyMs: 0,
    handledTotal: 0,
    slowTotal: 0,
    heartbeatAgeMs: null,
    pid: null,
    threadId: null,
    critical: false,
    children: [],
    state: 'running',
    restartsTotal: 0,
    restartsInWindow: 0,
    nextRestartInMs: null,
    lastError: null,
    ...change,
  };
}

const handler = (change: Partial<ActorSnapshot>) =>
  node({
    children: [node({ id: 'fuse-handler', kind: 'actor', critical: true, heartbeatAgeMs: 500, ...change })],
  });
const well: Vitals = { probe: null, loopDelayMs: 15, serverSilentMs: 900, tree: handler({}) };

test('R-11: nothing is wrong with a daemon that is well, also before its tree stands', () => {
  expect(verdictOf(well)).toEqual([]);
  expect(verdictOf({ ...well, tree: null })).toEqual([]);
});

test.each([
  [
    'the mount does not answer',
    { probe: 'no answer within 5000 ms' },
    'the mount does not answer: no answer within 5000 ms',
  ],
  ['the main thread is blocked', { loopDelayMs: 2_100 }, 'the main thread was busy for 2100 ms'],
  [
    'the thread that answers is silent',
    { serverSilentMs: 5_400 },
    'what answers the kernel is silent for 5400 ms',
  ],
  [
    'a critical actor is silent',
    { tree: handler({ heartbeatAgeMs: 10_500 }) },
    'fuse-handler is silent for 10500 ms',
  ],
] as const)('R-11: %s', (_what, change, said) => {
  expect(verdictOf({ ...well, ...change })).toEqual([said]);
});

test('R-11: what a new life would not mend does not count', () => {
  expect(verdictOf({ ...well, tree: handler({ state: 'backoff', heartbeatAgeMs: 60_000 }) })).toEqual([]);
  expect(verdictOf({ ...well, tree: handler({ critical: false, heartbeatAgeMs: 60_000 }) })).toEqual([]);
});
