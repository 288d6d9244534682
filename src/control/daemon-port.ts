// What control asks the daemon. The daemon's side implements ControlPort; control serves it over gRPC and knows
// nothing else of the daemon. Field names are those of proto/musicfs/v1 in camelCase, enum values in lower case, so
// that a report is its own JSON form.

/** What a control server is given. No member may block the thread; failures are MusicfsErrors. */
export interface ControlPort {
  /** One consistent look, from memory: no disk, no origin. */
  status(): StatusReport;
  /** The root of the supervision tree, from memory. */
  supervision(): SupervisionNode;
  /**
   * Starts a scan and tells how it goes; the last progress has phase `done`. Aborting `signal` stops the scan.
   * Detached: yields once when the scan has started, then ends; the scan goes on and the signal no longer matters.
   * Errors: `not_found` (no such origin), `already_exists` (a scan of it runs), `origin_unavailable`, `cancelled`.
   */
  rescan(request: RescanRequest, signal: AbortSignal): AsyncIterable<ScanProgress>;
  /** Stops the scan of one origin, or whatever runs; false when none did. Errors: `not_found`. */
  cancelScan(originId: string | undefined): Promise<boolean>;
  /** Begins the stop and returns at once. Further calls are ignored, but `fast` overtakes `drain`. */
  shutdown(mode: ShutdownMode): void;
  /**
   * Begins to hand the mount over to a new life of the daemon and settles; the mount stays. `program`: the tree to
   * start it from; null: the same. Errors: `config_invalid` (nothing happens), `refused` (nobody keeps the mount),
   * `unsupported_operation`.
   */
  restart(program: string | null): Promise<void>;
  /** What is kept of origins over a network. */
  readonly cache: CachePort;
  /** What the tree shows, and why. */
  readonly library: LibraryPort;
  /** Passed by each call before it is answered, those of the failpoints excepted; a rejection is its answer. */
  readonly beforeCall?: (method: string) => Promise<unknown>;
  /** Only when the daemon was started with --enable-failpoints. */
  readonly failpoints?: FailpointPort;
}

export interface LibraryPort {
  /** Errors: `invalid_argument` (the template, with its column), `overloaded`. Aborting stops it. */
  previewTemplate(request: PreviewTemplateRequest, signal: AbortSignal): Promise<TemplatePreviewReport>;
  /** Of a file of the tree. Errors: `not_found`, `invalid_argument` (a directory), `overloaded`. */
  explain(path: string): Promise<ExplanationReport>;
}

/** As message Explanation of proto/musicfs/v1/library.proto says. */
export interface ExplanationReport {
  readonly path: string;
  readonly originId: string;
  readonly realPath: string;
  readonly state: string;
  readonly reason: string;
  readonly holders: readonly string[];
  readonly rules: readonly { readonly id: string; readonly text: string }[];
  readonly tags: readonly { readonly field: string; readonly values: readonly string[] }[];
}

export interface PreviewTemplateRequest {
  readonly template: string;
  /** 0: twenty. */
  readonly examples: number;
}

/** As message TemplatePreview of proto/musicfs/v1/library.proto says. */
export interface TemplatePreviewReport {
  readonly tracks: number;
  readonly changed: number;
  readonly colliding: number;
  readonly examples: readonly { readonly before: string; readonly after: string }[];
  readonly collisions: readonly { readonly path: string; readonly realPaths: readonly string[] }[];
  readonly longestName: string;
  readonly longestNameBytes: number;
}

/** Paths are those of the tree, relative to its root; "" is everything. */
export interface CachePort {
  stats(): Promise<CacheReport>;
  /** Errors: `not_found`, `unavailable`. */
  clear(request: ClearCacheRequest): Promise<{ readonly bytes: number; readonly chunks: number }>;
  /** The last progress is done. Errors: `unsupported_operation` (nothing is kept). */
  verify(request: VerifyCacheRequest, signal: AbortSignal): AsyncIterable<VerifyCacheProgress>;
  pins(): Promise<readonly PinReport[]>;
  /** False: it was pinned before. Errors: `not_found`. */
  addPin(path: string): Promise<boolean>;
  /** False: it was not pinned. */
  removePin(path: string): Promise<boolean>;
  /** Aborting stops it. The last progress has no current path. Errors: `not_found`. */
  prefetch(paths: readonly string[], signal: AbortSignal): AsyncIterable<PrefetchReport>;
}

export type CacheMode = 'normal' | 'no_writes' | 'passthrough' | 'off';

/** As message CacheStats of proto/musicfs/v1/cache.proto says. */
export interface CacheReport {
  readonly mode: CacheMode;
  readonly cause: string;
  readonly limitBytes: number;
  readonly storedBytes: number;
  readonly storedChunks: number;
  readonly logicalBytes: number;
  readonly sharedShare: number;
  readonly completeFiles: number;
  readonly partialFiles: number;
  readonly pinnedBytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly bytesFromCache: number;
  readonly bytesFromOrigins: number;
  readonly evictedBytes: number;
  readonly evictedChunks: number;
  readonly corruptChunks: number;
  readonly collisions: number;
  readonly origins: readonly OriginCacheReport[];
}

export interface OriginCacheReport {
  readonly originId: string;
  readonly logicalBytes: number;
  readonly completeFiles: number;
  readonly partialFiles: number;
  readonly pinnedBytes: number;
}

export interface ClearCacheRequest {
  readonly originId?: string;
  readonly path?: string;
  readonly includePinned: boolean;
  readonly dryRun: boolean;
}

export interface VerifyCacheRequest {
  readonly repair: boolean;
  readonly full: boolean;
}

export interface VerifyCacheProgress {
  /** 0 … 1. */
  readonly share: number;
  readonly checked: number;
  readonly bad: number;
  readonly missing: number;
  readonly orphans: number;
  readonly repaired: number;
  readonly done: boolean;
  readonly clean: boolean;
}

export interface PinReport {
  readonly path: string;
  readonly tracks: number;
  readonly heldTracks: number;
  readonly bytes: number;
  readonly heldBytes: number;
}

export interface PrefetchReport {
  /** Absent: it is over. */
  readonly currentPath?: string;
  readonly total: number;
  readonly completed: number;
  readonly bytesFetched: number;
  readonly skipped: number;
  readonly failed: number;
}

/** The failpoints of all threads of the daemon. */
export interface FailpointPort {
  list(): readonly FailpointReport[];
  /** As `platform/failpoints.ts` has it; settles when every thread has it. Errors: `invalid_argument`. */
  set(setting: string): Promise<void>;
  clear(): Promise<void>;
}

export type ShutdownMode = 'drain' | 'fast';
export type MountState = 'mounting' | 'ready' | 'syncing' | 'degraded' | 'offline' | 'unmounting';
export type KeptBy = 'none' | 'keeper' | 'systemd';
export type OriginState = 'unknown' | 'healthy' | 'degraded' | 'unhealthy' | 'disabled';
export type ScanPhase = 'listing' | 'parsing' | 'publishing' | 'fingerprints' | 'done';
export type ActorKind = 'supervisor' | 'actor' | 'worker' | 'process';
export type RestartStrategy = 'one_for_one' | 'rest_for_one';
export type ActorState = 'starting' | 'running' | 'backoff' | 'parked' | 'stopping' | 'stopped' | 'failed';

export interface StatusReport {
  readonly pid: number;
  readonly version: string;
  readonly mountPoint: string;
  readonly state: MountState;
  readonly driver: string;
  readonly tracks: number;
  readonly files: number;
  readonly directories: number;
  readonly uptimeSeconds: number;
  readonly scan: ScanReport;
  /** Sentences for a person, one for each thing that is not as it should be. */
  readonly warnings: readonly string[];
  readonly socket: string;
  readonly stateDirectory: string;
  readonly keptBy: KeptBy;
  /** Which life of the daemon this is within one mount, from 1. */
  readonly incarnation: number;
  readonly session: SessionReport;
  readonly process: { readonly rssBytes: number };
  readonly origins: readonly OriginReport[];
  readonly fuse: FuseReport;
  readonly supervision: { readonly restartsTotal: number };
  /** Absolute path of the tree that this daemon was started from. */
  readonly program: string;
  /** What is kept of origins over a network; absent when nothing is. */
  readonly cache?: CacheSummary;
}

export interface CacheSummary {
  readonly mode: CacheMode;
  readonly storedBytes: number;
  readonly limitBytes: number;
  /** Files that are held whole, and in part. */
  readonly completeFiles: number;
  readonly partialFiles: number;
}

export interface ScanReport {
  readonly running: boolean;
  /** Every origin has been scanned to its end at least once, in this life or an earlier one. */
  readonly complete: boolean;
  readonly done: number;
  readonly total: number;
  readonly errors: number;
  /** Absent while no scan has begun in this life. */
  readonly phase?: ScanPhase;
  readonly filesPerSecond: number;
  readonly etaSeconds?: number;
  /** Path on the origin; only while a scan runs. */
  readonly currentPath?: string;
  /** Files whose tags were read in this life of the daemon. */
  readonly parsed: number;
}

export interface SessionReport {
  /** This life took over a descriptor that an earlier one had opened. */
  readonly adopted: boolean;
  /** The kernel can hand out again what a dead life left unanswered. */
  readonly resend: boolean;
  readonly kernelFeatures: readonly string[];
  readonly openHandles: number;
}

export interface OriginReport {
  readonly id: string;
  readonly kind: string;
  /** Where it is, without secrets. */
  readonly root: string;
  readonly files: number;
  readonly state: OriginState;
}

export interface FuseReport {
  /** Count by operation, in lower case: lookup, getattr, read. */
  readonly requests: Readonly<Record<string, number>>;
  /** Invalidations written to the kernel. */
  readonly notifications: number;
  /** Database statements run to answer requests. */
  readonly statements: number;
  /** Files handed to the kernel, which reads them without asking again. */
  readonly passthroughOpens: number;
  /** Bytes of local origins' files read to answer requests. */
  readonly bytesRead: number;
  /** Bytes that the fetch thread brought to answer requests. */
  readonly bytesFetched: number;
}

export interface SupervisionNode {
  /** Ids from the root down, joined by "/". */
  readonly path: string;
  readonly id: string;
  readonly kind: ActorKind;
  /** Supervisors only. */
  readonly strategy?: RestartStrategy;
  readonly state: ActorState;
  readonly incarnation: number;
  /** Milliseconds since 1970; absent while it has never been up. */
  readonly startedMs?: number;
  readonly restartsTotal: number;
  readonly restartsInWindow: number;
  readonly budget?: { readonly max: number; readonly resetAfterMs: number };
  /** Milliseconds since 1970 of the planned restart; only in backoff or parked. */
  readonly nextRestartMs?: number;
  /** Absent while it has never failed. */
  readonly lastError?: ActorErrorReport;
  /** Absent on what takes no messages. */
  readonly mailbox?: MailboxReport;
  readonly busyMs: number;
  readonly handledTotal: number;
  /** Milliseconds since the last sign of life; absent where none is asked for. */
  readonly heartbeatAgeMs?: number;
  readonly pid?: number;
  readonly critical: boolean;
  /** In start order. */
  readonly children: readonly SupervisionNode[];
}

export interface ActorErrorReport {
  readonly code: string;
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly count: number;
}

export interface MailboxReport {
  readonly depth: number;
  readonly limit: number;
  readonly highWater: number;
  /** Age of the oldest waiting message in milliseconds; 0 when empty. */
  readonly oldestMs: number;
  readonly dropped: number;
}

export interface RescanRequest {
  /** Absent: all origins. */
  readonly originId?: string;
  readonly detached: boolean;
  /** Every file is read again, whether it changed or not; left out: false. */
  readonly full?: boolean;
}

export interface ScanProgress {
  /** Absent when the scan is over all origins. */
  readonly originId?: string;
  readonly phase: ScanPhase;
  readonly done: number;
  /** Grows while the listing goes on. */
  readonly total: number;
  readonly filesPerSecond: number;
  readonly etaSeconds?: number;
  readonly currentPath?: string;
  readonly added: number;
  readonly changed: number;
  readonly moved: number;
  readonly removed: number;
  /** Removals that wait for a confirmation. */
  readonly held: number;
  readonly errors: number;
}

export interface FailpointReport {
  readonly name: string;
  readonly action: string;
  readonly hits: number;
}
