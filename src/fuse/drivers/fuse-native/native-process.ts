// The daemon's side of driver fuse-native: starts its process, hears it, ends it. Created once by the composition root
// and owned by the daemon, not by an actor: the mount is as long as the process, so an actor that is restarted finds the
// same one again. A process that died has left a dead mount, which its successor takes away.
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MusicfsError } from '../../../platform/errors.ts';
import { FuseCounters } from '../../thread-protocol.ts';
import type { NativeCommand, NativeData, NativeEvent } from './process-protocol.ts';

/** What whoever watches the process hears. */
export type NativeNews =
  | { readonly type: 'session-ended' }
  | { readonly type: 'refresh-asked' }
  /** It ended although nobody told it to. */
  | { readonly type: 'died'; readonly why: string };

/** Emits 'news' with a NativeNews. */
export class NativeProcess extends EventEmitter {
  readonly counters = new FuseCounters();
  private readonly data: Omit<NativeData, 'replaces'>;
  private child: ChildProcess | null = null;
  private lastDevice: string | null = null;
  private isServing = false;

  constructor(data: Omit<NativeData, 'replaces'>) {
    super();
    this.data = data;
  }

  /** "major:minor" of the mount, dead or alive; null before the first. */
  get device(): string | null {
    return this.lastDevice;
  }

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /**
   * Resolves when the mount answers: at once when the process serves already, otherwise one is started. Failpoints are
   * armed in a new one. Rejects with `refused` when it will not mount, and when `signal` aborts: it is ended then.
   */
  async ensureServing(failpoints: readonly string[], signal: AbortSignal): Promise<void> {
    if (this.child !== null && this.isServing) return;
    await this.kill();
    // The arguments are for whoever looks at the list of processes.
    const child = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), [this.data.mountPoint], {
      cwd: '/',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning', '--disable-sigusr1', '--max-semi-space-size=1'],
    });
    this.child = child;
    try {
      await new Promise<void>((resolve, reject) => {
        const failed = (message: string) => reject(new MusicfsError('refused', message));
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        child.on('error', reject); // for good: an emitter without a listener would end the daemon
        child.once('exit', (code, by) => {
          const why = `the fuse-native process ended (${by ?? code})`;
          failed(why);
          if (this.child !== child) return;
          this.child = null;
          if (this.isServing) this.emit('news', { type: 'died', why } satisfies NativeNews);
          this.isServing = false;
        });
        child.on('message', (event: NativeEvent) => {
          if (event.type === 'serving') resolve();
          if (event.type === 'refused') failed(event.message);
          this.hear(event);
        });
        child.send({
          type: 'begin',
          data: { ...this.data, replaces: this.lastDevice },
        } satisfies NativeCommand);
      });
    } catch (error) {
      await this.kill();
      throw error;
    }
    for (const setting of failpoints) this.command({ type: 'set-failpoint', setting });
  }

  command(command: Exclude<NativeCommand, { type: 'begin' }>): void {
    if (this.child?.connected === true) this.child.send(command, () => undefined); // its end is told by 'exit'
  }

  /** Ends it: what waits for a disk is answered EIO. Resolves when it has ended; after `graceMs` by SIGKILL. */
  async stop(graceMs: number): Promise<void> {
    const { child } = this;
    if (child === null) return;
    this.isServing = false; // its end is no news
    const ended = endOf(child);
    this.command({ type: 'stop' });
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
    this.child = null;
  }

  /** Ends it at once. */
  kill(): Promise<void> {
    const { child } = this;
    if (child === null) return Promise.resolve();
    this.child = null;
    this.isServing = false;
    child.kill('SIGKILL');
    return endOf(child);
  }

  private hear(event: NativeEvent): void {
    switch (event.type) {
      case 'serving':
        this.isServing = true;
        this.lastDevice = event.device;
        return;
      case 'beat':
        return this.counters.replace(event.counters);
      case 'refresh-asked':
        this.emit('news', { type: 'refresh-asked' } satisfies NativeNews);
        return;
      case 'session-ended':
        this.isServing = false;
        this.emit('news', { type: 'session-ended' } satisfies NativeNews);
        return;
      case 'refused':
        return;
    }
  }
}

function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
