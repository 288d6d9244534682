// The process that writes notifications, as the notifier sees it. It is started when there is something to write and let
// go some seconds after the last; one that was killed is replaced, and whatever it had not written is written again.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pipesOf } from '../platform/child-pipes.ts';
import type { Clock } from '../platform/clock.ts';
import { confinedNode, noCapability } from '../platform/confined-node.ts';

const idleMs = 10_000;
const againMs = 1_000;

interface Batch {
  readonly notifications: readonly Buffer[];
  readonly done: () => void;
  written: number;
}

export class NotifyChild {
  private readonly deviceFd: number;
  private readonly clock: Clock;
  private readonly onRefused: (errno: number) => void;
  private readonly queue: Batch[] = [];
  private child: ChildProcess | null = null;
  private isClosed = false;
  private stopIdle: () => void = () => undefined;

  /** `onRefused` is called for each that the kernel takes for nonsense: a bug of ours, and what it shows may be stale. */
  constructor(deviceFd: number, clock: Clock, onRefused: (errno: number) => void) {
    this.deviceFd = deviceFd;
    this.clock = clock;
    this.onRefused = onRefused;
  }

  /**
   * Writes them, in order, after what was given before. Resolves when the kernel has taken each (what it does not know is
   * fine), or when this is closed. Never rejects: it waits as long as it takes.
   */
  write(notifications: readonly Buffer[]): Promise<void> {
    if (this.isClosed || notifications.length === 0) return Promise.resolve();
    return new Promise((done) => {
      const batch = { notifications, done, written: 0 };
      this.queue.push(batch);
      this.stopIdle();
      if (this.child === null) this.start();
      else this.send(this.child, batch);
    });
  }

  /** What has not been written is not waited for; what was sent may still be written. */
  close(): void {
    this.isClosed = true;
    this.stopIdle();
    this.child?.stdin?.end();
    for (const { done } of this.queue.splice(0)) done();
  }

  private start(): void {
    if (this.isClosed || this.child !== null || this.queue.length === 0) return;
    const isRoot = process.getuid?.() === 0;
    const [program, ...args] = confinedNode(
      ['--max-semi-space-size=1', fileURLToPath(new URL('./notify-process.ts', import.meta.url))],
      isRoot ? [...noCapability, '--bounding-set', '-all'] : noCapability,
      isRoot,
    );
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'ignore', this.deviceFd],
      env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
      cwd: '/',
    });
    this.child = child;
    const gone = () => {
      if (this.child !== child) return;
      this.child = null;
      this.clock.after(againMs, () => this.start());
    };
    child.once('error', gone);
    child.once('close', gone);
    const [input, output] = pipesOf(child);
    input?.on('error', () => undefined); // its end tells the rest
    output?.on('data', (bytes: Buffer) => {
      for (const errno of bytes) if (errno !== 0) this.onRefused(errno);
      if (this.child === child) this.wrote(bytes.length);
    });
    for (const batch of this.queue) this.send(child, batch);
  }

  private send(child: ChildProcess, batch: Batch): void {
    child.stdin?.write(Buffer.concat(batch.notifications.slice(batch.written)));
  }

  private wrote(count: number): void {
    for (let left = count; left > 0; ) {
      const batch = this.queue[0];
      if (batch === undefined) break;
      const now = Math.min(left, batch.notifications.length - batch.written);
      batch.written += now;
      left -= now;
      if (batch.written < batch.notifications.length) return;
      this.queue.shift();
      batch.done();
    }
    if (this.queue.length === 0) this.stopIdle = this.clock.after(idleMs, () => this.letGo());
  }

  /** It ends by itself; the next write starts another. */
  private letGo(): void {
    const { child } = this;
    this.child = null;
    child?.stdin?.end();
  }
}
