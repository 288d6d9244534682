// Keeps an ordered row of children up. When one fails, those started after it are stopped in reverse, and all of them
// are started again in order. A supervisor deals its children into lanes: one lane for all is rest_for_one, a lane for
// each child is one_for_one.
//
// All work of a lane is done by one loop, one step after the other: look at the row from its start, do the first thing
// that is due, look again. Failures, timers and wake-ups only leave a mark and start the loop; so no two restarts of a
// row ever overlap. It must never throw, and never wait for anything unbounded.
import type { ActorSnapshot } from './actor-snapshot.ts';
import type { ChildSlot } from './child-slot.ts';
import type { Strategy } from './child-spec.ts';
import { type Environment, obey } from './environment.ts';
import type { Failure } from './failure.ts';
import { limits } from './limits.ts';
import { decide, trimHistory } from './restart-window.ts';
import type { Gate } from './supervised-node.ts';

export interface LaneOwner {
  readonly env: Environment;
  readonly strategy: Strategy;
  /** A child has given up for good; the lane does nothing more until it is stopped and started again. */
  onGaveUp(failure: Failure): void;
}

type LaneStep =
  | { readonly type: 'clear'; readonly at: number }
  | { readonly type: 'start'; readonly slot: ChildSlot }
  | { readonly type: 'rest'; readonly untilMs: number | null };

export class RestartLane {
  readonly slots: readonly ChildSlot[];
  private readonly owner: LaneOwner;
  private isWanted = false;
  private isBusy = false;
  private loop: Promise<void> = Promise.resolve();
  private cancelTimer: (() => void) | null = null;
  private gaveUp: Failure | null = null;

  constructor(slots: readonly ChildSlot[], owner: LaneOwner) {
    this.slots = slots;
    this.owner = owner;
    for (const slot of slots) {
      slot.node.onFailure = (failure) => {
        slot.noteFailure(failure);
        void this.settle();
      };
    }
  }

  /** Starts all in order. Settles when each is up, parked, or waits for its next try (or for one before it). */
  start(): Promise<void> {
    this.isWanted = true;
    this.gaveUp = null;
    for (const slot of this.slots) slot.forget();
    return this.settle();
  }

  /** Stops all in reverse and cuts short what is being started. Answers what was left behind. */
  async stop(gate: Gate): Promise<readonly string[]> {
    this.isWanted = false;
    this.cancelTimer?.();
    for (const slot of this.slots) {
      if (slot.isStarting) void slot.node.stop(gate);
    }
    await this.loop;
    const abandoned: string[] = [];
    for (const slot of this.slots.toReversed()) {
      if (slot.hasLife) abandoned.push(...(await slot.end('stopped', gate)).abandoned);
      slot.settleStopped(gate);
    }
    return abandoned;
  }

  setGate(gate: Gate): void {
    for (const slot of this.slots) slot.node.setGate(slot.isParked ? 'refuse' : gate);
  }

  wake(id: string): boolean {
    for (const slot of this.slots) {
      if (slot.node.id !== id) {
        if (slot.node.wake(id)) return true;
        continue;
      }
      if (slot.isParked && !slot.hasLife) {
        slot.wake();
        void this.settle();
      }
      return true;
    }
    return false;
  }

  snapshots(path: string): ActorSnapshot[] {
    return this.slots.map((slot) => slot.snapshot(path));
  }

  private settle(): Promise<void> {
    if (!this.isBusy && this.isWanted) {
      this.isBusy = true;
      this.loop = this.run();
    }
    return this.loop;
  }

  private async run(): Promise<void> {
    this.cancelTimer?.();
    while (this.isWanted && !this.owner.env.isRefused()) {
      const step = this.nextStep();
      if (step.type === 'rest') {
        if (step.untilMs !== null) this.restUntil(step.untilMs);
        break;
      }
      if (step.type === 'clear') await this.clear(step.at);
      else await this.startSlot(step.slot);
    }
    this.isBusy = false;
    const { gaveUp } = this;
    this.gaveUp = null;
    if (gaveUp !== null) this.owner.onGaveUp(gaveUp);
  }

  /** The first thing due, from the start of the row: a child that is down holds back those after it, a parked one not. */
  private nextStep(): LaneStep {
    const nowMs = this.owner.env.clock.monotonicMs();
    let wakeAtMs = Number.POSITIVE_INFINITY;
    for (const [at, slot] of this.slots.entries()) {
      if (slot.failure !== null) return { type: 'clear', at };
      if (slot.hasLife) continue;
      if (slot.dueAtMs <= nowMs) return { type: 'start', slot };
      wakeAtMs = Math.min(wakeAtMs, slot.dueAtMs);
      if (!slot.isParked) break;
    }
    return { type: 'rest', untilMs: Number.isFinite(wakeAtMs) ? wakeAtMs : null };
  }

  private restUntil(untilMs: number): void {
    const { clock } = this.owner.env;
    this.cancelTimer = clock.after(Math.max(0, untilMs - clock.monotonicMs()), () => void this.settle());
  }

  private async startSlot(slot: ChildSlot): Promise<void> {
    if (slot.isParked) slot.reportWoken();
    const order = slot.node.incarnation === 0 ? null : this.owner.env.intercept(slot.node.id, 'restart');
    if (order?.type === 'delay') await obey(order, this.owner.env.clock);
    if (!this.isWanted) return;
    const failure = await slot.begin();
    if (failure === null) slot.reportStarted();
    else if (this.isWanted) {
      slot.noteFailure(failure);
      if (this.owner.env.refuses(failure, slot.node.incarnation)) this.isWanted = false;
    }
  }

  /** Answers the failure of one child: everything after it down, its old life closed, then the budget is asked. */
  private async clear(at: number): Promise<void> {
    const slot = this.slots[at];
    const failure = slot?.failure;
    if (slot === undefined || failure === undefined || failure === null) return;
    const later = slot.wasUp ? this.slots.slice(at + 1).filter((other) => other.hasLife) : [];
    for (const other of later.toReversed()) await other.end('sibling_failed', 'stash');
    const life = slot.node.currentLife();
    await slot.end(failure.reason, 'stash');
    if (!this.isWanted) return;
    const { clock, random } = this.owner.env;
    const nowMs = clock.monotonicMs();
    slot.history.push({ endedAtMs: nowMs, ...life });
    trimHistory(slot.history, slot.spec.budget);
    const decision = decide(slot.history, nowMs, slot.spec.budget, random());
    const isWornOut = [slot, ...later].some((each) => each.abandonedLives >= limits.abandonedLives);
    if (decision.type === 'restart' && !isWornOut) {
      const also = later.map((other) => other.node.id);
      slot.planRestart(failure, nowMs, decision.delayMs, decision.count, also);
      return;
    }
    slot.reportGaveUp(failure, decision.count);
    if (slot.spec.onGiveUp === 'park' && !isWornOut) slot.park(failure, nowMs, decision.count);
    else this.giveUp(slot, failure);
  }

  private giveUp(slot: ChildSlot, failure: Failure): void {
    this.isWanted = false;
    slot.isGivenUp = true;
    this.gaveUp = { reason: 'escalated', error: failure.error };
    for (const each of this.slots) {
      if (!each.hasLife) each.node.setGate('refuse');
    }
  }
}
