// The composition root: builds the parts, starts the tree, and ends it. Called by main.ts once.
//
// Order of a start: lock of the state directory · (the session is there already, new or of an earlier life) · tree in
// list order. Nothing before the first answer depends on the size of the library or on an origin being up.
// A stop: unmount, while requests are still answered · tree in reverse · lock. A hand-over is the same without the
// unmount: what is unanswered is the next life's.
import { rmdirSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { constants as osConstants } from 'node:os';
import path from 'node:path';
import { indexer } from '../actors/indexer.ts';
import { StatusBoard } from '../actors/status-board.ts';
import { forgetOptions } from '../config/recorded-options.ts';
import type { ControlPort } from '../control/daemon-port.ts';
import { NativeProcess } from '../fuse/drivers/fuse-native/native-process.ts';
import { beginSession, SessionMemory } from '../fuse/session-memory.ts';
import { systemClock } from '../platform/clock.ts';
import { keepCrashReports } from '../platform/crash-report.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { Failpoints } from '../platform/failpoints.ts';
import { createLogger, type ProgramLogger } from '../platform/logger.ts';
import { mountAt, readMounts } from '../platform/mount-table.ts';
import { exitNow } from '../platform/native.ts';
import { pendingJobOf } from '../platform/service-manager.ts';
import { lockState, type StateLock } from '../platform/state-lock.ts';
import { type System, startSystem } from '../supervision/system.ts';
import { catalogOf, type Session, sessionFor } from './choose-driver.ts';
import { type ControlPortOptions, createControlPort } from './control-port.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { needsFetcher, treeOf } from './daemon-tree.ts';
import { endMount } from './end-mount.ts';
import { exitCodes } from './exit-codes.ts';
import { failpointPortOf, interceptBy } from './failpoint-port.ts';
import { connectKeeper, connectManager, type HolderLink, noHolder } from './holder-link.ts';
import { refuseUnknownMissingOrigins } from './missing-origins.ts';
import { Reload } from './reload.ts';

/** All of a stop; past it the process ends itself. */
const stopMs = 10_000;
/** The same where a hand-over waits for reads, as the kernel sends none twice. */
const slowHandOverMs = 40_000;

/** Runs the daemon until it is told to stop. Resolves to its exit code. */
export function runDaemon(options: DaemonOptions): Promise<number> {
  const { stateDirectory, version } = options;
  keepCrashReports({ directory: path.join(stateDirectory, 'crash'), version, exit: exitNow });
  return new Daemon(options, createLogger(options.logLevel, 'musicfsd')).run();
}

class Daemon {
  private readonly options: DaemonOptions;
  private readonly log: ProgramLogger;
  private readonly board = new StatusBoard();
  private readonly failpoints: Failpoints;
  private readonly holder: HolderLink;
  private readonly reload: Reload;
  private readonly finished = Promise.withResolvers<number>();
  private readonly session: Session;
  private readonly memory: SessionMemory | null;
  private lock: StateLock | null = null;
  /** The running tree, once it stands; a stop that comes earlier waits for it. */
  private starting: Promise<System | null> = Promise.resolve(null);
  private system: System | null = null;
  private port: ControlPort;
  private ending: 'stop' | 'hand-over' | null = null;
  private hasResend = true;

  constructor(options: DaemonOptions, log: ProgramLogger) {
    this.options = options;
    this.log = log;
    this.failpoints = new Failpoints(options.enableFailpoints, options.failpoints);
    this.session = sessionFor(options);
    this.memory = options.session === null ? null : new SessionMemory(options.session.memoryFd);
    this.reload = new Reload(options, log);
    this.holder = this.connectHolder();
    this.port = this.createPort(1);
  }

  async run(): Promise<number> {
    this.obeySignals();
    let lives = 1;
    try {
      await this.failpoints.pass('lock.acquire');
      this.lock = lockState(this.options.stateDirectory, this.options.mountPoint);
      lives = this.beginLife();
      this.port = this.createPort(lives);
      if (lives === 1) await refuseUnknownMissingOrigins(this.options);
      this.starting = this.start(lives);
      this.system = await this.starting;
      if (!this.board.serving.isServing && this.ending === null) {
        throw new MusicfsError('refused', 'the file system could not be served: see the log');
      }
    } catch (error) {
      return this.refuse(error);
    }
    const { mountPoint, origins } = this.options;
    // For the next start: it loads in half the time and 20 MB smaller.
    flushCompileCache();
    this.log.info({ event: 'serving', mountPoint, lives, origins: origins.map(({ root }) => root) });
    return this.finished.promise;
  }

  private connectHolder(): HolderLink {
    const { keptBy, manager } = this.options;
    if (manager !== null) return connectManager(manager);
    if (keptBy === 'none') return noHolder;
    return connectKeeper(() => {
      if (this.ending !== null) return;
      this.log.error({ event: 'keeper_lost' }, 'the mount ends if this daemon dies');
    });
  }

  private obeySignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (this.ending !== null) exitNow(exitCodes.signalled + osConstants.signals[signal]); // at once
        void this.endAsManaged(signal);
      });
    }
    process.on('SIGHUP', () => {
      this.holder.reloading();
      void this.reload.apply().finally(() => this.holder.reloaded());
    });
    process.on('SIGUSR1', () => this.rescan());
    process.on('SIGUSR2', () => {
      this.log.info({ event: 'status', status: this.port.status(), supervision: this.port.supervision() });
    });
  }

  /** Which life of the session this is, from 1. */
  private beginLife(): number {
    if (this.memory === null) return 1;
    const { device } = this.options.session ?? { device: '' };
    const record = this.memory.record() ?? beginSession(this.memory.fd, device).record();
    if (record === null) throw new MusicfsError('internal', 'the memory of the session cannot be written');
    const lives = record.lives + 1;
    this.memory.save({ ...record, lives, isHandedOver: false });
    return lives;
  }

  private start(lives: number): Promise<System> {
    const parts = {
      options: this.options,
      session: this.session,
      board: this.board,
      failpoints: this.failpoints,
      isAdopted: lives > 1,
      port: this.port,
      isEnding: () => this.ending === 'stop',
      snapshot: () => this.system?.snapshot() ?? null,
      rescan: () => this.rescan(),
      onServing: (hasResend: boolean) => {
        this.hasResend = hasResend;
        this.holder.serving(hasResend);
      },
      onAnswering: () => this.holder.answering(),
      onAlive: () => this.holder.alive(this.statusLine()),
      onSessionEnded: (errno: string) => this.sessionEnded(errno),
      // The mount is kept; the next process recovers the catalog.
      onDamaged: () => this.finished.resolve(exitCodes.crashed),
    };
    return startSystem(treeOf(parts), {
      clock: systemClock,
      log: this.log,
      random: Math.random,
      onRootGaveUp: ({ message }) => {
        this.log.error({ event: 'root_gave_up', reason: message });
        this.finished.resolve(exitCodes.crashed);
      },
      intercept: interceptBy(this.failpoints),
    });
  }

  private createPort(lives: number): ControlPort {
    const options: ControlPortOptions = {
      daemon: this.options,
      board: this.board,
      clock: systemClock,
      lives,
      snapshot: () => this.system?.snapshot() ?? null,
      isKept: this.holder.isKept,
      isStopping: () => this.ending !== null,
      shutdown: (mode) => void this.stop(`asked to (${mode})`, true),
      restart: (program) => this.restart(program),
      hasFetcher: needsFetcher(this.options.origins),
      catalogPath: catalogOf(this.options),
      failpoints: this.options.enableFailpoints ? failpointPortOf(this.failpoints) : null,
    };
    return createControlPort(options);
  }

  private statusLine(): string {
    const { state, files, supervision } = this.port.status();
    const origins = [...this.board.origins.values()];
    const healthy = origins.filter(({ state }) => state === 'healthy' || state === 'unknown').length;
    return `${state}, ${files} files, ${healthy} of ${origins.length} origins, ${supervision.restartsTotal} restarts`;
  }

  private rescan(): void {
    void indexer
      .ask<null>((reply) => ({ type: 'scan', originId: null, reply }), { timeoutMs: askMs })
      .catch(() => undefined); // one runs already, and is what was asked for
  }

  /** The kernel ended the session: somebody unmounted, or the connection was aborted and its mount stands there dead. */
  private sessionEnded(errno: string): void {
    const { mountPoint } = this.options;
    const isAborted =
      this.options.session !== null &&
      mountAt(mountPoint, readMounts())?.device === this.options.session.device;
    if (!isAborted || this.ending !== null) {
      this.log.info({ event: 'session_ended', errno });
      return void this.stop('the file system was unmounted', false);
    }
    this.log.error({ event: 'session_aborted', errno }, 'whoever keeps the mount makes a new one');
    this.finished.resolve(exitCodes.crashed);
  }

  /** A signal to end: whether the mount is to go is known to the service manager, where there is one. */
  private async endAsManaged(signal: string): Promise<void> {
    const { unit } = this.options;
    const job = unit === null ? null : await pendingJobOf(unit);
    if (job !== 'restart') return this.stop(signal, true);
    try {
      await this.reload.record();
    } catch {
      // Said by the reload: what was in force stays in force.
    }
    return this.handOver(`${signal}, to be restarted`, null);
  }

  /** Throws what is wrong with the configuration; otherwise the next life begins in a moment. */
  private async restart(program: string | null): Promise<void> {
    if (this.ending !== null) throw new MusicfsError('refused', 'the daemon is being stopped');
    if (!this.holder.isKept()) {
      throw new MusicfsError('refused', 'nobody keeps the mount: unmount it and mount it again');
    }
    if (this.session instanceof NativeProcess) {
      throw new MusicfsError(
        'unsupported_operation',
        'driver fuse-native cannot hand its mount over: unmount it and mount it again',
      );
    }
    await this.reload.record();
    void this.handOver('asked to restart', program);
  }

  /** Ends everything but the mount, which the next life takes over. */
  private async handOver(why: string, program: string | null): Promise<void> {
    if (this.ending !== null) return;
    this.ending = 'hand-over';
    await this.holder.handingOver(program);
    await this.end(why, this.hasResend ? stopMs : slowHandOverMs, exitCodes.handedOver);
  }

  /** Ends everything; may be called at any time and more than once. */
  private async stop(why: string, isMounted: boolean): Promise<void> {
    if (this.ending !== null) return;
    this.ending = 'stop';
    this.holder.stopping();
    const { device } = this.session;
    await this.end(why, stopMs, exitCodes.stopped, async () => {
      if (isMounted && device !== null) await endMount(this.options.mountPoint, device, this.log);
    });
  }

  private async end(
    why: string,
    limitMs: number,
    exitCode: number,
    before: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const startedAtMs = systemClock.monotonicMs();
    this.log.info({ event: 'stopping', why });
    const overrun = setTimeout(() => {
      this.log.error({ event: 'stop_overran', limitMs });
      exitNow(exitCodes.refused);
    }, limitMs);
    const system = await this.starting.catch(() => null);
    await before();
    const report = await system?.stop();
    const record = this.memory?.record();
    if (record !== undefined && record !== null) this.memory?.save({ ...record, isHandedOver: true });
    if (exitCode === exitCodes.stopped) forgetOptions(this.options.stateDirectory);
    removeIfEmpty(path.dirname(this.options.socketPath));
    this.lock?.release();
    clearTimeout(overrun);
    const tookMs = Math.round(systemClock.monotonicMs() - startedAtMs);
    this.log.info({ event: 'stopped', exitCode, tookMs, abandoned: report?.abandoned ?? [] });
    this.finished.resolve(exitCode);
  }

  private async refuse(error: unknown): Promise<number> {
    this.log.error({ event: 'refused_to_start', code: codeOf(error), error: messageOf(error) });
    await this.holder.refused(codeOf(error), messageOf(error));
    await this.system?.stop();
    if (this.session instanceof NativeProcess) await this.session.kill();
    this.lock?.release();
    return exitCodes.refused;
  }
}

const askMs = 10_000;

/** The folder of the socket is this instance's own, unless it is the state directory. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Something else is in it: it stays.
  }
}
