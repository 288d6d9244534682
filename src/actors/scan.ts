// One scan of one origin, as a flow: list → compare → parse → publish, in batches, several at a time. Started by the
// indexer outside its handler; ends by returning, or by throwing when it is aborted or a part it needs is gone.
//
// What a scan shows and what it leaves out is decided by its walk (walk.ts), what it may remove by scan-removal.ts.
import PQueue from 'p-queue';
import type { PublishResult, ReadFile, SeenFile } from '../catalog/publication.ts';
import { type RealPath, realPathText, rootRealPath } from '../library/real-path.ts';
import type { WalkSettings } from '../library/scan-settings.ts';
import type { OriginFile } from '../origins/local-origin.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import type { Logger } from '../platform/logger.ts';
import type { ActorRef } from '../supervision/actor-ref.ts';
import type { ParseOutcome } from '../tags/parse-outcome.ts';
import type { ParserPool } from '../tags/parser-pool.ts';
import { askWriter, type CatalogWriterMessage } from './catalog-writer.ts';
import type { OriginMounts } from './origin-caller.ts';
import type { OriginLaneMessage } from './origin-lane.ts';
import { parseRemote } from './remote-tags.ts';
import type { ScanState } from './scan-progress.ts';
import { removeMissing } from './scan-removal.ts';
import { laneDeadlineMs, Walk } from './walk.ts';

export interface ScanOptions {
  readonly originId: string;
  /** Every file is read again, whether it changed or not. */
  readonly isFull: boolean;
  /** Where its files are read; null: they are fetched, with their heads in `headsDirectory`. */
  readonly rootPath: string | null;
  readonly headsDirectory: string;
  readonly walk: WalkSettings;
  /** See WalkOptions. */
  readonly followsLinks: boolean;
  /** Other origins may hold the same files. */
  readonly wantsFileFp: boolean;
  /** Files that are looked at before all others: other origins served them while this one was away. */
  readonly first: readonly RealPath[];
  readonly lane: ActorRef<OriginLaneMessage>;
  readonly writer: ActorRef<CatalogWriterMessage>;
  readonly parsers: ParserPool;
  /** Files the catalog knew of this origin when the scan began. */
  readonly knownFiles: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly failpoints: Failpoints;
  /** Resolves when readers see everything that was published so far. */
  readonly settle: (signal: AbortSignal) => Promise<void>;
  /** Called with what changed; the owner keeps the whole. */
  readonly onProgress: (change: Partial<ScanState>) => void;
}

/** Files listed ahead of the parsers: gives a total early, bounds memory. */
const filesListedAhead = 20_000;

export async function scanOrigin(options: ScanOptions, signal: AbortSignal): Promise<void> {
  await new Scan(options, signal).run();
}

class Scan {
  private readonly options: ScanOptions;
  private readonly signal: AbortSignal;
  private readonly walk: Walk;
  private readonly batches = new PQueue({ concurrency: limits.scanBatchesInFlight });
  /** Settles when every batch that was listed before is published, so that who comes first is who was listed first. */
  private lastTurn: Promise<void> = Promise.resolve();
  private collected: SeenFile[] = [];
  private listed = 0;
  private failure: unknown = null;
  private done = 0;
  private errors = 0;
  private added = 0;
  private changed = 0;

  constructor(options: ScanOptions, signal: AbortSignal) {
    this.options = options;
    this.signal = signal;
    this.walk = new Walk(
      {
        ...options,
        settings: options.walk,
        room: () => this.batches.onSizeLessThan(filesListedAhead / limits.publishBatchFiles),
        isOver: () => this.isOver,
        onFiles: (files) => this.collect(files),
        onFailed: () => this.countError(1),
      },
      signal,
    );
  }

  async run(): Promise<void> {
    const { originId, lane, writer } = this.options;
    this.options.onProgress({ phase: 'listing', total: this.options.knownFiles });
    const { missing, mounted } = await lane.ask<OriginMounts>((reply) => ({ type: 'probe', reply }), {
      timeoutMs: laneDeadlineMs,
      signal: this.signal,
    });
    if (missing.length > 0) {
      this.countError(missing.length);
      this.options.log.warn({ event: 'disks_not_mounted', origin: originId, missing });
    }
    await askWriter(writer, { type: 'begin-scan', origin: originId }, this.signal);
    await this.lookAtFirst();
    try {
      await this.walk.run();
      this.submit();
    } catch (error) {
      this.failure ??= error;
    }
    await this.batches.onIdle();
    this.signal.throwIfAborted();
    if (this.failure !== null) throw this.failure as Error;
    // What lies on a disk that is not mounted is not gone: nothing is removed by such a scan.
    const isComplete = this.walk.isComplete && missing.length === 0;
    if (isComplete) {
      await removeMissing({ ...this.options, walk: this.walk, listed: this.listed }, this.signal);
      await askWriter(writer, { type: 'finish-scan', origin: originId, mountPoints: mounted }, this.signal);
    } else {
      await askWriter(writer, { type: 'abandon-scan', origin: originId }, this.signal);
      this.options.log.warn({ event: 'scan_incomplete', origin: originId, errors: this.errors });
    }
    await this.settled();
    const { linksRefused } = this.walk;
    this.options.onProgress({ phase: 'done', wasComplete: isComplete, currentPath: null, linksRefused });
  }

  /** What this origin could not give itself is brought up to date before anything else is. */
  private async lookAtFirst(): Promise<void> {
    if (this.options.first.length === 0) return;
    const found: SeenFile[] = [];
    for (const path of this.options.first) {
      const file = await this.options.lane.ask<OriginFile | null>(
        (reply) => ({ type: 'stat', path, reply }),
        {
          timeoutMs: laneDeadlineMs,
          signal: this.signal,
        },
      );
      if (file !== null) found.push(file);
    }
    for (let at = 0; at < found.length; at += limits.publishBatchFiles) {
      await this.index(found.slice(at, at + limits.publishBatchFiles));
    }
    this.done = 0;
    // The walk may leave out what was looked at here: only what it meets counts as met.
    const { writer, originId } = this.options;
    await askWriter(writer, { type: 'begin-scan', origin: originId }, this.signal);
  }

  /** Whoever waits for the scan finds its result in the mount. */
  private async settled(): Promise<void> {
    try {
      await this.options.settle(this.signal);
    } catch (error) {
      this.options.log.warn({ event: 'readers_not_told', error: messageOf(error) });
    }
  }

  private get isOver(): boolean {
    return this.signal.aborted || this.failure !== null;
  }

  private countError(by: number): void {
    this.errors += by;
    this.options.onProgress({ errors: this.errors });
  }

  /** A directory's files stay together, as an album should appear at once. */
  private collect(files: readonly OriginFile[]): void {
    if (this.collected.length > 0 && this.collected.length + files.length > limits.publishBatchFiles)
      this.submit();
    for (const file of files) this.collected.push(file);
    this.listed += files.length;
    this.options.onProgress({ total: Math.max(this.listed, this.options.knownFiles) });
    if (this.collected.length >= limits.publishBatchFiles) this.submit();
  }

  private submit(): void {
    const files = this.collected;
    this.collected = [];
    for (let at = 0; at < files.length; at += limits.publishBatchFiles) {
      const batch = files.slice(at, at + limits.publishBatchFiles);
      const before = this.lastTurn;
      this.lastTurn = this.batches.add(async () => {
        if (this.isOver) return;
        try {
          await this.index(batch, before);
        } catch (error) {
          this.failure ??= error;
        }
        await before; // also when there was nothing to publish
      });
    }
  }

  /** Compares, parses and publishes files; the last when those of the turn `before` are published. */
  private async index(batch: readonly SeenFile[], before: Promise<void> = Promise.resolve()): Promise<void> {
    const { originId, writer, failpoints } = this.options;
    const changed = await askWriter(writer, { type: 'compare', origin: originId, files: batch }, this.signal);
    const files = this.options.isFull ? batch.map(({ path }) => path) : changed;
    if (files.length > 0) {
      this.options.onProgress({ phase: 'parsing', currentPath: realPathText(files[0] ?? rootRealPath) });
      const music = files.filter((file) => !this.walk.isSidecar(file));
      const outcomes = music.length === 0 ? [] : await this.parse(batch, music);
      const isRead = new Set(files);
      const sidecars = batch.filter(({ path }) => isRead.has(path) && this.walk.isSidecar(path));
      await before;
      if (this.isOver) return;
      await this.publish(batch, outcomes, sidecars);
      failpoints.check('scan.batch.after');
    }
    this.done += batch.length;
    this.options.onProgress({ done: this.done, updatedAtMs: this.options.clock.monotonicMs() });
  }

  private parse(batch: readonly SeenFile[], files: readonly RealPath[]): Promise<readonly ParseOutcome[]> {
    const { rootPath, headsDirectory, parsers, wantsFileFp, lane } = this.options;
    if (rootPath !== null) return parsers.parse({ rootPath, files, wantsFileFp }, this.signal);
    const wanted = new Set(files);
    return parseRemote(
      batch.filter(({ path }) => wanted.has(path)),
      {
        directory: headsDirectory,
        parsers,
        wantsFileFp,
        copy: (file, ranges, target, signal) =>
          lane.ask<null>((reply) => ({ type: 'copy', file, ranges, target, reply }), {
            timeoutMs: laneDeadlineMs * 2,
            signal,
          }),
      },
      this.signal,
    );
  }

  private async publish(
    batch: readonly SeenFile[],
    outcomes: readonly ParseOutcome[],
    sidecars: readonly SeenFile[],
  ): Promise<void> {
    const { originId, writer } = this.options;
    const seen = new Map(batch.map((file) => [file.path, file]));
    const files = outcomes.flatMap((outcome) => readFileOf(outcome, seen.get(outcome.path)?.etag ?? null));
    files.push(...sidecars.map(sidecarOf));
    const ignored = outcomes.flatMap((outcome) =>
      outcome.type === 'not-music' ? (seen.get(outcome.path) ?? []) : [],
    );
    const result: PublishResult = await askWriter(
      writer,
      { type: 'publish', origin: originId, files, ignored },
      this.signal,
    );
    this.added += result.added;
    this.changed += result.changed;
    this.errors += files.filter(({ state }) => state === 'failed').length;
    this.options.onProgress({ added: this.added, changed: this.changed, errors: this.errors });
  }
}

/** What lies beside the music is published as it is listed: nobody looks into it. */
function sidecarOf(file: SeenFile): ReadFile {
  return { ...file, state: 'sidecar', tags: {}, audioFp: null, fileFp: null, reason: null };
}

function readFileOf(outcome: ParseOutcome, etag: string | null): ReadFile[] {
  switch (outcome.type) {
    case 'parsed':
      return [{ ...outcome, etag, reason: null }];
    case 'failed':
      return [{ ...outcome, etag, state: 'failed', tags: {} }];
    case 'not-music':
    case 'vanished':
    case 'needs':
      return [];
  }
}
