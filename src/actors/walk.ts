// The walk of a scan: every directory of an origin that is not left out, several at a time, and the files in them that are
// wanted. Nothing is kept of it but the rules it met, which say afterwards of any path whether it is left out.
//
// A directory whose `.musicfsignore` cannot be read is not entered, and the walk is incomplete then: with the rules of the
// folder above files would appear that a person hides, and without a word about what is below nothing may be removed. What
// the mount shows of it stays as it was. A file of rules that is too long, or has patterns that are, is another matter: it
// is read the same way each time, so its first patterns apply and the log says once a scan what did not.
import PQueue from 'p-queue';
import { IgnoreRules, ignoreFileName } from '../library/ignore-rules.ts';
import { libraryLimits } from '../library/library-limits.ts';
import { childPath, type RealPath, realPathText, rootRealPath } from '../library/real-path.ts';
import { type WalkSettings, WantedFiles } from '../library/scan-settings.ts';
import type { OriginFile, OriginListing } from '../origins/local-origin.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import type { Logger } from '../platform/logger.ts';
import type { ActorRef } from '../supervision/actor-ref.ts';
import type { OriginLaneMessage } from './origin-lane.ts';
import { WalkLinks } from './walk-links.ts';

export interface WalkOptions {
  readonly originId: string;
  readonly lane: ActorRef<OriginLaneMessage>;
  readonly settings: WalkSettings;
  /** Links that stay below the root are followed; otherwise none is even counted. */
  readonly followsLinks: boolean;
  readonly failpoints: Failpoints;
  readonly log: Logger;
  /** Resolves when as much as may be listed ahead is not. */
  readonly room: () => Promise<void>;
  /** Nobody wants the rest. */
  readonly isOver: () => boolean;
  /** The wanted files of one directory; links that were followed come at the end. */
  readonly onFiles: (files: readonly OriginFile[]) => void;
  /** A directory could not be walked. */
  readonly onFailed: () => void;
}

/** What one call to an origin may take, waiting in its lane included. */
export const laneDeadlineMs = 60_000;
/** A file of rules that is replaced while its directory is listed is looked for again. */
const tries = 3;

interface Listed {
  readonly listing: OriginListing | null;
  readonly rules: IgnoreRules;
}

export class Walk {
  /** Every directory was met, but for those that are left out. */
  isComplete = true;
  /** Links that lead out of the root, nowhere, or in a circle. */
  linksRefused = 0;
  private readonly options: WalkOptions;
  private readonly signal: AbortSignal;
  private readonly wanted: WantedFiles;
  private readonly listing = new PQueue({ concurrency: limits.localOriginConcurrency });
  /** Settles when every directory that was entered before has told its files, so that they come in the same order each time. */
  private lastTurn: Promise<void> = Promise.resolve();
  /** The rules of the root, and of each folder that has some of its own. */
  private readonly rules = new Map<RealPath, IgnoreRules>();
  /** Folders that were met and not entered, as the rules hide them. */
  private readonly hidden = new Set<RealPath>();
  private readonly links: WalkLinks;
  private rulesBytes = 0;
  private failure: unknown = null;

  constructor(options: WalkOptions, signal: AbortSignal) {
    this.options = options;
    this.signal = signal;
    this.wanted = new WantedFiles(options.settings);
    this.links = new WalkLinks(options);
  }

  /** Resolves when all is listed, or nobody wants it any more. Rejects with `unavailable` when the lane is gone. */
  async run(): Promise<void> {
    const { ignore, ignoreBuiltin } = this.options.settings;
    const configured = IgnoreRules.root({ patterns: ignore, builtin: ignoreBuiltin });
    this.warn(configured, 'library.ignore');
    this.rules.set(rootRealPath, configured);
    this.enter(rootRealPath, configured);
    await this.listing.onIdle();
    if (this.failure === null && !this.isOver) await this.followLinks();
    if (this.failure !== null) throw this.failure as Error;
  }

  /**
   * Whether a walk does not show a path as it lies there: the rules hide it, or nobody wants a file of that name. Asked
   * after `run`, and then of any path.
   */
  leavesOut(path: RealPath): boolean {
    return this.wanted.kindOf(path) === null || this.isIgnored(path);
  }

  /** Whether it lies below a folder that was met and is hidden. Asked after `run`. */
  isBelowHidden(path: RealPath): boolean {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      if (this.hidden.has(path.slice(0, end) as RealPath)) return true;
    }
    return false;
  }

  /** Whether a file that is wanted by its name is worth showing: an empty one beside music says nothing. */
  isShown({ path, sizeBytes }: OriginFile): boolean {
    const kind = this.wanted.kindOf(path);
    return kind === 'music' || (kind === 'sidecar' && sizeBytes > 0);
  }

  isSidecar(path: RealPath): boolean {
    return this.wanted.kindOf(path) === 'sidecar';
  }

  private get isOver(): boolean {
    return this.signal.aborted || this.failure !== null || this.options.isOver();
  }

  /** By the rules of the deepest folder above it that has some; an ignored folder was not entered, so it has none. */
  private isIgnored(path: RealPath): boolean {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const rules = this.rules.get(path.slice(0, end) as RealPath);
      if (rules !== undefined) return rules.isIgnored(path, false);
    }
    return this.rules.get(rootRealPath)?.isIgnored(path, false) ?? false;
  }

  private enter(directory: RealPath, above: IgnoreRules): void {
    const before = this.lastTurn;
    this.lastTurn = this.listing.add(async () => {
      // Listing runs ahead of the parsers, but not without bound.
      await this.options.room();
      if (this.isOver) return;
      try {
        await this.options.failpoints.pass('scan.walk', directory, this.signal);
        const found = await this.listed(directory, above);
        await before;
        this.look(found);
      } catch (error) {
        this.failed(directory, error);
        await before;
      }
    });
  }

  private look({ listing, rules }: Listed): void {
    if (listing === null || this.isOver) return;
    for (const child of listing.directories) {
      if (!rules.isIgnored(child, true)) this.enter(child, rules);
      else if (this.hidden.size < limits.hiddenFolders) this.hidden.add(child);
    }
    this.options.onFiles(
      listing.files.filter((file) => this.isShown(file) && !rules.isIgnored(file.path, false)),
    );
    for (const link of listing.links) if (!rules.isIgnored(link, false)) this.links.met(link);
  }

  /** A directory with the rules that apply in it. `listing` is null when its file of rules cannot be read. */
  private async listed(directory: RealPath, above: IgnoreRules): Promise<Listed> {
    for (let attempt = 1; ; attempt += 1) {
      const listing = await this.options.lane.ask<OriginListing>(
        (reply) => ({ type: 'list', directory, reply }),
        { timeoutMs: laneDeadlineMs, signal: this.signal },
      );
      if (listing.ignoreFile === null) return { listing, rules: above.below(directory, null) };
      try {
        const rules = above.below(directory, await this.rulesIn(listing.ignoreFile));
        this.warn(rules, realPathText(childPath(directory, ignoreFileName)));
        this.rules.set(directory, rules);
        return { listing, rules };
      } catch (error) {
        if (this.isOver || codeOf(error) === 'unavailable') throw error;
        // It was replaced, or went, since the directory was listed.
        if (attempt < tries && ['not_found', 'version_gone'].includes(codeOf(error))) continue;
        this.incomplete('ignore_file_unreadable', childPath(directory, ignoreFileName), error);
        return { listing: null, rules: above };
      }
    }
  }

  private async rulesIn(file: OriginFile | 'odd'): Promise<Uint8Array> {
    if (file === 'odd') throw new MusicfsError('unsupported_operation', 'it is no plain file');
    // One byte more shows that there is more than applies.
    const mostBytes = Math.min(file.sizeBytes, libraryLimits.ignoreFileBytes + 1);
    this.rulesBytes += mostBytes;
    if (this.rules.size >= libraryLimits.ignoreFiles || this.rulesBytes > libraryLimits.ignoreBytes)
      throw new MusicfsError('refused', 'there are too many rules in this origin');
    return this.options.lane.ask<Uint8Array>((reply) => ({ type: 'read', file, mostBytes, reply }), {
      timeoutMs: laneDeadlineMs,
      signal: this.signal,
    });
  }

  private failed(directory: RealPath, error: unknown): void {
    if (this.isOver) return;
    if (codeOf(error) === 'unavailable') {
      this.failure = error; // the lane is gone, not the directory
      return;
    }
    if (codeOf(error) === 'not_found' && directory !== rootRealPath) return; // it went after its parent was listed
    this.incomplete('directory_failed', directory, error);
  }

  private incomplete(event: string, path: RealPath, error: unknown): void {
    const { log, originId, onFailed } = this.options;
    this.isComplete = false;
    log.warn({ event, origin: originId, path: realPathText(path), error: messageOf(error) });
    onFailed();
  }

  private warn(rules: IgnoreRules, where: string): void {
    for (const { type, line, lines } of rules.warnings) {
      const { log, originId } = this.options;
      log.warn({ event: 'ignore_rules_left_out', origin: originId, path: where, reason: type, line, lines });
    }
  }

  private async followLinks(): Promise<void> {
    try {
      const { files, refused, unknown } = await this.links.follow(
        (path) => this.isIgnored(path),
        this.signal,
      );
      this.linksRefused = refused;
      if (unknown > 0) {
        this.isComplete = false;
        this.options.onFailed();
      }
      this.options.onFiles(files.filter((file) => this.isShown(file)));
    } catch (error) {
      if (!this.isOver) this.failure = error;
    }
  }
}
