import { expect, test } from 'vitest';
import { type Death, decideRespawn } from '../../../src/keeper/respawn.ts';

const killed: Death = { lifeMs: 300, hasAnswered: true, wasKilled: true };
const crashed: Death = { lifeMs: 300, hasAnswered: true, wasKilled: false };

/** Delays of a row of such deaths. */
function delaysOf(deaths: readonly Death[]): (number | null)[] {
  let failures = 0;
  return deaths.map((death) => {
    const decision = decideRespawn(failures, death);
    failures = decision.failures;
    return decision.delayMs;
  });
}

test('a daemon that is killed at work is followed at once, however often', () => {
  expect(delaysOf(Array<Death>(1000).fill(killed))).toEqual(Array<number>(1000).fill(0));
});

test('one that dies of itself is followed after 0, 1, 5, 30 and 30 s, and then no more', () => {
  expect(delaysOf(Array<Death>(6).fill(crashed))).toEqual([0, 1_000, 5_000, 30_000, 30_000, null]);
});

test('one that is killed before it answered anything counts as one that cannot work', () => {
  const early: Death = { ...killed, hasAnswered: false };
  expect(delaysOf(Array<Death>(6).fill(early)).at(-1)).toBeNull();
});

test('a life of a minute begins a new row', () => {
  const row = [crashed, crashed, crashed, crashed, crashed, { ...crashed, lifeMs: 60_000 }, crashed];
  expect(delaysOf(row).slice(5)).toEqual([0, 1_000]);
});

test('a death at work from outside shows that the program works, and begins a new row', () => {
  expect(delaysOf([crashed, crashed, killed, crashed])).toEqual([0, 1_000, 0, 0]);
});
