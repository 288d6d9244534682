// musicfs status: how one daemon is, on one screen.
import type { Command } from 'commander';
import type { ScanReport, StatusReport } from '../control/client.ts';
import { addDaemonOptions, type DaemonOptions, withDaemon } from './find-daemon.ts';
import { bytes, count, counted, duration } from './plain-figures.ts';
import { printReport } from './print.ts';

export function registerStatus(program: Command): void {
  addDaemonOptions(program.command('status').argument('[mountpoint]', 'which mount'))
    .description('show how the daemon is')
    .action(async (mountPoint: string | undefined, options: DaemonOptions) => {
      const report = await withDaemon(mountPoint, options, (client) => client.status());
      printReport(report, options.json, describeStatus);
    });
}

/** At most one line a fact; origins and warnings take one each. */
export function describeStatus(report: StatusReport): string {
  const { session, fuse } = report;
  const keeper = report.keptBy === 'none' ? 'no keeper' : `kept by ${report.keptBy}`;
  const label = (name: string, text: string) => `${name.padEnd(9)} ${text}`;
  return [
    `${report.mountPoint}  ${report.state}, up ${duration(report.uptimeSeconds)}`,
    label(
      'library',
      `${counted(report.tracks, 'track')}, ${counted(report.files, 'file')}, ${counted(report.directories, 'directory', 'directories')}`,
    ),
    label('scan', describeScan(report.scan)),
    ...report.origins.map((origin) =>
      label(
        'origin',
        `${origin.id}  ${origin.kind} ${origin.root}  ${counted(origin.files, 'file')}, ${origin.state}`,
      ),
    ),
    label('kernel', `driver ${report.driver}, ${keeper}, ${describeSession(session)}`),
    label('requests', describeRequests(fuse.requests)),
    label('work', `${counted(fuse.statements, 'statement')}, ${counted(fuse.notifications, 'notification')}`),
    label(
      'process',
      `pid ${report.pid}, life ${report.incarnation}, ${bytes(report.process.rssBytes)}, ${counted(report.supervision.restartsTotal, 'restart')}, version ${report.version}`,
    ),
    label('state', report.stateDirectory),
    label('socket', report.socket),
    ...report.warnings.map((warning) => label('warning', warning)),
  ].join('\n');
}

function describeScan(scan: ScanReport): string {
  const errors = counted(scan.errors, 'error');
  if (!scan.running)
    return scan.complete ? `complete, ${errors}` : 'not complete yet; musicfs rescan starts one';
  const left = scan.etaSeconds === undefined ? '' : `, ${duration(scan.etaSeconds)} left`;
  const phase = scan.phase ?? 'running';
  return `${phase}, ${count(scan.done)} of ${counted(scan.total, 'file')}, ${count(Math.round(scan.filesPerSecond))} a second${left}, ${errors}`;
}

function describeSession({ openHandles, adopted, resend }: StatusReport['session']): string {
  return [
    `${counted(openHandles, 'open file')}`,
    ...(adopted ? ['adopted'] : []),
    ...(resend ? [] : ['no resend on this kernel']),
  ].join(', ');
}

/** The six most frequent operations; --json has all. */
function describeRequests(requests: Readonly<Record<string, number>>): string {
  const frequent = Object.entries(requests)
    .filter(([, times]) => times > 0)
    .sort(([, one], [, other]) => other - one)
    .slice(0, 6);
  return frequent.length === 0
    ? 'none yet'
    : frequent.map(([name, times]) => `${name} ${count(times)}`).join(', ');
}
