// Files that the kernel may read itself: whole files of a local origin, as they were catalogued, that stood still for a
// while. Each is opened through a private mount of its own, as the kernel would otherwise note a time of access on the
// origin, where nothing is ever written.
//
// Called by the thread that faces the kernel, so `openNow` never waits for a disk. A file that is refused here is read by
// LocalReader, which checks each read.
import { closeSync, fstatSync } from 'node:fs';
import type { Clock } from '../platform/clock.ts';
import { limits } from '../platform/limits.ts';
import { openBeneathAsync, openBeneathCached, openTraceless } from '../platform/native.ts';
import type { FileToRead } from './local-reader.ts';
import { openRootLater, openRootNow } from './origin-root.ts';

const pathOnly = 0o10000000; // O_PATH: the same value on x64 and arm64

export class BackingFiles {
  private readonly locate: (id: number, version: number) => FileToRead | undefined;
  private readonly clock: Clock;

  constructor(locate: (id: number, version: number) => FileToRead | undefined, clock: Clock) {
    this.locate = locate;
    this.clock = clock;
  }

  /** A descriptor, which becomes the caller's; 'wait' when a disk is needed (then call `openLater`); null: not that file. */
  openNow(id: number, version: number): number | 'wait' | null {
    const wanted = this.locate(id, version);
    if (wanted === undefined) return null;
    const root = openRootNow(wanted.originRoot);
    if (root < 0) return 'wait';
    const file = openBeneathCached(root, wanted.realPath, pathOnly);
    closeSync(root);
    return file < 0 ? 'wait' : this.opened(file, wanted);
  }

  /** The same on the pool. Never rejects; cannot be called back once a disk was asked. */
  async openLater(id: number, version: number): Promise<number | null> {
    const wanted = this.locate(id, version);
    const root = wanted === undefined ? undefined : await openRootLater(wanted.originRoot);
    if (wanted === undefined || root === undefined) return null;
    try {
      const file = await openBeneathAsync(root, wanted.realPath, pathOnly);
      return file < 0 ? null : this.opened(file, wanted);
    } finally {
      closeSync(root);
    }
  }

  /** As catalogued, and still for so long that whoever was writing it has finished. */
  private opened(file: number, wanted: FileToRead): number | null {
    try {
      const stat = fstatSync(file, { bigint: true });
      const mtimeNs = BigInt(wanted.mtimeSeconds) * 1_000_000_000n + BigInt(wanted.mtimeNanoseconds);
      const stillSinceNs = BigInt(Math.floor(this.clock.wallMs() - limits.passthroughStillMs)) * 1_000_000n;
      const isWhole = stat.isFile() && stat.size === BigInt(wanted.size) && stat.mtimeNs === mtimeNs;
      const isStill = stat.mtimeNs <= stillSinceNs && stat.ctimeNs <= stillSinceNs;
      const fd = isWhole && isStill ? openTraceless(file) : -1;
      return fd < 0 ? null : fd;
    } finally {
      closeSync(file);
    }
  }
}
