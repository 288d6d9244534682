// The messages that wait for an actor that is between two lives: few, and not for long. The actor's node owns one.
// Must never lose one silently: what is too old or too much is counted, and its asker told.
import type { Clock } from '../platform/clock.ts';
import type { StashLimits } from './child-spec.ts';
import type { OpenAsk } from './pending-ask.ts';

export interface Stashed<M> {
  readonly message: M;
  readonly ask: OpenAsk | null;
  /** Monotonic, ms. */
  readonly atMs: number;
}

export class Stash<M> {
  private readonly limits: StashLimits;
  private readonly clock: Clock;
  private readonly onExpired: (entry: Stashed<M>) => void;
  private entries: Stashed<M>[] = [];
  private cancelTimer: (() => void) | null = null;

  constructor(limits: StashLimits, clock: Clock, onExpired: (entry: Stashed<M>) => void) {
    this.limits = limits;
    this.clock = clock;
    this.onExpired = onExpired;
  }

  get depth(): number {
    return this.entries.length;
  }

  /** False when there is no room. */
  put(message: M, ask: OpenAsk | null): boolean {
    if (this.entries.length >= this.limits.bound) return false;
    this.entries.push({ message, ask, atMs: this.clock.monotonicMs() });
    this.arm();
    return true;
  }

  /** Empties it; oldest first. */
  drain(): Stashed<M>[] {
    this.cancelTimer?.();
    this.cancelTimer = null;
    const all = this.entries;
    this.entries = [];
    return all;
  }

  oldestAtMs(): number | null {
    return this.entries[0]?.atMs ?? null;
  }

  private arm(): void {
    const oldest = this.entries[0];
    if (this.cancelTimer !== null || oldest === undefined) return;
    const leftMs = oldest.atMs + this.limits.maxAgeMs - this.clock.monotonicMs();
    this.cancelTimer = this.clock.after(Math.max(0, leftMs), () => {
      this.cancelTimer = null;
      this.expire();
      this.arm();
    });
  }

  private expire(): void {
    const nowMs = this.clock.monotonicMs();
    const firstFresh = this.entries.findIndex((entry) => nowMs - entry.atMs < this.limits.maxAgeMs);
    const expired = this.entries.splice(0, firstFresh < 0 ? this.entries.length : firstFresh);
    for (const entry of expired) this.onExpired(entry);
  }
}
