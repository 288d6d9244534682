// What is known of one music file when it is given its place in the mount.
import type { RealPath } from './real-path.ts';
import type { TrackTags } from './track-tags.ts';

/**
 * `failed`: the file could not be parsed; `untagged`: it was, and says neither artist nor album nor title;
 * `sidecar`: it is no music but lies beside it, and has no tags.
 */
export type TrackState = 'ok' | 'untagged' | 'failed' | 'sidecar';

export interface TrackFacts {
  readonly originId: string;
  readonly realPath: RealPath;
  readonly tags: TrackTags;
  readonly state: TrackState;
  /** When it was first seen, seconds since 1970; left out where that is not known. */
  readonly addedAtSeconds?: number | null;
}
