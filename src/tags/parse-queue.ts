// The files that wait for a parser and the promises that wait for the files. Knows nothing of processes: the pool takes
// work from here and brings outcomes, deaths and refusals back.
import type { RealPath } from '../library/real-path.ts';
import type { HeldRange } from './bounded-reader.ts';
import type { ChildResult, ParseOutcome } from './parse-outcome.ts';
import { parserLimits } from './parser-limits.ts';

export interface ParseBatch {
  /** Absolute path of the origin's root. */
  readonly rootPath: string;
  readonly files: readonly RealPath[];
  /** What of each file is there; left out: all of it. */
  readonly held?: readonly (readonly HeldRange[])[];
  /** Also the fingerprint over the whole file. */
  readonly wantsFileFp?: boolean;
}

/** One call of `parse`. */
export interface Job {
  readonly rootPath: string;
  readonly wantsFileFp: boolean;
  readonly outcomes: (ParseOutcome | null)[];
  missing: number;
  isSettled: boolean;
  readonly resolve: (outcomes: readonly ParseOutcome[]) => void;
  readonly reject: (reason: unknown) => void;
}

export interface Task {
  readonly job: Job;
  readonly index: number;
  readonly path: RealPath;
  readonly held: readonly HeldRange[] | null;
  /** first: with others · alone: it killed a child · identify: it killed two, and is not parsed again */
  readonly stage: 'first' | 'alone' | 'identify';
  /** Why the last child died. */
  readonly reason: string;
}

export class ParseQueue {
  private readonly jobs = new Set<Job>();
  private waiting: Task[] = [];
  private suspects: Task[] = [];

  /** Files that any child may take. */
  get length(): number {
    return this.waiting.length;
  }

  /** Queues a batch. `whenAborted` is told after the batch was dropped. */
  add(
    batch: ParseBatch,
    signal: AbortSignal,
    whenAborted: (job: Job) => void,
  ): Promise<readonly ParseOutcome[]> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.drop(job, signal.reason);
        whenAborted(job);
      };
      const job: Job = {
        rootPath: batch.rootPath,
        wantsFileFp: batch.wantsFileFp ?? false,
        outcomes: batch.files.map(() => null),
        missing: batch.files.length,
        isSettled: false,
        resolve: (outcomes) => {
          signal.removeEventListener('abort', onAbort);
          resolve(outcomes);
        },
        reject: (reason) => {
          signal.removeEventListener('abort', onAbort);
          reject(reason as Error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.jobs.add(job);
      for (const [index, path] of batch.files.entries()) {
        const held = batch.held?.[index] ?? null;
        this.waiting.push({ job, index, path, held, stage: 'first', reason: '' });
      }
    });
  }

  /** The next files of one batch, a fair share of what waits when `takers` children take part. */
  takeChunk(takers: number): readonly Task[] {
    const share = Math.ceil(this.waiting.length / takers);
    const most = Math.max(Math.min(share, parserLimits.chunkFiles), 1);
    const other = this.waiting.findIndex(({ job }) => job !== this.waiting[0]?.job);
    return this.waiting.splice(0, other < 0 ? most : Math.min(most, other));
  }

  get hasSuspect(): boolean {
    return this.suspects.length > 0;
  }

  /** The next file that must be alone in a fresh child. */
  takeSuspect(): readonly Task[] {
    return this.suspects.splice(0, 1);
  }

  /** Files of a dead child that it had not begun go back to the front. */
  giveBack(tasks: readonly Task[]): void {
    this.waiting.unshift(...unsettled(tasks));
  }

  /** A suspect whose child did not even start is no more suspect than before. */
  giveBackSuspects(tasks: readonly Task[]): void {
    this.suspects.push(...unsettled(tasks));
  }

  /** A child died of this file: another chance alone, then a last look without parsing, then its verdict. */
  suspect(task: Task, reason: string): void {
    switch (task.stage) {
      case 'first':
        this.suspects.push({ ...task, stage: 'alone', reason });
        break;
      case 'alone':
        this.suspects.push({ ...task, stage: 'identify', reason });
        break;
      case 'identify': {
        const unknown = { sizeBytes: 0, mtimeNs: '0', audioFp: null };
        this.settle(task, { type: 'failed', path: task.path, ...unknown, reason: verdictOf(task) });
        break;
      }
    }
  }

  /** What a child said about a file. */
  answer(task: Task, result: ChildResult): void {
    this.settle(task, outcomeOf(task, result));
  }

  /** Forgets a batch's files and rejects it; what a child still answers for it is thrown away. */
  drop(job: Job, reason: unknown): void {
    if (job.isSettled) return;
    job.isSettled = true;
    this.jobs.delete(job);
    this.waiting = unsettled(this.waiting);
    this.suspects = unsettled(this.suspects);
    job.reject(reason);
  }

  dropAll(reason: unknown): void {
    for (const job of [...this.jobs]) this.drop(job, reason);
  }

  private settle(task: Task, outcome: ParseOutcome): void {
    const { job } = task;
    if (job.isSettled || job.outcomes[task.index] !== null) return;
    job.outcomes[task.index] = outcome;
    job.missing -= 1;
    if (job.missing > 0) return;
    job.isSettled = true;
    this.jobs.delete(job);
    job.resolve(job.outcomes.filter((each) => each !== null));
  }
}

function unsettled(tasks: readonly Task[]): Task[] {
  return tasks.filter(({ job }) => !job.isSettled);
}

function verdictOf(task: Task): string {
  return `it killed its parser twice: ${task.reason}`;
}

function outcomeOf(task: Task, result: ChildResult): ParseOutcome {
  const { path } = task;
  switch (result.type) {
    case 'parsed': {
      const { sizeBytes, mtimeNs, tags, audioFp, fileFp, state } = result;
      return { type: 'parsed', path, sizeBytes, mtimeNs, tags, audioFp, fileFp, state };
    }
    case 'failed': {
      const { sizeBytes, mtimeNs, audioFp } = result;
      const reason = task.stage === 'identify' ? verdictOf(task) : result.reason;
      return { type: 'failed', path, sizeBytes, mtimeNs, reason, audioFp };
    }
    case 'not-music':
      return { type: 'not-music', path };
    case 'vanished':
      return { type: 'vanished', path, code: result.code };
    case 'needs':
      return { type: 'needs', path, offset: result.offset, lengthBytes: result.lengthBytes };
  }
}
