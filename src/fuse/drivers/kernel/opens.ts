// OPEN and RELEASE: who reads a file, the kernel itself (passthrough) or the daemon, and until when.
//
// Decided for the first handle of a node and kept for all that come while one is open (see open-nodes.ts). Passthrough
// needs the file itself, and a disk may have to be asked for it: the open then waits, but not for long, as opening must
// not depend on a disk. What cannot be handed over for any reason is read by the daemon.
import { closeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import type { BackingFiles } from '../../../origins/backing-files.ts';
import type { Clock } from '../../../platform/clock.ts';
import { MusicfsError } from '../../../platform/errors.ts';
import type { Failpoints } from '../../../platform/failpoints.ts';
import { limits } from '../../../platform/limits.ts';
import { closeBacking, openBacking } from '../../../platform/native-passthrough.ts';
import type { Answers } from '../../answers.ts';
import type { NodeId } from '../../protocol/node-id.ts';
import { noBacking, type OpenNodes } from './open-nodes.ts';

const { EPERM } = osConstants.errno;

/** Called once with the backing id, 0 when the daemon reads. */
type Grant = (backingId: number) => void;

interface Undecided {
  readonly node: NodeId;
  readonly grants: Grant[];
  cancelDeadline: () => void;
}

export interface OpensOptions {
  readonly deviceFd: number;
  readonly nodes: OpenNodes;
  readonly backing: Pick<BackingFiles, 'openNow' | 'openLater'>;
  readonly answers: Pick<Answers, 'hold' | 'letGo'>;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
}

export class Opens {
  /** Files handed to the kernel: a work counter. */
  handedOver = 0;
  private readonly options: OpensOptions;
  private readonly undecided = new Map<string, Undecided>();
  private inPool = 0;
  /** Whether the kernel may be given files: it must know how, and we must be allowed to. */
  private canPass = false;

  constructor(options: OpensOptions) {
    this.options = options;
  }

  /** Opens that wait for a disk. */
  get waiting(): number {
    return this.undecided.size;
  }

  get handles(): number {
    return this.options.nodes.handles;
  }

  /** The kernel can read files itself. */
  allowPassthrough(): void {
    this.canPass = true;
  }

  /** One more handle of that node, which must be a file that may be opened. `grant` may be called after the return. */
  open(node: NodeId, grant: Grant): void {
    const known = this.options.nodes.backingIdOf(node);
    if (known !== undefined) return this.grant(node, known, grant);
    const undecided = this.undecided.get(keyOf(node));
    if (undecided !== undefined) {
      undecided.grants.push(grant);
      return;
    }
    const file = this.canPass ? this.options.backing.openNow(node.id, node.version) : null;
    if (file === 'wait' && this.inPool < limits.passthroughOpensInPool) return this.decideLater(node, grant);
    this.grant(node, typeof file === 'number' ? this.handOver(file) : noBacking, grant);
  }

  /** One handle less; also for one whose opener is gone before it heard of it. */
  release(node: NodeId): void {
    this.closed(node, this.options.nodes.released(node));
  }

  /** The kernel let the node go. */
  forget(node: NodeId): void {
    this.closed(node, this.options.nodes.forgotten(node));
  }

  /** Decides what still waits without its disk, for the end of the mount. */
  settleAll(): void {
    for (const undecided of [...this.undecided.values()]) this.settle(undecided, noBacking);
  }

  /** Forgets what still waits: the next life is asked again. */
  abandonAll(): void {
    for (const { cancelDeadline } of this.undecided.values()) cancelDeadline();
    this.undecided.clear();
  }

  private grant(node: NodeId, backingId: number, grant: Grant): void {
    const isFirst = this.options.nodes.backingIdOf(node) === undefined;
    this.options.nodes.opened(node, backingId);
    if (isFirst && backingId === noBacking) this.options.answers.hold(node.id, node.version);
    grant(backingId);
  }

  private closed(node: NodeId, backingId: number | undefined): void {
    if (backingId === undefined) return;
    if (backingId === noBacking) this.options.answers.letGo(node.id, node.version);
    else closeBacking(this.options.deviceFd, backingId);
  }

  private decideLater(node: NodeId, grant: Grant): void {
    const undecided: Undecided = { node, grants: [grant], cancelDeadline: () => undefined };
    this.undecided.set(keyOf(node), undecided);
    undecided.cancelDeadline = this.options.clock.after(limits.passthroughOpenMs, () =>
      this.settle(undecided, noBacking),
    );
    this.inPool += 1;
    const opened = this.options.backing.openLater(node.id, node.version).catch(() => null);
    void opened.then((file) => {
      this.inPool -= 1;
      if (this.undecided.get(keyOf(node)) === undecided) {
        this.settle(undecided, file === null ? noBacking : this.handOver(file));
      } else if (file !== null) closeSync(file); // too late
    });
  }

  private settle(undecided: Undecided, backingId: number): void {
    undecided.cancelDeadline();
    if (!this.undecided.delete(keyOf(undecided.node))) return;
    for (const grant of undecided.grants) this.grant(undecided.node, backingId, grant);
  }

  /** Gives a file to the kernel and closes it here. Returns its backing id, 0 when the kernel will not have it. */
  private handOver(file: number): number {
    const backingId = openBacking(this.options.deviceFd, file);
    closeSync(file);
    if (backingId === -EPERM) this.canPass = false; // root of a container only
    if (backingId <= 0) return noBacking;
    try {
      this.options.failpoints.check('fuse.open.passthrough');
    } catch (error) {
      if (!(error instanceof MusicfsError)) throw error;
      closeBacking(this.options.deviceFd, backingId);
      return noBacking;
    }
    for (const lost of this.options.nodes.lostBefore(backingId)) closeBacking(this.options.deviceFd, lost);
    this.handedOver += 1;
    return backingId;
  }
}

function keyOf({ id, version }: NodeId): string {
  return `${id}.${version}`;
}
