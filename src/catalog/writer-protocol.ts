// The messages between the catalog-writer actor (main thread) and the writer thread. Each request carries an id and
// gets exactly one answer.
import type { LibrarySettings } from '../library/library-options.ts';
import type { RealPath } from '../library/real-path.ts';
import type { ErrorCode } from '../platform/errors.ts';
import type {
  AlbumWantingArt,
  Invalidation,
  MadeFile,
  MissingCursor,
  MissingFiles,
  OriginRow,
  PinRow,
  PlaylistFile,
  PublishResult,
  ReadFile,
  SeenFile,
} from './publication.ts';
import type { Recovery } from './recover-catalog.ts';
import type { CatalogCounters } from './tree-reader.ts';

/** What the writer thread begins with. */
export interface WriterThreadData {
  readonly path: string;
  /** Nobody else has the catalog open yet: a damaged one may be put aside. */
  readonly mayRecover: boolean;
  readonly origins: readonly {
    readonly name: string;
    readonly kind: string;
    readonly root: string;
    /** Lower: its word counts more. */
    readonly priority: number;
  }[];
  readonly library: LibrarySettings;
  readonly failpoints: boolean;
  /** What is armed from the beginning. */
  readonly armed: readonly string[];
}

export type WriterRequest =
  /** A walk of an origin begins: nothing of it has been seen yet. */
  | { readonly type: 'begin-scan'; readonly origin: string }
  | { readonly type: 'compare'; readonly origin: string; readonly files: readonly SeenFile[] }
  | {
      readonly type: 'publish';
      readonly origin: string;
      readonly files: readonly ReadFile[];
      readonly ignored: readonly SeenFile[];
    }
  /** Files that the running scan has not met; see Publisher.missing. */
  | {
      readonly type: 'missing';
      readonly origin: string;
      readonly from: MissingCursor | null;
      readonly most: number;
    }
  | { readonly type: 'remove'; readonly origin: string; readonly paths: readonly RealPath[] }
  /** The scan met everything; `mountPoints` are those that belong to the origin, that of its root first. */
  | { readonly type: 'finish-scan'; readonly origin: string; readonly mountPoints: readonly string[] }
  /** The scan ended without having met everything. */
  | { readonly type: 'abandon-scan'; readonly origin: string }
  /** Pictures are made by these settings, as any text that is the same for the same ones. */
  | { readonly type: 'art-settings'; readonly settings: string }
  /** Directories after a node that changed since their pictures were looked for. */
  | { readonly type: 'albums-wanting-art'; readonly after: number; readonly most: number }
  /** Shows these pictures, and no others that were made, in a directory. */
  | {
      readonly type: 'show-art';
      readonly album: Pick<AlbumWantingArt, 'directory' | 'revision'>;
      readonly files: readonly MadeFile[];
    }
  | {
      readonly type: 'show-no-art';
      readonly albums: readonly Pick<AlbumWantingArt, 'directory' | 'revision'>[];
    }
  | { readonly type: 'playlists' }
  | { readonly type: 'show-playlists'; readonly files: readonly MadeFile[] }
  /** Which of these paths in the store of made files are still of use. */
  | { readonly type: 'made-referenced'; readonly paths: readonly string[] }
  | { readonly type: 'pins' }
  | { readonly type: 'add-pin'; readonly target: string }
  | { readonly type: 'remove-pin'; readonly target: string }
  | { readonly type: 'pending-invalidations'; readonly afterId: number }
  | { readonly type: 'invalidated'; readonly upToId: number }
  | { readonly type: 'overview' };

export interface Overview {
  readonly origins: readonly OriginRow[];
  readonly counters: CatalogCounters;
}

/** What each request is answered with. */
export interface WriterAnswers {
  readonly 'begin-scan': null;
  readonly compare: readonly RealPath[];
  readonly publish: PublishResult;
  readonly missing: MissingFiles;
  readonly remove: PublishResult;
  readonly 'finish-scan': null;
  readonly 'abandon-scan': null;
  readonly 'art-settings': null;
  readonly 'albums-wanting-art': readonly AlbumWantingArt[];
  readonly 'show-art': PublishResult;
  readonly 'show-no-art': PublishResult;
  readonly playlists: readonly PlaylistFile[];
  readonly 'show-playlists': PublishResult;
  readonly 'made-referenced': readonly string[];
  readonly pins: readonly PinRow[];
  readonly 'add-pin': boolean;
  readonly 'remove-pin': boolean;
  readonly 'pending-invalidations': readonly Invalidation[];
  readonly invalidated: null;
  readonly overview: Overview;
}

export type WriterAnswer =
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly value: WriterAnswers[keyof WriterAnswers];
      readonly overview: Overview;
    }
  | { readonly type: 'failure'; readonly id: number; readonly code: ErrorCode; readonly message: string };

export type WriterEvent =
  | {
      readonly type: 'opened';
      readonly overview: Overview;
      /** Nothing needs to be checked: it was closed in order, or is new. */
      readonly isClean: boolean;
      readonly recovery: Recovery | null;
    }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'closed' }
  /** The wall clock jumped by so much, back is negative; or the machine slept. */
  | { readonly type: 'clock-jumped'; readonly byMs: number }
  /** Tracks were given the places that changed settings give them: the last ones when `isDone`. */
  | {
      readonly type: 'laid-out';
      readonly tracks: number;
      readonly hasInvalidations: boolean;
      readonly isDone: boolean;
      readonly overview: Overview;
    }
  /** That failed and is tried again later. */
  | { readonly type: 'layout-failed'; readonly code: ErrorCode; readonly message: string }
  | WriterAnswer;

export type WriterCommand =
  /** The first message. */
  | { readonly type: 'begin'; readonly data: WriterThreadData }
  | { readonly type: 'request'; readonly id: number; readonly request: WriterRequest }
  | { readonly type: 'set-failpoint'; readonly setting: string }
  | { readonly type: 'clear-failpoints' }
  | { readonly type: 'close' };
