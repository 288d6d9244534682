// What `/.musicfs/` shows of a daemon: texts by file name, each ending with a line's end. Pure.
import type { StatusReport } from '../control/daemon-port.ts';
import { describeStatus } from '../control/describe-status.ts';

export function specialTexts(report: StatusReport): Record<string, string> {
  return {
    status: `${JSON.stringify(report, null, 2)}\n`,
    'status.txt': `${describeStatus(report)}\n`,
    origins: lines(
      report.origins.map(({ id, kind, root, state, files }) => [id, kind, state, files, root].join('\t')),
    ),
    warnings: lines(report.warnings),
  };
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
