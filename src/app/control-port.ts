// What the control API sees of the daemon: the status board and the supervision snapshot in control's terms.
import path from 'node:path';
import { isOffline } from '../actors/health-monitor.ts';
import { indexer } from '../actors/indexer.ts';
import { etaSeconds, filesPerSecond, type ScanState } from '../actors/scan-progress.ts';
import type { StatusBoard } from '../actors/status-board.ts';
import type {
  ControlPort,
  FailpointPort,
  MountState,
  RescanRequest,
  ScanProgress,
  ShutdownMode,
  StatusReport,
  SupervisionNode,
} from '../control/daemon-port.ts';
import type { Clock } from '../platform/clock.ts';
import { residentBytes } from '../platform/own-resources.ts';
import { pauseFor } from '../platform/pause.ts';
import type { ActorSnapshot } from '../supervision/actor-snapshot.ts';
import { createCachePort } from './cache-port.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { createLibraryPort } from './library-port.ts';
import { recoveryText, resourceTexts } from './warning-texts.ts';

export interface ControlPortOptions {
  readonly daemon: DaemonOptions;
  readonly board: StatusBoard;
  readonly clock: Clock;
  readonly snapshot: () => ActorSnapshot | null;
  readonly isKept: () => boolean;
  /** Which life of the daemon this is within its mount, from 1. */
  readonly lives: number;
  readonly isStopping: () => boolean;
  readonly shutdown: (mode: ShutdownMode) => void;
  readonly restart: (program: string | null) => Promise<void>;
  readonly hasFetcher: boolean;
  readonly catalogPath: string;
  /** With what each call passes before it is answered; null unless failpoints are enabled. */
  readonly failpoints: (FailpointPort & Required<Pick<ControlPort, 'beforeCall'>>) | null;
}

const askMs = 5_000;
const ownTree = path.resolve(import.meta.dirname, '../..');
const progressEveryMs = 200;

export function createControlPort(options: ControlPortOptions): ControlPort {
  const { board, clock } = options;
  const startedAtMs = clock.monotonicMs();
  return {
    status: () => statusOf(options, clock.monotonicMs() - startedAtMs),
    supervision: () => {
      const snapshot = options.snapshot();
      return snapshot === null ? emptyTree : nodeOf(snapshot, clock.wallMs());
    },
    rescan: (request, signal) => rescan(request, board, clock, signal),
    cancelScan: (originId) =>
      indexer.ask<boolean>((reply) => ({ type: 'cancel', originId: originId ?? null, reply }), {
        timeoutMs: askMs,
      }),
    shutdown: options.shutdown,
    restart: options.restart,
    cache: createCachePort({ board, hasFetcher: options.hasFetcher }),
    library: createLibraryPort({ catalogPath: options.catalogPath, library: options.daemon.library }),
    ...(options.failpoints === null
      ? {}
      : { failpoints: options.failpoints, beforeCall: options.failpoints.beforeCall }),
  };
}

function statusOf(options: ControlPortOptions, uptimeMs: number): StatusReport {
  const { daemon, board } = options;
  const { counters, scan } = board;
  const snapshot = options.snapshot();
  const eta = etaSeconds(scan);
  return {
    pid: process.pid,
    version: daemon.version,
    mountPoint: daemon.mountPoint,
    state: mountStateOf(options, snapshot),
    driver: daemon.driver,
    tracks: counters.tracks,
    files: counters.files,
    directories: counters.directories,
    uptimeSeconds: uptimeMs / 1000,
    scan: {
      running: scan.isRunning,
      complete: isFirstScanComplete(board),
      done: scan.done,
      total: scan.total,
      errors: scan.errors,
      ...(scan.phase === null ? {} : { phase: scan.phase }),
      filesPerSecond: filesPerSecond(scan),
      ...(eta === null ? {} : { etaSeconds: eta }),
      ...(scan.currentPath === null ? {} : { currentPath: scan.currentPath }),
      parsed: board.parsed,
    },
    warnings: warningsOf(options),
    socket: daemon.socketPath,
    stateDirectory: daemon.stateDirectory,
    keptBy: options.isKept() ? daemon.keptBy : 'none',
    incarnation: options.lives,
    session: {
      adopted: board.serving.isAdopted,
      resend: board.serving.kernelFeatures.includes('resend'),
      kernelFeatures: board.serving.kernelFeatures,
      openHandles: board.fuse?.get('openHandles') ?? 0,
    },
    process: { rssBytes: residentBytes() },
    origins: [...board.origins.values()].map(({ id, kind, root, state }) => ({
      id,
      kind,
      root,
      state,
      files: board.originRows.find(({ name }) => name === id)?.files ?? 0,
    })),
    fuse: {
      requests: board.fuse?.requests() ?? {},
      notifications: board.notifications,
      statements: board.fuse?.get('statements') ?? 0,
      passthroughOpens: board.fuse?.get('passthroughOpens') ?? 0,
      bytesRead: board.fuse?.get('bytesRead') ?? 0,
      bytesFetched: board.fuse?.get('bytesFetched') ?? 0,
    },
    supervision: { restartsTotal: snapshot === null ? 0 : restartsBelow(snapshot) },
    program: ownTree,
    ...cacheSummaryOf(board),
  };
}

function cacheSummaryOf({ fetch }: StatusBoard): Pick<StatusReport, 'cache'> {
  const cache = fetch?.cache ?? null;
  if (cache === null) return {};
  const { mode, storedBytes, limitBytes, completeFiles, partialFiles } = cache;
  const named = mode === 'no-writes' ? 'no_writes' : mode;
  return { cache: { mode: named, storedBytes, limitBytes, completeFiles, partialFiles } };
}

/** The first scan of every origin has ended, and readers see what it found. */
export function isFirstScanComplete(board: StatusBoard): boolean {
  if (board.scan.isRunning && board.scan.isFirst) return false;
  return board.originRows.length > 0 && board.originRows.every(({ firstScanComplete }) => firstScanComplete);
}

function mountStateOf(
  { board, isStopping, isKept }: ControlPortOptions,
  snapshot: ActorSnapshot | null,
): MountState {
  if (isStopping()) return 'unmounting';
  if (!board.serving.isServing && snapshot === null) return 'mounting';
  if (isOffline(board)) return 'offline';
  // What nobody has asked yet is not known to be bad.
  const isUsable = ({ state }: { state: string }) => state === 'healthy' || state === 'unknown';
  const isWell =
    [...board.origins.values()].every(isUsable) &&
    isKept() &&
    board.scan.held === 0 &&
    !hasParked(snapshot) &&
    board.fetch?.cache?.mode !== 'passthrough';
  if (!isWell) return 'degraded';
  return board.scan.isRunning ? 'syncing' : 'ready';
}

function hasParked(snapshot: ActorSnapshot | null): boolean {
  if (snapshot === null) return false;
  return snapshot.state === 'parked' || snapshot.children.some(hasParked);
}

function warningsOf({ board, isKept, failpoints, daemon }: ControlPortOptions): string[] {
  const warnings: string[] = [];
  for (const { id, lastError } of board.origins.values()) {
    if (lastError !== null) warnings.push(`origin ${id} does not answer: ${lastError}`);
  }
  if (board.scan.held > 0) {
    warnings.push(
      `${board.scan.held} files are missing on origin ${board.scan.originId ?? ''}; they stay listed, as that many never go without your word`,
    );
  }
  const cache = board.fetch?.cache ?? null;
  if (cache !== null && cache.mode !== 'normal') {
    warnings.push(
      cache.mode === 'passthrough'
        ? `nothing is kept of what is fetched, and reads go to the origins: ${cache.cause}`
        : `what is kept is served, and nothing is added: ${cache.cause}`,
    );
  }
  if (board.resources !== null) warnings.push(...resourceTexts(board.resources));
  if (board.recovery !== null) warnings.push(recoveryText(board.recovery));
  const { scan } = board;
  if (
    !scan.isRunning &&
    scan.ended > 0 &&
    !scan.wasComplete &&
    board.scanFailures.get(scan.originId ?? '') === null
  ) {
    warnings.push(
      `the last scan of ${scan.originId ?? ''} did not meet everything, so nothing was removed: see the log`,
    );
  }
  const { originRows } = board;
  for (const { id, root } of daemon.origins) {
    if (
      !board.scan.isRunning &&
      board.scan.ended > 0 &&
      board.origins.get(id)?.lastError === null &&
      originRows.find(({ name }) => name === id)?.files === 0
    ) {
      warnings.push(`origin ${id} (${root}) holds no music file`);
    }
  }
  const badReplies = board.fuse?.get('badReplies') ?? 0;
  if (badReplies > 0)
    warnings.push(`the kernel refused ${badReplies} replies: a bug of musicfs, please report it`);
  const catalogErrors = board.fuse?.get('catalogErrors') ?? 0;
  if (catalogErrors > 0) {
    warnings.push(
      `${catalogErrors} requests failed as the catalog could not be read: check the disk of the state directory`,
    );
  }
  if (!isKept()) {
    const why = daemon.keptBy === 'keeper' ? 'the keeper is gone' : 'nobody keeps it';
    warnings.push(`${why}: the mount ends if this daemon dies`);
  }
  for (const problem of board.watchdog ?? []) warnings.push(problem);
  const deadly = board.fuse?.get('deadlyRequests') ?? 0;
  if (deadly > 0)
    warnings.push(`${deadly} requests failed as the daemon died of them twice: please report it`);
  if (failpoints !== null) warnings.push('failpoints are enabled: not for daily use');
  return warnings;
}

async function* rescan(
  { originId, detached, full = false }: RescanRequest,
  board: StatusBoard,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<ScanProgress> {
  const endedBefore = board.scan.ended;
  const wanted = originId === undefined ? Math.max(board.origins.size, 1) : 1;
  await indexer.ask<null>((reply) => ({ type: 'scan', originId: originId ?? null, isFull: full, reply }), {
    timeoutMs: askMs,
    signal,
  });
  if (detached) {
    yield progressOf(board.scan);
    return;
  }
  try {
    for (;;) {
      const { scan } = board;
      const isOver = !scan.isRunning && scan.ended - endedBefore >= wanted;
      if (isOver) break;
      yield { ...progressOf(scan), ...(scan.phase === 'done' ? { phase: 'publishing' as const } : {}) };
      await pauseFor(clock, progressEveryMs, signal);
    }
    for (const [id, failure] of board.scanFailures) {
      if (failure !== null && (originId === undefined || originId === id)) throw failure;
    }
    yield progressOf(board.scan);
  } finally {
    if (signal.aborted) {
      indexer.tell({
        type: 'cancel',
        originId: originId ?? null,
        reply: { resolve: () => undefined, reject: () => undefined },
      });
    }
  }
}

function progressOf(scan: ScanState): ScanProgress {
  const eta = etaSeconds(scan);
  return {
    ...(scan.originId === null ? {} : { originId: scan.originId }),
    phase: scan.phase ?? 'listing',
    done: scan.done,
    total: scan.total,
    filesPerSecond: filesPerSecond(scan),
    ...(eta === null ? {} : { etaSeconds: eta }),
    ...(scan.currentPath === null ? {} : { currentPath: scan.currentPath }),
    added: scan.added,
    changed: scan.changed,
    moved: 0,
    removed: scan.removed,
    held: scan.held,
    errors: scan.errors,
  };
}

function restartsBelow(snapshot: ActorSnapshot): number {
  return snapshot.children.reduce((sum, child) => sum + restartsBelow(child), snapshot.restartsTotal);
}

const emptyTree: SupervisionNode = {
  path: 'root',
  id: 'root',
  kind: 'supervisor',
  state: 'starting',
  incarnation: 0,
  restartsTotal: 0,
  restartsInWindow: 0,
  busyMs: 0,
  handledTotal: 0,
  critical: true,
  children: [],
};

function nodeOf(snapshot: ActorSnapshot, wallMs: number): SupervisionNode {
  const { lastError } = snapshot;
  return {
    path: snapshot.path,
    id: snapshot.id,
    kind: snapshot.kind,
    ...(snapshot.strategy === null ? {} : { strategy: snapshot.strategy }),
    state: snapshot.state,
    incarnation: snapshot.incarnation,
    ...(snapshot.startedAtMs === null ? {} : { startedMs: snapshot.startedAtMs }),
    restartsTotal: snapshot.restartsTotal,
    restartsInWindow: snapshot.restartsInWindow,
    budget: snapshot.budget,
    ...(snapshot.nextRestartInMs === null ? {} : { nextRestartMs: wallMs + snapshot.nextRestartInMs }),
    ...(lastError === null ? {} : { lastError }),
    ...(snapshot.kind === 'supervisor' ? {} : { mailbox: snapshot.mailbox }),
    busyMs: snapshot.busyMs,
    handledTotal: snapshot.handledTotal,
    ...(snapshot.heartbeatAgeMs === null ? {} : { heartbeatAgeMs: snapshot.heartbeatAgeMs }),
    ...(snapshot.pid === null ? {} : { pid: snapshot.pid }),
    critical: snapshot.critical,
    children: snapshot.children.map((child) => nodeOf(child, wallMs)),
  };
}
