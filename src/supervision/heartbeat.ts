// Finds out that an actor no longer moves: a ping waits in line like any message, and an answer that does not come
// within the allowed number of periods is a failure. Owned by one life. It says nothing about a blocked thread, whose
// timers do not fire either.
import type { Clock } from '../platform/clock.ts';
import type { HeartbeatLimits } from './child-spec.ts';

export interface HeartbeatOwner {
  /** Puts a ping at the end of the mailbox. */
  ping(): void;
  /** Called once, after `missed` periods without an answer. */
  onSilence(silentMs: number): void;
}

export class Heartbeat {
  private readonly limits: HeartbeatLimits;
  private readonly clock: Clock;
  private readonly owner: HeartbeatOwner;
  private answeredAtMs = 0;
  private isOpen = false;
  private missed = 0;
  private cancel: (() => void) | null = null;

  constructor(limits: HeartbeatLimits, clock: Clock, owner: HeartbeatOwner) {
    this.limits = limits;
    this.clock = clock;
    this.owner = owner;
  }

  /** Begins with a ping at once, which shows that a new life answers at all. */
  start(): void {
    this.answeredAtMs = this.clock.monotonicMs();
    this.send();
    this.next();
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
  }

  answered(): void {
    this.answeredAtMs = this.clock.monotonicMs();
    this.isOpen = false;
    this.missed = 0;
  }

  /** Since the newest answer, ms. */
  ageMs(): number {
    return this.clock.monotonicMs() - this.answeredAtMs;
  }

  private next(): void {
    this.cancel = this.clock.after(this.limits.everyMs, () => this.tick());
  }

  /** At most one ping waits at a time; a second one behind it would tell nothing. */
  private tick(): void {
    if (!this.isOpen) this.send();
    else this.missed += 1;
    if (this.missed >= this.limits.missed) this.owner.onSilence(Math.round(this.ageMs()));
    else this.next();
  }

  private send(): void {
    this.isOpen = true;
    this.owner.ping();
  }
}
