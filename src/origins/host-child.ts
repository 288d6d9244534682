// One process of a mounted share, as the daemon sees it: its socket, the calls it has in its hands, and its end.
//
// It runs under util-linux setpriv, so that it ends with the daemon and can gain nothing. It keeps the daemon's user: that is
// who the server of a share, or the FUSE program, knows and lets in (a nobody would be squashed, refused, or have no ticket).
// When that is root, all capabilities go but the one to read every file. Where setpriv is refused, as nothing can be gained
// any more, it runs by itself.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pipesOf } from '../platform/child-pipes.ts';
import type { Clock } from '../platform/clock.ts';
import { confinedNode, noCapability } from '../platform/confined-node.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import {
  type DaemonMessage,
  encodeMessage,
  type HostedDirectory,
  type HostMessage,
  type HostRequest,
  longestMessageBytes,
  parseHostMessage,
} from './host-protocol.ts';
import { PacketReader, ProtocolViolation } from './packet-reader.ts';
import { untilAborted } from './until-aborted.ts';

/** A message of the process about a call. */
export type CallMessage = Exclude<HostMessage, { type: 'ready' }>;

export interface HostChildEvents {
  /** The last call has ended. */
  unused(): void;
  /** It takes no more calls: killed, or ended by itself. */
  over(): void;
}

const onlyReading = '-all,+dac_read_search';
const rootArguments = ['--inh-caps', onlyReading, '--ambient-caps', '-all', '--bounding-set', onlyReading];

export class HostChild {
  /** Settles when the process is gone. One that is stuck in the kernel may never be. */
  readonly gone: Promise<void>;
  /** Nobody here killed it. */
  endedByItself = false;
  private readonly process: ChildProcess;
  /** Null where the process could not be started. */
  private readonly socket: Socket | null;
  private readonly clock: Clock;
  private readonly about: string;
  private readonly events: HostChildEvents;
  private readonly calls = new Map<number, HostCall>();
  private readonly packets = new PacketReader(longestMessageBytes);
  private nextId = 0;
  private isReady = false;
  private failure: MusicfsError | null = null;
  private stderrTail = '';

  constructor(directory: HostedDirectory, about: string, clock: Clock, events: HostChildEvents) {
    this.clock = clock;
    this.about = about;
    this.events = events;
    const isRoot = process.getuid?.() === 0;
    const [program, ...args] = confinedNode(
      ['--max-old-space-size=256', fileURLToPath(new URL('./host-process.ts', import.meta.url))],
      isRoot ? rootArguments : noCapability,
      isRoot,
    );
    this.process = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', UV_THREADPOOL_SIZE: String(limits.hostPoolThreads) },
      cwd: '/',
    });
    this.socket = (pipesOf(this.process)[3] as Socket | undefined) ?? null;
    this.socket?.on('data', (piece: Buffer) => this.receive(piece));
    this.socket?.on('error', () => {
      this.endedByItself ||= this.failure === null;
      this.kill('its socket broke');
    });
    this.process.stderr?.on('data', (piece: Buffer) => {
      this.stderrTail = (this.stderrTail + piece.toString('latin1')).slice(-limits.hostStderrBytes);
    });
    this.gone = new Promise((resolve) => {
      const ended = (why: string) => {
        this.endedByItself ||= this.failure === null;
        this.fail(why);
        resolve();
      };
      this.process.once('error', (error) => ended(`its process cannot be started: ${error.message}`));
      this.process.once('exit', (code, signal) =>
        ended(`its process ended (${signal ?? code})${this.lastWords()}`),
      );
    });
    this.send({ type: 'begin', id: 0, directory });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get isUnused(): boolean {
    return this.calls.size === 0;
  }

  begin(request: HostRequest): HostCall {
    if (this.failure !== null) throw this.failure;
    this.nextId += 1;
    const call = new HostCall(this.nextId, this);
    this.calls.set(call.id, call);
    this.send({ type: 'call', id: call.id, request });
    return call;
  }

  send(message: DaemonMessage): void {
    if (this.failure === null) this.socket?.write(encodeMessage(message));
  }

  /** The call wants no more. The process has to say that it stopped, or it is killed. */
  abort(call: HostCall): void {
    if (!this.calls.has(call.id)) return;
    this.send({ type: 'abort', id: call.id });
    this.clock.after(limits.hostAnswerMs, () => {
      if (this.calls.has(call.id)) this.kill('a system call on it does not return');
    });
  }

  /** Ends it at once; calls under way fail with the reason. Nothing here waits for it any more. */
  kill(why: string): void {
    this.fail(why);
    this.process.kill('SIGKILL');
    this.socket?.destroy();
    this.process.stderr?.destroy();
    // One that is stuck in the kernel must not keep the daemon from ending.
    this.clock.after(limits.hostDeathMs, () => this.process.unref());
  }

  private fail(why: string): void {
    if (this.failure !== null) return;
    this.failure = new MusicfsError('origin_unavailable', `${this.about}: ${why}`);
    for (const call of this.calls.values()) call.fail(this.failure);
    this.calls.clear();
    this.events.over();
  }

  private receive(piece: Buffer): void {
    if (this.failure !== null) return;
    try {
      for (const packet of this.packets.push(piece)) this.settle(parseHostMessage(packet));
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.kill(`its process sent ${error.message}`);
    }
  }

  private settle(message: HostMessage): void {
    if (this.failure !== null) return;
    if (message.type === 'ready') {
      if (this.isReady) throw new ProtocolViolation('a second greeting');
      this.isReady = true;
      return;
    }
    const call = this.calls.get(message.id);
    if (call === undefined) throw new ProtocolViolation('a message about no call');
    if (message.type === 'done' || message.type === 'failed') {
      this.calls.delete(message.id);
      if (this.isUnused) this.events.unused();
    }
    call.receive(message);
  }

  /** The line of its standard error that tells most. */
  private lastWords(): string {
    const lines = this.stderrTail
      .split('\n')
      .filter((line) => /\S/.test(line) && !line.startsWith('Node.js v'));
    const line = lines.find((each) => /^\w*Error: |^setpriv:/.test(each)) ?? lines.at(-1);
    return line === undefined ? '' : `: ${line.trim().slice(0, 300)}`;
  }
}

/** One call in the hands of the process. */
export class HostCall {
  readonly id: number;
  private readonly child: HostChild;
  private readonly messages: CallMessage[] = [];
  private queuedBytes = 0;
  private hasHeard = false;
  private failure: MusicfsError | null = null;
  private wake: (() => void) | null = null;

  constructor(id: number, child: HostChild) {
    this.id = id;
    this.child = child;
  }

  /** The process ended by itself before it said anything about it. */
  get isLost(): boolean {
    return this.child.endedByItself && !this.hasHeard;
  }

  /** The next message about it. Rejects when the process is gone, or with the reason of the abort. */
  async next(signal: AbortSignal): Promise<CallMessage> {
    for (;;) {
      const message = this.messages.shift();
      if (message !== undefined) {
        if (message.type === 'bytes') this.queuedBytes -= message.bytes.length;
        return message;
      }
      if (this.failure !== null) throw this.failure;
      await untilAborted(
        new Promise<void>((resolve) => {
          this.wake = resolve;
        }),
        signal,
      );
    }
  }

  answer(answers: readonly boolean[]): void {
    this.child.send({ type: 'wanted', id: this.id, answers });
  }

  giveCredit(bytes: number): void {
    this.child.send({ type: 'credit', id: this.id, bytes });
  }

  /** Nobody asks for it any more. Nothing happens when it is over. */
  leave(): void {
    this.child.abort(this);
  }

  /** What the process sent breaks its word: it is killed. Returns the failure. */
  refuse(what: string): MusicfsError {
    this.child.kill(`its process sent ${what}`);
    return this.failure ?? new MusicfsError('origin_unavailable', `its process sent ${what}`);
  }

  receive(message: CallMessage): void {
    this.hasHeard = true;
    if (message.type === 'bytes') {
      this.queuedBytes += message.bytes.length;
      if (this.queuedBytes > limits.hostCreditBytes) throw new ProtocolViolation('more than was asked for');
    } else if (message.type !== 'done' && message.type !== 'failed' && this.messages.length > 1) {
      throw new ProtocolViolation('a page that nobody asked for');
    }
    this.messages.push(message);
    this.wake?.();
  }

  fail(failure: MusicfsError): void {
    this.failure = failure;
    this.wake?.();
  }
}
