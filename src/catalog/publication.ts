// What the indexer tells the catalog, and what it hears back. Plain data: it crosses a thread.

import type { RealPath } from '../library/real-path.ts';
import type { TrackState } from '../library/track-facts.ts';
import type { TrackTags } from '../library/track-tags.ts';

/** A file as a walk sees it. `mtimeNs` is nanoseconds since 1970 in decimal digits. */
export interface SeenFile {
  readonly path: RealPath;
  readonly sizeBytes: number;
  readonly mtimeNs: string;
  /** The origin's own word for this content, where it has one. */
  readonly etag?: string | null;
}

/** A file whose tags were read, or could not be. */
export interface ReadFile extends SeenFile {
  readonly state: TrackState;
  /** Why a failed file failed. */
  readonly reason: string | null;
  /** Hash over its audio, 16 hex digits; null when the file could not be read. */
  readonly audioFp: string | null;
  /** Hash over the start and the end of the whole file, 16 hex digits; read where several origins may hold it. */
  readonly fileFp?: string | null;
  readonly tags: TrackTags;
}

/** A file that musicfs made, and where its bytes lie in the store of such files. */
export interface MadeFile {
  readonly name: string;
  /** Below the root of the store. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeNs: string;
  /** False: it answers a lookup and is not listed. */
  readonly isListed: boolean;
}

/** A playlist as it lies on an origin. */
export interface PlaylistFile extends SeenFile {
  readonly node: number;
  readonly version: number;
  readonly origin: string;
  readonly originRoot: string;
}

/** What may hold the picture of a directory. */
export interface ArtSource extends SeenFile {
  readonly origin: string;
}

/** A directory that changed since its pictures were looked for. */
export interface AlbumWantingArt {
  readonly directory: number;
  /** Says which state of the directory this is about. */
  readonly revision: number;
  /** In the order of the listing; empty for a directory without music. */
  readonly tracks: readonly ArtSource[];
  /** Files beside them, of whatever kind. */
  readonly pictures: readonly ArtSource[];
}

/** One thing for the kernel to forget: a name of a directory, or (name null) the directory's listing and attributes. */
export interface Invalidation {
  readonly id: number;
  readonly parent: number;
  readonly name: string | null;
}

/** What a walk met, as one number: an origin's own tracks by node, its replicas by their row. */
export const seenKey = {
  track: (node: number): number => node * 2,
  replica: (id: number): number => id * 2 + 1,
} as const;

export interface PublishResult {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** The kernel must be told something: `pendingInvalidations` says what. */
  readonly hasInvalidations: boolean;
}

/** How far a look at an origin's files has come. */
export interface MissingCursor {
  readonly of: 'tracks' | 'replicas';
  /** An id of a node, or of a replica's row. */
  readonly after: number;
}

/** A page of the files that a walk did not meet. */
export interface MissingFiles {
  /** Files the catalog lists of the origin. */
  readonly known: number;
  readonly paths: readonly RealPath[];
  /** Where the next page begins; null: there is none. */
  readonly next: MissingCursor | null;
}

/** A file or directory of the tree that is to be held, with all below it. "" is the root. */
export interface PinRow {
  readonly target: string;
  /** ms since 1970. */
  readonly addedAtMs: number;
}

export interface OriginRow {
  readonly name: string;
  readonly kind: string;
  readonly root: string;
  readonly firstScanComplete: boolean;
  /** The mount points that belonged to it at its last complete scan, that of its root first; null before. */
  readonly mountPoints: readonly string[] | null;
  readonly files: number;
}
