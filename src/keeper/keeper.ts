// The keeper: owns a mount and outlives its daemons. Few lines, nothing but Node and the mount calls; it never reads the
// device and never names a path of the mount.
//
// It mounts (or takes over what mount.fuse3 has mounted), starts musicfsd with the session's descriptor and memory, and
// stays. A daemon that dies is followed by another, which takes the session over: readers pause, none fails. Where the
// kernel cannot hand out again what a dead life left unanswered (before Linux 6.9), and for a driver that mounts by
// itself, it mounts anew. A daemon that stopped on purpose (exit 0) has unmounted. One that dies over and over is given
// up: the mount is taken away, as a dead one would hang whoever looks at it.
//
// When the keeper itself dies the daemon goes on, unkept; when both are gone the kernel ends the session (ENOTCONN,
// which no scanner takes for an empty library), and the next `musicfs mount` heals it.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { MountOptions } from '../config/mount-options.ts';
import { mountNewSession, type NewSession, raiseReadAhead } from '../fuse/mount.ts';
import { beginSession } from '../fuse/session-memory.ts';
import { unmount } from '../fuse/unmount.ts';
import { type ErrorCode, MusicfsError, messageOf } from '../platform/errors.ts';
import { isMusicfs, mountAt, readMounts } from '../platform/mount-table.ts';
import { createMemoryFile, isHungUp } from '../platform/native.ts';
import { makeNonBlocking } from '../platform/native-mount.ts';
import { type DaemonNews, newsFrom } from './daemon-news.ts';
import { type KeeperLog, logFileOf, openKeeperLog } from './keeper-log.ts';
import { decideRespawn } from './respawn.ts';
import { type KeptSession, ownProgram, startDaemon } from './start-daemon.ts';

/** How a keeper ends: the exit codes of `musicfs mount` in the foreground. */
export const keeperExit = { stopped: 0, refused: 1, gaveUp: 70 } as const;

export interface Keeper {
  /** Resolves when the mount answers; rejects with the daemon's refusal. The mount is gone again then. */
  readonly serving: Promise<void>;
  /** Resolves to the exit code when the mount has ended. */
  readonly ended: Promise<number>;
  /** Asks the daemon to stop; the second call ends it at once. */
  stop(): void;
}

/** Mounts and starts the daemon. Throws `refused` when mounting is. `mounted` is a session that mount.fuse3 made. */
export function startKeeper(options: MountOptions, mounted: NewSession | null): Keeper {
  const keeper = new MountKeeper(options, mounted);
  keeper.begin();
  return keeper;
}

/** One run of the daemon. */
interface Life {
  readonly daemon: ChildProcess;
  readonly startedAtMs: number;
  isServing: boolean;
  hasAnswered: boolean;
  hasResend: boolean;
  isHandingOver: boolean;
  /** We ended it ourselves. */
  wasCutOff: boolean;
  refusal: { readonly code: ErrorCode; readonly message: string } | null;
  watchdog: NodeJS.Timeout | undefined;
}

const handedOverExit = 75;
/** A daemon that says nothing for this long is ended: at its start, and while it serves. */
const silenceMs = 30_000;
/** The first life of another program is given less: the one before works. */
const trialMs = 10_000;
/** From a signal that leaves a trace to one that cannot be ignored. */
const abortGraceMs = 5_000;
/** A daemon that refused has only to close what it opened. */
const refusedEndMs = 5_000;

class MountKeeper implements Keeper {
  readonly serving: Promise<void>;
  readonly ended: Promise<number>;
  private readonly options: MountOptions;
  private readonly log: KeeperLog;
  private readonly served = Promise.withResolvers<void>();
  private readonly finished = Promise.withResolvers<number>();
  private session: KeptSession | null;
  private life: Life | null = null;
  private program = ownProgram;
  /** The program to go back to, while another one is tried. */
  private programBefore: string | null = null;
  private failures = 0;
  private hasServed = false;
  private isStopping = false;
  private stops = 0;

  constructor(options: MountOptions, mounted: NewSession | null) {
    this.options = options;
    this.log = openKeeperLog(options.stateDirectory);
    this.session = options.driver === 'fuse-native' ? null : this.sessionFor(mounted);
    this.serving = this.served.promise;
    this.ended = this.finished.promise;
    this.serving.catch(() => undefined); // whoever waits for it hears of it too
  }

  begin(): void {
    const daemon = startDaemon(this.program, this.options, this.session);
    const life: Life = {
      daemon,
      startedAtMs: performance.now(),
      isServing: false,
      hasAnswered: false,
      hasResend: true,
      isHandingOver: false,
      wasCutOff: false,
      refusal: null,
      watchdog: undefined,
    };
    this.life = life;
    this.expectNews(life, this.programBefore === null ? silenceMs : trialMs);
    daemon.on('message', (message) => {
      const news = newsFrom(message);
      if (news !== null) this.hear(life, news);
    });
    daemon.once('error', () => void this.lifeEnded(life, keeperExit.refused, null));
    daemon.once('exit', (code, signal) => void this.lifeEnded(life, code, signal));
  }

  stop(): void {
    this.stops += 1;
    this.isStopping = true;
    if (this.life !== null) this.life.daemon.kill(this.stops === 1 ? 'SIGTERM' : 'SIGKILL');
    else void this.end(keeperExit.stopped); // between two lives
  }

  private hear(life: Life, news: DaemonNews): void {
    switch (news.type) {
      case 'serving':
        life.isServing = true;
        life.hasResend = news.hasResend;
        this.hasServed = true;
        this.programBefore = null;
        this.served.resolve();
        return this.expectNews(life, silenceMs);
      case 'alive':
        return this.expectNews(life, silenceMs);
      case 'answering':
        life.hasAnswered = true;
        return;
      case 'stopping':
        this.isStopping = true;
        return;
      case 'handing-over':
        life.isHandingOver = true;
        if (news.program === null || news.program === this.program) return;
        this.programBefore = this.program;
        this.program = news.program;
        return;
      case 'refused':
        life.refusal = { code: news.code, message: news.message };
    }
  }

  /** Ends a life from which nothing is heard for so long. */
  private expectNews(life: Life, withinMs: number): void {
    clearTimeout(life.watchdog);
    life.watchdog = setTimeout(() => {
      this.log('daemon_silent', { daemon: life.daemon.pid, silentMs: withinMs });
      life.wasCutOff = true;
      life.daemon.kill('SIGABRT');
      life.watchdog = setTimeout(() => life.daemon.kill('SIGKILL'), abortGraceMs);
    }, withinMs);
  }

  private async lifeEnded(life: Life, code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    if (this.life !== life) return; // an error, then an exit
    this.life = null;
    clearTimeout(life.watchdog);
    if (life.daemon.connected) {
      // Its last words may still be on their way: the end of the process overtakes them.
      await Promise.race([once(life.daemon, 'disconnect'), pause(refusedEndMs, undefined, { ref: false })]);
    }
    const isWorking = this.hasServed || life.isServing;
    if (this.isStopping || code === 0) {
      return this.end(code === 0 ? keeperExit.stopped : isWorking ? keeperExit.gaveUp : keeperExit.refused);
    }
    if (!isWorking) return this.refuse(life, code);
    if (code === handedOverExit && life.isHandingOver) return this.follow(life);
    const { log } = this;
    const lifeMs = Math.round(performance.now() - life.startedAtMs);
    if (this.programBefore !== null && !life.isServing && life.daemon.exitCode !== handedOverExit) {
      log('upgrade_failed', { program: this.program, code, signal, refusal: life.refusal?.message });
      this.program = this.programBefore;
      this.programBefore = null;
      return this.follow(life);
    }
    const wasKilled = (signal === 'SIGKILL' || signal === 'SIGTERM') && !life.wasCutOff;
    const { hasAnswered } = life;
    const decision = decideRespawn(this.failures, { lifeMs, hasAnswered, wasKilled });
    this.failures = decision.failures;
    log('daemon_died', { daemon: life.daemon.pid, code, signal, lifeMs, ...decision });
    if (decision.delayMs === null) return this.end(keeperExit.gaveUp);
    if (decision.delayMs > 0) await pause(decision.delayMs);
    if (!this.isStopping) await this.follow(life);
  }

  /** The next life: of the same session where it can be gone on with, else of a new one. */
  private async follow({ hasResend, isHandingOver, isServing }: Life): Promise<void> {
    try {
      const isLost = this.session === null || isHungUp(this.session.fd);
      if (isLost && this.session !== null && !this.isOurs(mountAt(this.options.mountPoint, readMounts()))) {
        return await this.end(keeperExit.stopped); // somebody unmounted
      }
      if (isLost || (isServing && !hasResend && !isHandingOver)) await this.mountAnew();
      if (this.isStopping) await this.takeAway();
      else this.begin();
    } catch (error) {
      this.log('mount_lost', { error: messageOf(error) });
      await this.end(keeperExit.gaveUp);
    }
  }

  /** What waits in the old session ends with ECONNABORTED or ENOTCONN when its last descriptor is closed. */
  private async mountAnew(): Promise<void> {
    await this.takeAway();
    this.log('mounting_anew');
    if (this.options.driver !== 'fuse-native') this.session = this.sessionFor(null);
  }

  private async refuse(life: Life, code: number | null): Promise<void> {
    await this.takeAway();
    const { code: reason, message } = life.refusal ?? {
      code: 'refused' as const,
      message: `the daemon ended at its start (${code}): see ${logFileOf(this.options.stateDirectory)}`,
    };
    this.served.reject(new MusicfsError(reason, message));
    this.finished.resolve(keeperExit.refused);
  }

  private async end(code: number): Promise<void> {
    await this.takeAway();
    if (code === keeperExit.gaveUp) this.log('gave_up', { failures: this.failures });
    this.served.reject(new MusicfsError('refused', 'the mount was ended before it answered'));
    this.finished.resolve(code);
  }

  /** Takes the mount away, should it still be there. What cannot be is left to the next start, which says why not. */
  private async takeAway(): Promise<void> {
    const { mountPoint } = this.options;
    if (this.isOurs(mountAt(mountPoint, readMounts()))) await unmount(mountPoint, 'giving-up');
    if (this.session !== null) {
      closeSync(this.session.fd);
      closeSync(this.session.memoryFd);
    }
    this.session = null;
  }

  private isOurs(top: ReturnType<typeof mountAt>): boolean {
    return this.options.driver === 'fuse-native'
      ? isMusicfs(top)
      : top !== undefined && top.device === this.session?.device;
  }

  private sessionFor(mounted: NewSession | null): KeptSession {
    const { mountPoint, allowOther } = this.options;
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    const session = mounted ?? mountNewSession({ mountPoint, allowOther, uid, gid });
    if (mounted !== null) {
      makeNonBlocking(mounted.fd);
      raiseReadAhead(mounted.device);
    }
    const memoryFd = createMemoryFile('musicfs-session');
    beginSession(memoryFd, session.device);
    return { ...session, memoryFd };
  }
}
