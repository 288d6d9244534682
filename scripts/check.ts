// `npm run check`: format, lint, types, import rules, dead code. Every tool must really have looked: the import rules
// must find planted violations, and must have read as many files as there are.
import { execFileSync, spawnSync } from 'node:child_process';
import { cruise } from 'dependency-cruiser';
import { cruiseOptions, rulesFor } from './import-rules.ts';

interface Step {
  readonly name: string;
  readonly run: () => Promise<string | null> | string | null;
}

/** Runs a tool; null when it is content, otherwise what it said. */
function tool(command: string, ...args: string[]): () => string | null {
  return () => {
    const result = spawnSync(command, args, { encoding: 'utf8' });
    return result.status === 0 ? null : `${result.stdout}${result.stderr}${result.error?.message ?? ''}`;
  };
}

const steps: readonly Step[] = [
  { name: 'biome (format, fast lint)', run: tool('biome', 'ci', '--colors=off', '.') },
  { name: 'tsc', run: tool('tsc', '--noEmit', '--pretty', 'false') },
  { name: 'eslint (rules that need types)', run: tool('eslint', '--no-color', '.') },
  { name: 'import rules', run: importRules },
  { name: 'import rules find what is planted', run: plantedViolations },
  {
    name: 'faults, their tests and docs/RESILIENCE.md',
    run: tool(process.execPath, 'scripts/resilience.ts'),
  },
  { name: 'knip (dead code)', run: tool('knip', '--no-progress') },
];

let failed = 0;
for (const { name, run } of steps) {
  const startedAtMs = performance.now();
  const complaint = await run();
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  console.log(`${complaint === null ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (complaint !== null) {
    failed += 1;
    console.log(complaint);
  }
}
process.exitCode = failed === 0 ? 0 : 1;

async function importRules(): Promise<string | null> {
  const { violations, files } = await cruised('src');
  const tracked = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', 'src/**/*.ts', 'src/*.ts'],
    { encoding: 'utf8' },
  )
    .trim()
    .split('\n').length;
  if (files !== tracked) return `the import rules read ${files} files, there are ${tracked}`;
  return violations.length === 0 ? null : violations.join('\n');
}

/** Each file below test/planted breaks one rule, which its first line names. */
async function plantedViolations(): Promise<string | null> {
  const { violations } = await cruised('test/planted');
  const planted = execFileSync(
    'git',
    ['grep', '-h', '--untracked', '-o', 'breaks: .*', '--', 'test/planted'],
    { encoding: 'utf8' },
  )
    .trim()
    .split('\n')
    .map((line) => line.replace('breaks: ', ''));
  const missed = planted.filter((rule) => !violations.some((violation) => violation.startsWith(`${rule}:`)));
  if (planted.length === 0) return 'nothing is planted';
  return missed.length === 0 ? null : `not found: ${missed.join(', ')}\nfound: ${violations.join('\n')}`;
}

async function cruised(folder: string): Promise<{ violations: string[]; files: number }> {
  const { output } = await cruise([folder], {
    ...cruiseOptions,
    validate: true,
    ruleSet: { forbidden: rulesFor(folder) },
  });
  if (typeof output === 'string') return { violations: [output], files: 0 };
  const own = output.modules.filter(({ source }) => source.startsWith(`${folder}/`));
  const violations = output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  return { violations, files: own.length };
}
