// Makes room: carries out what eviction.ts decides. Runs in the store's lane only, so nothing else changes files meanwhile.
// A batch is at most 64 chunks: their files go first, then their rows in one transaction. A victim whose file cannot be
// removed is dropped from the index all the same and counted: what nobody can remove must not hold up what can be.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { limits } from '../platform/limits.ts';
import type { ChunkRow, Cursor } from './cache-index.ts';
import { type Candidate, chooseVictims } from './eviction.ts';
import type { StoreState } from './store-state.ts';

/** Candidates looked at in one turn: a millisecond. */
const candidatesAtOnce = 256;
const beginning: Cursor = { accessedAt: -1, chunk: 0 };

export class Evictor {
  private readonly state: StoreState;
  /** Everything before it is pinned, so that it need not be passed again for each batch. */
  private cursor = beginning;

  constructor(state: StoreState) {
    this.state = state;
  }

  /** What was passed over may be a victim now. */
  lookAgain(): void {
    this.cursor = beginning;
  }

  /** One batch, of about so many bytes at most. Returns the bytes that were freed: 0 when there is nothing to be had. */
  async evict(bytes: number): Promise<number> {
    const victims = (await this.withoutFile(bytes)) ?? (await this.leastRecent(bytes));
    if (victims.length === 0) return 0;
    const removed = await this.remove(victims);
    const bytesFreed = removed.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    if (removed.length === 0) return 0;
    this.state.totals.evictedBytes += bytesFreed;
    this.state.totals.evictedChunks += removed.length;
    this.state.options.onEvent({ type: 'cache_eviction', bytesFreed, chunks: removed.length });
    return bytesFreed;
  }

  /** Chunks that are of no use any more, however recently they were used. */
  async removeUnused(
    rows: readonly ChunkRow[],
  ): Promise<{ readonly bytes: number; readonly chunks: number }> {
    const victims = rows.map(({ id, name, length }) => ({ chunk: id, name, lengthBytes: length }));
    const gone = { bytes: 0, chunks: 0 };
    for (let at = 0; at < victims.length; at += limits.evictionBatch) {
      const removed = await this.remove(victims.slice(at, at + limits.evictionBatch));
      gone.bytes += removed.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
      gone.chunks += removed.length;
    }
    return gone;
  }

  private rule(bytes: number) {
    const { times } = this.state;
    return {
      bytes,
      most: limits.evictionBatch,
      usedSince: times.now() - this.state.options.limits.chunkInUseMs,
      lastAccess: (chunk: number) => times.lastOf(chunk),
    };
  }

  /** Chunks of no file, and of versions that were replaced, which thereby are of no file. */
  private async withoutFile(bytes: number): Promise<Candidate[] | null> {
    for (let skipped = 0; ; await nextTurn()) {
      const rule = this.rule(bytes);
      const found =
        this.state.withIndex((index) => index.unusedChunks(rule.usedSince, candidatesAtOnce)) ?? [];
      const victims = chooseVictims(found, rule);
      if (victims.length > 0) return victims;
      const { usedSince, lastAccess } = rule;
      const isInUse = (chunk: number, accessedAt: number) =>
        Math.max(accessedAt, lastAccess(chunk) ?? 0) > usedSince;
      const dropped = this.state.withIndex((index) => index.dropRetiredPage(skipped, isInUse)) ?? 'none';
      if (dropped === 'in-use') skipped += 1;
      if (dropped === 'none' || skipped > limits.manifestPagesAtOnce) return null;
    }
  }

  private async leastRecent(bytes: number): Promise<Candidate[]> {
    for (;;) {
      const rule = this.rule(bytes);
      const { cursor } = this;
      const found =
        this.state.withIndex((index) => index.leastRecent(cursor, rule.usedSince, candidatesAtOnce)) ?? [];
      const victims = chooseVictims(found, rule);
      if (victims.length > 0) return victims;
      const last = found.at(-1);
      if (found.length < candidatesAtOnce || last === undefined) {
        this.lookAgain();
        return [];
      }
      this.cursor = last;
      await nextTurn();
    }
  }

  private async remove<T extends { chunk: number; name: string }>(victims: readonly T[]): Promise<T[]> {
    const { state } = this;
    const isGone = await Promise.all(
      victims.map((victim) => state.calls.add(() => this.isRemoved(victim.name))),
    );
    const removed = victims.filter((_, index) => isGone[index] === true);
    state.forget(removed.map(({ chunk }) => chunk));
    return removed;
  }

  private async isRemoved(name: string): Promise<boolean> {
    const { files, modes, options, closing, totals } = this.state;
    if (modes.mode === 'passthrough') return false;
    try {
      await options.failpoints.pass('cas.evict.before-unlink', undefined, closing.signal);
      await files.remove(name);
      return true;
    } catch (error) {
      if (this.state.fileFailed(error) !== 'passing' || closing.signal.aborted) return false;
      totals.lostVictims += 1;
      this.state.discardLater(name);
      return true;
    }
  }
}
