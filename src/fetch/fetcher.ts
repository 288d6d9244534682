// Bytes of files that are not read where they lie: from the chunk store, or from whichever origin has them. The inside of
// the fetch thread; knows nothing of threads or messages.

import type { Holder } from '../catalog/locations.ts';
import type { ContentKey } from '../content/content-key.ts';
import type { RealPath } from '../library/real-path.ts';
import type { CallClass, OriginGate } from '../origins/origin-gate.ts';
import { BufferPool, ownMemory, sharedMemory } from '../platform/buffer-pool.ts';
import type { Clock } from '../platform/clock.ts';
import { codeOf, MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { FileFetch, type MemoryBudget } from './file-fetch.ts';
import type { ByteStore } from './stored-runs.ts';
import type { Source } from './transfer.ts';

export interface FetcherOptions {
  /** Who holds a content version; the one whose word counts first. */
  readonly holders: (content: ContentKey) => readonly Holder[];
  /** The file that is most likely played after this one; null: none. */
  readonly nextOf: (node: number) => ContentKey | null;
  readonly gates: ReadonlyMap<string, OriginGate>;
  /** Whether what comes from that origin is kept. */
  readonly isCached: (originId: string) => boolean;
  readonly store: ByteStore | null;
  readonly clock: Clock;
  readonly random: () => number;
  /** The catalog is behind: the origin has another file there. */
  readonly onChanged: (originId: string, path: RealPath) => void;
  readonly onDiverged: (originId: string, path: RealPath, content: ContentKey) => void;
  /** Another than the one whose word counts gave bytes. */
  readonly onServedElsewhere: (authoritative: { readonly originId: string; readonly path: RealPath }) => void;
}

interface Fetched {
  readonly file: FileFetch;
  readonly originIds: readonly string[];
  servedBy: string;
  hasFetchedNext: boolean;
}

export interface ReadBytes {
  /** To be given back with `giveBack`. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly servedBy: string;
}

/** Past this share of a file that is read from start to end, the beginning of the next one is fetched. */
const nextFromShare = 0.75;

export class Fetcher {
  /** Work counters. */
  served = 0;
  refused = 0;
  private readonly options: FetcherOptions;
  private readonly files = new Map<string, Fetched>();
  private readonly memory: MemoryBudget = {
    usedBytes: 0,
    slabs: new BufferPool(limits.blockBytes, ownMemory),
    areas: new BufferPool(limits.blockBytes, sharedMemory),
    reclaim: (which) => this.reclaim(which),
  };

  constructor(options: FetcherOptions) {
    this.options = options;
  }

  get memoryBytes(): number {
    return this.memory.usedBytes;
  }

  /**
   * The bytes of a range, clamped to the file's end. Rejects with a code that says why nobody can give them now:
   * `origin_unavailable` at once when every holder is known to be down, `version_gone`, `permission_denied` …
   */
  async read(
    content: ContentKey,
    offset: number,
    lengthBytes: number,
    without: string | null,
    signal: AbortSignal,
  ): Promise<ReadBytes> {
    try {
      const fetched = this.fileOf(content, without);
      const bytes = await fetched.file.read(offset, lengthBytes, signal);
      this.fetchNext(content, fetched);
      this.served += 1;
      return { bytes, servedBy: fetched.servedBy };
    } catch (error) {
      if (codeOf(error) !== 'cancelled') this.refused += 1;
      throw error;
    }
  }

  /** Nobody looks at these bytes any more. */
  giveBack(bytes: Uint8Array<SharedArrayBuffer>): void {
    this.memory.areas.give(bytes);
  }

  /** Somebody reads what is held, up to `end`. */
  reading(content: ContentKey, offset: number, end: number): void {
    const fetched = this.fileOf(content, null);
    fetched.file.reading(offset, end);
    this.fetchNext(content, fetched);
  }

  /** Fetches a whole file that nobody reads. */
  async fetchWhole(content: ContentKey, klass: CallClass, signal: AbortSignal): Promise<void> {
    const { file } = this.fileOf(content, null);
    await file.fetch(0, Number.MAX_SAFE_INTEGER, klass, signal);
    await file.finish();
  }

  /** Nobody has it open any more. */
  closed(content: ContentKey): void {
    void this.files.get(keyOf(content))?.file.finish();
  }

  /** Gives memory back and forgets files that nobody reads. Called every second. */
  keepHouse(): void {
    const idleBefore = this.options.clock.monotonicMs() - limits.idleFileMs;
    for (const [key, { file }] of this.files) {
      file.release();
      if (file.lastUsedMs > idleBefore || file.isBusy) continue;
      this.files.delete(key);
      void file.close();
    }
    this.reclaim('any');
    this.memory.slabs.trim();
    this.memory.areas.trim();
  }

  private reclaim(which: 'behind' | 'any'): void {
    for (const behind of which === 'behind' ? [true] : [true, false]) {
      for (const { file } of this.files.values()) {
        if (this.memory.usedBytes <= limits.inFlightBytes) return;
        file.shrink(limits.inFlightBytes, behind);
      }
    }
  }

  async close(): Promise<void> {
    const files = [...this.files.values()];
    this.files.clear();
    await Promise.all(files.map(({ file }) => file.close()));
  }

  private fileOf(content: ContentKey, without: string | null): Fetched {
    const key = without === null ? keyOf(content) : `${keyOf(content)} without ${without}`;
    const known = this.files.get(key);
    if (known !== undefined) return known;
    const holders = this.options.holders(content);
    const [first] = holders;
    if (first === undefined) {
      throw new MusicfsError('version_gone', 'that version of the file is not known any more');
    }
    const sources = holders
      .filter(({ originName }) => originName !== without)
      .flatMap((holder) => this.sourceOf(holder));
    const fetched: Fetched = {
      file: this.createFile(content, first, sources, () => fetched),
      originIds: sources.map(({ gate }) => gate.origin.id),
      servedBy: first.originName,
      hasFetchedNext: false,
    };
    if (this.files.size >= limits.fetchedFiles) this.forgetOldest();
    this.files.set(key, fetched);
    return fetched;
  }

  private createFile(
    content: ContentKey,
    first: Holder,
    sources: readonly Source[],
    fetched: () => Fetched,
  ): FileFetch {
    const { store, isCached } = this.options;
    const isKept = sources.some(({ gate }) => isCached(gate.origin.id));
    return new FileFetch({
      content,
      sizeBytes: first.sizeBytes,
      sources,
      store: isKept ? store : null,
      memory: this.memory,
      clock: this.options.clock,
      random: this.options.random,
      onGone: ({ gate, path, isAuthoritative }) => {
        this.options.onChanged(gate.origin.id, path);
        // What is known of the file is out of date: the next reader looks it up again.
        if (isAuthoritative) this.files.delete(keyOf(content));
      },
      onDiverged: ({ gate, path }) => this.options.onDiverged(gate.origin.id, path, content),
      onServed: ({ gate, isAuthoritative }) => {
        fetched().servedBy = gate.origin.id;
        if (!isAuthoritative)
          this.options.onServedElsewhere({ originId: first.originName, path: first.path });
      },
    });
  }

  private sourceOf({ originName, path, sizeBytes, mtimeNs, etag, isAuthoritative }: Holder): Source[] {
    const gate = this.options.gates.get(originName);
    return gate === undefined ? [] : [{ gate, path, version: { sizeBytes, mtimeNs, etag }, isAuthoritative }];
  }

  /** The beginning of what is played next, so that it begins without a pause. */
  private fetchNext({ node }: ContentKey, fetched: Fetched): void {
    if (fetched.hasFetchedNext || fetched.file.sequentialShare < nextFromShare) return;
    fetched.hasFetchedNext = true;
    const next = this.options.nextOf(node);
    if (next === null) return;
    try {
      const { file } = this.fileOf(next, null);
      file.fetch(0, limits.firstRangeBytes, 'prefetch', new AbortController().signal).catch(() => undefined); // a guess
    } catch (error) {
      if (codeOf(error) === 'internal') throw error;
    }
  }

  private forgetOldest(): void {
    const idle = [...this.files].filter(([, { file }]) => !file.isBusy);
    const [oldest] = idle.toSorted(([, a], [, b]) => a.file.lastUsedMs - b.file.lastUsedMs);
    if (oldest === undefined) throw new MusicfsError('overloaded', 'too many files are being fetched');
    this.files.delete(oldest[0]);
    void oldest[1].file.close();
  }
}

function keyOf({ node, version }: ContentKey): string {
  return `${node}.${version}`;
}
