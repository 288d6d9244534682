// Where an actor gets its worker thread from. The first one can be started ahead, before the rest of the program is
// loaded: a thread loads its modules in about 90 ms, which would otherwise stand in the way of the first answer. A
// thread does nothing until its first message tells it to begin.
import { Worker } from 'node:worker_threads';

export class ThreadSource {
  private readonly entry: URL;
  private readonly name: string;
  private ahead: Worker | null = null;

  constructor(entry: URL, name: string) {
    this.entry = entry;
    this.name = name;
  }

  /** Starts the thread that the next `take` hands out. */
  startAhead(): void {
    this.ahead ??= this.create();
  }

  /** A thread that waits for its first message. Whoever takes it ends it. */
  take(): Worker {
    const thread = this.ahead ?? this.create();
    this.ahead = null;
    return thread;
  }

  /** Ends the thread that was started ahead, should it not be needed. */
  async discard(): Promise<void> {
    const thread = this.ahead;
    this.ahead = null;
    await thread?.terminate();
  }

  private create(): Worker {
    return new Worker(this.entry, {
      name: this.name,
      resourceLimits: { maxYoungGenerationSizeMb: youngMb },
      // Node would warn of each descriptor that was opened by a call of ours and is closed by one of its own (10 us).
      trackUnmanagedFds: false,
    });
  }
}

/** Threads of the daemon make little garbage; V8's default of 48 MB would never be collected. */
const youngMb = 1;
