// The parts of the daemon, put together as a supervision tree. Called by app/daemon.ts once.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fuseHandler } from '../actors/fuse-handler.ts';
import type { IndexedOrigin } from '../actors/indexer.ts';
import type { OriginLaneMessage } from '../actors/origin-lane.ts';
import type { StatusBoard } from '../actors/status-board.ts';
import type { ControlPort } from '../control/daemon-port.ts';
import { probeAlive } from '../fuse/probe-alive.ts';
import { LocalOrigin } from '../origins/local-origin.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { resourceUse } from '../platform/own-resources.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import type { ActorSnapshot } from '../supervision/actor-snapshot.ts';
import type { SupervisorSpec } from '../supervision/child-spec.ts';
import { catalogOf, fuseHandlerFor, type Session } from './choose-driver.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { withTestBudgets } from './failpoint-port.ts';
import { specialTexts } from './special-texts.ts';
import { supervisionTree } from './supervision-tree.ts';

export interface DaemonParts {
  readonly options: DaemonOptions;
  readonly session: Session;
  readonly board: StatusBoard;
  readonly failpoints: Failpoints;
  readonly port: ControlPort;
  /** The session was taken over from an earlier life. */
  readonly isAdopted: boolean;
  /** The mount ends with this life. */
  readonly isEnding: () => boolean;
  readonly snapshot: () => ActorSnapshot | null;
  readonly rescan: () => void;
  readonly onServing: (hasResend: boolean) => void;
  readonly onAnswering: () => void;
  readonly onAlive: () => void;
  readonly onSessionEnded: (errno: string) => void;
  /** The catalog is damaged and ordered to be recovered at the next start. */
  readonly onDamaged: () => void;
}

/** What the kernel may take to hear of the last publication of a scan; past that the scan ends without it. */
const settleMs = 10_000;
/** Two parsers keep two cores busy; more would take them from players. */
const parserCount = 2;

export function treeOf(parts: DaemonParts): SupervisorSpec {
  const { options, session, board, failpoints, port } = parts;
  const catalogPath = catalogOf(options);
  const origins = options.origins.map(({ id, root }): IndexedOrigin & { origin: LocalOrigin } => ({
    id,
    root,
    lane: actorRef<OriginLaneMessage>(`origin-lane.${id}`),
    origin: new LocalOrigin(id, root),
  }));
  mkdirSync(path.dirname(options.socketPath), { recursive: true, mode: 0o700 });
  const tree = supervisionTree({
    catalogWriter: {
      threads: options.threads.catalogWriter,
      data: {
        path: catalogPath,
        origins: origins.map(({ id, root }) => ({ name: id, kind: 'local', root })),
        failpoints: options.enableFailpoints,
      },
      failpoints: () => failpoints.settings('catalog-writer'),
      board,
      onPublished: () => {
        fuseHandler.tell({ type: 'published' });
      },
      onDamaged: parts.onDamaged,
    },
    lanes: origins.map(({ lane, origin }) => ({ ref: lane, origin, board, failpoints })),
    indexer: {
      origins,
      board,
      failpoints,
      settle: async (signal) => {
        await fuseHandler.ask<null>((reply) => ({ type: 'settle', reply }), { timeoutMs: settleMs, signal });
      },
      parsers: {
        size: parserCount,
        dropPrivileges: process.getuid?.() === 0,
        limits: limits.parser,
        failpoints: () => failpoints.settings('parser'),
      },
    },
    fuseHandler: fuseHandlerFor(session, options, parts.isAdopted, {
      originRoots: origins.map(({ root }) => root),
      isEnding: parts.isEnding,
      board,
      specialTexts: () => specialTexts(port.status()),
      onRefreshAsked: parts.rescan,
      failpoints: () => failpoints.settings('fuse'),
      beforeNotification: () => void failpoints.check('fuse.notify.before-write'),
      onServing: parts.onServing,
      onAnswering: parts.onAnswering,
      onSessionEnded: parts.onSessionEnded,
    }),
    resources: { board, use: resourceUse },
    control: { port, socketPath: options.socketPath },
    watchdog: {
      board,
      failpoints,
      snapshot: parts.snapshot,
      probe: (limitMs) => probeAlive(options.mountPoint, limitMs),
      onAlive: parts.onAlive,
    },
  });
  return options.enableFailpoints ? withTestBudgets(tree, process.env) : tree;
}
