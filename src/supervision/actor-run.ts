// One life of an actor, from the call of its spec's `start` to the closed scope. Its node makes one for each life and
// never uses it again. It turns everything that can go wrong into one failure, told once; it must never let an
// exception out, and never act for a life that is over.
//
// Order at the end of a life: signal aborted, no further handler, waiting messages and open questions given up, all in
// one tick; then `stop`, then the scope, then whatever start or handler is still under way, together at most
// `shutdownMs`. What is not closed by then is abandoned: nothing in this process can end it.
import { MusicfsError } from '../platform/errors.ts';
import type { ActorCounters } from './actor-counters.ts';
import type { ActorContext, ActorLife, ProcessInfo } from './actor-life.ts';
import type { TellOutcome } from './actor-ref.ts';
import type { ActorSpec } from './child-spec.ts';
import { endsWithin } from './ends-within.ts';
import { type Environment, obey } from './environment.ts';
import { type Failure, isThenable } from './failure.ts';
import { Heartbeat } from './heartbeat.ts';
import { LifeInbox } from './life-inbox.ts';
import { LifeScope } from './life-scope.ts';
import { limits } from './limits.ts';
import type { Entry } from './mailbox.ts';
import type { Turns } from './nact-mailbox.ts';
import type { OpenAsk } from './pending-ask.ts';
import type { LifeEnd } from './supervised-node.ts';
import type { EndReason } from './supervision-report.ts';

export class ActorRun<M, S> {
  readonly incarnation: number;
  process: ProcessInfo = {};
  private readonly spec: ActorSpec<M, S>;
  private readonly env: Environment;
  private readonly counters: ActorCounters;
  private readonly onFailure: (failure: Failure) => void;

  private phase: 'starting' | 'running' | 'ended' = 'starting';
  private readonly beganAtMs: number;
  private endedAtMs = 0;
  private didWork = false;
  private readonly aborter = new AbortController();
  private readonly scope: LifeScope<M>;
  private readonly inbox: LifeInbox<M>;
  private readonly heartbeat: Heartbeat;
  private life: ActorLife<S, M> | null = null;
  private turns: Turns | null = null;
  /** Told the outcome of the start, once. */
  private resolveStart: (failure: Failure | null) => void = () => {};
  /** Settles when the call of `start` has, and when the handler under way has. */
  private starting: Promise<void> = Promise.resolve();
  private inFlight: Promise<unknown> = Promise.resolve();
  private ending: Promise<LifeEnd> | null = null;

  constructor(
    spec: ActorSpec<M, S>,
    incarnation: number,
    env: Environment,
    counters: ActorCounters,
    onFailure: (failure: Failure) => void,
  ) {
    this.spec = spec;
    this.incarnation = incarnation;
    this.env = env;
    this.counters = counters;
    this.onFailure = onFailure;
    this.beganAtMs = env.clock.monotonicMs();
    this.inbox = new LifeInbox(spec, incarnation, env, counters, {
      onEntry: () => this.turns?.request(),
      onStuck: (error) => this.fail('mailbox_stuck', error),
    });
    this.scope = new LifeScope({
      clock: env.clock,
      tellSelf: (message) => this.tellSelf(message),
      onError: (error) => this.fail('crashed', error),
      onLateError: (error) => this.logLate(error),
    });
    this.heartbeat = new Heartbeat(spec.heartbeat, env.clock, {
      ping: () => this.inbox.putPing(),
      onSilence: (silentMs) => this.fail('hung', overdue(`no handler has returned for ${silentMs} ms`)),
    });
  }

  get name(): string {
    return `${this.spec.id}#${this.incarnation}`;
  }

  get isRunning(): boolean {
    return this.phase === 'running';
  }

  /** Runs the spec's `start` for at most `startMs`. Null when the life is up, else why not. Called once. */
  start(): Promise<Failure | null> {
    const { promise, resolve } = Promise.withResolvers<Failure | null>();
    const cancelDeadline = this.env.clock.after(this.spec.startMs, () =>
      this.fail('start_failed', overdue(`not started within ${this.spec.startMs} ms`)),
    );
    this.resolveStart = (failure) => {
      cancelDeadline();
      resolve(failure);
    };
    this.starting = this.begin().then(
      (life) => this.open(life),
      (error: unknown) => this.fail('start_failed', error),
    );
    return promise;
  }

  /** Takes a message from outside; `ask` is the question it carries, failed here when the message is not taken. */
  offer(message: M, ask: OpenAsk | null): TellOutcome {
    if (this.phase !== 'running') {
      this.env.deadLetters.count(this.spec.id, this.incarnation, 'target_down', message);
      ask?.fail('unavailable', `${this.spec.id} is down`);
      return 'refused';
    }
    return this.inbox.put(message, ask, false);
  }

  /** Ends the life; the same answer however often it is called. Never rejects. */
  end(): Promise<LifeEnd> {
    if (this.ending !== null) return this.ending;
    const { promise, resolve } = Promise.withResolvers<LifeEnd>();
    this.ending = promise;
    const wasStarting = this.phase === 'starting';
    this.phase = 'ended';
    this.endedAtMs = this.env.clock.monotonicMs();
    this.aborter.abort(new DOMException(`${this.name} has ended`, 'AbortError'));
    this.heartbeat.stop();
    this.turns?.stop();
    void this.close(this.inbox.giveUp()).then(resolve);
    if (wasStarting) {
      const error = new MusicfsError('cancelled', `${this.name} was stopped while it started`);
      this.resolveStart({ reason: 'stopped', error });
    }
    return promise;
  }

  current(): { lengthMs: number; didWork: boolean } {
    const untilMs = this.phase === 'ended' ? this.endedAtMs : this.env.clock.monotonicMs();
    return { lengthMs: untilMs - this.beganAtMs, didWork: this.didWork };
  }

  get depth(): number {
    return this.inbox.depth;
  }

  oldestAtMs(): number | null {
    return this.inbox.oldestAtMs();
  }

  heartbeatAgeMs(): number {
    return this.heartbeat.ageMs();
  }

  // --- start

  private async begin(): Promise<ActorLife<S, M>> {
    const order = this.env.intercept(this.spec.id, 'start');
    if (order !== null) await obey(order, this.env.clock);
    this.aborter.signal.throwIfAborted();
    return await this.spec.start(this.makeContext());
  }

  private makeContext(): ActorContext<M> {
    return {
      id: this.spec.id,
      incarnation: this.incarnation,
      signal: this.aborter.signal,
      scope: this.scope,
      self: { tell: (message) => this.tellSelf(message) },
      log: this.env.log.child({ actor: this.spec.id, incarnation: this.incarnation }),
      clock: this.env.clock,
      workDone: () => {
        this.didWork = true;
      },
      fail: (error) => this.fail('part_died', error),
      setProcess: (info) => {
        this.process = info;
      },
    };
  }

  /** The start has delivered: the life goes up, or is put away when it came too late. */
  private open(life: ActorLife<S, M>): void | Promise<void> {
    if (this.phase !== 'starting') return this.stopLife(life);
    this.life = life;
    try {
      const state = life.initialState();
      if (isThenable(state)) {
        swallow(state);
        throw new MusicfsError('internal', 'initialState returned a promise');
      }
      this.turns = this.env.turns.spawn<S>(this.name, state, (current) => this.step(current));
    } catch (error) {
      return this.fail('start_failed', error);
    }
    this.phase = 'running';
    for (let waiting = this.inbox.size; waiting > 0; waiting -= 1) this.turns.request();
    this.heartbeat.start();
    this.resolveStart(null);
  }

  // --- messages

  private tellSelf(message: M): void {
    if (this.phase === 'ended') {
      this.env.deadLetters.count(this.spec.id, this.incarnation, 'late', message);
      return;
    }
    if (this.inbox.put(message, null, true) === 'refused') {
      this.fail('mailbox_stuck', new MusicfsError('overloaded', `${this.name} floods its own mailbox`));
    }
  }

  /** One turn: takes the oldest entry. Never throws or rejects; the state given is kept unless a handler returned. */
  private step(state: S): S | Promise<S> {
    const entry = this.inbox.take();
    if (entry === undefined || this.phase !== 'running') return state;
    let order: ReturnType<Environment['intercept']>;
    try {
      order = this.env.intercept(this.spec.id, 'handle');
    } catch (error) {
      this.fail('crashed', error);
      return state;
    }
    if (order === null) return this.handle(state, entry);
    const held = obey(order, this.env.clock).then(() => (this.isRunning ? this.handle(state, entry) : state));
    this.inFlight = held;
    return held;
  }

  private handle(state: S, entry: Entry<M>): S {
    if (entry.type === 'ping') {
      this.answerPing();
      return state;
    }
    if (entry.ask?.isSettled === true) {
      this.env.deadLetters.count(this.spec.id, this.incarnation, 'asker_gone', entry.message);
      return state;
    }
    const beganAtMs = this.env.clock.monotonicMs();
    try {
      const next = this.life?.handle(state, entry.message) ?? state;
      if (!isThenable(next)) return next;
      swallow(next);
      this.fail('crashed', new MusicfsError('internal', `a handler of ${this.spec.id} returned a promise`));
    } catch (error) {
      this.fail('crashed', error);
    } finally {
      this.countHandled(this.env.clock.monotonicMs() - beganAtMs);
    }
    return state;
  }

  private answerPing(): void {
    try {
      if (this.env.intercept(this.spec.id, 'heartbeat') === null) this.heartbeat.answered();
    } catch (error) {
      this.fail('crashed', error);
    }
  }

  private countHandled(tookMs: number): void {
    this.counters.handledTotal += 1;
    this.counters.busyMs += tookMs;
    if (tookMs > limits.slowHandlerMs) this.counters.slowTotal += 1;
  }

  // --- failure and end

  /** The first failure of a life ends it; later ones are noise of the ending. */
  private fail(reason: EndReason, error: unknown): void {
    if (this.phase === 'ended') return;
    const wasStarting = this.phase === 'starting';
    const failure = { reason, error };
    if (wasStarting) this.resolveStart(failure);
    void this.end();
    if (!wasStarting) this.onFailure(failure);
  }

  private async close(lost: LifeEnd['lost']): Promise<LifeEnd> {
    const isClosed = await endsWithin(this.spec.shutdownMs(), this.closeParts(), this.env.clock);
    if (!isClosed) this.scope.abandon();
    const { lengthMs, didWork } = this.current();
    return { lifeMs: lengthMs, didWork, lost, abandoned: isClosed ? [] : [this.name] };
  }

  private async closeParts(): Promise<void> {
    // A tick later, so that whoever ended the life from within one of its callbacks has returned from it.
    await Promise.resolve();
    if (this.life !== null) await this.stopLife(this.life);
    await this.scope.close();
    await this.starting;
    await this.inFlight;
  }

  private async stopLife(life: ActorLife<S, M>): Promise<void> {
    try {
      await life.stop?.();
    } catch (error) {
      this.logLate(error);
    }
  }

  private logLate(error: unknown): void {
    this.env.log.warn({
      event: 'cleanup_failed',
      actor: this.spec.id,
      incarnation: this.incarnation,
      err: error,
    });
  }
}

function overdue(message: string): MusicfsError {
  return new MusicfsError('deadline_exceeded', message);
}

/** A promise nobody was to make: its rejection must not end the process. */
function swallow(promise: PromiseLike<unknown>): void {
  promise.then(undefined, () => {});
}
