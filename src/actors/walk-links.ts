// The symbolic links that a walk met. What a link leads to below the root is walked where it really is, and is known by that
// path: so nothing is ever listed twice, no opener of a file must follow a link, and a link to a folder, be it in a circle,
// costs nothing and shows nothing more. One thing can be reached by a link alone: a file in a place that the rules leave
// out, such as the store of git-annex, which a link outside of it shows. It is listed under its real path.
// What leads out of the root is never touched (origins/follow-link.ts); it is counted.
//
// Links are followed when the walk is over, as only then all rules are known.
import type { RealPath } from '../library/real-path.ts';
import type { OriginFile } from '../origins/local-origin.ts';
import { codeOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { Logger } from '../platform/logger.ts';
import type { ActorRef } from '../supervision/actor-ref.ts';
import type { OriginLaneMessage } from './origin-lane.ts';

export interface WalkLinksOptions {
  readonly originId: string;
  readonly lane: ActorRef<OriginLaneMessage>;
  readonly followsLinks: boolean;
  readonly log: Logger;
}

export interface FollowedLinks {
  /** Files that only links show, under their real paths, each once. */
  readonly files: readonly OriginFile[];
  /** Links that lead out of the root, nowhere or in a circle. */
  readonly refused: number;
  /** Links of which that cannot be told now, or that are too many: what they show may not count as gone. */
  readonly unknown: number;
}

const deadlineMs = 60_000;

export class WalkLinks {
  private readonly options: WalkLinksOptions;
  private readonly links: RealPath[] = [];
  private pastLimit = 0;

  constructor(options: WalkLinksOptions) {
    this.options = options;
  }

  met(link: RealPath): void {
    if (!this.options.followsLinks) return;
    if (this.links.length < limits.linksInScan) this.links.push(link);
    else this.pastLimit += 1;
  }

  /** Rejects with `unavailable` when the lane is gone. */
  async follow(isIgnored: (path: RealPath) => boolean, signal: AbortSignal): Promise<FollowedLinks> {
    const { originId, lane, log } = this.options;
    const files = new Map<RealPath, OriginFile>();
    let refused = 0;
    let unknown = this.pastLimit;
    const followOne = async (link: RealPath): Promise<void> => {
      const place = await lane.ask<RealPath | null>((reply) => ({ type: 'follow', link, reply }), {
        timeoutMs: deadlineMs,
        signal,
      });
      if (place === null) refused += 1;
      if (place === null || !isIgnored(place)) return;
      const file = await lane.ask<OriginFile | null>((reply) => ({ type: 'stat', path: place, reply }), {
        timeoutMs: deadlineMs,
        signal,
      });
      if (file !== null) files.set(place, file);
    };
    for (let at = 0; at < this.links.length; at += limits.localOriginConcurrency) {
      signal.throwIfAborted();
      const some = this.links.slice(at, at + limits.localOriginConcurrency);
      const results = await Promise.allSettled(some.map(followOne));
      for (const result of results) {
        if (result.status === 'fulfilled') continue;
        if (codeOf(result.reason) === 'unavailable' || signal.aborted) throw result.reason;
        unknown += 1;
      }
    }
    if (refused + unknown > 0) log.warn({ event: 'links_not_followed', origin: originId, refused, unknown });
    return { files: [...files.values()], refused, unknown };
  }
}
