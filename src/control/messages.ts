// Between the reports of daemon-port.ts and the messages on the wire. The two differ in enums only (lower case here,
// prefixed upper case there) and in how absence is written; the compiler holds both sides to each other.
import { MusicfsError } from '../platform/errors.ts';
import type {
  CacheReport,
  OriginReport,
  ScanProgress,
  ScanReport,
  StatusReport,
  SupervisionNode,
} from './daemon-port.ts';
import type { ActorInfo, ActorInfo__Output } from './generated/musicfs/v1/ActorInfo.ts';
import type { CacheStats, CacheStats__Output } from './generated/musicfs/v1/CacheStats.ts';
import type {
  ScanProgress__Output,
  ScanProgress as ScanProgressMessage,
} from './generated/musicfs/v1/ScanProgress.ts';
import type { ScanStatus, ScanStatus__Output } from './generated/musicfs/v1/ScanStatus.ts';
import type { Status, Status__Output } from './generated/musicfs/v1/Status.ts';

export function toStatusMessage(report: StatusReport): Status {
  return {
    ...report,
    state: toEnum('MOUNT_STATE', report.state),
    scan: toScanStatus(report.scan),
    warnings: [...report.warnings],
    keptBy: toEnum('KEPT_BY', report.keptBy),
    session: { ...report.session, kernelFeatures: [...report.session.kernelFeatures] },
    origins: report.origins.map((origin) => ({ ...origin, state: toEnum('ORIGIN_STATE', origin.state) })),
    fuse: { ...report.fuse, requests: { ...report.fuse.requests } },
    cache:
      report.cache === undefined ? null : { ...report.cache, mode: toEnum('CACHE_MODE', report.cache.mode) },
  };
}

export function fromStatusMessage(message: Status__Output): StatusReport {
  const { scan, session, process, fuse, supervision, warnings, origins, cache, ...rest } = message;
  return {
    ...rest,
    state: fromEnum('MOUNT_STATE', message.state),
    scan: fromScanStatus(present(scan)),
    warnings,
    keptBy: fromEnum('KEPT_BY', message.keptBy),
    session: present(session),
    process: present(process),
    origins: origins.map(
      (origin): OriginReport => ({ ...origin, state: fromEnum('ORIGIN_STATE', origin.state) }),
    ),
    fuse: present(fuse),
    supervision: present(supervision),
    ...(cache === null ? {} : { cache: { ...cache, mode: fromEnum('CACHE_MODE', cache.mode) } }),
  };
}

function toScanStatus({ phase, ...rest }: ScanReport): ScanStatus {
  return { ...rest, ...(phase === undefined ? {} : { phase: toEnum('SCAN_PHASE', phase) }) };
}

function fromScanStatus({ phase, ...rest }: ScanStatus__Output): ScanReport {
  return { ...rest, ...(phase === undefined ? {} : { phase: fromEnum('SCAN_PHASE', phase) }) };
}

export function toScanProgressMessage(progress: ScanProgress): ScanProgressMessage {
  return { ...progress, phase: toEnum('SCAN_PHASE', progress.phase) };
}

export function fromScanProgressMessage(message: ScanProgress__Output): ScanProgress {
  return { ...message, phase: fromEnum('SCAN_PHASE', message.phase) };
}

export function toCacheStatsMessage(report: CacheReport): CacheStats {
  return { ...report, mode: toEnum('CACHE_MODE', report.mode), origins: [...report.origins] };
}

export function fromCacheStatsMessage(message: CacheStats__Output): CacheReport {
  return { ...message, mode: fromEnum('CACHE_MODE', message.mode) };
}

export function toActorInfo({ strategy, ...node }: SupervisionNode): ActorInfo {
  return {
    ...node,
    kind: toEnum('ACTOR_KIND', node.kind),
    ...(strategy === undefined ? {} : { strategy: toEnum('RESTART_STRATEGY', strategy) }),
    state: toEnum('ACTOR_STATE', node.state),
    children: node.children.map(toActorInfo),
  };
}

export function fromActorInfo(message: ActorInfo__Output): SupervisionNode {
  const { strategy, budget, lastError, mailbox, children, ...node } = message;
  return {
    ...node,
    kind: fromEnum('ACTOR_KIND', node.kind),
    ...(strategy === undefined ? {} : { strategy: fromEnum('RESTART_STRATEGY', strategy) }),
    state: fromEnum('ACTOR_STATE', node.state),
    ...(budget === null ? {} : { budget }),
    ...(lastError === null ? {} : { lastError }),
    ...(mailbox === null ? {} : { mailbox }),
    children: children.map(fromActorInfo),
  };
}

export function toEnum<P extends string, V extends string>(prefix: P, value: V): `${P}_${Uppercase<V>}` {
  return `${prefix}_${value.toUpperCase()}` as `${P}_${Uppercase<V>}`;
}

type EnumWord<P extends string, V> = V extends `${P}_${infer Word}`
  ? Exclude<Lowercase<Word>, 'unspecified'>
  : never;

/** The lower-case word of an enum value. A value that is not of our time comes from another version: `internal`. */
export function fromEnum<P extends string, V extends string>(prefix: P, value: V): EnumWord<P, V> {
  const text: unknown = value; // an unknown number stays a number
  if (typeof text !== 'string' || text === `${prefix}_UNSPECIFIED`) {
    throw new MusicfsError(
      'internal',
      `the daemon sent ${prefix} = ${text}, which this version does not know`,
    );
  }
  return text.slice(prefix.length + 1).toLowerCase() as EnumWord<P, V>;
}

function present<T>(message: T | null): T {
  if (message !== null) return message;
  throw new MusicfsError('internal', 'the answer of the daemon lacks a part: is it another version?');
}
