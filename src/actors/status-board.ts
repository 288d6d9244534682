// What the actors have to show, for whoever asks how things are. Each part has one writer; readers take what is there
// and never ask an actor, so a stuck actor cannot hang `status`. Nothing here decides anything.

import type { OriginRow } from '../catalog/publication.ts';
import type { Recovery } from '../catalog/recover-catalog.ts';
import type { CatalogCounters } from '../catalog/tree-reader.ts';
import type { FetchStats } from '../fetch/fetch-protocol.ts';
import type { FuseCounters } from '../fuse/thread-protocol.ts';
import type { RealPath } from '../library/real-path.ts';
import type { HealthState } from '../origins/origin-health.ts';
import type { MusicfsError } from '../platform/errors.ts';
import type { ResourceUse } from '../platform/own-resources.ts';
import { idleScan, type ScanState } from './scan-progress.ts';

export interface OriginHealth {
  readonly id: string;
  readonly kind: string;
  readonly root: string;
  readonly state: HealthState;
  readonly consecutiveFailures: number;
  readonly lastError: string | null;
  /** ms of the monotonic clock since when it is in that state. */
  readonly sinceMs: number;
}

export interface ServingState {
  /** The kernel is being answered. */
  readonly isServing: boolean;
  /** The session was taken over from an earlier life of the process. */
  readonly isAdopted: boolean;
  /** What of the kernel's later features is in use. */
  readonly kernelFeatures: readonly string[];
}

export class StatusBoard {
  /** Written by the catalog writer. */
  counters: CatalogCounters = { tracks: 0, files: 0, directories: 0, bytes: 0, failed: 0 };
  originRows: readonly OriginRow[] = [];
  /** What was done about a damaged catalog when this process began; null when nothing had to be. */
  recovery: Recovery | null = null;
  /** Written by the resources actor. */
  resources: ResourceUse | null = null;
  /** Written by the fetcher: what its thread has done; null without one. */
  fetch: FetchStats | null = null;
  /** Written by the health monitor. */
  readonly origins = new Map<string, OriginHealth>();
  /** Written by the indexer: the running or last scan, and how the last one of each origin failed (null: it did not). */
  scan: ScanState = idleScan;
  /** Files whose tags were read in this life of the process. */
  parsed = 0;
  readonly scanFailures = new Map<string, MusicfsError | null>();
  /** Written by the fetcher, read and emptied by the indexer: files that another origin served, by the one that did not. */
  readonly servedElsewhere = new Map<string, Set<RealPath>>();
  /** Written by the fuse handler. */
  serving: ServingState = { isServing: false, isAdopted: false, kernelFeatures: [] };
  fuse: FuseCounters | null = null;
  notifications = 0;
  /** Written by the watchdog: what is wrong; null while it does not look. */
  watchdog: readonly string[] | null = null;
}
