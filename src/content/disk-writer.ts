// Writes and names chunk files on a thread of its own, which does many in one go. Each call on libuv's pool would wait
// for a turn of the thread that fetches, five for each chunk (measured: 90 MB/s with 24 calls at once, as they also spin
// for the lock of their folder; 130 with 4; with this thread the disk is the limit).
//
// The thread begins with the first call and ends when nothing was asked of it for a while. One that a disk does not let
// go of keeps what was asked of it, in order; whoever asks has a limit of their own.
import { Worker } from 'node:worker_threads';
import { limits } from '../platform/limits.ts';
import type { DiskOutcome, DiskTask } from './disk-thread.ts';

interface Asked {
  readonly task: DiskTask;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class DiskWriter {
  private readonly entry: URL;
  private worker: Worker | null = null;
  /** Not sent yet. */
  private waiting: Asked[] = [];
  /** What the thread works on, in messages. */
  private sent: Asked[][] = [];
  private idleTimer: NodeJS.Timeout | null = null;

  constructor(entry = new URL('./disk-thread.ts', import.meta.url)) {
    this.entry = entry;
  }

  /** Rejects with the system's error, of which `.code` is the errno's name. */
  run(task: DiskTask): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ task, resolve, reject });
      this.send();
    });
  }

  /** One message is worked on and one waits, so that the thread is never idle; what comes meanwhile goes together. */
  private send(): void {
    if (this.waiting.length === 0 || this.sent.length >= messagesAtOnce) return;
    if (this.idleTimer !== null) clearTimeout(this.idleTimer);
    this.idleTimer = null;
    this.worker ??= this.start();
    const message = this.waiting;
    this.waiting = [];
    this.sent.push(message);
    this.worker.ref(); // a process that ends by itself waits for it
    this.worker.postMessage(message.map(({ task }) => task));
  }

  private start(): Worker {
    const worker = new Worker(this.entry, {
      name: 'cache-disk',
      resourceLimits: { maxYoungGenerationSizeMb: 1 },
    });
    worker.on('message', (outcomes: readonly DiskOutcome[]) => this.answered(outcomes));
    worker.on('error', (error) => this.lost(worker, error));
    worker.on('exit', () => this.lost(worker, new Error('the thread of the cache disk has ended')));
    return worker;
  }

  private answered(outcomes: readonly DiskOutcome[]): void {
    const asked = this.sent.shift() ?? [];
    for (const [index, { resolve, reject }] of asked.entries()) {
      const outcome = outcomes[index] ?? null;
      if (outcome === null) resolve();
      else reject(Object.assign(new Error(outcome.message), { code: outcome.code }));
    }
    this.send();
    if (this.sent.length > 0) return;
    this.worker?.unref();
    this.idleTimer = setTimeout(() => this.end(), limits.diskThreadIdleMs).unref();
  }

  private end(): void {
    const { worker } = this;
    this.worker = null;
    void worker?.terminate();
  }

  /** What it had not answered has failed, for all that is known; the next call starts another. */
  private lost(worker: Worker, error: Error): void {
    if (worker !== this.worker) return;
    this.worker = null;
    const asked = this.sent.flat();
    this.sent = [];
    for (const { reject } of asked) reject(Object.assign(error, { code: 'EIO' }));
    this.send();
  }
}

const messagesAtOnce = 2;
