// The parts of the daemon, put together as a supervision tree. Called by app/daemon.ts once.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { artOriginsOf, artwork } from '../actors/artwork.ts';
import { artworkCatalog } from '../actors/artwork-catalog.ts';
import { connectFetcher, type FetcherOptions } from '../actors/fetcher.ts';
import { fuseHandler } from '../actors/fuse-handler.ts';
import { healthMonitor, type WatchedOrigin } from '../actors/health-monitor.ts';
import { type IndexedOrigin, indexer } from '../actors/indexer.ts';
import { callDirectly, callThroughFetcher, type OriginCaller } from '../actors/origin-caller.ts';
import type { OriginLaneMessage } from '../actors/origin-lane.ts';
import { playlists } from '../actors/playlists.ts';
import type { StatusBoard } from '../actors/status-board.ts';
import { sweeper } from '../actors/sweeper.ts';
import { madeDirectoryOf } from '../catalog/tree-reader.ts';
import type { ControlPort } from '../control/daemon-port.ts';
import { probeAlive } from '../fuse/probe-alive.ts';
import { type WalkSettings, WantedFiles } from '../library/scan-settings.ts';
import { MadeStore } from '../made/made-store.ts';
import { type Credentials, readCredentials } from '../origins/credentials.ts';
import { LocalOrigin } from '../origins/local-origin.ts';
import { MusicfsError } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { isFetched, isMounted, type OriginSettings } from '../platform/origin-settings.ts';
import { resourceUse } from '../platform/own-resources.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import type { ActorSnapshot } from '../supervision/actor-snapshot.ts';
import type { SupervisorSpec } from '../supervision/child-spec.ts';
import { holdPins } from './cache-port.ts';
import { cacheOf, catalogOf, fuseHandlerFor, type Session } from './choose-driver.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { recordDown, recordedDown } from './down-origins.ts';
import { testCacheIntervals, testOriginLimits, withTestBudgets } from './failpoint-port.ts';
import { look } from './look.ts';
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

/** One origin that is read where it lies needs nobody to fetch; of several, one may have to stand in for another. */
export function needsFetcher(origins: readonly OriginSettings[]): boolean {
  return origins.length > 1 || origins.some(isFetched);
}

interface TreeOrigin extends IndexedOrigin, WatchedOrigin {
  readonly caller: OriginCaller;
}

/** What the kernel may take to hear of the last publication of a scan; past that the scan ends without it. */
const settleMs = 10_000;
/** Two parsers keep two cores busy; more would take them from players. */
const parserCount = 2;

export function treeOf(parts: DaemonParts): SupervisorSpec {
  const { options, session, board, failpoints, port } = parts;
  const catalogPath = catalogOf(options);
  const walk = walkOf(options);
  const wanted = new WantedFiles(walk);
  const origins = options.origins.map((settings): TreeOrigin => {
    const isRemote = isFetched(settings);
    return {
      id: settings.id,
      settings,
      isFetched: isRemote,
      root: isRemote ? null : settings.root,
      lane: actorRef<OriginLaneMessage>(`origin-lane.${settings.id}`),
      caller: isRemote
        ? callThroughFetcher(settings)
        : callDirectly(new LocalOrigin(settings.id, settings.root), (name) => wanted.isWanted(name)),
      followsLinks: isMounted(settings) && settings.symlinks === 'inside',
    };
  });
  const hasPlaylists = options.library.options.playlists !== '';
  /** What is made of the tree must be made anew. */
  const namesChanged = () => {
    if (hasPlaylists) playlists.tell({ type: 'library-changed' });
    artwork.tell({ type: 'library-changed' });
  };
  const made = new MadeStore(madeDirectoryOf(catalogPath));
  mkdirSync(path.dirname(options.socketPath), { recursive: true, mode: 0o700 });
  const tree = supervisionTree({
    catalogWriter: {
      threads: options.threads.catalogWriter,
      data: {
        path: catalogPath,
        origins: options.origins.map(({ id, kind, root, priority }) => ({ name: id, kind, root, priority })),
        library: options.library,
        failpoints: options.enableFailpoints,
      },
      failpoints: () => failpoints.settings('catalog-writer'),
      board,
      onPublished: () => {
        fuseHandler.tell({ type: 'published' });
      },
      onLaidOut: namesChanged,
      onDamaged: parts.onDamaged,
    },
    healthMonitor: {
      origins,
      board,
      wereDown: recordedDown(options.stateDirectory),
      random: Math.random,
      onRecovered: (originId) => indexer.tell({ type: 'scan', originId, reply: null }),
      onDown: (originIds) => recordDown(options.stateDirectory, originIds),
    },
    lanes: origins.map(({ id, lane, caller }) => ({
      ref: lane,
      originId: id,
      caller,
      board,
      failpoints,
      onEvidence: (originId, error) => healthMonitor.tell({ type: 'evidence', originId, error }),
    })),
    fetcher: needsFetcher(options.origins) ? fetcherOptions(parts) : null,
    indexer: {
      origins,
      walk,
      headsDirectory: path.join(options.stateDirectory, 'heads'),
      board,
      failpoints,
      onScanned: (hasChanged) => {
        sweeper.tell({ type: 'scanned' });
        if (hasPlaylists) playlists.tell({ type: 'scanned', hasChanged });
        artwork.tell({ type: 'library-changed' });
        if (hasChanged && needsFetcher(options.origins)) void holdPins().catch(() => undefined); // said again after the next scan
      },
      settle: async (signal) => {
        await fuseHandler.ask<null>((reply) => ({ type: 'settle', reply }), { timeoutMs: settleMs, signal });
      },
      parsers: {
        size: parserCount,
        dropPrivileges: process.getuid?.() === 0,
        limits: limits.parser,
        legacyCharset: walk.legacyCharset,
        failpoints: () => failpoints.settings('parser'),
      },
    },
    playlists: !hasPlaylists
      ? null
      : {
          origins,
          copiesDirectory: path.join(options.stateDirectory, 'playlists'),
          store: made,
          render: async (sources, signal) => {
            const { library } = options;
            const answer = await look({ what: 'playlists', catalogPath, library, sources }, signal);
            if (answer.type !== 'playlists')
              throw new MusicfsError('internal', 'a look at the library answered something else');
            return answer.playlists;
          },
          board,
          failpoints,
        },
    artwork: {
      settings: options.artwork,
      catalog: artworkCatalog(options.artwork),
      origins: artOriginsOf(origins),
      copiesDirectory: path.join(options.stateDirectory, 'copies'),
      store: made,
      dropPrivileges: process.getuid?.() === 0,
      board,
      failpoints,
    },
    sweeper: { store: made },
    fuseHandler: fuseHandlerFor(session, options, parts.isAdopted, {
      originRoots: origins.flatMap(({ root }) => root ?? []),
      connectFetcher: needsFetcher(options.origins) ? connectFetcher : null,
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

function walkOf({ scan, library }: DaemonOptions): WalkSettings {
  return { ...scan, wantsPlaylists: library.options.playlists !== '' };
}

function fetcherOptions({ options, board, failpoints }: DaemonParts): FetcherOptions {
  const references = new Map(options.origins.map(({ id, credentials }) => [id, credentials]));
  const fromEnvironment = new Map<string, Credentials>();
  return {
    threads: options.threads.fetch,
    data: {
      catalogPath: catalogOf(options),
      cacheDirectory: cacheOf(options),
      stateDirectory: options.stateDirectory,
      origins: options.origins,
      cache: options.cache,
      walk: walkOf(options),
      logLevel: options.logLevel,
      failpoints: options.enableFailpoints,
      originLimits: options.enableFailpoints ? testOriginLimits(process.env) : {},
      cacheIntervals: options.enableFailpoints ? testCacheIntervals(process.env) : {},
    },
    async credentials(originId) {
      const reference = references.get(originId) ?? null;
      if (reference === null) return null;
      const known = fromEnvironment.get(originId);
      if (known !== undefined) return known;
      const read = await readCredentials(reference, process.env);
      if (reference.startsWith('env:')) fromEnvironment.set(originId, read); // it can be read once
      return read;
    },
    board,
    failpoints: () => failpoints.settings('fetch'),
    onStarted: () => {
      fuseHandler.tell({ type: 'fetcher-started' });
      void holdPins().catch(() => undefined); // the writer is being restarted, and publishes again
    },
    onNews: (news) => healthMonitor.tell({ type: 'news', news }),
    onServedElsewhere(originId, path) {
      const paths = board.servedElsewhere.get(originId) ?? new Set();
      if (paths.size < limits.servedElsewhere) board.servedElsewhere.set(originId, paths.add(path));
    },
    onChanged: (originId) => indexer.tell({ type: 'scan', originId, reply: null }),
  };
}
