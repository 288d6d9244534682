// `npm run resilience`: do the faults, the tests that name them and docs/RESILIENCE.md agree? With `-- --write` the
// document is made anew, with the results of the last `npm test` when its report is there. Part of `npm run check`.
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { faults } from './faults.ts';
import {
  complaintsOf,
  provingTestsOf,
  resilienceText,
  type TestResult,
  withoutResults,
} from './resilience-table.ts';

const root = path.resolve(import.meta.dirname, '..');
const file = path.join(root, 'docs/RESILIENCE.md');
const report = path.join(root, '.cache/test-report.json');

const tests = globSync('test/**/*.test.ts', { cwd: root })
  .sort()
  .flatMap((name) => provingTestsOf(name, readFileSync(path.join(root, name), 'utf8')));
const complaints = complaintsOf(faults, tests);
if (process.argv.includes('--write')) {
  writeFileSync(file, resilienceText(faults, tests, lastResults()));
  execFileSync('biome', ['format', '--write', file], { stdio: 'ignore' });
} else if (
  withoutResults(readFileSync(file, 'utf8')) !== withoutResults(resilienceText(faults, tests, null))
) {
  complaints.push('docs/RESILIENCE.md is out of date: npm run resilience -- --write');
}
for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length === 0 ? 0 : 1;

/** What `npm test` has left; null when it has not run here. */
function lastResults(): TestResult[] | null {
  if (!existsSync(report)) return null;
  // Vitest's own report.
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: {
      name: string;
      assertionResults: { ancestorTitles: string[]; title: string; status: string }[];
    }[];
  };
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status }) => ({
      file: path.relative(root, name),
      title: [...ancestorTitles, title].join(' '),
      hasPassed: status === 'passed',
    })),
  );
}
