// Pictures in the sizes that are shown, made in a process that may be killed: a picture can crash, hang or bloat it, never
// the daemon. Called by whoever publishes pictures of albums; keeps nothing, so what it made is the caller's to cache.
//
// The process is started with the first picture and ends when none comes for a while. One picture at a time, the others wait
// in a bounded queue. A picture that has to be given up costs its process; the next picture gets a new one.
import { type Clock, systemClock } from '../platform/clock.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { PictureWorker } from './picture-worker.ts';
import { renditionTrade } from './rendition-child.ts';
import type { RenditionAnswer, RenditionQuestion, RenditionSize } from './rendition-protocol.ts';

export interface RenditionsOptions {
  /** The daemon is root: the process is nobody. */
  readonly dropPrivileges: boolean;
  readonly clock?: Clock;
}

export class Renditions {
  private readonly worker: PictureWorker<RenditionQuestion, RenditionAnswer>;
  private waitingBytes = 0;

  constructor({ dropPrivileges, clock = systemClock }: RenditionsOptions) {
    this.worker = new PictureWorker(renditionTrade(dropPrivileges), clock);
  }

  /** The process that takes pictures now, null when there is none. */
  get pid(): number | null {
    return this.worker.pid;
  }

  /**
   * The picture (JPEG, PNG, WebP or GIF) as JPEGs of these sizes. `full`: the very bytes when it is a JPEG, proven by decoding
   * it, else made with quality 85; `medium` and `thumb`: 300 and 150 pixels on the longer side or as large as it is, upright,
   * quality 85. The same bytes give the same pictures. `bytes` must not change until it settles.
   *
   * Rejects, for good, with `unsupported_here` when it is too large (10 MB, 64 megapixels), `invalid_argument` when it cannot
   * be decoded; with `deadline_exceeded` when the process did not answer in time and `unavailable` when it died of it or by
   * itself: the same picture may well do so again; with `refused` when no process can be started, `overloaded` when too many
   * wait, `cancelled` after close, and with the signal's reason: work under way is given up then, at the cost of the process.
   */
  async make(
    bytes: Uint8Array,
    sizes: readonly RenditionSize[],
    signal: AbortSignal,
  ): Promise<Map<RenditionSize, Uint8Array>> {
    signal.throwIfAborted();
    this.worker.throwIfClosed();
    if (bytes.length > limits.pictureInputBytes) throw tooLarge(`it has ${bytes.length} bytes`);
    if (
      this.worker.waiting >= limits.renditionsWaiting ||
      this.waitingBytes + bytes.length > limits.renditionsWaitingBytes
    )
      throw new MusicfsError('overloaded', 'too many pictures wait to be made smaller');
    this.waitingBytes += bytes.length;
    try {
      const answer = await this.worker.ask({ bytes, sizes: new Set(sizes) }, signal);
      if (answer.type === 'made') return new Map(answer.renditions);
      if (answer.type === 'too-large') throw tooLarge(answer.reason);
      throw new MusicfsError('invalid_argument', `the picture cannot be decoded: ${answer.reason}`);
    } finally {
      this.waitingBytes -= bytes.length;
    }
  }

  /** Ends the process and rejects whoever waits. Resolves when it is gone, or stuck in the kernel. May be called twice. */
  close(): Promise<void> {
    return this.worker.close();
  }
}

const tooLarge = (why: string) => new MusicfsError('unsupported_here', `the picture is too large: ${why}`);
