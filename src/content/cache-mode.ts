// In which mode the cache works, and why: a small state machine that the store feeds. It tells each change once, as an
// event and as one line in the log.
import type { Clock } from '../platform/clock.ts';
import { limits } from '../platform/limits.ts';
import type { Logger } from '../platform/logger.ts';
import type { CacheEvent, CacheMode } from './cache-events.ts';
import type { CacheFailure } from './cache-failure.ts';

interface CacheModeParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly isEnabled: boolean;
  readonly onEvent: (event: CacheEvent) => void;
}

export class CacheModes {
  private readonly parts: CacheModeParts;
  private current: CacheMode;
  /** Why there is no working with the disk, until a probe says otherwise. */
  private dead: string | null = null;
  private full: string | null = null;
  private blocked: string | null = null;
  /** When the last failures happened, on the monotonic clock. */
  private failures: number[] = [];

  constructor(parts: CacheModeParts) {
    this.parts = parts;
    this.current = parts.isEnabled ? 'normal' : 'passthrough';
  }

  get mode(): CacheMode {
    return this.current;
  }

  get isDead(): boolean {
    return this.dead !== null;
  }

  get isFull(): boolean {
    return this.full !== null;
  }

  get cause(): string {
    if (!this.parts.isEnabled) return 'switched off';
    return this.dead ?? this.full ?? this.blocked ?? '';
  }

  /** A call on the disk or a statement failed. Damage of cache.db is the store's to put right. */
  failed(failure: CacheFailure, message: string): void {
    switch (failure) {
      case 'full':
        return this.set({ full: message });
      case 'denied':
      case 'hung':
        return this.set({ dead: message });
      case 'damaged':
      case 'passing':
        return this.count(message);
    }
  }

  /** A probe failed, or the index cannot be opened. */
  died(cause: string): void {
    this.set({ dead: cause });
  }

  /** The disk took a probe and the index was checked. */
  recovered(): void {
    this.failures = [];
    this.set({ dead: null });
  }

  /** What the newest sample of the disk says; null: there is room. */
  measured(full: string | null): void {
    this.set({ full });
  }

  /** While something else keeps the store from writing; null: no longer. */
  block(cause: string | null): void {
    this.set({ blocked: cause });
  }

  private count(message: string): void {
    const now = this.parts.clock.monotonicMs();
    this.failures = [...this.failures, now].filter((at) => at > now - limits.cacheFailuresWithinMs);
    if (this.failures.length >= limits.cacheFailures) {
      this.set({ dead: `${this.failures.length} failures in a short time, the last one: ${message}` });
    }
  }

  private set(change: { dead?: string | null; full?: string | null; blocked?: string | null }): void {
    if (change.dead !== undefined) this.dead = change.dead === null ? null : (this.dead ?? change.dead);
    if (change.full !== undefined) this.full = change.full === null ? null : (this.full ?? change.full);
    if (change.blocked !== undefined) this.blocked = change.blocked;
    const to = this.wanted();
    const from = this.current;
    if (from === to) return;
    this.current = to;
    const cause = this.cause;
    const fields = { event: 'cache_mode_changed', from, to, cause };
    if (to === 'passthrough') this.parts.log.error(fields, 'the cache is not used');
    else this.parts.log.info(fields);
    this.parts.onEvent({ type: 'cache_mode_changed', from, to, cause });
  }

  private wanted(): CacheMode {
    if (!this.parts.isEnabled || this.dead !== null) return 'passthrough';
    return this.full === null && this.blocked === null ? 'normal' : 'no-writes';
  }
}
