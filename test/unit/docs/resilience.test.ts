// The table of faults: what it finds in the tests, and what it complains of.
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../scripts/faults.ts';
import {
  complaintsOf,
  type ProvingTest,
  provingTestsOf,
  resilienceText,
  withoutResults,
} from '../../../scripts/resilience-table.ts';

const titlesIn = (source: string) => provingTestsOf('test/a.test.ts', source).map(({ title }) => title);

describe('tests that name faults', () => {
  it('are found however they are written, with the groups they are in', () => {
    const source = `
      // R-90: not a test
      test('R-01: plain', () => {});
      it.each([['R-91', 2]])("7.3: R-02, of cases %s", () => {});
      describe('R-03: a group', () => { it(\`has its fault\`, () => { expect('R-92').toBe(test); }); });
      test('names none', () => {});
      test.each(many.map((x) => ({ x })))('R-04: $x', { timeout: 5 }, async () => {});
    `;
    expect(titlesIn(source)).toEqual([
      'R-01: plain',
      '7.3: R-02, of cases %s',
      'R-03: a group has its fault',
      'R-04: $x',
    ]);
  });

  it('that do not run are known', () => {
    const source = `
      test.skip('R-01: a', () => {});
      test.todo('R-01: b');
      it.skipIf(true)('R-01: c', () => {});
      describe.skip('R-01', () => { it('d', () => {}); });
      it.each([1])('R-01: runs', () => {});
    `;
    expect(provingTestsOf('a', source).map(({ isLeftOut }) => isLeftOut)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });
});

const built: Fault = { id: 'R-01', fault: 'it breaks', behaviour: 'it goes on' };
const waiting: Fault = { id: 'R-02', fault: 'so does that', behaviour: 'as well', waitsFor: 'that' };
const proof = (id: string, isLeftOut = false): ProvingTest => ({
  file: 'test/a.test.ts',
  title: `${id}: goes on after $what`,
  ids: [id],
  isLeftOut,
});

describe('complaints', () => {
  it('there are none when each built fault has its test', () => {
    expect(complaintsOf([built, waiting], [proof('R-01')])).toEqual([]);
  });

  it.each([
    ['a built fault without a test', [], 'R-01 is built, and no test names it'],
    ['a test that does not run', [proof('R-01', true)], 'does not run'],
    ['a fault that is not built and has a test', [proof('R-01'), proof('R-02')], 'R-02 has tests'],
    ['a test of an unknown fault', [proof('R-01'), proof('R-77')], 'R-77, which is no fault'],
  ])('%s', (_, tests, complaint) => {
    expect(complaintsOf([built, waiting], tests)).toEqual([expect.stringContaining(complaint)]);
  });
});

describe('the document', () => {
  const tests = [proof('R-01')];
  const result = (title: string, hasPassed: boolean) => ({ file: 'test/a.test.ts', title, hasPassed });

  it('has the results of every case, and is the same without them', () => {
    const plain = resilienceText([built, waiting], tests, null);
    expect(plain).toContain('| R-01 | it breaks | it goes on | `a.test.ts` (1) |');
    expect(plain).toContain('| R-02 | so does that | not built (missing: that). as well |  |');
    const passed = [result('R-01: goes on after rain', true), result('R-01: goes on after snow', true)];
    const good = resilienceText([built, waiting], tests, passed);
    expect(good).toContain('`a.test.ts` (1) ✓ |');
    const bad = resilienceText([built, waiting], tests, [
      ...passed,
      result('R-01: goes on after hail', false),
    ]);
    expect(bad).toContain('`a.test.ts` (1) ✗ |');
    const other = resilienceText([built, waiting], tests, [result('R-01: something else', false)]);
    const same = withoutResults(plain);
    expect([good, bad, other].map(withoutResults)).toEqual([same, same, same]);
    expect(withoutResults('| a     | b ✗ |\n| ----- | --- |')).toBe('| a | b |\n| --- | --- |');
    expect(withoutResults(plain.replace('it goes on', 'it ends'))).not.toBe(same);
  });
});
