// musicfs doctor: looks at the machine before or after something went wrong. Needs no daemon.
import type { Command } from 'commander';
import { examine } from './doctor-checks.ts';
import { gatherFacts } from './doctor-facts.ts';
import { exitCodes } from './exit-codes.ts';
import type { Verdict } from './machine-facts.ts';
import { printReport } from './print.ts';

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look for what would keep a mount from working')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const checks = examine(await gatherFacts());
      printReport({ checks }, json, describeChecks);
      if (checks.some(({ verdict }) => verdict === 'fail')) process.exitCode = exitCodes.problems.code;
    });
}

function describeChecks({ checks }: { checks: readonly Verdict[] }): string {
  return checks
    .map(({ verdict, check, cause, cure }) => {
      const line = `${verdict.padEnd(4)}  ${check.padEnd(16)} ${cause}`;
      return cure === undefined ? line : `${line}\n${' '.repeat(23)}-> ${cure}`;
    })
    .join('\n');
}
