// How one daemon is, as a person reads it on one screen: for `musicfs status` and the file `/.musicfs/status.txt`. Pure.
import { bytes, count, counted, duration } from '../platform/plain-figures.ts';
import type { CacheSummary, ScanReport, StatusReport } from './daemon-port.ts';

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
    ...(report.cache === undefined ? [] : [label('cache', describeCache(report.cache))]),
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

function describeCache(cache: CacheSummary): string {
  const mode = cache.mode === 'normal' ? '' : `, ${cache.mode}`;
  return `${bytes(cache.storedBytes)} of ${bytes(cache.limitBytes)}, ${count(cache.completeFiles)} files whole, ${count(cache.partialFiles)} in part${mode}`;
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
