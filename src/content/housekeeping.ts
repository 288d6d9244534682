// The janitor of the chunk store: opening and closing, and what is to be done every few seconds in between. Evicts down to
// the low mark, writes access times, probes and samples the disk, leaves and enters modes, finishes what a failure left,
// forgets versions that were replaced a day ago, indexes chunk files that the index does not know.
import { messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { excessOf } from './cache-limits.ts';
import { checkOldest, reindexStore } from './check-store.ts';
import type { ContentKey } from './content-key.ts';
import type { Evictor } from './evictor.ts';
import type { GroupWriter } from './group-writer.ts';
import type { StoreState } from './store-state.ts';

/** Versions to be retired that wait for an index that can be written. */
const mostToRetire = 1000;
/** ms that closing waits for what is being written, and again for what that leaves in the lane. */
const settleMs = 2000;
const idleMs = 500;

export class Housekeeping {
  private readonly state: StoreState;
  private readonly evictor: Evictor;
  private probedAtMs = Number.NEGATIVE_INFINITY;
  private isProbed = false;
  private running: Promise<void> | null = null;
  private reindexing: Promise<void> | null = null;
  private wantsReindex = false;
  private hasBegun = false;
  /** The high mark was passed, and the low one not yet reached. */
  private isEvicting = false;
  private toRetire: { readonly content: ContentKey; readonly atMs: number }[] = [];
  private closed: Promise<void> | null = null;

  constructor(state: StoreState, evictor: Evictor) {
    this.state = state;
    this.evictor = evictor;
    state.onIndexNeedsFiles = () => {
      this.wantsReindex = true;
      if (this.hasBegun) this.startReindex();
    };
  }

  async begin(): Promise<void> {
    const { state } = this;
    if (!(await this.succeeds(() => state.files.prepare()))) {
      state.modes.died(state.modes.cause); // also a full disk: there is no index to go on with
    } else {
      state.openIndex();
      if (await this.succeeds(() => state.sampleDisk())) await this.probe();
      await this.succeeds(async () => {
        if (!(await state.files.isEmpty())) return;
        state.withIndex((index) => index.setMeta('indexed', 1));
        this.wantsReindex = false;
      });
    }
    this.hasBegun = true;
    this.startReindex();
  }

  step(signal: AbortSignal): Promise<void> {
    if (!this.state.options.limits.enabled || this.closed !== null) return Promise.resolve();
    this.running ??= this.stepOnce(signal).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  /** `when-many`: only when a hundred wait; `when-due`: or the oldest has waited for its time. */
  flushAccessTimes(when: 'when-many' | 'when-due' | 'always'): void {
    const { state } = this;
    const { count, ms } = state.times.waiting;
    const isDue = when === 'always' || (when === 'when-due' && ms >= state.options.limits.flushIntervalMs);
    if (count === 0 || (!isDue && count < limits.accessTimesWaiting)) return;
    const { times } = state;
    state.withIndex((index) => index.touch(times.entries()));
    times.flushed(); // also when it failed: they are worth less than the memory
  }

  retire(content: ContentKey): void {
    this.toRetire.push({ content, atMs: Math.floor(this.state.options.clock.wallMs()) });
    if (this.toRetire.length > mostToRetire) this.toRetire.shift();
    this.retireWaiting();
  }

  close(writer: GroupWriter): Promise<void> {
    this.closed ??= this.closeOnce(writer);
    return this.closed;
  }

  private async stepOnce(signal: AbortSignal): Promise<void> {
    const { state } = this;
    const nowMs = state.options.clock.monotonicMs();
    if (nowMs - this.probedAtMs >= state.options.limits.probeIntervalMs) {
      await this.probe();
      if (state.modes.isDead && this.isProbed) await this.revive(signal);
    }
    if (state.modes.mode === 'passthrough' || signal.aborted) return;
    if (state.isSampleDue) {
      await this.succeeds(() => state.sampleDisk());
      if (!state.isIndexInPlace()) state.replaceIndex('cache.db was taken away');
    }
    this.flushAccessTimes('when-due');
    this.retireWaiting();
    await state.lane.add(async () => {
      state.forget([]);
      await state.discard([]);
      this.forgetReplaced();
      await this.makeRoom(signal);
    });
    this.startReindex();
  }

  private async probe(): Promise<void> {
    const { state } = this;
    this.probedAtMs = state.options.clock.monotonicMs();
    this.isProbed = await this.succeeds(() => state.files.probe());
  }

  /** The disk takes writes again: what is there is looked at before it is used. */
  private async revive(signal: AbortSignal): Promise<void> {
    const { state } = this;
    const isThere = await this.succeeds(async () => {
      await state.lane.add(() => state.files.prepare());
      await state.files.space();
    });
    if (!isThere) return;
    state.abandonIndex();
    if (!state.openIndex()) return;
    const isChecked = await this.succeeds(async () => {
      await checkOldest(state, limits.scrubChunks, signal);
      await state.sampleDisk();
    });
    if (isChecked && !signal.aborted) state.modes.recovered();
  }

  /** Any failure of what is done here says that the disk cannot be used. */
  private async succeeds(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (this.state.closing.signal.aborted) return false;
      if (this.state.fileFailed(error) !== 'full') this.state.modes.died(messageOf(error));
      return false;
    }
  }

  /** Down to the low mark, so much in one step. */
  private async makeRoom(signal: AbortSignal): Promise<void> {
    const { state, evictor } = this;
    const usedBytes = state.usedBytes();
    const most = Math.max(usedBytes * limits.evictionShareAtOnce, 1);
    let freed = 0;
    for (let batch = 0; batch < limits.evictionBatchesAtOnce && freed < most && !signal.aborted; batch += 1) {
      const fill = state.fill();
      const excess = excessOf(state.usedBytes(), fill, state.options.limits);
      this.isEvicting = excess > 0 && (this.isEvicting || fill.level !== 'fine');
      if (!this.isEvicting) break;
      const bytes = await evictor.evict(Math.min(excess, most - freed));
      if (bytes === 0) break;
      freed += bytes;
    }
    if (freed > 0 || state.modes.isFull) state.judgeRoom();
  }

  private retireWaiting(): void {
    while (this.toRetire[0] !== undefined) {
      const { content, atMs } = this.toRetire[0];
      const isDone = this.state.withIndex((index) => {
        index.retire(content, atMs);
        return true;
      });
      if (isDone === undefined) return;
      this.toRetire.shift();
    }
  }

  /** Handles of a version that was replaced so long ago are closed. */
  private forgetReplaced(): void {
    const beforeMs = Math.floor(this.state.options.clock.wallMs()) - limits.oldVersionMs;
    this.state.withIndex((index) => {
      const retired = index.oldestRetired(beforeMs);
      if (retired !== undefined) index.dropPages(retired, limits.manifestPagesAtOnce);
    });
  }

  private startReindex(): void {
    const { state } = this;
    if (!this.wantsReindex || this.reindexing !== null || state.modes.isDead || state.index === null) return;
    this.wantsReindex = false;
    // Until all files are counted there is no saying how much room is left.
    if (state.withIndex((index) => index.meta('indexed')) === 0)
      state.modes.block('chunk files are being indexed');
    this.reindexing = this.reindex().finally(() => {
      this.reindexing = null;
    });
    this.reindexing.catch((error: unknown) => {
      queueMicrotask(() => {
        throw error; // a bug, with nobody to tell
      });
    });
  }

  private async reindex(): Promise<void> {
    const { state } = this;
    try {
      await reindexStore(state, state.closing.signal);
      if (!this.wantsReindex) state.modes.block(null);
    } catch (error) {
      this.wantsReindex = true;
      state.fileFailed(error);
    }
  }

  private async closeOnce(writer: GroupWriter): Promise<void> {
    const { state } = this;
    await this.within(settleMs, writer.settle());
    this.flushAccessTimes('always');
    state.closing.abort();
    const isIdle = await this.within(idleMs, state.lane.onIdle());
    state.withIndex((index) => {
      if (isIdle && state.modes.mode !== 'passthrough' && this.reindexing === null) index.setMeta('clean', 1);
    });
    state.closeIndex();
  }

  private async within(ms: number, work: Promise<unknown>): Promise<boolean> {
    let undo: () => void = () => undefined;
    const late = new Promise<false>((resolve) => {
      undo = this.state.options.clock.after(ms, () => resolve(false));
    });
    try {
      return await Promise.race([work.then(() => true as const), late]);
    } finally {
      undo();
    }
  }
}
