import { expect, it } from 'vitest';
import {
  afterFailure,
  afterSuccess,
  type Breaker,
  closedBreaker,
  isOpen,
  mayProbe,
} from '../../../src/origins/breaker.ts';

const failTimes = (count: number, breaker: Breaker = closedBreaker, atMs = 0): Breaker =>
  Array.from({ length: count }).reduce<Breaker>((before) => afterFailure(before, atMs, 3, 0.5), breaker);

it('opens at the threshold of failures in a row, not before', () => {
  expect([isOpen(failTimes(2)), isOpen(failTimes(3))]).toEqual([false, true]);
  expect(isOpen(failTimes(2, afterSuccess(failTimes(2), 1)))).toBe(false);
});

it('counts anew from a failure of a call that had brought bytes', () => {
  const cut = afterFailure(failTimes(2), 0, 3, 0.5, true);
  expect([isOpen(cut), cut.consecutiveFailures]).toEqual([false, 1]);
  expect([isOpen(failTimes(1, cut)), isOpen(failTimes(2, cut))]).toEqual([false, true]);
});

it('opens when half of at least 20 calls in 30 s failed, never three in a row', () => {
  let breaker = closedBreaker;
  const opened: number[] = [];
  for (let call = 1; call <= 20; call += 1) {
    const isFailure = call % 2 === 0;
    breaker = isFailure ? afterFailure(breaker, call * 1000, 3, 0.5) : afterSuccess(breaker, call * 1000);
    if (isOpen(breaker)) opened.push(call);
  }
  expect(opened).toEqual([20]);
});

it('forgets calls of more than 30 s ago', () => {
  let breaker = closedBreaker;
  for (let call = 1; call <= 40; call += 1) {
    const atMs = call * 4000;
    breaker = call % 2 === 0 ? afterFailure(breaker, atMs, 3, 0.5) : afterSuccess(breaker, atMs);
  }
  expect(isOpen(breaker)).toBe(false);
});

it('is open 5 s, then twice as long each time, 20 % either way, and never so long that it is not found within a minute', () => {
  const lengths: number[] = [];
  let breaker = failTimes(3);
  for (let round = 0; round < 6; round += 1) {
    const untilMs = breaker.openUntilMs ?? 0;
    lengths.push(untilMs);
    breaker = afterFailure({ ...breaker, openUntilMs: 0 }, 0, 3, 0.5);
  }
  expect(lengths).toEqual([5000, 10_000, 20_000, 40_000, 55_000, 55_000]);
  expect(afterFailure(failTimes(2), 0, 3, 0).openUntilMs).toBe(4000);
  expect(afterFailure(failTimes(2), 0, 3, 1).openUntilMs).toBe(6000);
  expect(afterFailure({ ...breaker, openUntilMs: 0 }, 0, 3, 1).openUntilMs).toBe(55_000);
});

it('lets a probe through after its time only, and a success closes it for good', () => {
  const open = failTimes(3);
  expect([mayProbe(open, 4999), mayProbe(open, 5000)]).toEqual([false, true]);
  const closed = afterSuccess(open, 5000);
  expect([isOpen(closed), closed.openings]).toEqual([false, 0]);
});

it('does not open longer for calls that began before it opened', () => {
  const open = failTimes(3);
  expect(afterFailure(open, 100, 3, 0.5).openUntilMs).toBe(open.openUntilMs);
});
