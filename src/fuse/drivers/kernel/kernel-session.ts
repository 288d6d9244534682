// The kernel driver: serves one FUSE session on a /dev/fuse descriptor. Runs on the fuse thread.
//
// Concepts. One read(2) gives one request, one write answers it. Names and attributes are answered where they are
// read, at once; a read that needs a disk goes to the pool and is answered when it is there. While nothing waits on
// the pool the thread sleeps in poll(2) itself, which is the shortest way from a request to its answer; while
// something does, the poll too is done on the pool, so that the event loop can hand in the results. A read of bytes takes up
// to a millisecond, so it is served when no other request is there: a hundred players keep no listing waiting.
//
// Known dead-locks, and why they cannot happen here:
//   - a notification written by the thread that answers requests waits for itself: notifications are the main side's
//   - a blocking read(2) cannot be stopped: the descriptor is non-blocking and polled together with an eventfd
//   - a path below the mount point waits for itself: nothing here ever names one
import { constants as osConstants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { MusicfsError } from '../../../platform/errors.ts';
import { limits } from '../../../platform/limits.ts';
import { drainEventfd, errnoName, PollSet, readInto, Vector } from '../../../platform/native.ts';
import { errnoNumber } from '../../errno-numbers.ts';
import { decodeRequest, type Request } from '../../protocol/decode-request.ts';
import { encodeStatus } from '../../protocol/encode-reply.ts';
import { encodeInit, type Negotiated, negotiate } from '../../protocol/init.ts';
import { encodeResend } from '../../protocol/notifications.ts';
import { initFlag2, structSize } from '../../protocol/opcodes.ts';
import { requestKey, type SessionMemory } from '../../session-memory.ts';
import { RequestServer, type RequestServerOptions } from './request-server.ts';

export interface KernelSessionOptions extends Omit<RequestServerOptions, 'hasNoOpendir' | 'onInit'> {
  readonly wakeFd: number;
  /** The kernel may read files of local origins itself, if it can. */
  readonly passthrough: boolean;
  /** What an earlier life of the session left for this one. */
  readonly memory: SessionMemory;
  readonly onServing: (negotiated: Negotiated) => void;
  /** The first request of this life has been answered. */
  readonly onAnswering: () => void;
  /** The kernel ended the session; nothing is read any more. */
  readonly onEnded: (errno: string) => void;
  /** Called about once a second at least, and after each burst of requests: the sign of life. */
  readonly onBeat: () => void;
}

const { EPROTO } = osConstants.errno;
/** What read(2) on the device may answer in passing. */
const passing: ReadonlySet<string> = new Set(['EINTR', 'ENOENT']);
/** Requests served before the event loop gets its turn, when results from the pool may be waiting. */
const requestsPerTurn = 256;
/** Requests after which a read is served, whatever else still comes. */
const requestsPerRead = 16;
/** ms between two looks whether a drain is over. */
const drainLookMs = 10;
/** The top bit of a request that is sent again. */
const resentBit = 0x80000000;

export class KernelSession {
  private readonly options: KernelSessionOptions;
  private readonly server: RequestServer;
  private readonly request = Buffer.allocUnsafeSlow(limits.requestBufferBytes);
  private readonly reply = Buffer.allocUnsafeSlow(structSize.outHeader + structSize.initOut);
  private readonly vector = new Vector();
  private readonly poll: PollSet;
  private negotiated: Negotiated | null;
  private state: 'idle' | 'running' | 'closed' | 'ended' = 'idle';
  private isDraining = false;
  /** READs that let everything else go first, in order. */
  private reads: Request[] = [];
  private hasAnswered = false;
  /** What the last life was serving when it died, after it had been sent again: it has cost two lives. */
  private readonly deadly: string;

  constructor(options: KernelSessionOptions) {
    this.options = options;
    this.negotiated = options.memory.record()?.negotiated ?? null;
    this.deadly = options.memory.lastServed();
    this.poll = new PollSet([options.deviceFd, options.wakeFd]);
    this.server = new RequestServer({
      ...options,
      hasNoOpendir: () => this.negotiated?.hasNoOpendir === true,
      onInit: (request) => this.init(request),
    });
  }

  /**
   * Begins to serve and returns. First asks again for what a dead life left unanswered: also when nothing was agreed yet,
   * as INIT may have been read and never answered.
   */
  start(): void {
    if (this.state !== 'idle') return;
    this.state = 'running';
    this.options.failpoints.check('fuse.adopt.before-resend');
    if (this.negotiated === null || this.negotiated.hasResend) {
      const resend = encodeResend();
      this.vector.write(this.options.deviceFd, resend, resend.length);
    }
    if (this.negotiated !== null) this.agree(this.negotiated);
    setImmediate(() => this.turn());
  }

  /**
   * Resolves when the thread holds nothing of the session.
   * `end`: the mount is gone. Goes on answering until nothing waits for a disk, 4 s at most; the rest fails with EIO.
   * `hand-over`: reads nothing more. What waits stays unanswered, as the next life is sent it again; where the kernel
   * cannot do that (before Linux 6.9) it is waited for, at most as long as any read.
   */
  async stop(how: 'end' | 'hand-over'): Promise<void> {
    if (this.state === 'ended' || this.state === 'idle') return;
    this.isDraining = true;
    const isResent = how === 'hand-over' && this.negotiated?.hasResend === true;
    if (how === 'hand-over') this.state = 'closed';
    if (isResent) this.server.abandonAll();
    else while (this.serveRead());
    if (!isResent) await this.untilNothingWaits(how === 'end' ? limits.drainMs : limits.readDeadlineMs);
    this.state = 'ended';
    if (!isResent) this.server.cancelAll();
  }

  private async untilNothingWaits(mostMs: number): Promise<void> {
    const deadlineMs = performance.now() + mostMs;
    while (this.server.waiting > 0 && performance.now() < deadlineMs) await pause(drainLookMs);
  }

  private turn(): void {
    if (this.state !== 'running') return;
    if (this.options.failpoints.check('fuse.thread.loop')?.type === 'hang') return;
    for (let served = 0; served < requestsPerTurn; ) {
      const inThisDrain = this.drain();
      this.options.onBeat();
      if (this.state !== 'running') return;
      served += inThisDrain;
      if (inThisDrain === requestsPerTurn) continue;
      if (this.server.waiting > 0 || this.isDraining) {
        void this.poll.waitAsync(limits.fusePollMs).then(() => this.afterPoll());
        return;
      }
      if (this.poll.wait(limits.fusePollMs) <= 0) break;
      if (this.poll.revents(1) === 0) continue;
      drainEventfd(this.options.wakeFd);
      break;
    }
    setImmediate(() => this.turn()); // messages, timers and results have their turn
  }

  private afterPoll(): void {
    if (this.poll.revents(1) !== 0) drainEventfd(this.options.wakeFd);
    setImmediate(() => this.turn());
  }

  /** Serves what is there and what comes at once upon it, at most a turn's share. Returns how many requests that were. */
  private drain(): number {
    let served = 0;
    let lookUntilMs = 0;
    while (served < requestsPerTurn) {
      const length = this.nextRequest();
      if (length < 0) {
        const errno = errnoName(-length);
        if (errno === 'EAGAIN') {
          if (this.serveRead()) {
            lookUntilMs = performance.now() + limits.fuseLookAgainMs;
            continue;
          }
          if (performance.now() < lookUntilMs) continue;
          return served;
        }
        if (passing.has(errno)) continue;
        this.state = 'ended';
        this.server.cancelAll();
        this.options.onEnded(errno);
        return served;
      }
      const request = decodeRequest(this.request, length);
      if (request === null) continue;
      served += 1;
      this.options.counters.countRequest(request.opcode);
      if ((request.uniqueHigh & resentBit) !== 0) this.serveAgain(request);
      else if (request.type === 'read') this.reads.push(request);
      else this.serve(request);
      if (served % requestsPerRead === 0) this.serveRead();
      lookUntilMs = performance.now() + limits.fuseLookAgainMs;
    }
    return served;
  }

  /** Serves the read that has waited longest. False when there is none. */
  private serveRead(): boolean {
    const read = this.reads.shift();
    if (read === undefined) return false;
    this.serve(read);
    return true;
  }

  /** Reads one request; returns its length or the negative errno. */
  private nextRequest(): number {
    if (this.options.failpoints.enabled) {
      try {
        this.options.failpoints.check('fuse.session.read');
      } catch (error) {
        if (error instanceof MusicfsError) return -errnoNumber(error.code);
        throw error;
      }
    }
    return readInto(this.options.deviceFd, this.request);
  }

  private serve(request: Request): void {
    if (this.options.failpoints.enabled) {
      this.options.failpoints.check('fuse.request.decoded', String(request.node.id));
    }
    this.server.serve(request);
    if (this.hasAnswered) return;
    this.hasAnswered = true;
    this.options.onAnswering();
  }

  /** A request that a dead life had read. One that was being served when two lives died is not tried a third time. */
  private serveAgain(request: Request): void {
    const { uniqueLow, uniqueHigh } = request;
    if (requestKey(uniqueLow, uniqueHigh) === this.deadly) {
      this.options.counters.add('deadlyRequests', 1);
      this.server.refuse(request);
    } else {
      this.options.memory.serving(uniqueLow, uniqueHigh);
      this.serve(request);
    }
    this.options.memory.serving(0, 0);
  }

  private init(request: Extract<Request, { type: 'init' }>): void {
    const { failpoints, passthrough } = this.options;
    const isOld = failpoints.check('fuse.init.resend') !== null;
    const { flags2 } = request.init;
    const offered = { ...request.init, flags2: isOld ? flags2 & ~initFlag2.hasResend : flags2 };
    const outcome = negotiate(offered, passthrough);
    if (outcome.type === 'too-old') return this.write(encodeStatus(this.reply, request, EPROTO));
    if (outcome.type === 'agreed') this.options.memory.agreed(outcome.negotiated);
    if (this.options.failpoints.block('fuse.init.before-reply')) return;
    this.write(encodeInit(this.reply, request, outcome));
    if (outcome.type === 'agreed') this.agree(outcome.negotiated);
  }

  private agree(negotiated: Negotiated): void {
    this.negotiated = negotiated;
    if (negotiated.hasPassthrough && this.options.passthrough) this.options.opens.allowPassthrough();
    this.options.onServing(negotiated);
  }

  private write(length: number): void {
    this.vector.write(this.options.deviceFd, this.reply, length);
  }
}
