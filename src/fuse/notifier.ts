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
  /** Everything up to that invalidation has been told for good. */
  readonly onTold: (upToId: number) => void;
}

export class Notifier {
  /** Notifications written. */
  written = 0;
  private readonly options: NotifierOptions;
  private readonly queue: Invalidation[] = [];
  private isBusy = false;
  private isClosed = false;
  private lastQueuedId = 0;

  constructor(options: NotifierOptions) {
    this.options = options;
  }

  /** Queues invalidations in the order of their ids; those queued before are left out. */
  tell(invalidations: readonly Invalidation[]): void {
    for (const invalidation of invalidations) {
      if (invalidation.id <= this.lastQueuedId) continue;
      this.lastQueuedId = invalidation.id;
      this.queue.push(invalidation);
    }
    if (!this.isBusy) void this.work();
  }

  /** No further notification is begun. */
  close(): void {
    this.isClosed = true;
    this.queue.length = 0;
  }

  /** Never rejects: a node or name the kernel does not know is ENOENT, which is fine; a dead session is ENODEV. */
  private async work(): Promise<void> {
    this.isBusy = true;
    while (this.queue.length > 0 && !this.isClosed) {
      const batch = this.queue.splice(0);
      for (const { parent, name } of batch) {
        if (this.isClosed) return;
        const node = { id: parent, version: 0 };
        await writeAsync(
          this.options.deviceFd,
          name === null ? encodeInvalInode(node) : encodeInvalEntry(node, name),
        );
        this.written += 1;
      }
      await new Promise<void>((resolve) => this.options.clock.after(secondTellingMs, resolve));
      for (const { parent, name } of batch) {
        if (this.isClosed) return;
        if (name === null)
          await writeAsync(this.options.deviceFd, encodeInvalInode({ id: parent, version: 0 }));
      }
      const last = batch.at(-1);
      if (last !== undefined && !this.isClosed) this.options.onTold(last.id);
    }
    this.isBusy = false;
  }
}
