// What the fetch thread is told and says: to the fetcher actor on the main thread, and to whoever faces the kernel.

import type { MessagePort } from 'node:worker_threads';
import type { CacheEvent, CacheStats } from '../content/cache-events.ts';
import type { CacheIntervals } from '../content/cache-limits.ts';
import type { VerifyProgress, VerifyResult } from '../content/check-store.ts';
import type { ByteRange, ContentKey } from '../content/content-key.ts';
import type { RealPath } from '../library/real-path.ts';
import type { WalkSettings } from '../library/scan-settings.ts';
import type { FileVersion, OriginEntry, OriginKind } from '../origins/origin.ts';
import type { HealthState } from '../origins/origin-health.ts';
import type { CallLimits } from '../origins/origin-limits.ts';
import type { CacheSettings } from '../platform/cache-settings.ts';
import type { ErrorCode } from '../platform/errors.ts';
import type { LogLevel } from '../platform/logger.ts';
import type { OriginSettings } from '../platform/origin-settings.ts';

export interface FetchThreadData {
  readonly catalogPath: string;
  /** Holds cache.db and chunks/. */
  readonly cacheDirectory: string;
  readonly stateDirectory: string;
  readonly origins: readonly OriginSettings[];
  /** What each proves with who we are, sealed. */
  readonly credentials: ReadonlyMap<string, MessagePort>;
  /** Origins that were down when the last life ended. */
  readonly down: readonly string[];
  readonly cache: CacheSettings;
  /** What listings are about. */
  readonly walk: WalkSettings;
  /** Replaces what a kind has, for tests. */
  readonly originLimits: Partial<CallLimits>;
  /** Others than usual, for tests. */
  readonly cacheIntervals: Partial<CacheIntervals>;
  readonly logLevel: LogLevel;
  readonly failpoints: boolean;
  readonly armed: readonly string[];
}

export type FetchCommand =
  /** The first message. */
  | { readonly type: 'begin'; readonly data: FetchThreadData }
  /** A thread that faces the kernel asks through that port, and is woken by that eventfd. It replaces the one before. */
  | { readonly type: 'connect'; readonly port: MessagePort; readonly wakeFd: number }
  | { readonly type: 'call'; readonly id: number; readonly call: OriginCall | CacheCall }
  /** These paths of the tree are to be held, and no others. Said again after each publication. */
  | { readonly type: 'pin'; readonly targets: readonly string[] }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'set-failpoint'; readonly setting: string }
  | { readonly type: 'clear-failpoints' }
  | { readonly type: 'stop' };

/** What may be asked of an origin that lives in the thread. */
export type OriginCall =
  | { readonly what: 'list'; readonly originId: string; readonly directory: RealPath }
  | { readonly what: 'stat'; readonly originId: string; readonly path: RealPath }
  /** The first bytes of a file, at most so many: for small files that a scan itself reads. */
  | {
      readonly what: 'read';
      readonly originId: string;
      readonly path: RealPath;
      readonly version: FileVersion;
      readonly mostBytes: number;
    }
  /** See Origin.followLink. */
  | { readonly what: 'follow'; readonly originId: string; readonly path: RealPath }
  /** Puts ranges of a file into a file of ours of the same size, which is made when it is not there: for whoever parses. */
  | {
      readonly what: 'copy';
      readonly originId: string;
      readonly path: RealPath;
      readonly version: FileVersion;
      readonly ranges: readonly ByteRange[];
      /** Absolute path. */
      readonly file: string;
    }
  | { readonly what: 'probe'; readonly originId: string };

/** What may be asked about what is kept. Paths are those of the tree, relative to its root. */
export type CacheCall =
  | { readonly what: 'cache-stats' }
  | { readonly what: 'cache-verify'; readonly repair: boolean; readonly full: boolean }
  | {
      readonly what: 'cache-clear';
      readonly originId: string | null;
      readonly path: string | null;
      readonly includePinned: boolean;
      readonly dryRun: boolean;
    }
  | { readonly what: 'prefetch'; readonly paths: readonly string[] }
  | { readonly what: 'pins' }
  /** Whether there is such a path in the tree. */
  | { readonly what: 'find'; readonly path: string };

export type CacheAnswer =
  | { readonly what: 'cache-stats'; readonly stats: FetchStats }
  | { readonly what: 'cache-verify'; readonly result: VerifyResult }
  | { readonly what: 'cache-clear'; readonly bytes: number; readonly chunks: number }
  | { readonly what: 'prefetch'; readonly progress: PrefetchProgress }
  | { readonly what: 'pins'; readonly pins: readonly PinState[] }
  | { readonly what: 'find' };

/** How a long call goes on. */
export type CallProgress =
  | { readonly what: 'cache-verify'; readonly progress: VerifyProgress }
  | { readonly what: 'prefetch'; readonly progress: PrefetchProgress };

export interface PrefetchProgress {
  /** null: it is over. */
  readonly currentPath: string | null;
  readonly total: number;
  readonly completed: number;
  readonly bytesFetched: number;
  /** Held already, or read where they lie. */
  readonly skipped: number;
  readonly failed: number;
}

export interface PinState {
  readonly target: string;
  readonly tracks: number;
  /** Of those, the ones that are held whole or read where they lie. */
  readonly heldTracks: number;
  readonly bytes: number;
  readonly heldBytes: number;
}

export type OriginAnswer =
  | { readonly what: 'list'; readonly entries: readonly OriginEntry[] }
  | { readonly what: 'stat'; readonly entry: OriginEntry | null }
  | { readonly what: 'read'; readonly bytes: Uint8Array }
  | { readonly what: 'follow'; readonly place: RealPath | null }
  | { readonly what: 'copy' }
  /** What is mounted there, of a share; null: the origin is no path of this machine. */
  | { readonly what: 'probe'; readonly identity: string | null };

export interface OriginNews {
  readonly originId: string;
  readonly state: HealthState;
  readonly consecutiveFailures: number;
  readonly lastError: { readonly code: ErrorCode; readonly message: string } | null;
  readonly isOpen: boolean;
}

export type FetchEvent =
  | { readonly type: 'ready' }
  | { readonly type: 'called'; readonly id: number; readonly answer: OriginAnswer | CacheAnswer }
  | { readonly type: 'call-progress'; readonly id: number; readonly progress: CallProgress }
  | { readonly type: 'call-failed'; readonly id: number; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'origin-health'; readonly news: OriginNews }
  /** Another holder gave bytes of a file, as the one whose word counts did not: it may have a newer one meanwhile. */
  | { readonly type: 'served-elsewhere'; readonly originId: string; readonly path: RealPath }
  /** A file is another one on its origin than the catalog says. */
  | { readonly type: 'file-changed'; readonly originId: string; readonly path: RealPath }
  | {
      readonly type: 'replica-diverged';
      readonly originId: string;
      readonly path: RealPath;
      readonly content: ContentKey;
    }
  | { readonly type: 'cache'; readonly event: CacheEvent }
  /** Something keeps a pin from being held. */
  | { readonly type: 'pin-problem'; readonly target: string; readonly problem: string }
  | { readonly type: 'stats'; readonly stats: FetchStats }
  | { readonly type: 'failpoint-hits'; readonly hits: Readonly<Record<string, number>> }
  | { readonly type: 'stopped' };

export interface OriginStats {
  readonly originId: string;
  readonly kind: OriginKind;
  readonly calls: number;
  readonly failures: number;
  readonly bytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface FetchStats {
  readonly origins: readonly OriginStats[];
  /** Reads that were answered with bytes, and with an error. */
  readonly served: number;
  readonly refused: number;
  readonly memoryBytes: number;
  /** null: nothing is kept. */
  readonly cache: CacheStats | null;
}

/** From whoever faces the kernel. Ids are its own; a port that is replaced takes its requests with it. */
export type ReadMessage =
  | {
      readonly type: 'read';
      readonly id: number;
      readonly content: ContentKey;
      readonly offset: number;
      readonly lengthBytes: number;
      /** An origin that has just failed to give the bytes. */
      readonly without: string | null;
    }
  | { readonly type: 'give-up'; readonly id: number }
  /** Somebody reads what is held, up to there. */
  | { readonly type: 'reading'; readonly content: ContentKey; readonly offset: number; readonly end: number }
  /** Nobody has it open any more. */
  | { readonly type: 'closed'; readonly content: ContentKey }
  /** The bytes that answered that read are not looked at any more. */
  | { readonly type: 'taken'; readonly id: number }
  /** Chunks that were read, and those that were found wrong or missing. */
  | { readonly type: 'chunks'; readonly touched: readonly number[]; readonly bad: readonly number[] };

export type ReadAnswer =
  /** The bytes of the whole range, as far as the file goes; their memory is the fetch thread's again when they are `taken`. */
  | {
      readonly type: 'bytes';
      readonly id: number;
      readonly bytes: Uint8Array<SharedArrayBuffer>;
      readonly servedBy: string;
    }
  | { readonly type: 'failed'; readonly id: number; readonly code: ErrorCode };
