// Tells the kernel what to forget. Runs on the main side: a notification waits while the directory it is about has an
// unanswered request, so the thread that answers requests must never write one. One at a time, in order.
//
// A directory is told twice, the second time a moment later: a listing that was answered just before a publication may
// reach the kernel's cache just after its notification.
import type { Invalidation } from '../catalog/publication.ts';
import type { Clock } from '../platform/clock.ts';
import { writeAsync } from '../platform/native.ts';
import { encodeInvalEntry, encodeInvalInode } from './protocol/notifications.ts';

const secondTellingMs = 200;

export interface NotifierOptions {
  readonly deviceFd: number;
  readonly clock: Clock;
  /** Asked before each notification. False: it is not written, and the rows are told by a later life. */
  readonly mayWrite: () => boolean;
  /** Everything up to that invalidation has been told for good. */
  readonly onTold: (upToId: number) => void;
}

export class Notifier {
  /** Notifications written. */
  written = 0;
  private readonly options: NotifierOptions;
  private isClosed = false;
  /** Ends when the last write that was begun has ended. */
  private lastWrite: Promise<void> = Promise.resolve();

  constructor(options: NotifierOptions) {
    this.options = options;
  }

  /**
   * Tells these, in order of their ids. Resolves when each has been told once: from then on nobody sees what was before.
   * Never rejects: a node or name the kernel does not know is ENOENT, which is fine, and a dead session has no readers.
   */
  async tell(invalidations: readonly Invalidation[]): Promise<void> {
    for (const { parent, name } of invalidations) await this.write(parent, name);
    const last = invalidations.at(-1);
    if (last === undefined || this.isClosed) return;
    this.options.clock.after(secondTellingMs, () => void this.tellAgain(invalidations, last.id));
  }

  /** No further notification is begun. */
  close(): void {
    this.isClosed = true;
  }

  private async tellAgain(invalidations: readonly Invalidation[], lastId: number): Promise<void> {
    for (const { parent, name } of invalidations) if (name === null) await this.write(parent, null);
    if (!this.isClosed) this.options.onTold(lastId);
  }

  private write(parent: number, name: string | null): Promise<void> {
    this.lastWrite = this.lastWrite.then(async () => {
      if (this.isClosed) return;
      if (!this.options.mayWrite()) return this.close();
      const node = { id: parent, version: 0 };
      await writeAsync(
        this.options.deviceFd,
        name === null ? encodeInvalInode(node) : encodeInvalEntry(node, name),
      );
      this.written += 1;
    });
    return this.lastWrite;
  }
}
