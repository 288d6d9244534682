// Fetching whole files that nobody reads: what `musicfs prefetch` asks for, and what pins are to hold.
import type { TreeReader } from '../catalog/tree-reader.ts';
import type { ContentKey } from '../content/content-key.ts';
import type { CallClass } from '../origins/origin-gate.ts';
import type { Clock } from '../platform/clock.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import type { PinState, PrefetchProgress } from './fetch-protocol.ts';
import { type TrackBelow, tracksBelow } from './tracks-below.ts';

export interface Holding {
  /** Whether what is fetched of it would be kept. */
  isKept(content: ContentKey): boolean;
  isComplete(content: ContentKey): boolean;
  heldBytes(content: ContentKey): number;
  /** Never evicted from now on, or no longer so. */
  pin(content: ContentKey): void;
  unpin(content: ContentKey): void;
  pinned(): readonly ContentKey[];
  fetchWhole(content: ContentKey, klass: CallClass, signal: AbortSignal): Promise<void>;
}

/** Fetches what is below the paths, one file after the other. Rejects with `not_found`, or when aborted. */
export async function* prefetch(
  tree: TreeReader,
  paths: readonly string[],
  holding: Holding,
  klass: CallClass,
  signal: AbortSignal,
): AsyncGenerator<PrefetchProgress, void, undefined> {
  const tracks = paths.flatMap((path) => [...tracksBelow(tree, path)]);
  let progress: PrefetchProgress = {
    ...{ currentPath: null, total: tracks.length, completed: 0, bytesFetched: 0, skipped: 0, failed: 0 },
  };
  for (const { path, content, sizeBytes } of tracks) {
    signal.throwIfAborted();
    progress = { ...progress, currentPath: path };
    yield progress;
    const held = holding.heldBytes(content);
    if (!holding.isKept(content) || holding.isComplete(content)) {
      progress = { ...progress, skipped: progress.skipped + 1, completed: progress.completed + 1 };
      continue;
    }
    try {
      await holding.fetchWhole(content, klass, signal);
      const bytesFetched = progress.bytesFetched + sizeBytes - held;
      progress = { ...progress, completed: progress.completed + 1, bytesFetched };
    } catch (error) {
      if (signal.aborted || codeOf(error) === 'internal') throw error;
      progress = { ...progress, completed: progress.completed + 1, failed: progress.failed + 1 };
    }
  }
  yield { ...progress, currentPath: null };
}

export interface PinKeeperOptions {
  readonly tree: TreeReader;
  readonly holding: Holding;
  readonly clock: Clock;
  /** Something keeps a pin from being held. */
  readonly onProblem: (target: string, problem: string) => void;
}

/** After a failure the origin may be back, or the disk have room. */
const retryMs = 60_000;

/** Holds what is pinned: whole, never evicted, and fetched again when it changes. */
export class PinKeeper {
  private readonly options: PinKeeperOptions;
  private targets: readonly string[] = [];
  private work = new AbortController();
  private cancelRetry: () => void = () => undefined;

  constructor(options: PinKeeperOptions) {
    this.options = options;
  }

  /** These and no others. Also called after each publication, as what is below a path may be other files then. */
  hold(targets: readonly string[]): void {
    this.targets = targets;
    this.work.abort();
    this.cancelRetry();
    this.work = new AbortController();
    void this.run(this.work.signal);
  }

  states(): PinState[] {
    return this.targets.map((target) => {
      const { holding } = this.options;
      const state = { target, tracks: 0, heldTracks: 0, bytes: 0, heldBytes: 0 };
      for (const { content, sizeBytes } of this.below(target)) {
        const isHeld = !holding.isKept(content) || holding.isComplete(content);
        state.tracks += 1;
        state.bytes += sizeBytes;
        state.heldTracks += isHeld ? 1 : 0;
        state.heldBytes += isHeld ? sizeBytes : holding.heldBytes(content);
      }
      return state;
    });
  }

  close(): void {
    this.work.abort();
    this.cancelRetry();
  }

  private async run(signal: AbortSignal): Promise<void> {
    const { holding, clock, onProblem } = this.options;
    const wanted = new Set<string>();
    for (const target of this.targets) {
      for (const { content } of this.below(target)) {
        wanted.add(keyOf(content));
        if (holding.isKept(content)) holding.pin(content);
      }
    }
    for (const content of holding.pinned()) if (!wanted.has(keyOf(content))) holding.unpin(content);
    let failed = 0;
    for (const target of this.targets) {
      try {
        for await (const progress of prefetch(this.options.tree, [target], holding, 'pin', signal)) {
          if (progress.currentPath === null) failed += progress.failed;
        }
      } catch (error) {
        if (signal.aborted) return;
        onProblem(target, messageOf(error));
      }
    }
    if (failed > 0) this.cancelRetry = clock.after(retryMs, () => this.hold(this.targets));
  }

  /** A pin of something that is not in the library now waits for it. */
  private *below(target: string): Generator<TrackBelow> {
    try {
      yield* tracksBelow(this.options.tree, target);
    } catch (error) {
      if (codeOf(error) !== 'not_found') throw error;
    }
  }
}

function keyOf({ node, version }: ContentKey): string {
  return `${node}.${version}`;
}
