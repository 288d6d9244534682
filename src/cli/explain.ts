// musicfs explain: why a file of the mount is where it is.
import type { Command } from 'commander';
import type { ExplanationReport } from '../control/client.ts';
import { addDaemonOptions, type DaemonOptions, withDaemon } from './find-daemon.ts';
import { harmless, printReport } from './print.ts';
import { pathInMount } from './tree-path.ts';

export function registerExplain(program: Command): void {
  addDaemonOptions(program.command('explain').argument('<path>', 'a file of the mount'))
    .description('show which file on which origin it is, its tags, and the rules that named it')
    .action(async (path: string, options: DaemonOptions) => {
      const report = await withDaemon(undefined, options, async (client) =>
        client.explain(await pathInMount(client, path)),
      );
      printReport(report, options.json, describeExplanation);
    });
}

function describeExplanation(report: ExplanationReport): string {
  const { path, originId, realPath, state, reason, holders, rules, tags } = report;
  const others = holders.filter((holder) => holder !== originId);
  const width = Math.max(...rules.map(({ id }) => id.length), 0);
  const tagWidth = Math.max(...tags.map(({ field }) => field.length), 0);
  return [
    harmless(path),
    ...(originId === ''
      ? []
      : [
          `  is ${harmless(realPath)} on ${originId}${others.length === 0 ? '' : `, also held by ${others.join(', ')}`}`,
        ]),
    ...(state === 'ok' ? [] : [`  ${state}${reason === '' ? '' : `: ${harmless(reason)}`}`]),
    'because',
    ...rules.map(({ id, text }) => `  ${id.padEnd(width)}  ${harmless(text)}`),
    ...(tags.length === 0 ? [] : ['tags']),
    ...tags.map(({ field, values }) => `  ${field.padEnd(tagWidth)}  ${harmless(values.join(' · '))}`),
  ].join('\n');
}
