// A test that failed counts as passed only when it ran once more, alone, and passed.
import { expect, test } from 'vitest';
import {
  onlyThese,
  possibleAccidents,
  type TestReport,
  withSecondRun,
} from '../../../scripts/test-report.ts';

/** A report of files with tests, by title and status. */
function reportOf(files: Readonly<Record<string, Readonly<Record<string, string>>>>): TestReport {
  const statuses = Object.values(files).flatMap((tests) => Object.values(tests));
  return {
    numPassedTests: statuses.filter((status) => status === 'passed').length,
    numFailedTests: statuses.filter((status) => status === 'failed').length,
    numPendingTests: statuses.filter((status) => status === 'skipped').length,
    numTodoTests: 0,
    numFailedTestSuites: 0,
    testResults: Object.entries(files).map(([name, tests]) => ({
      name,
      status:
        Object.keys(tests).length === 0 || Object.values(tests).includes('failed') ? 'failed' : 'passed',
      assertionResults: Object.entries(tests).map(([title, status]) => ({
        title,
        ancestorTitles: ['group'],
        status,
      })),
    })),
  };
}

test('up to three failed tests are run again, more are not, nor is anything when a file could not be run', () => {
  const three = { a: 'failed', b: 'failed', c: 'failed', d: 'passed' };
  expect(possibleAccidents(reportOf({ 'x.ts': three })).map(({ title }) => title)).toEqual([
    'group > a',
    'group > b',
    'group > c',
  ]);
  expect(possibleAccidents(reportOf({ 'x.ts': { ...three, e: 'failed' } }))).toEqual([]);
  expect(possibleAccidents(reportOf({ 'x.ts': { a: 'failed' }, 'y.ts': {} }))).toEqual([]);
  expect(possibleAccidents(reportOf({ 'x.ts': { a: 'passed' } }))).toEqual([]);
});

test('they are named in whole, their signs taken as they are', () => {
  const tests = [
    { file: 'x.ts', title: 'R-1: 2 + 2 (of 4)' },
    { file: 'x.ts', title: 'b' },
  ];
  const [file, flag, pattern = ''] = onlyThese(tests);
  expect([file, flag]).toEqual(['x.ts', '-t']);
  expect(new RegExp(pattern).test('R-1: 2 + 2 (of 4)')).toBe(true);
  expect(new RegExp(pattern).test('b, and more')).toBe(false);
});

test('what passed the second time is counted and entered, what failed or did not run is not', () => {
  const first = reportOf({ 'x.ts': { a: 'failed', b: 'failed', c: 'failed', d: 'passed' } });
  const tests = possibleAccidents(first);
  const second = reportOf({ 'x.ts': { a: 'passed', b: 'failed', c: 'skipped' } });
  const { report, passedAlone } = withSecondRun(first, second, tests);
  expect(passedAlone).toEqual([{ file: 'x.ts', title: 'group > a' }]);
  expect(report).toMatchObject({ numPassedTests: 2, numFailedTests: 2 });
  expect(report.testResults[0]?.status).toBe('failed');
  expect(withSecondRun(first, reportOf({}), tests).passedAlone).toEqual([]);
  const all = withSecondRun(first, reportOf({ 'x.ts': { a: 'passed', b: 'passed', c: 'passed' } }), tests);
  expect(all.report).toMatchObject({ numPassedTests: 4, numFailedTests: 0 });
  expect(all.report.testResults[0]?.status).toBe('passed');
});

test('a test that ran under two drivers has to pass under both', () => {
  const first = reportOf({ 'x.ts': { a: 'failed' } });
  const second = reportOf({ 'x.ts': { a: 'passed' } });
  second.testResults.push(...reportOf({ 'x.ts': { a: 'failed' } }).testResults);
  expect(withSecondRun(first, second, possibleAccidents(first)).passedAlone).toEqual([]);
});
