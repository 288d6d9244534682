import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  defaultBudget,
  defaultEscalations,
  type RestartBudget,
  readPathBudget,
} from '../../../src/supervision/child-spec.ts';
import { decide, type PastLife, trimHistory } from '../../../src/supervision/restart-window.ts';

const lives = (lengthsMs: readonly number[], didWork = false): PastLife[] => {
  let endedAtMs = 0;
  return lengthsMs.map((lengthMs) => {
    endedAtMs += lengthMs;
    return { endedAtMs, lengthMs, didWork };
  });
};
const short = (count: number): number[] => Array.from({ length: count }, () => 10);
const delayOf = (
  history: readonly PastLife[],
  u = 0,
  budget: RestartBudget = defaultBudget,
): number | 'give-up' => {
  const decision = decide(history, history.at(-1)?.endedAtMs ?? 0, budget, u);
  return decision.type === 'restart' ? decision.delayMs : 'give-up';
};

describe('the restart window of a child', () => {
  // Failures before this one; u; what follows.
  test.each([
    [0, 0, 0],
    [1, 0, 1_000],
    [1, 1, 1_200],
    [2, 0.5, 5_500],
    [3, 0, 30_000],
    [4, 1, 36_000],
    [5, 0, 'give-up'],
    [9, 0, 'give-up'],
  ] as const)('after %i short lives and u = %f it answers %s', (before, u, answer) => {
    expect(delayOf(lives(short(before + 1)), u)).toBe(answer);
  });

  test('a life of 300 s clears the count', () => {
    expect(delayOf(lives([...short(4), 300_000]))).toBe(0);
  });

  test('a life of 299.9 s does not', () => {
    expect(delayOf(lives([...short(4), 299_900]))).toBe(30_000);
  });

  test('the failure that follows a long life is the first of a new row', () => {
    expect(delayOf(lives([...short(4), 300_000, 10]))).toBe(1_000);
  });

  test('on the read path 500 lives of 1.5 s with work are each restarted at once', () => {
    const history = lives(
      Array.from({ length: 500 }, () => 1_500),
      true,
    );
    for (let upTo = 1; upTo <= 500; upTo += 1) {
      expect(delayOf(history.slice(0, upTo), 0, readPathBudget)).toBe(0);
    }
  });

  test('on the read path lives without any work give up like any other', () => {
    expect(delayOf(lives([1_500, 1_500, 1_500, 1_500, 1_500, 1_500]), 0, readPathBudget)).toBe('give-up');
  });

  test('the times of day play no part: histories that differ by an hour decide alike', () => {
    const history = lives([10, 20, 30]);
    const shifted = history.map((life) => ({ ...life, endedAtMs: life.endedAtMs - 3_600_000 }));
    expect(decide(shifted, 60 - 3_600_000, defaultBudget, 0)).toEqual(decide(history, 60, defaultBudget, 0));
  });
});

describe('the window of escalations', () => {
  const at = (endedAtMs: number): PastLife => ({ endedAtMs, lengthMs: 1, didWork: false });
  test('two within 600 s are restarted at once', () => {
    expect(decide([at(0), at(600_000)], 600_000, defaultEscalations, 1)).toEqual({
      type: 'restart',
      delayMs: 0,
      count: 2,
    });
  });
  test('the third within 600 s gives up', () => {
    expect(decide([at(0), at(1), at(600_000)], 600_000, defaultEscalations, 0).type).toBe('give-up');
  });
  test('one that is older does not count', () => {
    expect(decide([at(0), at(2), at(600_001)], 600_001, defaultEscalations, 0).type).toBe('restart');
  });
});

describe('any history', () => {
  const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const anyLife = fc.record({ lengthMs: fc.constantFrom(0, 5, 999, 1_000, 5_000), didWork: fc.boolean() });
  const anyBudget = fc.record({
    delaysMs: fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 6 }),
    max: fc.integer({ min: 0, max: 7 }),
    jitter: fc.constantFrom(0, 0.2),
    resetAfterMs: fc.constantFrom(1_000, 5_000),
    resetNeedsWork: fc.boolean(),
  });

  test(`is decided as a plain forward count decides it, also when trimmed (seed ${seed}, FC_SEED repeats it)`, () => {
    fc.assert(
      fc.property(
        fc.array(anyLife, { minLength: 1, maxLength: 30 }),
        anyBudget,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (raw, budget, u) => {
          let count = 0;
          const kept: PastLife[] = [];
          for (const [index, life] of raw.entries()) {
            if (life.lengthMs >= budget.resetAfterMs && (!budget.resetNeedsWork || life.didWork)) count = 0;
            count += 1;
            kept.push({ ...life, endedAtMs: index });
            trimHistory(kept, budget);
          }
          const decision = decide(kept, raw.length, budget, u);
          if (count > budget.max) {
            expect(decision.type).toBe('give-up');
            return;
          }
          const base = budget.delaysMs[Math.min(count, budget.delaysMs.length) - 1] ?? Number.NaN;
          expect(decision).toEqual({ type: 'restart', delayMs: base * (1 + budget.jitter * u), count });
        },
      ),
      { seed, numRuns: 500 },
    );
  });
});
