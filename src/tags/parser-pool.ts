// Parses files in child processes that may be killed: a file can crash, hang or bloat a child, never the daemon.
//
// Each call of `parse` is cut into chunks that idle children take. A child answers file by file, so when it dies the
// number of answers names the file that killed it. That file is tried once more, alone, in a fresh child; when it
// kills that one too, a third child tells its size and identity without parsing it, and it is `failed`. The other
// files of the chunk go back to the queue as if nothing had been.
//
// Owns its children and nothing else. Limits are checked by one timer that runs while a child is busy.
import type { RealPath } from '../library/real-path.ts';
import type { Clock } from '../platform/clock.ts';
import { MusicfsError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { ChildResult, ParseOutcome } from './parse-outcome.ts';
import { type ParseBatch, ParseQueue, type Task } from './parse-queue.ts';
import { ParserChild } from './parser-child.ts';
import { parserLimits } from './parser-limits.ts';

export interface ParserLimits {
  /** Per file, wall time and processor time. */
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Per child: JavaScript heap, and resident memory as a whole. */
  readonly heapMb: number;
  readonly rssMb: number;
  /** A child without work for this long ends. */
  readonly idleMs: number;
}

export const defaultParserLimits: ParserLimits = {
  wallMs: 30_000,
  cpuMs: 10_000,
  heapMb: 256,
  // The heap, 60 MB of Node itself, and buffers of 8 MiB a file that wait for the collector.
  rssMb: 512,
  idleMs: 60_000,
};

export interface ParserPoolOptions {
  /** Children at most. */
  readonly size: number;
  /** The daemon is root: children run as nobody, with the one right to read every file. */
  readonly dropPrivileges: boolean;
  readonly limits: ParserLimits;
  /** Name of a code page; see legacy-text.ts. */
  readonly legacyCharset: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** `parser.file=…` lines that a child arms before these files; none unless failpoints are on. */
  readonly failpoints: (files: readonly RealPath[]) => readonly string[];
  /** Called for each file whose tags were read. */
  readonly onParsed?: () => void;
}

export interface ParserStats {
  readonly spawned: number;
  /** Children that ended while they had a file. */
  readonly crashed: number;
  /** Files answered with `parsed`. */
  readonly parsed: number;
  readonly bytesReadForTags: number;
  readonly bytesReadForFingerprints: number;
  readonly preads: number;
}

interface Member {
  readonly child: ParserChild;
  isReady: boolean;
  chunk: readonly Task[];
  answered: number;
  /** When the current file began, and the processor time then. */
  sinceMs: number;
  mark: { answered: number; cpuMs: number } | null;
  cancelIdle: () => void;
}

export class ParserPool {
  private readonly options: ParserPoolOptions;
  private readonly members = new Set<Member>();
  /** Children that were let go and have not ended yet. */
  private readonly leaving = new Set<ParserChild>();
  private readonly queue = new ParseQueue();
  private failedStarts = 0;
  private isClosed = false;
  private cancelWatch: (() => void) | null = null;
  private readonly counts = {
    spawned: 0,
    crashed: 0,
    parsed: 0,
    bytesReadForTags: 0,
    bytesReadForFingerprints: 0,
    preads: 0,
  };

  constructor(options: ParserPoolOptions) {
    this.options = options;
  }

  /**
   * Outcomes in the order of the files. Rejects with `origin_unavailable` when the root cannot be opened, `refused`
   * when no child starts, `cancelled` after close, and with the signal's reason when it aborts: children that work on
   * this batch are killed then.
   */
  parse(batch: ParseBatch, signal: AbortSignal): Promise<readonly ParseOutcome[]> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.isClosed) return Promise.reject(new MusicfsError('cancelled', 'the parsers are stopped'));
    if (batch.files.length === 0) return Promise.resolve([]);
    const outcomes = this.queue.add(batch, signal, (job) => {
      for (const member of this.members) {
        if (member.chunk[0]?.job === job) member.child.kill('its batch was cancelled');
      }
    });
    this.dispatch();
    return outcomes;
  }

  stats(): ParserStats {
    return { ...this.counts };
  }

  /** Process ids of the living children. */
  pids(): readonly number[] {
    return [...this.members].map(({ child }) => child.pid).filter((pid) => pid !== undefined);
  }

  /** Kills every child, rejects what is waiting. May be called twice. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.cancelWatch?.();
    this.cancelWatch = null;
    this.queue.dropAll(new MusicfsError('cancelled', 'the parsers are stopped'));
    const children = [...[...this.members].map(({ child }) => child), ...this.leaving];
    for (const child of children) child.kill('the pool was closed');
    await Promise.all(children.map(({ gone }) => gone));
  }

  private dispatch(): void {
    if (this.isClosed) return;
    while (this.queue.hasSuspect && this.makeRoom()) this.startMember(this.queue.takeSuspect());
    for (const member of this.members) {
      if (this.queue.length === 0) break;
      if (member.isReady && member.chunk.length === 0)
        this.give(member, this.queue.takeChunk(this.options.size));
    }
    const starting = [...this.members].filter(
      (member) => !member.isReady && member.chunk.length === 0,
    ).length;
    const wanted = Math.min(Math.ceil(this.queue.length / parserLimits.chunkFiles), this.options.size);
    for (let count = starting; count < wanted && this.members.size < this.options.size; count += 1) {
      this.startMember([]);
    }
    this.watch();
  }

  /** Whether a child may be started now; dismisses an idle one when the pool is full. */
  private makeRoom(): boolean {
    if (this.members.size < this.options.size) return true;
    const idle = [...this.members].find((member) => member.isReady && member.chunk.length === 0);
    if (idle === undefined) return false;
    this.letGo(idle);
    return true;
  }

  private startMember(chunk: readonly Task[]): void {
    const { clock, dropPrivileges, limits } = this.options;
    this.counts.spawned += 1;
    const child = new ParserChild(dropPrivileges, limits.heapMb, {
      ready: () => this.memberReady(member),
      result: (result) => this.memberAnswered(member, result),
      rootUnavailable: (code) => this.memberWithoutRoot(member, code),
      exited: (reason) => this.memberExited(member, reason),
    });
    const member: Member = {
      child,
      isReady: false,
      chunk,
      answered: 0,
      sinceMs: clock.monotonicMs(),
      mark: null,
      cancelIdle: () => {},
    };
    this.members.add(member);
  }

  private memberReady(member: Member): void {
    member.isReady = true;
    this.failedStarts = 0;
    if (member.chunk.length > 0) this.give(member, member.chunk);
    else this.becomeIdle(member);
    this.dispatch();
  }

  private give(member: Member, chunk: readonly Task[]): void {
    const [first] = chunk;
    if (first === undefined) return;
    member.cancelIdle();
    member.chunk = chunk;
    member.answered = 0;
    member.sinceMs = this.options.clock.monotonicMs();
    member.mark = null;
    const files = chunk.map(({ path }) => path);
    member.child.send({
      rootPath: first.job.rootPath,
      files,
      held: chunk.map(({ held }) => held),
      wantsFileFp: first.job.wantsFileFp,
      legacyCharset: this.options.legacyCharset,
      wantsTags: first.stage !== 'identify',
      failpoints: this.options.failpoints(files),
    });
  }

  private becomeIdle(member: Member): void {
    member.chunk = [];
    member.cancelIdle();
    member.cancelIdle = this.options.clock.after(this.options.limits.idleMs, () => this.letGo(member));
  }

  private memberAnswered(member: Member, result: ChildResult): void {
    const task = member.chunk[member.answered];
    if (task === undefined) {
      member.child.kill('it answered what nobody asked');
      return;
    }
    member.answered += 1;
    member.sinceMs = this.options.clock.monotonicMs();
    this.counts.bytesReadForTags += result.tagBytes;
    this.counts.bytesReadForFingerprints += result.fingerprintBytes;
    this.counts.preads += result.requests;
    if (result.type === 'parsed') {
      this.counts.parsed += 1;
      this.options.onParsed?.();
    }
    this.queue.answer(task, result);
    if (member.answered < member.chunk.length) return;
    this.becomeIdle(member);
    this.dispatch();
  }

  private memberWithoutRoot(member: Member, code: string): void {
    const job = member.chunk[0]?.job;
    this.becomeIdle(member);
    if (job !== undefined) {
      this.queue.drop(
        job,
        new MusicfsError('origin_unavailable', `the folder ${job.rootPath} cannot be opened (${code})`),
      );
    }
    this.dispatch();
  }

  private memberExited(member: Member, reason: string): void {
    this.remove(member);
    if (!member.isReady && !this.isClosed) {
      this.failedStart(member, reason);
      return;
    }
    const [suspect, ...others] = member.chunk.slice(member.answered).filter(({ job }) => !job.isSettled);
    if (suspect !== undefined) {
      this.counts.crashed += 1;
      this.options.log.warn({ event: 'parser_child_died', reason, stage: suspect.stage, file: suspect.path });
      this.queue.giveBack(others);
      this.queue.suspect(suspect, reason);
    }
    this.dispatch();
  }

  private failedStart(member: Member, reason: string): void {
    this.failedStarts += 1;
    this.options.log.warn({ event: 'parser_child_did_not_start', reason });
    this.queue.giveBackSuspects(member.chunk);
    if (this.failedStarts >= parserLimits.failedStarts) {
      this.failedStarts = 0;
      this.queue.dropAll(new MusicfsError('refused', `no parser can be started: ${reason}`));
    }
    this.dispatch();
  }

  private letGo(member: Member): void {
    this.remove(member);
    this.leaving.add(member.child);
    member.child.dismiss();
  }

  private remove(member: Member): void {
    member.cancelIdle();
    this.members.delete(member);
    this.leaving.delete(member.child);
  }

  private watch(): void {
    const isBusy = [...this.members].some(({ chunk, isReady }) => chunk.length > 0 || !isReady);
    if (this.cancelWatch !== null || !isBusy) return;
    const { wallMs, cpuMs } = this.options.limits;
    this.cancelWatch = this.options.clock.after(Math.max(Math.min(500, wallMs / 4, cpuMs / 4), 10), () => {
      this.cancelWatch = null;
      for (const member of this.members) {
        if (member.chunk.length > 0 || !member.isReady) this.checkLimits(member);
      }
      this.watch();
    });
  }

  private checkLimits(member: Member): void {
    const { clock, limits } = this.options;
    const wallMs = member.isReady ? limits.wallMs : parserLimits.startMs;
    if (clock.monotonicMs() - member.sinceMs > wallMs) {
      member.child.kill(`it took more than ${wallMs} ms`);
      return;
    }
    // Starting is not the file's doing: only its time is limited.
    const use = member.isReady ? member.child.use() : null;
    if (use === null) return;
    if (use.rssMb > limits.rssMb) {
      member.child.kill(`it took more than ${limits.rssMb} MB of memory`);
    } else if (member.mark?.answered !== member.answered) {
      member.mark = { answered: member.answered, cpuMs: use.cpuMs };
    } else if (use.cpuMs - member.mark.cpuMs > limits.cpuMs) {
      member.child.kill(`it took more than ${limits.cpuMs} ms of processor time`);
    }
  }
}
