// The one way to an origin: every call to it passes here, so that concurrency, rate, deadlines and the circuit breaker
// hold for all of them together, and each answer counts as evidence of how the origin is. Lives where the origin's
// adapter does. It never retries: whether to wait or to ask somebody else is the caller's choice.
//
// For mounted kinds (local, nfs, smb) a read that fails says nothing about the origin, as one bad sector is not a dead
// disk: it sets off a probe, whose verdict counts.
import PQueue from 'p-queue';
import type { RealPath } from '../library/real-path.ts';
import type { Clock } from '../platform/clock.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { pauseFor } from '../platform/pause.ts';
import type { Bandwidth } from './bandwidth.ts';
import {
  afterFailure,
  afterSuccess,
  type Breaker,
  closedBreaker,
  isCharged,
  isOpen,
  mayProbe,
} from './breaker.ts';
import { CallTimer } from './call-timer.ts';
import type { Candidate } from './choose-origin.ts';
import { Latency } from './latency.ts';
import type { FileVersion, IsWanted, Origin, OriginEntry } from './origin.ts';
import {
  afterAnswer,
  afterError,
  type OriginHealthFacts,
  slowBytesPerSecond,
  slowFirstByteMs,
  unknownHealth,
} from './origin-health.ts';
import type { OriginLimits } from './origin-limits.ts';

/** Who waits for a call: a lower class yields its place in the queue, and never takes the last slot. */
export const callClasses = ['foreground', 'read-ahead', 'pin', 'prefetch', 'scan', 'verify'] as const;
export type CallClass = (typeof callClasses)[number];

export interface OriginGateOptions {
  readonly origin: Origin;
  readonly priority: number;
  readonly limits: OriginLimits;
  readonly clock: Clock;
  /** 0 … 1. */
  readonly random: () => number;
  /** It was down when the last life ended: calls are refused until a probe has succeeded. */
  readonly wasDown: boolean;
  /** Called after each change of health. */
  readonly onHealth: (health: OriginHealthFacts) => void;
  /** Bytes came. */
  readonly onBytes?: (bytes: number) => void;
  /** Left out: no limit. */
  readonly bandwidth?: Bandwidth;
}

/** Work counters. */
export interface GateStats {
  calls: number;
  failures: number;
  bytes: number;
}

/** So long after a failure those that began before it may be due to the same. */
const accidentMs = 1_000;

/** A call that failed. */
interface EndedCall {
  readonly what: 'read' | 'probe' | 'call';
  readonly startedMs: number;
  /** It had brought bytes. */
  readonly hasAnswered?: boolean;
}

const mountedKinds: ReadonlySet<string> = new Set(['local', 'nfs', 'smb']);
const longestPauseMs = 60_000;
/** A transfer shorter than this says nothing about the line. */
const measuredMs = 2_000;
/** ms without a read after which slowness is given another chance: with a probe every 30 s within a minute. */
const slownessKeptMs = 10_000;

export class OriginGate {
  readonly origin: Origin;
  readonly priority: number;
  readonly limits: OriginLimits;
  readonly latency: Latency;
  readonly stats: GateStats = { calls: 0, failures: 0, bytes: 0 };
  private readonly options: OriginGateOptions;
  private readonly clock: Clock;
  private readonly calls: PQueue;
  /** What nobody waits for: one slot less, so that a read always finds one. */
  private readonly background: PQueue;
  private breaker: Breaker = closedBreaker;
  private healthFacts: OriginHealthFacts = unknownHealth;
  private pausedUntilMs = 0;
  private nextStartMs = 0;
  private isThin = false;
  /** When a transfer has ended last. */
  private measuredAtMs = Number.NEGATIVE_INFINITY;
  /** When a failure was held against the origin last. */
  private chargedAtMs = Number.NEGATIVE_INFINITY;
  private probing: Promise<void> | null = null;
  private cancelProbe: () => void = () => undefined;
  private readonly closing = new AbortController();

  constructor(options: OriginGateOptions) {
    this.options = options;
    this.origin = options.origin;
    this.priority = options.priority;
    this.limits = options.limits;
    this.clock = options.clock;
    this.latency = new Latency(options.limits.expectedLatencyMs);
    this.calls = new PQueue({ concurrency: options.limits.concurrency });
    this.background = new PQueue({ concurrency: Math.max(1, options.limits.concurrency - 1) });
    if (options.wasDown) {
      this.breaker = { ...closedBreaker, openUntilMs: this.clock.monotonicMs(), openings: 1 };
      this.healthFacts = { ...unknownHealth, state: 'unhealthy' };
    }
  }

  get health(): OriginHealthFacts {
    return this.healthFacts;
  }

  /** Calls under way and waiting. */
  get pending(): number {
    return this.calls.pending + this.calls.size + this.background.size;
  }

  candidate(): Candidate {
    return {
      originId: this.origin.id,
      state: this.healthFacts.state,
      isOpen: isOpen(this.breaker),
      priority: this.priority,
      p50Ms: this.latency.p50(),
      consecutiveFailures: this.healthFacts.consecutiveFailures,
    };
  }

  /** A directory, whole. Rejects with what `Origin.list` does, `deadline_exceeded`, or `origin_unavailable` at once. */
  list(directory: RealPath, isWanted: IsWanted, signal: AbortSignal): Promise<OriginEntry[]> {
    return this.call('scan', signal, async (timer) => {
      const entries: OriginEntry[] = [];
      for await (const page of timer.each(this.origin.list(directory, isWanted, timer.signal))) {
        entries.push(...page);
      }
      return entries;
    });
  }

  stat(path: RealPath, klass: CallClass, signal: AbortSignal): Promise<OriginEntry> {
    return this.call(klass, signal, (timer) => timer.wait(this.origin.stat(path, timer.signal)));
  }

  /** See `Origin.followLink`; null of an origin that cannot tell. */
  async followLink(path: RealPath, signal: AbortSignal): Promise<RealPath | null> {
    const { origin } = this;
    if (origin.followLink === undefined) return null;
    const follow = origin.followLink.bind(origin);
    return this.call('scan', signal, (timer) => timer.wait(follow(path, timer.signal)));
  }

  /** See `Origin.readRange`. Leaving the loop gives the slot back. */
  async *readRange(
    path: RealPath,
    version: FileVersion,
    offset: number,
    lengthBytes: number,
    klass: CallClass,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const expected = Math.max(0, Math.min(lengthBytes, version.sizeBytes - offset));
    if (expected === 0) return;
    const leave = await this.enter(klass, signal);
    const timer = new CallTimer(this.clock, this.limits, signal, this.closing.signal);
    const startedMs = this.clock.monotonicMs();
    let received = 0;
    /** What the first answer brought, and how long it was waited for: that is latency, not what the line carries. */
    let first = { bytes: 0, waitedMs: 0 };
    try {
      const bodies = this.origin.readRange(path, version, offset, lengthBytes, timer.signal);
      for await (const bytes of timer.each(bodies)) {
        if (received === 0) {
          this.answered(this.clock.monotonicMs() - startedMs);
          first = { bytes: bytes.length, waitedMs: timer.waitedMs };
        }
        received += bytes.length;
        if (received > expected) {
          throw new MusicfsError('origin_unavailable', `${this.origin.id} sent more than was asked for`);
        }
        this.stats.bytes += bytes.length;
        this.options.onBytes?.(bytes.length);
        yield bytes;
        const waitMs = this.options.bandwidth?.take(bytes.length) ?? 0;
        if (waitMs > 0 && klass !== 'foreground') await pauseFor(this.clock, waitMs, timer.signal);
      }
      if (received < expected) {
        throw new MusicfsError('origin_unavailable', `${this.origin.id} ended a file before its end`);
      }
      this.measure(received, received - first.bytes, timer.waitedMs - first.waitedMs);
      this.succeeded();
    } catch (error) {
      this.failed(error, { what: 'read', startedMs, hasAnswered: received > 0 }, signal);
      throw error;
    } finally {
      timer.end();
      leave();
    }
  }

  /**
   * Asks whether the origin is there, past queue and breaker, at most once at a time, within 5 s. Resolves to what
   * went wrong, null when nothing did.
   */
  async probe(): Promise<MusicfsError | null> {
    if (this.probing === null) {
      this.probing = this.probeNow().finally(() => {
        this.probing = null;
      });
    }
    await this.probing;
    const { lastError } = this.healthFacts;
    return lastError === null ? null : new MusicfsError(lastError.code, lastError.message);
  }

  async close(): Promise<void> {
    this.cancelProbe();
    this.closing.abort(new MusicfsError('origin_unavailable', 'the origin is being closed'));
    this.calls.clear();
    this.background.clear();
    await this.origin.close();
  }

  private async probeNow(): Promise<void> {
    const { probeMs } = this.limits;
    const probeLimits = { callMs: probeMs, firstByteMs: probeMs, stallMs: probeMs };
    const timer = new CallTimer(this.clock, probeLimits, this.closing.signal);
    const startedMs = this.clock.monotonicMs();
    try {
      await timer.wait(this.origin.probe(timer.signal));
      const tookMs = this.clock.monotonicMs() - startedMs;
      if (this.mayForgetSlowness(tookMs)) {
        this.isThin = false;
        this.latency.forget();
      }
      this.answered(tookMs);
      this.succeeded();
    } catch (error) {
      if (!this.closing.signal.aborted) this.failed(error, { what: 'probe', startedMs }, this.closing.signal);
    } finally {
      timer.end();
    }
  }

  private async call<T>(
    klass: CallClass,
    signal: AbortSignal,
    work: (timer: CallTimer) => Promise<T>,
  ): Promise<T> {
    const leave = await this.enter(klass, signal);
    const timer = new CallTimer(this.clock, this.limits, signal, this.closing.signal);
    const startedMs = this.clock.monotonicMs();
    try {
      const result = await work(timer);
      this.succeeded();
      return result;
    } catch (error) {
      this.failed(error, { what: 'call', startedMs }, signal);
      throw error;
    } finally {
      timer.end();
      leave();
    }
  }

  /** Waits for a slot. Refuses at once while the breaker is open. Resolves to what gives the slot back. */
  private async enter(klass: CallClass, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    this.refuseWhileOpen();
    if (this.pending >= limits.originQueue) {
      throw new MusicfsError('overloaded', `too many calls wait for ${this.origin.id}`);
    }
    const priority = -callClasses.indexOf(klass);
    const slot = (queue: PQueue) =>
      new Promise<() => void>((resolve, reject) => {
        queue.add(() => new Promise<void>((release) => resolve(release)), { priority, signal }).catch(reject);
      });
    const leaves = klass === 'foreground' ? [] : [await slot(this.background)];
    const leave = () => {
      for (const each of leaves) each();
    };
    try {
      leaves.push(await slot(this.calls));
      await this.waitForTurn(signal);
      this.refuseWhileOpen();
      this.stats.calls += 1;
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  }

  private refuseWhileOpen(): void {
    if (!isOpen(this.breaker)) return;
    const why = this.healthFacts.lastError?.message ?? 'it was down before';
    throw new MusicfsError('origin_unavailable', `${this.origin.id} is down: ${why}`);
  }

  /** The pause that the origin asked for, and its limit of requests a second. */
  private async waitForTurn(signal: AbortSignal): Promise<void> {
    const now = this.clock.monotonicMs();
    const { requestsPerSecond } = this.limits;
    let startMs = Math.max(now, this.pausedUntilMs);
    if (requestsPerSecond > 0) {
      startMs = Math.max(startMs, this.nextStartMs);
      this.nextStartMs = startMs + 1000 / requestsPerSecond;
    }
    if (startMs > now) await pauseFor(this.clock, startMs - now, signal);
  }

  private answered(ms: number): void {
    this.latency.add(ms, this.clock.monotonicMs());
  }

  /** Bytes of a transfer, and those that came after its first answer in so many ms of waiting for them. */
  private measure(bytes: number, laterBytes: number, waitedMs: number): void {
    this.measuredAtMs = this.clock.monotonicMs();
    if (waitedMs >= measuredMs) this.isThin = (laterBytes * 1000) / waitedMs < slowBytesPerSecond;
    else if (bytes >= limits.firstRangeBytes) this.isThin = false;
  }

  /** Nobody has read from it for a while: that it answers a look at once is the newest that is known of it. */
  private mayForgetSlowness(probeTookMs: number): boolean {
    const idleMs = this.clock.monotonicMs() - this.measuredAtMs;
    return probeTookMs < slowFirstByteMs && idleMs > slownessKeptMs && this.pending === 0;
  }

  private succeeded(): void {
    const now = this.clock.monotonicMs();
    this.breaker = afterSuccess(this.breaker, now);
    this.cancelProbe();
    const isSlow = this.isThin || this.latency.recentP50(now) > slowFirstByteMs;
    this.setHealth(afterAnswer(this.healthFacts, isSlow));
  }

  private failed(error: unknown, call: EndedCall, signal: AbortSignal): void {
    const { what, startedMs, hasAnswered = false } = call;
    const code = codeOf(error);
    if (signal.aborted || code === 'cancelled') return; // given up by the caller
    this.stats.failures += 1;
    if (code === 'origin_rate_limited') {
      const pauseMs = error instanceof MusicfsError ? (error.retryAfterMs ?? 1_000) : 1_000;
      this.pausedUntilMs = this.clock.monotonicMs() + Math.min(pauseMs, longestPauseMs);
    }
    // A file that is not there may be a share that is not mounted.
    if (what === 'read' && mountedKinds.has(this.origin.kind) && (isCharged(code) || code === 'not_found')) {
      void this.probe();
      return;
    }
    if (what !== 'probe' && code === 'origin_unavailable' && this.isOfLastAccident(startedMs)) return;
    // One failure is no verdict: whether it was an accident is found out soon.
    if (code === 'name_resolution' || isCharged(code)) this.probeIn(limits.probeAgainMs);
    if (isCharged(code)) this.charge(hasAnswered);
    const more = { wasProbe: what === 'probe', hasAnswered };
    this.setHealth(afterError(this.healthFacts, code, messageOf(error), this.limits.failureThreshold, more));
  }

  /** A connection that breaks takes all calls on it along: together they are one failure. */
  private isOfLastAccident(startedMs: number): boolean {
    return startedMs < this.chargedAtMs && this.clock.monotonicMs() < this.chargedAtMs + accidentMs;
  }

  private charge(hasAnswered: boolean): void {
    const now = this.clock.monotonicMs();
    this.chargedAtMs = now;
    const { failureThreshold } = this.limits;
    this.breaker = afterFailure(this.breaker, now, failureThreshold, this.options.random(), hasAnswered);
    const { openUntilMs } = this.breaker;
    if (openUntilMs !== null) this.probeIn(openUntilMs - now);
  }

  private probeIn(delayMs: number): void {
    this.cancelProbe();
    this.cancelProbe = this.clock.after(delayMs, () => {
      if (mayProbe(this.breaker, this.clock.monotonicMs() + 1)) void this.probe();
    });
  }

  private setHealth(next: OriginHealthFacts): void {
    if (next === this.healthFacts) return;
    this.healthFacts = next;
    this.options.onHealth(next);
  }
}
