// Files that the kernel may read itself: whole files of a local origin, as they were catalogued, that stood still for a
// while. They are opened through a private view of the origin, as the kernel would otherwise note a time of access on the
// origin, where nothing is ever written.
//
// A view shows one file system: a file on a disk that is mounted below the origin's root gets a view of its own, so that
// no open file keeps another disk in use. (A view for each open file: simpler, and 100 us slower.)
//
// Called by the thread that faces the kernel, so `openNow` never waits for a disk. A file that is refused here is read by
// LocalReader, which checks each read.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import type { Clock } from '../platform/clock.ts';
import { ClockWatch } from '../platform/clock-watch.ts';
import { limits } from '../platform/limits.ts';
import { openBeneathAsync, openBeneathCached } from '../platform/native.ts';
import { closeView, openTracelessView } from '../platform/native-passthrough.ts';
import type { FileToRead } from './local-reader.ts';
import { openRootLater, openRootNow } from './origin-root.ts';

interface View {
  readonly fd: number;
  lastUsedMs: number;
  /** Opens under way on the pool. */
  opening: number;
}

const { ENOENT } = osConstants.errno;
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const pathOnly = 0o10000000; // O_PATH: the same value on x64 and arm64

export class BackingFiles {
  private readonly locate: (id: number, version: number) => FileToRead | undefined;
  private readonly clock: Clock;
  private readonly watch: ClockWatch;
  private readonly views = new Map<string, View>();

  constructor(locate: (id: number, version: number) => FileToRead | undefined, clock: Clock) {
    this.locate = locate;
    this.clock = clock;
    this.watch = new ClockWatch(clock);
  }

  /** A descriptor, which becomes the caller's; 'wait' when a disk is needed (then call `openLater`); null: not that file. */
  openNow(id: number, version: number): number | 'wait' | null {
    const wanted = this.locate(id, version);
    if (wanted === undefined) return null;
    const root = wanted.originRoot;
    const view = this.views.get(root) ?? this.viewFrom(root, openRootNow(root));
    if (view === null) return 'wait';
    view.lastUsedMs = this.clock.monotonicMs();
    const fd = openBeneathCached(view.fd, wanted.realPath, readFlags);
    return fd < 0 ? 'wait' : this.checked(fd, wanted);
  }

  /** The same on the pool. Never rejects; cannot be called back once a disk was asked. */
  async openLater(id: number, version: number): Promise<number | null> {
    const wanted = this.locate(id, version);
    if (wanted === undefined) return null;
    const root = wanted.originRoot;
    const view = this.views.get(root) ?? this.viewFrom(root, (await openRootLater(root)) ?? -1);
    if (view === null) return null;
    view.opening += 1;
    try {
      const fd = await openBeneathAsync(view.fd, wanted.realPath, readFlags);
      if (fd === -ENOENT) return await this.openElsewhere(wanted);
      return fd < 0 ? null : this.checked(fd, wanted);
    } finally {
      view.opening -= 1;
      view.lastUsedMs = this.clock.monotonicMs();
    }
  }

  /** Lets go of origins on which nothing was opened for a while, so that their disks can be unmounted. */
  closeIdle(): void {
    const before = this.clock.monotonicMs() - limits.originViewIdleMs;
    for (const [root, view] of this.views) {
      if (view.lastUsedMs >= before || view.opening > 0) continue;
      closeView(view.fd);
      this.views.delete(root);
    }
  }

  close(): void {
    for (const { fd } of this.views.values()) closeView(fd);
    this.views.clear();
  }

  /** The view of a root that was opened; null when there is none. */
  private viewFrom(root: string, rootFd: number): View | null {
    if (rootFd < 0) return null;
    const fd = openTracelessView(rootFd);
    closeSync(rootFd);
    if (fd < 0) return null;
    const faster = this.views.get(root);
    if (faster !== undefined) {
      closeView(fd);
      return faster;
    }
    const view = { fd, lastUsedMs: this.clock.monotonicMs(), opening: 0 };
    this.views.set(root, view);
    return view;
  }

  /** A file on a disk that is mounted below the root, by a view of its own. */
  private async openElsewhere(wanted: FileToRead): Promise<number | null> {
    const root = await openRootLater(wanted.originRoot);
    if (root === undefined) return null;
    const file = await openBeneathAsync(root, wanted.realPath, pathOnly);
    closeSync(root);
    if (file < 0) return null;
    const view = openTracelessView(file);
    closeSync(file);
    if (view < 0) return null;
    try {
      return this.checked(openSync(`/proc/self/fd/${view}`, readFlags), wanted);
    } catch {
      return null; // not for us, or gone: the daemon's reader finds out
    } finally {
      closeView(view);
    }
  }

  /** As catalogued, and still for so long that whoever was writing it has finished: the descriptor, else null. */
  private checked(fd: number, wanted: FileToRead): number | null {
    // After a jump of the clock no time says how long ago it was; for as long as that matters, nothing counts as still.
    const isClockRight = !this.watch.hasJumped(limits.passthroughStillMs);
    if (isClockRight && isWholeAndStill(fd, wanted, this.clock)) return fd;
    closeSync(fd);
    return null;
  }
}

function isWholeAndStill(fd: number, wanted: FileToRead, clock: Clock): boolean {
  try {
    const stat = fstatSync(fd, { bigint: true });
    const mtimeNs = BigInt(wanted.mtimeSeconds) * 1_000_000_000n + BigInt(wanted.mtimeNanoseconds);
    const stillSinceNs = BigInt(Math.floor(clock.wallMs() - limits.passthroughStillMs)) * 1_000_000n;
    const isWhole = stat.isFile() && stat.size === BigInt(wanted.size) && stat.mtimeNs === mtimeNs;
    return isWhole && stat.mtimeNs <= stillSinceNs && stat.ctimeNs <= stillSinceNs;
  } catch {
    return false; // a disk that fails: whoever reads will be told
  }
}
