// What the test runner reports, as far as `npm test` reads it: pure. Which tests failed, and how they are named to run again.

export interface TestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numFailedTestSuites: number;
  testResults: {
    /** The file. */
    name: string;
    status: string;
    assertionResults: { title: string; ancestorTitles: readonly string[]; status: string }[];
  }[];
}

export interface FailedTest {
  readonly file: string;
  /** With the titles of its groups, as the runner names it. */
  readonly title: string;
}

/** More than these at once are no accident: nothing is run again. */
const mostAccidents = 3;

function titleOf(test: { title: string; ancestorTitles: readonly string[] }): string {
  return [...test.ancestorTitles, test.title].join(' > ');
}

/** The failed tests, when there are so few of them that each may be an accident; none when a file could not be run at all. */
export function possibleAccidents({ testResults }: TestReport): FailedTest[] {
  const failed = testResults
    .filter(({ status }) => status !== 'passed')
    .map(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === 'failed')
        .map((test) => ({ file: name, title: titleOf(test) })),
    );
  const tests = failed.flat();
  return failed.some((ofFile) => ofFile.length === 0) || tests.length > mostAccidents ? [] : tests;
}

/** The arguments that make the runner run these alone. */
export function onlyThese(tests: readonly FailedTest[]): string[] {
  const titles = [...new Set(tests.map(({ title }) => title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))];
  return [...new Set(tests.map(({ file }) => file)), '-t', `^(${titles.join('|')})$`];
}

/** The first report with what passed when it was run again; those it names have to be in the second, and to pass there. */
export function withSecondRun(
  first: TestReport,
  second: TestReport,
  tests: readonly FailedTest[],
): { readonly report: TestReport; readonly passedAlone: FailedTest[] } {
  const resultsOf = ({ file, title }: FailedTest) =>
    second.testResults
      .filter(({ name }) => name === file)
      .flatMap(({ assertionResults }) => assertionResults)
      .filter((test) => titleOf(test) === title);
  const passedAlone = tests.filter((test) => {
    const results = resultsOf(test);
    return results.length > 0 && results.every(({ status }) => status === 'passed');
  });
  const hasPassedAlone = (file: string, title: string) =>
    passedAlone.some((test) => test.file === file && test.title === title);
  const testResults = first.testResults.map((result) => {
    const assertionResults = result.assertionResults.map((test) =>
      test.status === 'failed' && hasPassedAlone(result.name, titleOf(test))
        ? { ...test, status: 'passed' }
        : test,
    );
    const isMended =
      result.status !== 'passed' && assertionResults.every(({ status }) => status === 'passed');
    return { ...result, assertionResults, status: isMended ? 'passed' : result.status };
  });
  return {
    report: {
      ...first,
      testResults,
      numPassedTests: first.numPassedTests + passedAlone.length,
      numFailedTests: first.numFailedTests - passedAlone.length,
    },
    passedAlone,
  };
}
