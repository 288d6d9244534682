// The bytes of files, wherever they lie: read by this thread from a local origin, from the chunks that are kept, or
// brought by the fetch thread. Decides which, and goes from one to the other when the first cannot.
import type { Locations } from '../catalog/locations.ts';
import type { ChunkReader } from '../content/chunk-reader.ts';
import type { RemoteReader } from '../fetch/remote-reader.ts';
import { FailedRanges } from '../origins/failed-ranges.ts';
import type { LocalReader } from '../origins/local-reader.ts';
import type { Clock } from '../platform/clock.ts';
import type { ErrorCode } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';

export interface ContentOptions {
  readonly local: LocalReader;
  readonly remote: RemoteReader;
  /** null: nothing is kept. */
  readonly chunks: ChunkReader | null;
  readonly locations: Locations;
  /** Origins whose files are not read where they lie. */
  readonly fetched: ReadonlySet<string>;
  readonly clock: Clock;
}

/** How a content version is read. */
interface Route {
  /** 'local' also where nobody is known to hold it any more: an open file of a local origin can still be read. */
  readonly how: 'local' | 'remote';
  readonly originId: string;
  readonly sizeBytes: number;
  /** Others hold it too. */
  readonly hasReplicas: boolean;
  readonly untilMs: number;
}

/** What extended attributes show of where a file is. */
export interface FileHolding {
  readonly holders: readonly string[];
  readonly servedBy: string;
  readonly keptShare: number | null;
}

/** A reader's place is told each time it has come so far. */
const hintBytes = 128 * 1024;

/** What is known of a file's holders is looked at again after this: they come and go. */
const routeMs = 5_000;
const mostRoutes = 4096;
/** What an origin says of its own file is nothing that a read may fail with: the file is there as long as it is listed. */
const aboutOrigin: ReadonlySet<ErrorCode> = new Set([
  'not_found',
  'unsupported_operation',
  'invalid_argument',
]);
/** Failures of a local origin after which another holder is asked. */
const passing: ReadonlySet<ErrorCode> = new Set(['origin_unavailable', 'deadline_exceeded']);

export class Content {
  private readonly options: ContentOptions;
  private readonly routes = new Map<string, Route>();
  private readonly failed: FailedRanges;
  /** Where the fetch thread was last told that a reader is; minus infinity: nothing is left to fetch. */
  private readonly told = new Map<string, number>();

  constructor(options: ContentOptions) {
    this.options = options;
    this.failed = new FailedRanges(options.clock);
  }

  /**
   * Reads into `area` what is in memory now. Returns the bytes read (fewer than asked only at the end of the file),
   * 'wait' when a disk is needed (then call `read`), 'fetch' when an origin is (then call `fetch`), or an error code.
   */
  readNow(
    id: number,
    version: number,
    offset: number,
    length: number,
    area: Uint8Array,
  ): number | 'wait' | 'fetch' | ErrorCode {
    const route = this.route(id, version);
    if (route.how === 'local') return this.options.local.readNow(id, version, offset, length, area);
    const wanted = Math.min(length, route.sizeBytes - offset);
    if (wanted <= 0) return 0;
    const kept = this.options.chunks?.readNow({ node: id, version }, offset, wanted, area) ?? 'miss';
    if (typeof kept === 'number') {
      this.noteReading(id, version, offset, wanted, route);
      return kept;
    }
    if (kept === 'wait') return 'wait';
    return this.failed.find(keyOf(id, version), offset, wanted) ?? 'fetch';
  }

  /** The same, waiting for a disk of this machine; 'fetch' when an origin is needed after all. Never rejects. */
  async read(
    id: number,
    version: number,
    offset: number,
    length: number,
    area: Uint8Array,
  ): Promise<number | 'fetch' | ErrorCode> {
    const route = this.route(id, version);
    if (route.how !== 'local') {
      const wanted = Math.min(length, route.sizeBytes - offset);
      const kept = (await this.options.chunks?.read({ node: id, version }, offset, wanted, area)) ?? 'miss';
      if (kept === 'miss') return 'fetch';
      this.noteReading(id, version, offset, wanted, route);
      return kept;
    }
    if (!route.hasReplicas) return this.options.local.read(id, version, offset, length, area);
    // A disk that is spinning up is not waited for while another holder may answer. Its late bytes are its own.
    const own = new Uint8Array(length);
    const late = Promise.withResolvers<'deadline_exceeded'>();
    const cancel = this.options.clock.after(limits.replicaAfterMs, () => late.resolve('deadline_exceeded'));
    const outcome = await Promise.race([
      this.options.local.read(id, version, offset, length, own),
      late.promise,
    ]);
    cancel();
    if (typeof outcome === 'number') area.set(own.subarray(0, outcome));
    return typeof outcome === 'string' && passing.has(outcome) ? 'fetch' : outcome;
  }

  /** Bytes that the fetch thread brings. Never rejects; aborting ends it at once. */
  async fetch(
    id: number,
    version: number,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | ErrorCode> {
    const { how, originId } = this.route(id, version);
    const without = how === 'local' ? originId : null;
    const said = await this.options.remote.read({ node: id, version }, offset, length, without, signal);
    const outcome = typeof said === 'string' && aboutOrigin.has(said) ? 'version_gone' : said;
    if (typeof outcome === 'string' && outcome !== 'cancelled') {
      this.failed.add(keyOf(id, version), offset, length, outcome);
    }
    return outcome;
  }

  /** Tells the fetch thread which chunks were read, and which were no good. Called now and then. */
  report(): void {
    const touched = this.options.chunks?.takeTouched() ?? [];
    const bad = this.options.chunks?.takeBad() ?? [];
    if (touched.length + bad.length > 0) this.options.remote.tell({ type: 'chunks', touched, bad });
  }

  /** Who holds a file, who gave bytes of it last, and how much of it is kept, 0 … 100; null: it is read where it lies. */
  holding(id: number, version: number): FileHolding {
    const { how, originId, sizeBytes } = this.route(id, version);
    const holders = this.options.locations.holders(id, version).map(({ originName }) => originName);
    const { chunks, remote } = this.options;
    return {
      holders,
      servedBy: remote.servedBy({ node: id, version }) ?? originId,
      keptShare:
        how === 'remote' && chunks !== null ? chunks.heldShare({ node: id, version }, sizeBytes) : null,
    };
  }

  /** Whether the kernel may read the file itself: nobody else could go on with it when its disk dies. */
  mayPassThrough(id: number, version: number): boolean {
    const { how, hasReplicas } = this.route(id, version);
    return how === 'local' && !hasReplicas;
  }

  /** See LocalReader.hold. */
  hold(id: number, version: number): void {
    if (this.route(id, version).how === 'local') this.options.local.hold(id, version);
  }

  letGo(id: number, version: number): void {
    const { how, hasReplicas } = this.route(id, version);
    this.options.local.letGo(id, version); // whoever holds it now: it may have been opened where it lies
    if (how === 'remote' || hasReplicas) {
      this.options.remote.tell({ type: 'closed', content: { node: id, version } });
    }
  }

  /** A read of that range took too long: for a moment it fails at once. */
  gaveUp(id: number, version: number, offset: number, length: number): void {
    if (this.route(id, version).how === 'local') this.options.local.gaveUp(id, version, offset, length);
    else this.failed.add(keyOf(id, version), offset, length, 'deadline_exceeded');
  }

  /** So that what is in front of the reader is fetched although it has not missed anything yet. */
  private noteReading(id: number, version: number, offset: number, length: number, route: Route): void {
    const key = keyOf(id, version);
    const end = offset + length;
    const told = this.told.get(key) ?? -1;
    if (end >= route.sizeBytes || told === Number.NEGATIVE_INFINITY || Math.abs(end - told) < hintBytes)
      return;
    if (this.told.size >= mostRoutes) this.told.clear();
    this.told.set(key, end);
    const content = { node: id, version };
    if (this.options.chunks?.heldShare(content, route.sizeBytes) === 100) {
      this.told.set(key, Number.NEGATIVE_INFINITY);
      return;
    }
    this.options.remote.tell({ type: 'reading', content, offset, end });
  }

  private route(id: number, version: number): Route {
    const key = keyOf(id, version);
    const now = this.options.clock.monotonicMs();
    const known = this.routes.get(key);
    if (known !== undefined && known.untilMs > now) return known;
    if (this.routes.size >= mostRoutes) this.routes.clear();
    const holders = this.options.locations.holders(id, version);
    const [first] = holders;
    const route: Route = {
      how: first !== undefined && this.options.fetched.has(first.originName) ? 'remote' : 'local',
      originId: first?.originName ?? '',
      sizeBytes: first?.sizeBytes ?? 0,
      hasReplicas: holders.length > 1,
      untilMs: now + routeMs,
    };
    this.routes.set(key, route);
    return route;
  }
}

function keyOf(id: number, version: number): string {
  return `${id}.${version}`;
}
