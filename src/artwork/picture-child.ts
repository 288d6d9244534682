// One process for pictures as the daemon sees it: its pipes, the question it has, and its end. What it is asked, and what
// it may say to that, is its trade's. Used by picture-worker.ts.
//
// It gets no environment but what its trade names, and no descriptors but its pipes.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { pipesOf } from '../platform/child-pipes.ts';
import type { Clock } from '../platform/clock.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { isGreeting, PacketViolation } from './packets.ts';

/** What a kind of process is there for. */
export interface Trade<Question, Answer> {
  /** In the middle of a sentence: "the … took more than". */
  readonly name: string;
  /** The words that start it. Throws what keeps it from being started. */
  readonly command: () => [program: string, ...args: string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** What is written to it, part by part; the parts must not change until the answer. */
  readonly encode: (question: Question) => readonly Uint8Array[];
  /** A packet without its length. Throws PacketViolation on anything the process could not mean. */
  readonly parse: (packet: Buffer, question: Question) => Answer;
  readonly longestAnswerBytes: number;
  /** ms for one question. */
  readonly answerMs: number;
  /** What is said of a question that took longer. `usedCpuMs`: what it used of a processor; null when that cannot be told. */
  readonly late: (usedCpuMs: number | null) => MusicfsError;
}

/** A third of the processor where others want it too: the time limits of a picture still hold. */
const niceness = 5;

export class PictureChild<Question, Answer> {
  /** Settles when the process is gone. */
  readonly gone: Promise<void>;
  private readonly trade: Trade<Question, Answer>;
  private readonly process: ChildProcess;
  private readonly clock: Clock;
  private readonly ready = Promise.withResolvers<void>();
  private open: { readonly question: Question; readonly answer: PromiseWithResolvers<Answer> } | null = null;
  private isReady = false;
  private failure: Error | null = null;
  private answerBytes: number | null = null;
  private stderrTail = '';

  /** Starts it. */
  constructor(trade: Trade<Question, Answer>, clock: Clock) {
    this.trade = trade;
    this.clock = clock;
    const [first, ...rest] = trade.command();
    this.process = spawn(first, rest, {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      env: { ...trade.environment },
      cwd: '/',
    });
    this.stepBack();
    const answers = pipesOf(this.process)[3] as Readable | undefined;
    answers?.on('readable', () => this.receive(answers));
    // A pipe breaks when the process ends, which tells more, or when it will not talk any more.
    for (const pipe of [answers, this.process.stdin]) pipe?.on('error', () => this.process.kill('SIGKILL'));
    this.process.stderr?.on('data', (piece: Buffer) => {
      this.stderrTail = (this.stderrTail + piece.toString('latin1')).slice(-limits.renditionStderrBytes);
    });
    this.gone = new Promise((resolve) => {
      const ended = (why: string) => {
        this.end(
          this.isReady
            ? new MusicfsError('unavailable', `the ${trade.name} ended by itself: ${why}`)
            : this.notStarted(why),
        );
        resolve();
      };
      this.process.once('error', (error) => ended(error.message));
      // `close` comes after the last word of its pipes.
      this.process.once('close', (code, signal) => ended(`${signal ?? `status ${code}`}${this.lastWords()}`));
    });
    this.ready.promise.catch(() => undefined); // nobody may be waiting when it dies
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** It takes no more questions: killed, or ended by itself. */
  get isOver(): boolean {
    return this.failure !== null;
  }

  /**
   * Its answer to a question. One question at a time. Rejects with `refused` when it does not start, what the trade says when
   * it does not answer in time, `unavailable` when it ended or talks nonsense, and with the signal's reason; it is killed then.
   */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    this.throwIfOver();
    const stop = () => this.kill(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    try {
      await this.inTime(this.ready.promise, limits.renditionStartMs, () =>
        this.notStarted(`it is not ready after ${limits.renditionStartMs} ms`),
      );
      this.throwIfOver(); // killed between its greeting and this line
      const answer = Promise.withResolvers<Answer>();
      this.open = { question, answer };
      for (const part of this.trade.encode(question)) this.process.stdin?.write(part);
      const before = this.cpuMs();
      return await this.inTime(answer.promise, this.trade.answerMs, () => {
        const now = this.cpuMs();
        return this.trade.late(before === null || now === null ? null : now - before);
      });
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Ends it at once; a question it has is rejected with the reason. */
  kill(why: Error): void {
    this.end(why);
    this.process.kill('SIGKILL');
    // One that is stuck in the kernel must not keep the daemon from ending.
    for (const pipe of pipesOf(this.process)) pipe?.destroy();
    this.clock.after(limits.renditionDeathMs, () => this.process.unref());
  }

  private throwIfOver(): void {
    if (this.failure !== null) throw this.failure;
  }

  private notStarted(why: string): MusicfsError {
    return new MusicfsError('refused', `no ${this.trade.name} can be started: ${why}`);
  }

  private async inTime<T>(work: Promise<T>, ms: number, late: () => MusicfsError): Promise<T> {
    const undo = this.clock.after(ms, () => this.kill(late()));
    try {
      return await work;
    } finally {
      undo();
    }
  }

  private end(why: Error): void {
    if (this.failure !== null) return;
    this.failure = why;
    this.ready.reject(why);
    this.open?.answer.reject(why);
    this.open = null;
  }

  /** Takes whole packets out of the pipe; a longer one waits there until its end has come. */
  /** Nobody waits for a picture: readers, scans and players go first. */
  private stepBack(): void {
    if (this.process.pid === undefined) return;
    try {
      setPriority(this.process.pid, niceness);
    } catch {
      // It has ended already.
    }
  }

  private receive(answers: Readable): void {
    try {
      while (this.failure === null) {
        if (this.answerBytes === null) {
          const head = answers.read(4) as Buffer | null;
          if (head?.length !== 4) return;
          this.answerBytes = head.readUInt32BE(0);
          if (this.answerBytes < 1 || this.answerBytes > this.trade.longestAnswerBytes)
            throw new PacketViolation('an answer of impossible length');
        }
        const packet = answers.read(this.answerBytes) as Buffer | null;
        if (packet?.length !== this.answerBytes) return;
        this.answerBytes = null;
        this.settle(packet);
      }
    } catch (error) {
      if (!(error instanceof PacketViolation)) throw error;
      this.kill(new MusicfsError('unavailable', `the ${this.trade.name} sent ${error.message}`));
    }
  }

  private settle(packet: Buffer): void {
    const { open } = this;
    if (!this.isReady) {
      if (!isGreeting(packet)) throw new PacketViolation('no greeting');
      this.isReady = true;
      this.ready.resolve();
    } else if (open === null) {
      throw new PacketViolation('what nobody asked for');
    } else {
      open.answer.resolve(this.trade.parse(packet, open.question));
      this.open = null;
    }
  }

  /** What it has used of a processor; null when it is gone. */
  private cpuMs(): number | null {
    try {
      const stat = readFileSync(`/proc/${this.process.pid}/stat`, 'latin1');
      // The name in parentheses may hold anything; utime and stime are fields 14 and 15, in hundredths of a second.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    } catch {
      return null;
    }
  }

  /** The line of its standard error that tells most. */
  private lastWords(): string {
    const lines = this.stderrTail
      .split('\n')
      .filter((line) => /\S/.test(line) && !line.startsWith('Node.js v'));
    const line = lines.find((each) => /^\w*Error: |^setpriv:|FATAL ERROR/.test(each)) ?? lines.at(-1);
    return line === undefined ? '' : `: ${line.trim().slice(0, 300)}`;
  }
}
