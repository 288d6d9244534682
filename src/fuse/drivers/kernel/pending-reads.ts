// Reads that wait for a disk or for an origin: their buffers, their deadlines, and what an interrupt does to them.
//
// What an origin is asked for holds no buffer and no place while it is on its way: one that is down keeps nobody waiting
// who reads from elsewhere. A local disk is read on the pool, in buffers of ours:
// A read on the pool cannot be called back. When its deadline passes or its caller gives up, the request is answered at
// once and the buffer comes back when the disk does. The bytes that wait are bounded; further reads queue in order.
import type { Clock } from '../../../platform/clock.ts';
import type { ErrorCode } from '../../../platform/errors.ts';
import { limits } from '../../../platform/limits.ts';
import type { RequestHeader } from '../../protocol/decode-request.ts';

export interface WaitingRead {
  readonly header: Pick<RequestHeader, 'uniqueLow' | 'uniqueHigh' | 'node'>;
  readonly offset: number;
  readonly size: number;
}

interface JobState {
  isAnswered: boolean;
  cancelDeadline: () => void;
  /** Ends what an origin was asked for. */
  readonly abort: AbortController;
}

type Job<R> = R & JobState;

export interface PendingReadsOptions<R> {
  readonly clock: Clock;
  /** Reads into the buffer; 'fetch': an origin must be asked. Never rejects. */
  readonly read: (read: R, buffer: Buffer) => Promise<number | 'fetch' | ErrorCode>;
  /** Asks an origin; left out where there is none to ask. Never rejects. */
  readonly fetch?: (read: R, signal: AbortSignal) => Promise<Uint8Array | ErrorCode>;
  readonly answer: (read: R, outcome: number | ErrorCode, bytes: Uint8Array) => void;
}

const pooledBuffers = 16;

export class PendingReads<R extends WaitingRead = WaitingRead> {
  private readonly options: PendingReadsOptions<R>;
  private readonly jobs = new Map<string, Job<R>>();
  private readonly queue: Job<R>[] = [];
  private readonly free: Buffer[] = [];
  private bytesOut = 0;
  private running = 0;

  constructor(options: PendingReadsOptions<R>) {
    this.options = options;
  }

  /** Reads under way or queued. */
  get size(): number {
    return this.jobs.size;
  }

  start(read: R, from: 'disk' | 'origin' = 'disk'): void {
    const key = keyOf(read.header.uniqueLow, read.header.uniqueHigh);
    const abort = new AbortController();
    const job: Job<R> = { ...read, isAnswered: false, cancelDeadline: () => undefined, abort };
    job.cancelDeadline = this.options.clock.after(limits.readDeadlineMs, () =>
      this.finish(job, 'deadline_exceeded'),
    );
    this.jobs.set(key, job);
    if (from === 'origin') return this.fetch(job);
    this.queue.push(job);
    this.advance();
  }

  /** The caller of that request gave up: it is answered EINTR. False when it does not wait here. */
  interrupt(uniqueLow: number, uniqueHigh: number): boolean {
    const job = this.jobs.get(keyOf(uniqueLow, uniqueHigh));
    if (job === undefined) return false;
    this.finish(job, 'cancelled');
    return true;
  }

  /** Answers everything that still waits, for a stop. */
  cancelAll(code: ErrorCode): void {
    for (const job of [...this.jobs.values()]) this.finish(job, code);
  }

  /** Forgets everything that waits without an answer: the next life of the session is sent it again. */
  abandonAll(): void {
    for (const job of this.jobs.values()) {
      job.isAnswered = true;
      job.cancelDeadline();
      job.abort.abort();
    }
    this.jobs.clear();
  }

  private advance(): void {
    for (;;) {
      const job = this.queue[0];
      if (job === undefined) return;
      const isFull =
        this.running >= limits.readsInPool ||
        (this.bytesOut > 0 && this.bytesOut + bufferSizeFor(job.size) > limits.readBufferBytes);
      if (!job.isAnswered && isFull) return;
      this.queue.shift();
      if (!job.isAnswered) this.run(job);
    }
  }

  private run(job: Job<R>): void {
    const buffer = this.take(job.size);
    this.bytesOut += buffer.length;
    this.running += 1;
    void this.options
      .read(job, buffer)
      .catch((): ErrorCode => 'internal')
      .then((outcome) => {
        if (outcome === 'fetch') this.fetch(job);
        else this.finish(job, outcome, buffer);
        this.bytesOut -= buffer.length;
        this.running -= 1;
        if (this.free.length < pooledBuffers) this.free.push(buffer);
        this.advance();
      });
  }

  private fetch(job: Job<R>): void {
    if (job.isAnswered) return;
    const fetched = this.options.fetch?.(job, job.abort.signal) ?? Promise.resolve('internal' as const);
    void fetched
      .catch((): ErrorCode => 'internal')
      .then((outcome) => {
        if (typeof outcome === 'string') this.finish(job, outcome);
        else this.finish(job, outcome.length, outcome);
      });
  }

  private finish(job: Job<R>, outcome: number | ErrorCode, bytes: Uint8Array = empty): void {
    if (job.isAnswered) return;
    job.isAnswered = true;
    job.cancelDeadline();
    if (typeof outcome === 'string') job.abort.abort();
    this.jobs.delete(keyOf(job.header.uniqueLow, job.header.uniqueHigh));
    this.options.answer(job, outcome, bytes);
  }

  /** A buffer of at least that size; those of one request's full size are kept. */
  private take(size: number): Buffer {
    const fitting = this.free.findIndex((buffer) => buffer.length >= size);
    if (fitting !== -1) return this.free.splice(fitting, 1)[0] ?? empty;
    return Buffer.allocUnsafeSlow(bufferSizeFor(size));
  }
}

const empty = Buffer.alloc(0);

/** Buffers come in two sizes: that of the kernel's usual read-ahead, and that of the largest request. */
function bufferSizeFor(size: number): number {
  const readAheadBytes = 128 * 1024;
  return size <= readAheadBytes ? readAheadBytes : limits.readRequestBytes;
}

function keyOf(low: number, high: number): string {
  return `${high}.${low}`;
}
