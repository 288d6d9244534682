// The chaos run of `npm run chaos`, short: each kind of victim is hit, and every invariant must hold.
import { describe, expect, onTestFinished, test } from 'vitest';
import { printedSeed } from '../fixtures/printed-seed.ts';
import { runChaos } from './harness/chaos-run.ts';
import { brokenInvariants, type Evidence, invariants, type QuietFacts } from './harness/invariants.ts';
import { pauseFigures, pauseOf, percentile } from './harness/pauses.ts';
import { describeResult } from './harness/report.ts';
import { victimKinds } from './harness/victims.ts';

test('R-06: every part is hit while eight readers check every byte and name: every invariant holds', async () => {
  const { seed } = printedSeed('chaos');
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const result = await runChaos({
    seed,
    victims: victimKinds,
    passthrough: seed % 2 === 0 ? 'auto' : 'never',
    kills: 'each crash once',
    limitMs: 60_000,
    isScanning: false,
    signal: stop.signal,
  });
  console.log(describeResult(result));
  expect(result.broken).toEqual([]);
  expect(result.pauses.map(({ kind }) => kind).toSorted()).toEqual([...victimKinds].toSorted());
  expect(result).toMatchObject({ failedReads: 0, wrongBytes: 0, lostMounts: 0 });
  expect(result.checks).toBeGreaterThan(10_000);
}, 120_000);

describe('an invariant', () => {
  const quiet: QuietFacts = {
    device: '0:50',
    rootInode: '1',
    originHash: 'as it was',
    integrity: 'ok',
    daemonPid: 10,
    keeperPid: 9,
    descriptors: 30,
    keeperDescriptors: 20,
    waitingMessages: 0,
    openHandles: 0,
    isScanning: false,
    filesListed: 120,
  };
  const well: Evidence = {
    before: quiet,
    after: { ...quiet, daemonPid: 11 },
    errors: [],
    failedChecks: 0,
    longestStepMs: 900,
    longestPauseMs: 800,
    mostMb: { daemon: 150, keeper: 40 },
    log: {
      crashes: [],
      failures: [{ id: 'indexer', message: 'failpoint actor.indexer.handle: crash' }],
      deaths: 1,
      gaveUp: [],
    },
    expectedRestarts: new Map([['indexer', 1]]),
    mayStayOpen: 1,
    kills: 1,
    broken: [],
    parses: { seen: 100, allowed: 100 },
    allowedErrnos: ['EIO'],
  };
  const error = { type: 'error', way: 'direct', file: 'a', tookMs: 1 } as const;
  const spoilt: readonly (readonly [id: number, spoilt: Partial<Evidence>])[] = [
    [1, { longestStepMs: 31_000 }],
    [2, { errors: [{ ...error, error: 'other bytes at 0', errno: null }], failedChecks: 1 }],
    [3, { errors: [{ ...error, error: 'twice 1, missing 0, new 0', errno: null }], failedChecks: 1 }],
    [3, { after: { ...quiet, filesListed: 119 } }],
    [4, { errors: [{ ...error, error: 'ENOENT', errno: 'ENOENT' }], failedChecks: 1 }],
    [4, { failedChecks: 1 }],
    [5, { after: { ...quiet, device: '0:51' } }],
    [6, { after: { ...quiet, integrity: 'row 3 missing from index' } }],
    [7, { after: { ...quiet, originHash: 'otherwise' } }],
    [8, { log: { ...well.log, crashes: ['musicfsd crashed: unhandled rejection: Error: x'] } }],
    [8, { log: { ...well.log, failures: [{ id: 'indexer', message: 'x is not a function' }] } }],
    [8, { log: { ...well.log, gaveUp: ['indexer'] } }],
    [9, { after: { ...quiet, waitingMessages: 1 } }],
    [9, { after: { ...quiet, openHandles: 2 } }],
    [9, { after: { ...quiet, isScanning: true } }],
    [9, { after: { ...quiet, descriptors: 36 } }],
    [9, { after: { ...quiet, keeperDescriptors: 26 } }],
    [10, { mostMb: { daemon: 500, keeper: 40 } }],
    [10, { mostMb: { daemon: 150, keeper: 60 } }],
    [11, { expectedRestarts: new Map() }],
    [
      11,
      {
        expectedRestarts: new Map([
          ['indexer', 1],
          ['control', 1],
        ]),
      },
    ],
    [11, { kills: 2 }],
    [11, { after: { ...quiet, keeperPid: 8 } }],
    [12, { parses: { seen: 101, allowed: 100 } }],
    [13, { broken: ['something'] }],
  ];

  test('holds of what is well', () => {
    const allowed = { ...error, error: 'EIO', errno: 'EIO' };
    expect(brokenInvariants({ ...well, errors: [allowed], failedChecks: 1 })).toEqual([]);
  });

  test.each(spoilt)('%i is broken by %o', (id, part) => {
    const found = brokenInvariants({ ...well, ...part });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^invariant ${id} \\(`));
  });

  test('is each broken by one of these', () => {
    expect([...new Set(spoilt.map(([id]) => id))]).toEqual(invariants.map(({ id }) => id));
  });
});

test('the pause of a fault is the longest time a step stood after it, and before all was well', () => {
  const fault = { kind: 'daemon', name: 'kill', atMs: 1_000, wellAtMs: 1_500 };
  const stood = [
    { startedAtMs: 0, tookMs: 900 }, // over before
    { startedAtMs: 900, tookMs: 400 }, // 300 of it after
    { startedAtMs: 1_100, tookMs: 250 },
    { startedAtMs: 1_600, tookMs: 5_000 }, // begun after
  ];
  expect(pauseOf(fault, stood)).toBe(300);
  const quiet = { ...fault, kind: 'actors', atMs: 9_000, wellAtMs: 9_100 };
  expect(pauseFigures([fault, quiet], stood)).toMatchObject([
    { kind: 'daemon', faults: 1, p50: 300, p99: 300, max: 300, wellMax: 500 },
    { kind: 'actors', faults: 1, p50: 0, max: 0 },
  ]);
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([
    percentile(values, 0.5),
    percentile(values, 0.99),
    percentile(values, 1),
    percentile([], 0.5),
  ]).toEqual([50, 99, 100, 0]);
});
