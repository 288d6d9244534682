// The composition root: builds the parts, starts the tree, and ends it. Called by main.ts once.
//
// Order of a start: lock of the state directory · (the session is there already: the keeper mounted) · tree in list
// order · "serving" to the keeper. Nothing before that depends on the size of the library or on an origin being up.
// Order of a stop: drain · unmount, while requests are still answered · tree in reverse · lock.

import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { fuseHandler } from '../actors/fuse-handler.ts';
import { type IndexedOrigin, indexer } from '../actors/indexer.ts';
import type { OriginLaneMessage } from '../actors/origin-lane.ts';
import { StatusBoard } from '../actors/status-board.ts';
import type { FailpointPort } from '../control/daemon-port.ts';
import { NativeProcess } from '../fuse/drivers/fuse-native/native-process.ts';
import { forgetSession } from '../fuse/session-record.ts';
import { unmount } from '../fuse/unmount.ts';
import { LocalOrigin } from '../origins/local-origin.ts';
import { systemClock } from '../platform/clock.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { mountAt, readMounts } from '../platform/mount-table.ts';
import { lockState, type StateLock } from '../platform/state-lock.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import { type System, startSystem } from '../supervision/system.ts';
import { catalogOf, fuseHandlerFor, type Session, sessionFor } from './choose-driver.ts';
import { createControlPort } from './control-port.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { exitCodes } from './exit-codes.ts';
import { connectKeeper, type KeeperLink } from './keeper-link.ts';
import { specialTexts } from './special-texts.ts';
import { supervisionTree } from './supervision-tree.ts';

/** What is busy is given this long to end by itself. */
const busyRetryMs = 200;
/** All of a stop; past it the process ends itself. */
const stopMs = 10_000;

/** Runs the daemon until it is told to stop. Resolves to its exit code. */
export function runDaemon(options: DaemonOptions): Promise<number> {
  return new Daemon(options, createLogger('info', 'musicfsd')).run();
}

class Daemon {
  private readonly options: DaemonOptions;
  private readonly log: Logger;
  private readonly board = new StatusBoard();
  private readonly failpoints: Failpoints;
  private readonly keeper: KeeperLink;
  private readonly finished = Promise.withResolvers<number>();
  private lock: StateLock | null = null;
  /** The running tree, once it stands; a stop that comes earlier waits for it. */
  private starting: Promise<System | null> = Promise.resolve(null);
  private system: System | null = null;
  private isStopping = false;
  private readonly session: Session;

  constructor(options: DaemonOptions, log: Logger) {
    this.options = options;
    this.log = log;
    this.failpoints = new Failpoints(options.enableFailpoints);
    this.session = sessionFor(options);
    this.keeper = connectKeeper(() => {
      if (!this.isStopping) log.error({ event: 'keeper_lost' }, 'the mount ends if this daemon dies');
    });
  }

  async run(): Promise<number> {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (this.isStopping) process.kill(process.pid, 'SIGKILL'); // the second one: at once
        void this.stop(signal, true);
      });
    }
    try {
      this.lock = lockState(this.options.stateDirectory, this.options.mountPoint);
      await refuseUnknownMissingOrigins(this.options);
      forgetSession(this.options.stateDirectory);
      this.starting = this.start();
      this.system = await this.starting;
      if (!this.board.serving.isServing && !this.isStopping) {
        throw new MusicfsError('refused', 'the file system could not be served: see the log');
      }
    } catch (error) {
      return this.refuse(error);
    }
    const { mountPoint, origins } = this.options;
    // For the next start: it loads in half the time and 20 MB smaller.
    flushCompileCache();
    this.log.info({ event: 'serving', mountPoint, origins: origins.map(({ root }) => root) });
    return this.finished.promise;
  }

  private start(): Promise<System> {
    const port = createControlPort({
      daemon: this.options,
      board: this.board,
      clock: systemClock,
      snapshot: () => this.system?.snapshot() ?? null,
      isKept: this.keeper.isKept,
      isStopping: () => this.isStopping,
      shutdown: (mode) => void this.stop(`asked to (${mode})`, true),
      failpoints: this.options.enableFailpoints ? failpointPortOf(this.failpoints) : null,
    });
    const onServing = () => void this.keeper.tell({ type: 'serving' });
    const onSessionEnded = (errno: string) => {
      this.log.info({ event: 'session_ended', errno });
      void this.stop('the file system was unmounted', false);
    };
    return startSystem(
      treeOf(
        this.options,
        this.board,
        this.failpoints,
        this.session,
        port,
        () => this.isStopping,
        onServing,
        onSessionEnded,
      ),
      {
        clock: systemClock,
        log: this.log,
        random: Math.random,
        onRootGaveUp: ({ message }) => {
          this.log.error({ event: 'root_gave_up', reason: message });
          this.finished.resolve(exitCodes.crashed);
        },
        intercept: (id, where) => this.failpoints.check(`actor.${id}.${where}`),
      },
    );
  }

  /** Ends everything; may be called at any time and more than once. */
  private async stop(why: string, isMounted: boolean): Promise<void> {
    if (this.isStopping) return;
    this.isStopping = true;
    const startedAtMs = systemClock.monotonicMs();
    void this.keeper.tell({ type: 'stopping' });
    this.log.info({ event: 'stopping', why });
    const overrun = setTimeout(() => {
      this.log.error({ event: 'stop_overran' });
      process.kill(process.pid, 'SIGKILL');
    }, stopMs);
    const system = await this.starting.catch(() => null);
    const { device } = this.session;
    if (isMounted && device !== null) await endMount(this.options.mountPoint, device, this.log);
    const report = await system?.stop();
    forgetSession(this.options.stateDirectory);
    removeIfEmpty(path.dirname(this.options.socketPath));
    this.lock?.release();
    clearTimeout(overrun);
    const tookMs = Math.round(systemClock.monotonicMs() - startedAtMs);
    this.log.info({ event: 'stopped', tookMs, abandoned: report?.abandoned ?? [] });
    this.finished.resolve(exitCodes.stopped);
  }

  private async refuse(error: unknown): Promise<number> {
    this.log.error({ event: 'refused_to_start', code: codeOf(error), error: messageOf(error) });
    await this.keeper.tell({ type: 'refused', code: codeOf(error), message: messageOf(error) });
    await this.system?.stop();
    if (this.session instanceof NativeProcess) await this.session.kill();
    this.lock?.release();
    return exitCodes.refused;
  }
}

function treeOf(
  options: DaemonOptions,
  board: StatusBoard,
  failpoints: Failpoints,
  session: Session,
  port: ReturnType<typeof createControlPort>,
  isEnding: () => boolean,
  onServing: () => void,
  onSessionEnded: (errno: string) => void,
): ReturnType<typeof supervisionTree> {
  const catalogPath = catalogOf(options);
  const origins = options.origins.map(({ id, root }): IndexedOrigin & { origin: LocalOrigin } => ({
    id,
    root,
    lane: actorRef<OriginLaneMessage>(`origin-lane.${id}`),
    origin: new LocalOrigin(id, root),
  }));
  mkdirSync(path.dirname(options.socketPath), { recursive: true, mode: 0o700 });
  return supervisionTree({
    catalogWriter: {
      threads: options.threads.catalogWriter,
      data: {
        path: catalogPath,
        origins: origins.map(({ id, root }) => ({ name: id, kind: 'local', root })),
      },
      board,
      onPublished: () => {
        fuseHandler.tell({ type: 'published' });
      },
    },
    lanes: origins.map(({ lane, origin }) => ({ ref: lane, origin, board })),
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
        failpoints: () => failpoints.settings('parser.'),
      },
    },
    fuseHandler: fuseHandlerFor(session, options, {
      originRoots: origins.map(({ root }) => root),
      isEnding,
      board,
      specialTexts: () => specialTexts(port.status()),
      onRefreshAsked: () => {
        void indexer
          .ask<null>((reply) => ({ type: 'scan', originId: null, reply }), { timeoutMs: settleMs })
          .catch(() => undefined); // one runs already, and is what was asked for
      },
      failpoints: () => failpoints.settings('fuse.'),
      onServing,
      onSessionEnded,
    }),
    control: { port, socketPath: options.socketPath },
  });
}

/** A missing origin is an outage when its files are known, and a mistake when they are not. */
async function refuseUnknownMissingOrigins({ origins, stateDirectory }: DaemonOptions): Promise<void> {
  const file = origins.find(({ root }) => statSync(root, { throwIfNoEntry: false })?.isDirectory() === false);
  if (file !== undefined)
    throw new MusicfsError('refused', `origin ${file.root} is a file: name the directory with the music`);
  const missing = origins.find(({ root }) => !existsSync(root));
  if (missing === undefined) return;
  // Loaded only here: SQLite belongs to the threads.
  const { isOriginKnown } = await import('../catalog/open-catalog.ts');
  if (isOriginKnown(path.join(stateDirectory, 'catalog.db'), missing.id)) return;
  throw new MusicfsError(
    'refused',
    `origin ${missing.root} does not exist, and nothing of it is known from before: is the path right, the disk mounted?`,
  );
}

/** What the kernel may take to hear of the last publication of a scan; past that the scan ends without it. */
const settleMs = 10_000;

/** Two parsers keep two cores busy; more would take them from players. */
const parserCount = 2;

/** Failpoints of the fuse thread are armed there, all others here. */
function failpointPortOf(failpoints: Failpoints): FailpointPort {
  return {
    list: () => failpoints.list(),
    set(setting) {
      failpoints.set(setting);
      if (setting.startsWith('fuse.')) fuseHandler.tell({ type: 'set-failpoint', setting });
      return Promise.resolve();
    },
    clear() {
      failpoints.clear();
      fuseHandler.tell({ type: 'clear-failpoints' });
      return Promise.resolve();
    },
  };
}

/** The folder of the socket is this instance's own, unless it is the state directory. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Something else is in it: it stays.
  }
}

/** Unmounts while requests are still answered; what is busy is detached, so that the path is free at once. */
async function endMount(mountPoint: string, device: string, log: Logger): Promise<void> {
  const top = mountAt(mountPoint, readMounts());
  if (top?.device !== device) {
    if (top !== undefined) log.warn({ event: 'mount_covered', mountPoint, by: top.fsType });
    return; // gone already, or somebody mounted over it: theirs is not ours to take away
  }
  if ((await unmount(mountPoint, { lazy: false })) === null) return;
  await new Promise((resolve) => setTimeout(resolve, busyRetryMs));
  if ((await unmount(mountPoint, { lazy: false })) === null) return;
  const error = await unmount(mountPoint, { lazy: true });
  log.warn(
    error === null
      ? { event: 'unmounted_lazily', mountPoint }
      : { event: 'unmount_failed', mountPoint, error },
  );
}
