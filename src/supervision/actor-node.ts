// The place of one actor in the tree: it stays while lives come and go. References lead here; it hands messages to the
// life that is up, keeps them for the next one, or refuses them. It decides nothing about restarts.
import { MusicfsError, messageOf } from '../platform/errors.ts';
import { noCounts } from './actor-counters.ts';
import type { ActorTarget, AskOptions, Reply, TellOutcome } from './actor-ref.ts';
import { ActorRun } from './actor-run.ts';
import type { LifeSnapshot, MailboxSnapshot } from './actor-snapshot.ts';
import type { ActorSpec } from './child-spec.ts';
import type { DeadLetterReason } from './dead-letters.ts';
import type { Environment } from './environment.ts';
import type { Failure } from './failure.ts';
import { type OpenAsk, PendingAsk } from './pending-ask.ts';
import { Stash } from './stash.ts';
import { type Gate, type LifeEnd, nothingEnded, type SupervisedNode } from './supervised-node.ts';

export class ActorNode<M, S> implements SupervisedNode, ActorTarget<M> {
  readonly kind = 'actor';
  onFailure: (failure: Failure) => void = () => {};
  private readonly spec: ActorSpec<M, S>;
  private readonly env: Environment;
  private readonly stash: Stash<M>;
  private readonly counters = noCounts();
  private gate: Gate | 'open' = 'stash';
  private run: ActorRun<M, S> | null = null;
  private startedAtWallMs = 0;
  private lives = 0;

  constructor(spec: ActorSpec<M, S>, env: Environment) {
    this.spec = spec;
    this.env = env;
    this.stash = new Stash(spec.stash, env.clock, (entry) =>
      this.giveUp('stash_expired', entry.message, entry.ask, `${spec.id} was down for too long`),
    );
  }

  get id(): string {
    return this.spec.id;
  }

  get incarnation(): number {
    return this.lives;
  }

  // --- messages

  tell(message: M): TellOutcome {
    return this.send(message, null);
  }

  ask<V>(make: (reply: Reply<V>) => M, options: AskOptions): Promise<V> {
    const ask = new PendingAsk<V>(this.id, options, this.env.clock, this.env.deadLetters);
    if (ask.isSettled) return ask.promise;
    try {
      this.send(make(ask.reply), ask);
    } catch (error) {
      ask.fail('internal', `the question to ${this.id} could not be made: ${messageOf(error)}`);
    }
    return ask.promise;
  }

  private send(message: M, ask: OpenAsk | null): TellOutcome {
    switch (this.gate) {
      case 'open':
        return this.run === null ? this.keep(message, ask) : this.run.offer(message, ask);
      case 'stash':
        return this.keep(message, ask);
      case 'refuse':
        this.giveUp('target_down', message, ask, `${this.id} is down`);
        return 'refused';
    }
  }

  private keep(message: M, ask: OpenAsk | null): TellOutcome {
    if (this.stash.put(message, ask)) return 'stashed';
    this.counters.dropped += 1;
    this.env.deadLetters.count(this.id, this.lives, 'stash_full', message);
    ask?.fail('overloaded', `${this.id} is down and too many wait for it`);
    return 'refused';
  }

  private giveUp(reason: DeadLetterReason, message: M, ask: OpenAsk | null, text: string): void {
    this.env.deadLetters.count(this.id, this.lives, reason, message);
    ask?.fail('unavailable', text);
  }

  // --- lives

  async start(): Promise<Failure | null> {
    this.lives += 1;
    this.startedAtWallMs = this.env.clock.wallMs();
    const run = new ActorRun(this.spec, this.lives, this.env, this.counters, (failure) => {
      this.gate = 'stash';
      this.onFailure(failure);
    });
    this.run = run;
    const failure = await run.start();
    if (failure === null && run.isRunning) {
      this.gate = 'open';
      for (const { message, ask } of this.stash.drain()) {
        if (ask?.isSettled === true) this.env.deadLetters.count(this.id, this.lives, 'asker_gone', message);
        else run.offer(message, ask);
      }
    }
    return failure;
  }

  stop(gate: Gate): Promise<LifeEnd> {
    this.setGate(gate);
    return this.run === null ? Promise.resolve(nothingEnded) : this.run.end();
  }

  setGate(gate: Gate): void {
    this.gate = gate;
    if (gate === 'stash') return;
    for (const { message, ask } of this.stash.drain()) {
      this.giveUp('target_down', message, ask, `${this.id} is down`);
    }
  }

  currentLife(): { readonly lengthMs: number; readonly didWork: boolean } {
    return this.run?.current() ?? { lengthMs: 0, didWork: false };
  }

  wake(): boolean {
    return false;
  }

  snapshot(): LifeSnapshot {
    const run = this.run?.isRunning === true ? this.run : null;
    return {
      id: this.id,
      kind: 'actor',
      strategy: null,
      incarnation: this.lives,
      startedAtMs: run === null ? null : this.startedAtWallMs,
      budget: { max: this.spec.budget.max, resetAfterMs: this.spec.budget.resetAfterMs },
      mailbox: this.mailboxSnapshot(run),
      busyMs: this.counters.busyMs,
      handledTotal: this.counters.handledTotal,
      slowTotal: this.counters.slowTotal,
      heartbeatAgeMs: run === null ? null : run.heartbeatAgeMs(),
      pid: run?.process.pid ?? null,
      threadId: run?.process.threadId ?? null,
      critical: this.spec.critical,
      children: [],
    };
  }

  private mailboxSnapshot(run: ActorRun<M, S> | null): MailboxSnapshot {
    const oldestAtMs = run === null ? this.stash.oldestAtMs() : run.oldestAtMs();
    return {
      depth: run === null ? this.stash.depth : run.depth,
      limit: this.spec.mailbox.bound,
      highWater: this.counters.highWater,
      oldestMs: oldestAtMs === null ? 0 : this.env.clock.monotonicMs() - oldestAtMs,
      dropped: this.counters.dropped,
    };
  }
}

/** The node of an actor, with its reference bound to it. */
export function actorNode<M, S>(spec: ActorSpec<M, S>, env: Environment): ActorNode<M, S> {
  if (spec.ref.id !== spec.id) {
    throw new MusicfsError('invalid_argument', `actor ${spec.id} has the reference of ${spec.ref.id}`);
  }
  const node = new ActorNode(spec, env);
  spec.ref.bind(node);
  return node;
}
