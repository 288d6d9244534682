// Tells the kernel what to forget, in order. The writing is done by a process of its own (notify-process.ts says why).
//
// A directory is told twice, the second time a moment later: a listing that was answered just before a publication may
// reach the kernel's cache just after its notification.
import type { Invalidation } from '../catalog/publication.ts';
import type { Clock } from '../platform/clock.ts';
import { NotifyChild } from './notify-child.ts';
import { encodeInvalEntry, encodeInvalInode } from './protocol/notifications.ts';

const secondTellingMs = 200;

export interface NotifierOptions {
  readonly deviceFd: number;
  readonly clock: Clock;
  /** Asked before each notification. False: it is not written, and the rows are told by a later life. */
  readonly mayWrite: () => boolean;
  /** Everything up to that invalidation has been told for good. */
  readonly onTold: (upToId: number) => void;
  /** The kernel took a notification for nonsense. */
  readonly onRefused: (errno: number) => void;
}

export class Notifier {
  /** Notifications written. */
  written = 0;
  private readonly options: NotifierOptions;
  private readonly child: NotifyChild;
  private isClosed = false;
  /** Second tellings end in the order of their ids. */
  private lastAgain: Promise<void> = Promise.resolve();

  constructor(options: NotifierOptions) {
    this.options = options;
    this.child = new NotifyChild(options.deviceFd, options.clock, options.onRefused);
  }

  /**
   * Tells these, in order of their ids. Resolves when each has been told once: from then on nobody sees what was before.
   * Never rejects: a node or name the kernel does not know is ENOENT, which is fine, and a dead session has no readers.
   */
  async tell(invalidations: readonly Invalidation[]): Promise<void> {
    await this.write(invalidations);
    const last = invalidations.at(-1);
    if (last === undefined || this.isClosed) return;
    this.options.clock.after(secondTellingMs, () => {
      const listings = invalidations.filter(({ name }) => name === null);
      this.lastAgain = Promise.all([this.lastAgain, this.write(listings)]).then(() => {
        if (!this.isClosed) this.options.onTold(last.id);
      });
    });
  }

  /** No further notification is begun. */
  close(): void {
    this.isClosed = true;
    this.child.close();
  }

  private async write(invalidations: readonly Invalidation[]): Promise<void> {
    const notifications: Buffer[] = [];
    let mayWrite = !this.isClosed;
    for (const { parent, name } of invalidations) {
      mayWrite &&= this.options.mayWrite();
      if (!mayWrite) break;
      const node = { id: parent, version: 0 };
      notifications.push(name === null ? encodeInvalInode(node) : encodeInvalEntry(node, name));
    }
    await this.child.write(notifications);
    if (!this.isClosed) this.written += notifications.length;
    if (!mayWrite) this.close();
  }
}
