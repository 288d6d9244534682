// musicfs template preview: what another path template would make of the library, before it is written into the
// configuration.
import type { Command } from 'commander';
import type { TemplatePreviewReport } from '../control/client.ts';
import { templatePresets } from '../library/template.ts';
import { MusicfsError } from '../platform/errors.ts';
import { count, counted } from '../platform/plain-figures.ts';
import { addDaemonOptions, type DaemonOptions, withDaemon } from './find-daemon.ts';
import { harmless, printReport } from './print.ts';

interface PreviewOptions extends DaemonOptions {
  readonly examples?: string;
}

export function registerTemplate(program: Command): void {
  const template = program.command('template').description('the template of paths in the tree');
  addDaemonOptions(
    template
      .command('preview')
      .argument('<template>', `a template, or one of ${Object.keys(templatePresets).join(', ')}`),
  )
    .description('show what that template would make of the library; nothing is changed')
    .option('--examples <count>', 'how many paths to show', '20')
    .action(async (text: string, options: PreviewOptions) => {
      const examples = Number(options.examples);
      if (!Number.isInteger(examples) || examples < 1 || examples > 1_000) {
        throw new MusicfsError('invalid_argument', '--examples is a whole number from 1 to 1000');
      }
      const report = await withDaemon(undefined, options, async (client) => {
        for await (const part of client.previewTemplate({ template: text, examples })) return part;
        throw new MusicfsError('cancelled', 'it was stopped before its end');
      });
      printReport(report, options.json, describePreview);
    });
}

function describePreview(report: TemplatePreviewReport): string {
  const { tracks, changed, colliding, examples, collisions, longestName, longestNameBytes } = report;
  const lines = [`${count(changed)} of ${counted(tracks, 'track')} would have another path`];
  for (const { before, after } of examples) lines.push(`  ${harmless(before)}`, `  → ${harmless(after)}`);
  if (colliding > 0) {
    lines.push(`${counted(colliding, 'track')} would share a path, and be told apart by a suffix`);
    for (const { path, realPaths } of collisions) {
      lines.push(`  ${harmless(path)}`, ...realPaths.map((file) => `    ${harmless(file)}`));
    }
  }
  if (longestName !== '')
    lines.push(`the longest name has ${longestNameBytes} of 255 bytes: ${harmless(longestName)}`);
  return lines.join('\n');
}
