// What a scan takes out of the tree: files the catalog knows that a complete walk of a present origin did not meet.
//
// Two things look alike here and must not be confused: a person who ignores a folder, and a disk that has vanished.
// - Hidden on purpose is what lies below a folder that the walk itself met and did not enter, and a file that a second look
//   finds in its place although the rules hide it or nobody wants files of its name any more. It is taken out however much
//   it is. No harm is done if the rule was a mistake: rows are kept, and without the rule the same nodes come back.
// - Everything else is gone, or seems to be: what a second look finds is kept, and nothing at all is taken out when it is
//   more than the guard allows, or when the walk has met no file. The rules do not enter into it: those that a disk held
//   vanish with it, and what is left of them may hide what it held. So a file that is hidden but is not there counts as gone.
// The guard's share is one of what is left when the hidden files are out.
//
// Called by scan.ts, after the walk and when all is published.
import type { MissingCursor, MissingFiles } from '../catalog/publication.ts';
import type { RealPath } from '../library/real-path.ts';
import type { OriginFile } from '../origins/local-origin.ts';
import { limits } from '../platform/limits.ts';
import type { Logger } from '../platform/logger.ts';
import type { ActorRef } from '../supervision/actor-ref.ts';
import { askWriter, type CatalogWriterMessage } from './catalog-writer.ts';
import type { OriginLaneMessage } from './origin-lane.ts';
import type { ScanState } from './scan-progress.ts';
import { laneDeadlineMs, type Walk } from './walk.ts';

export interface RemovalOptions {
  readonly originId: string;
  readonly lane: ActorRef<OriginLaneMessage>;
  readonly writer: ActorRef<CatalogWriterMessage>;
  readonly log: Logger;
  readonly onProgress: (change: Partial<ScanState>) => void;
  /** It has run, and is complete. */
  readonly walk: Walk;
  /** Files the walk met. */
  readonly listed: number;
}

export async function removeMissing(options: RemovalOptions, signal: AbortSignal): Promise<void> {
  await new Removal(options, signal).run();
}

class Removal {
  private readonly options: RemovalOptions;
  private readonly signal: AbortSignal;
  private removed = 0;

  constructor(options: RemovalOptions, signal: AbortSignal) {
    this.options = options;
    this.signal = signal;
  }

  async run(): Promise<void> {
    const { originId, log, listed, onProgress } = this.options;
    const { known, hidden, missing, paths } = await this.sort();
    if (missing === 0) return;
    if (listed === 0 || missing > allowedOf(known - hidden)) {
      log.warn({ event: 'mass_removal_held', origin: originId, missing, known });
      onProgress({ held: missing });
      return;
    }
    const gone: RealPath[] = [];
    await this.lookAt(paths, (path, found) => {
      if (found === null || !this.options.walk.isShown(found)) gone.push(path);
    });
    await this.remove(gone);
  }

  /** Takes out what is hidden on purpose; of the rest the number, and as many paths as could be removed at most. */
  private async sort(): Promise<{ known: number; hidden: number; missing: number; paths: RealPath[] }> {
    const { originId, writer, walk } = this.options;
    const paths: RealPath[] = [];
    const most = limits.missingPageFiles;
    let known = 0;
    let missing = 0;
    let hidden = 0;
    let from: MissingCursor | null = null;
    do {
      const page: MissingFiles = await askWriter(
        writer,
        { type: 'missing', origin: originId, from, most },
        this.signal,
      );
      if (from === null) known = page.known;
      const toHide = page.paths.filter((path) => walk.isBelowHidden(path));
      const others = page.paths.filter((path) => !walk.isBelowHidden(path));
      const leftOut = others.filter((path) => walk.leavesOut(path));
      const unmet = new Set(others);
      await this.lookAt(leftOut, (path, found) => {
        if (found === null) return;
        unmet.delete(path);
        toHide.push(path);
      });
      await this.remove(toHide);
      hidden += toHide.length;
      missing += unmet.size;
      for (const path of unmet) if (paths.length < allowedOf(known)) paths.push(path);
      from = page.next;
    } while (from !== null);
    return { known, hidden, missing, paths };
  }

  private async lookAt(
    paths: readonly RealPath[],
    saw: (path: RealPath, found: OriginFile | null) => void,
  ): Promise<void> {
    const look = async (path: RealPath) => {
      const found = await this.options.lane.ask<OriginFile | null>(
        (reply) => ({ type: 'stat', path, reply }),
        { timeoutMs: laneDeadlineMs, signal: this.signal },
      );
      saw(path, found);
    };
    for (let at = 0; at < paths.length; at += limits.localOriginConcurrency) {
      await Promise.all(paths.slice(at, at + limits.localOriginConcurrency).map(look));
    }
  }

  private async remove(paths: readonly RealPath[]): Promise<void> {
    const { originId, writer, onProgress } = this.options;
    for (let at = 0; at < paths.length; at += limits.publishBatchFiles) {
      const batch = paths.slice(at, at + limits.publishBatchFiles);
      const request = { type: 'remove', origin: originId, paths: batch } as const;
      const { removed } = await askWriter(writer, request, this.signal);
      this.removed += removed;
      onProgress({ removed: this.removed });
    }
  }
}

/** So many files of an origin may go in one scan without a person's word. */
function allowedOf(files: number): number {
  return Math.max(limits.removalGuardFiles, Math.floor(files * limits.removalGuardShare));
}
