// Writes a supervision report as one log line, at the level its meaning deserves. The event word is the report's own,
// behind `child_`.
import type { Logger } from '../platform/logger.ts';
import type { SupervisionReport } from './supervision-report.ts';

const levels = {
  started: 'info',
  woken: 'info',
  exited: 'info',
  restarting: 'warn',
  'gave-up': 'error',
  parked: 'error',
  abandoned: 'error',
} as const satisfies Record<SupervisionReport['event'], keyof Logger>;

export function logReport(log: Logger, report: SupervisionReport): void {
  const fields = { ...report, event: `child_${report.event.replace('-', '_')}` };
  log[levels[report.event]](fields);
}
