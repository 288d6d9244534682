// Faults and the tests that prove them: pure, from texts to a text and to complaints. Used by scripts/resilience.ts.
import ts from 'typescript';
import type { Fault } from './faults.ts';

/** A test, or a group of tests, that names faults in its title. */
export interface ProvingTest {
  readonly file: string;
  /** With the titles of the groups it is in. As it is written: `%s` and `$name` stand for the cases of an `each`. */
  readonly title: string;
  readonly ids: readonly string[];
  /** It does not run: skip, todo, only under a condition, or expected to fail. */
  readonly isLeftOut: boolean;
}

export interface TestResult {
  /** With the titles of its groups, as in `ProvingTest`, its cases filled in. */
  readonly title: string;
  readonly file: string;
  readonly hasPassed: boolean;
}

const runners: ReadonlySet<string> = new Set(['test', 'it', 'describe']);
const leavesOut = /^(skip|todo|skipIf|runIf|fails|only)$/;

/** The tests of one file that name faults, those in groups that do, too. */
export function provingTestsOf(file: string, source: string): ProvingTest[] {
  const found: ProvingTest[] = [];
  const walk = (node: ts.Node, titles: readonly string[], isLeftOut: boolean): void => {
    const call = ts.isCallExpression(node) ? runnerOf(node) : null;
    if (call === null) return ts.forEachChild(node, (child) => walk(child, titles, isLeftOut));
    const inside = [...titles, call.title];
    const isOut = isLeftOut || call.modifiers.some((word) => leavesOut.test(word));
    if (call.runner === 'describe') {
      for (const argument of call.rest) walk(argument, inside, isOut);
      return;
    }
    const title = inside.join(' ');
    const ids = [...new Set(title.match(/\bR-\d\d\b/g))];
    if (ids.length > 0) found.push({ file, title, ids, isLeftOut: isOut });
  };
  walk(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true), [], false);
  return found;
}

interface RunnerCall {
  readonly runner: string;
  /** The words between the runner and its title: `each`, `skip`, … */
  readonly modifiers: readonly string[];
  readonly title: string;
  readonly rest: readonly ts.Expression[];
}

function runnerOf(call: ts.CallExpression): RunnerCall | null {
  const modifiers: string[] = [];
  let callee: ts.Expression = call.expression;
  while (!ts.isIdentifier(callee)) {
    if (ts.isCallExpression(callee)) callee = callee.expression;
    else if (ts.isPropertyAccessExpression(callee)) {
      modifiers.push(callee.name.text);
      callee = callee.expression;
    } else return null;
  }
  const [title, ...rest] = call.arguments;
  if (!runners.has(callee.text) || title === undefined || !ts.isStringLiteralLike(title)) return null;
  return { runner: callee.text, modifiers, title: title.text, rest };
}

/** What is wrong between the list of faults and the tests; empty when they agree. */
export function complaintsOf(faults: readonly Fault[], tests: readonly ProvingTest[]): string[] {
  const known = new Set(faults.map(({ id }) => id));
  const complaints = tests.flatMap(({ file, title, ids, isLeftOut }) => [
    ...ids.filter((id) => !known.has(id)).map((id) => `${file}: "${title}" names ${id}, which is no fault`),
    ...(isLeftOut ? [`${file}: "${title}" does not run`] : []),
  ]);
  for (const { id, waitsFor } of faults) {
    const hasTests = tests.some(({ ids }) => ids.includes(id));
    if (waitsFor === undefined && !hasTests) complaints.push(`${id} is built, and no test names it`);
    if (waitsFor !== undefined && hasTests) complaints.push(`${id} has tests, and is said to be not built`);
  }
  if (known.size < faults.length) complaints.push('an id is given twice');
  return complaints;
}

/** The document. `results` null: without results. */
export function resilienceText(
  faults: readonly Fault[],
  tests: readonly ProvingTest[],
  results: readonly TestResult[] | null,
): string {
  const rows = faults.map((fault) => {
    const cells = [fault.id, fault.fault, behaviourOf(fault), proofOf(fault, tests, results)];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return `# What may break, and what then happens

Each fault has an id, and each test that proves it has the id in its title. Made by \`npm run resilience -- --write\` from
scripts/faults.ts, from the titles of the tests and, when there is one, from the report of the last \`npm test\`; \`npm run
check\` fails when the list, the tests and this table disagree.

| id | what breaks | what happens | tests |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function behaviourOf({ behaviour, waitsFor }: Fault): string {
  return waitsFor === undefined ? behaviour : `not built (missing: ${waitsFor}). ${behaviour}`;
}

function proofOf(
  { id }: Fault,
  tests: readonly ProvingTest[],
  results: readonly TestResult[] | null,
): string {
  const own = tests.filter(({ ids }) => ids.includes(id));
  const files = [...new Set(own.map(({ file }) => file))].sort();
  return files
    .map((file) => {
      const titles = own.filter((test) => test.file === file);
      return `\`${file.replace(/^test\//, '')}\` (${titles.length})${verdictOf(titles, results)}`;
    })
    .join('<br>');
}

const verdict = / [✓✗]/g;

function verdictOf(tests: readonly ProvingTest[], results: readonly TestResult[] | null): string {
  const own = (results ?? []).filter((result) => tests.some((test) => isOf(result, test)));
  if (own.length === 0) return '';
  return own.every(({ hasPassed }) => hasPassed) ? ' ✓' : ' ✗';
}

/** A result belongs to a test when its title is that of the test with the cases filled in. */
function isOf(result: TestResult, { file, title }: ProvingTest): boolean {
  if (result.file !== file) return false;
  const parts = title.split(/%[sidfjo]|\$[a-zA-Z]\w*/);
  const pattern = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^${pattern}$`, 's').test(result.title);
}

/** What two runs have in common: the document without results, and without the widths of its columns. */
export function withoutResults(text: string): string {
  return text.replace(verdict, '').replace(/ {2,}/g, ' ').replace(/-{3,}/g, '---');
}
