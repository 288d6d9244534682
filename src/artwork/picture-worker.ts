// A process of one trade that is there while it has work: started with the first question, ended when none comes for a while,
// replaced when it died or was killed. One question at a time, the others wait. Used by renditions.ts and extractions.ts,
// which bound how many wait.
import PQueue from 'p-queue';
import type { Clock } from '../platform/clock.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { PictureChild, type Trade } from './picture-child.ts';

export class PictureWorker<Question, Answer> {
  private readonly trade: Trade<Question, Answer>;
  private readonly clock: Clock;
  private readonly queue = new PQueue({ concurrency: 1 });
  private child: PictureChild<Question, Answer> | null = null;
  /** Killed, and not gone yet. */
  private readonly leaving = new Set<PictureChild<Question, Answer>>();
  private cancelIdle: () => void = () => {};
  private isClosed = false;

  constructor(trade: Trade<Question, Answer>, clock: Clock) {
    this.trade = trade;
    this.clock = clock;
  }

  /** The process that takes questions now, null when there is none. */
  get pid(): number | null {
    return this.child === null || this.child.isOver ? null : (this.child.pid ?? null);
  }

  /** Questions that wait behind the one that is being answered. */
  get waiting(): number {
    return this.queue.size;
  }

  /**
   * The answer. Rejects as PictureChild.ask does, with `refused` also when no process can be started, `overloaded` when too
   * many are stuck in the kernel, `cancelled` after close. An abort of work under way costs the process.
   */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    this.throwIfClosed();
    return this.queue.add(() => this.work(question, signal), { signal });
  }

  throwIfClosed(): void {
    if (this.isClosed) throw closed();
  }

  /** Ends the process and rejects whoever waits. Resolves when it is gone, or stuck in the kernel. May be called twice. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.letGo();
    await Promise.all([...this.leaving].map(({ gone }) => this.atLast(gone)));
  }

  private async work(question: Question, signal: AbortSignal): Promise<Answer> {
    this.throwIfClosed();
    this.cancelIdle();
    if (this.child?.isOver === true) this.letGo();
    this.child ??= this.started();
    const { child } = this;
    try {
      return await child.ask(question, signal);
    } finally {
      // After an abort the next question may have a process already: then this one is not ours to end.
      if (this.child === child) {
        if (child.isOver) this.letGo();
        else this.cancelIdle = this.clock.after(limits.renditionIdleMs, () => this.letGo());
      }
    }
  }

  /** The constructor may run out of descriptors before there is a process that could tell. */
  private started(): PictureChild<Question, Answer> {
    if (this.leaving.size >= limits.pictureProcessesAbandoned)
      throw new MusicfsError(
        'overloaded',
        `${this.leaving.size} processes for pictures are stuck in the kernel`,
      );
    try {
      return new PictureChild(this.trade, this.clock);
    } catch (error) {
      throw new MusicfsError('refused', `no ${this.trade.name} can be started: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  private letGo(): void {
    this.cancelIdle();
    const { child } = this;
    if (child === null) return;
    this.child = null;
    this.leaving.add(child);
    void child.gone.then(() => this.leaving.delete(child));
    child.kill(closed());
  }

  private atLast(gone: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const undo = this.clock.after(limits.renditionDeathMs, resolve);
      void gone.then(() => {
        undo();
        resolve();
      });
    });
  }
}

const closed = () => new MusicfsError('cancelled', 'no more pictures are made');
