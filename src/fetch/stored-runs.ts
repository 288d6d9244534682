// What of one content version is given to the store while it comes: bytes that follow each other as one run, as the store
// cuts runs into chunks. Segments come in any order; each is given when what lies before it was, or begins a run where
// nothing is on its way before it.
import type { ByteRange, ContentKey } from '../content/content-key.ts';
import type { Clock } from '../platform/clock.ts';
import { limits } from '../platform/limits.ts';
import type { Segment } from './segment.ts';

/** A sequential run of bytes that the chunk store cuts; see content/chunk-store.ts. */
export interface StoredRun {
  add(bytes: Uint8Array): void;
  end(): Promise<void>;
  committedTo(): number;
  /** Bytes that were added and are not committed yet. */
  readonly uncommittedBytes: number;
}

/** What is kept of fetched bytes; the chunk store, or nothing. */
export interface ByteStore {
  gaps(content: ContentKey, offset: number, lengthBytes: number): ByteRange[];
  read(content: ContentKey, offset: number, lengthBytes: number): Promise<Uint8Array | null>;
  beginRun(content: ContentKey, file: { sizeBytes: number; originId: string }, offset: number): StoredRun;
}

/** Bytes that follow each other, as they are given to the store. */
export interface Run {
  readonly stored: StoredRun;
  fedTo: number;
  fedAtMs: number;
}

/** A segment and the run it is part of; null: nothing of it was given yet. */
export interface Fed {
  readonly segment: Segment;
  run: Run | null;
}

export interface StoredRunsOptions {
  readonly content: ContentKey;
  readonly sizeBytes: number;
  readonly originId: string;
  readonly store: ByteStore;
  readonly clock: Clock;
}

/** ms after which a run that nothing was added to is cut where it is, so that the store has it. */
const runIdleMs = 1_000;

export class StoredRuns {
  private readonly options: StoredRunsOptions;
  private runs: Run[] = [];

  constructor(options: StoredRunsOptions) {
    this.options = options;
  }

  /** More comes than the store writes. */
  get isBehind(): boolean {
    return this.runs.some(({ stored }) => stored.uncommittedBytes >= limits.storeBehindBytes);
  }

  /** Gives what has come of a segment, and of those that follow it. `all`: every segment that is held or on its way. */
  feed(fed: Fed, all: readonly Fed[]): void {
    const { store, content, sizeBytes, originId, clock } = this.options;
    const { segment } = fed;
    if (fed.run === null) {
      const before = this.runs.find(({ fedTo }) => fedTo === segment.offset);
      const isAwaited =
        before === undefined &&
        all.some(
          (other) =>
            other.segment.end === segment.offset && other.segment.failure === null && !other.segment.isDone,
        );
      if (isAwaited) return; // what comes before is on its way: one run of both
      fed.run = before ?? {
        stored: store.beginRun(content, { sizeBytes, originId }, segment.offset),
        fedTo: segment.offset,
        fedAtMs: 0,
      };
      if (before === undefined) this.runs.push(fed.run);
    }
    const { run } = fed;
    segment.feed((bytes) => {
      run.stored.add(bytes);
      run.fedTo += bytes.length;
    });
    run.fedAtMs = clock.monotonicMs();
    if (!segment.isDone) return;
    if (segment.end === sizeBytes) void this.end((other) => other === run);
    const next = all.find((other) => other.run === null && other.segment.offset === segment.end);
    if (next !== undefined) this.feed(next, all);
  }

  /** Ends runs that nothing was given for a while and nothing is on its way to. */
  endIdle(all: readonly Fed[]): void {
    const idleSinceMs = this.options.clock.monotonicMs() - runIdleMs;
    void this.end(
      (run) => run.fedAtMs <= idleSinceMs && !all.some((fed) => fed.run === run && !fed.segment.isDone),
    );
  }

  /** What was given of these runs is cut and committed. Never rejects. */
  async end(isOver: (run: Run) => boolean = () => true): Promise<void> {
    const ending = this.runs.filter(isOver);
    this.runs = this.runs.filter((run) => !ending.includes(run));
    await Promise.all(ending.map(({ stored }) => stored.end().catch(() => undefined)));
  }
}
