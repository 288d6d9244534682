// One content version that is being fetched: what of it is on its way, who waits for it, and where the next bytes are to
// come from. Each byte is fetched once, however many wait for it; each reader is answered when its own bytes have come.
//
// The file is fetched in segments that begin and end on 64 KiB blocks. What has come stays in memory until the chunk
// store has it, or, where nothing is stored, until the memory is needed.
import type { ByteRange, ContentKey } from '../content/content-key.ts';
import type { CallClass } from '../origins/origin-gate.ts';
import type { BufferPool } from '../platform/buffer-pool.ts';
import type { Clock } from '../platform/clock.ts';
import { codeOf, MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { afterRead, noReadAhead, type ReadAhead, wantedTo } from './read-ahead.ts';
import { Segment } from './segment.ts';
import { type ByteStore, type Fed, StoredRuns } from './stored-runs.ts';
import { type Overlap, type Source, transfer } from './transfer.ts';

/** Bytes in memory over all files. */
export interface MemoryBudget {
  usedBytes: number;
  /** What segments lie in. */
  readonly slabs: BufferPool<ArrayBuffer>;
  /** What a read is answered with. */
  readonly areas: BufferPool<SharedArrayBuffer>;
  /**
   * Called when there are too many: bytes that nobody waits for go. `behind`: only those that their readers have passed;
   * otherwise those go first.
   */
  readonly reclaim: (which: 'behind' | 'any') => void;
}

export interface FileFetchOptions {
  readonly content: ContentKey;
  readonly sizeBytes: number;
  readonly sources: readonly Source[];
  /** null: fetched bytes are not kept. */
  readonly store: ByteStore | null;
  readonly memory: MemoryBudget;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onGone: (source: Source) => void;
  readonly onDiverged: (source: Source) => void;
  readonly onServed: (source: Source) => void;
}

interface Flight extends Fed {
  klass: CallClass;
  /** Reads that wait for it or are about to take their bytes from it: until then it stays. */
  readers: number;
}

/** Tries to find bytes that went between two looks. */
const mostLooks = 8;

export class FileFetch {
  lastUsedMs: number;
  private readonly options: FileFetchOptions;
  private flights: Flight[] = [];
  private readAhead: ReadAhead = noReadAhead;
  /** null: nothing is kept. */
  private readonly runs: StoredRuns | null;
  /** Sources that have been shown to agree with what is held. */
  private readonly trusted = new Set<string>();
  private isClosed = false;

  constructor(options: FileFetchOptions) {
    this.options = options;
    const { content, sizeBytes, store, clock } = options;
    this.lastUsedMs = clock.monotonicMs();
    const [first, second] = options.sources;
    const originId = first?.gate.origin.id ?? '';
    this.runs = store === null ? null : new StoredRuns({ content, sizeBytes, originId, store, clock });
    if (first !== undefined && second === undefined) this.trusted.add(first.gate.origin.id);
  }

  /** Whether something of it is under way. */
  get isBusy(): boolean {
    return this.flights.some(({ segment }) => !segment.isDone);
  }

  /**
   * The bytes of a range, clamped to the file, in memory of the budget's, to be given back. Rejects with `origin_unavailable`, `version_gone`, `permission_denied` …;
   * aborting lets go of what nobody else waits for.
   */
  async read(
    offset: number,
    lengthBytes: number,
    signal: AbortSignal,
  ): Promise<Uint8Array<SharedArrayBuffer>> {
    const { sizeBytes, memory } = this.options;
    const end = Math.min(offset + lengthBytes, sizeBytes);
    if (offset >= end) return memory.areas.take(0);
    this.lastUsedMs = this.options.clock.monotonicMs();
    this.readAhead = afterRead(this.readAhead, offset, end);
    for (let look = 0; look < mostLooks; look += 1) {
      const area = memory.areas.take(end - offset);
      const missing = await this.bring(offset, end, 'foreground', signal, () => this.assemble(offset, area));
      if (missing === null) return area;
      signal.throwIfAborted();
      // What the store was to have was no good: from there on all is fetched again.
      for (const part of this.withoutFlights(blockFloor(missing), Math.min(blockCeil(end), sizeBytes))) {
        this.begin(part.offset, part.offset + part.lengthBytes, 'foreground');
      }
    }
    throw new MusicfsError('origin_unavailable', 'the fetched bytes did not stay where they were put');
  }

  /** A reader that found everything until here: what is in front of it is fetched. */
  reading(offset: number, end: number): void {
    this.lastUsedMs = this.options.clock.monotonicMs();
    this.readAhead = afterRead(this.readAhead, offset, end);
    this.fetchAhead();
  }

  /** How far the reader that reads on has come, as a share of the file; 0 for one that jumps about. */
  get sequentialShare(): number {
    const { position, windowBytes } = this.readAhead;
    return windowBytes === 0 ? 0 : position / this.options.sizeBytes;
  }

  /** Fetches a range that nobody reads yet. Resolves when it is there. */
  async fetch(offset: number, end: number, klass: CallClass, signal: AbortSignal): Promise<void> {
    const to = Math.min(end, this.options.sizeBytes);
    for (let at = offset; at < to; at += limits.readAheadBytes) {
      const partEnd = Math.min(at + limits.readAheadBytes, to);
      this.lastUsedMs = this.options.clock.monotonicMs();
      await this.bring(at, partEnd, klass, signal, () => Promise.resolve());
    }
  }

  /** Nobody has it open any more: what was only read ahead is let go, what has come is kept. */
  async finish(): Promise<void> {
    for (const { segment } of this.flights) {
      if (!segment.isDone && !segment.isWaitedFor) segment.abort.abort(gaveUp());
    }
    this.readAhead = noReadAhead;
    await this.runs?.end();
    this.release();
  }

  /** Ends everything; nothing is read from it afterwards. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const { segment } of this.flights) segment.abort.abort(gaveUp());
    await this.finish();
    for (const flight of this.flights) this.drop(flight);
  }

  /** Forgets what the store has meanwhile. Called now and then. */
  release(): void {
    // What came before it was given up: it begins a run of its own.
    for (const flight of this.flights) {
      if (flight.run === null && flight.segment.heldBytes > 0) this.feed(flight);
    }
    this.runs?.endIdle(this.flights);
    for (const flight of this.flights) {
      const { segment, run } = flight;
      if (segment.isDone && flight.readers === 0 && run !== null && run.stored.committedTo() >= segment.end)
        this.drop(flight);
    }
  }

  /**
   * Gives memory back, also of what the store has not committed yet. `behind`: only what its reader has passed. Bytes that
   * are waited for stay.
   */
  shrink(toBytes: number, behind: boolean): void {
    const passed = (end: number) => !behind || end <= this.readAhead.position;
    for (const flight of [...this.flights]) {
      if (this.options.memory.usedBytes <= toBytes) return;
      const { segment } = flight;
      if (segment.isDone && flight.readers === 0 && passed(segment.end)) this.drop(flight);
    }
  }

  /** Parts of the range that are neither held nor on their way, on block borders. */
  private missing(offset: number, end: number): ByteRange[] {
    const { content, sizeBytes, store } = this.options;
    const from = blockFloor(offset);
    const to = Math.min(blockCeil(end), sizeBytes);
    const gaps =
      store === null ? [{ offset: from, lengthBytes: to - from }] : store.gaps(content, from, to - from);
    return gaps.flatMap((gap) => this.withoutFlights(gap.offset, gap.offset + gap.lengthBytes));
  }

  private withoutFlights(offset: number, end: number): ByteRange[] {
    const parts: ByteRange[] = [];
    let at = offset;
    for (const { segment } of this.flights.toSorted((a, b) => a.segment.offset - b.segment.offset)) {
      if (segment.failure !== null || segment.end <= at) continue;
      if (segment.offset >= end) break;
      if (segment.offset > at) parts.push({ offset: at, lengthBytes: segment.offset - at });
      at = segment.end;
    }
    if (at < end) parts.push({ offset: at, lengthBytes: end - at });
    return parts;
  }

  private start(parts: readonly ByteRange[], klass: CallClass): void {
    for (const { offset, lengthBytes } of parts) {
      // A first read asks for more than it needs: the next one is most likely there.
      const wanted = klass === 'foreground' ? Math.max(lengthBytes, limits.firstRangeBytes) : lengthBytes;
      const [free] = this.missing(offset, Math.min(offset + wanted, this.options.sizeBytes));
      const end = free?.offset === offset ? offset + free.lengthBytes : offset + lengthBytes;
      this.begin(offset, end, klass);
    }
  }

  private begin(offset: number, end: number, klass: CallClass): void {
    const flight: Flight = {
      segment: new Segment(offset, end, this.options.memory.slabs),
      run: null,
      klass,
      readers: 0,
    };
    this.flights.push(flight);
    const { memory } = this.options;
    memory.usedBytes += end - offset;
    if (memory.usedBytes > limits.inFlightBytes) memory.reclaim('any');
    this.carry(flight);
  }

  private carry(flight: Flight): void {
    const { segment, klass } = flight;
    const { abort } = segment;
    void transfer(
      {
        sources: this.options.sources,
        clock: this.options.clock,
        random: this.options.random,
        trusted: this.trusted,
        overlap: (before) => this.overlap(before),
        onGone: this.options.onGone,
        onDiverged: this.options.onDiverged,
        onServed: this.options.onServed,
      },
      segment,
      klass,
      (bytes) => {
        if (segment.abort !== abort) return; // another transfer brings it
        segment.push(bytes);
        this.feed(flight);
      },
      abort.signal,
    ).then(
      () => this.fetchAhead(),
      (error: unknown) => {
        if (segment.abort !== abort) return;
        segment.fail(error);
        this.drop(flight);
      },
    );
  }

  private feed(flight: Flight): void {
    if (!this.isClosed) this.runs?.feed(flight, this.flights);
  }

  /**
   * Asks for what is missing of the range, waits for all of it, and does something with it while it stays. What another
   * let go of, as nobody waited for it any more, is asked for again: that somebody gave up is nobody else's failure.
   */
  private async bring<T>(
    offset: number,
    end: number,
    klass: CallClass,
    signal: AbortSignal,
    use: () => Promise<T>,
  ): Promise<T> {
    for (let look = 0; look < mostLooks; look += 1) {
      this.start(this.missing(offset, end), klass);
      if (klass === 'foreground') this.fetchAhead();
      try {
        return await this.holding(offset, end, async (flights) => {
          if (klass === 'foreground') for (const flight of flights) this.hurry(flight);
          await this.arrive(flights, end, signal);
          return use();
        });
      } catch (error) {
        if (codeOf(error) !== 'cancelled' || signal.aborted || this.isClosed) throw error;
      }
    }
    throw new MusicfsError('origin_unavailable', 'what was asked for was given up again and again');
  }

  /** Does something with what of the range is on its way or in memory, which stays there meanwhile. */
  private async holding<T>(
    offset: number,
    end: number,
    work: (flights: readonly Flight[]) => Promise<T>,
  ): Promise<T> {
    const flights = this.flights.filter(({ segment }) => segment.offset < end && segment.end > offset);
    for (const flight of flights) flight.readers += 1;
    try {
      return await work(flights);
    } finally {
      for (const flight of flights) flight.readers -= 1;
    }
  }

  /** Waits for everything of these before `end`. */
  private async arrive(flights: readonly Flight[], end: number, signal: AbortSignal): Promise<void> {
    await Promise.all(flights.map(({ segment }) => segment.wait(Math.min(end, segment.end), signal)));
  }

  /** Somebody waits for what was only read ahead: it goes before what nobody waits for. */
  private hurry(flight: Flight): void {
    const { segment, klass } = flight;
    const isQueued = this.options.sources.some(({ gate }) => gate.pending > gate.limits.concurrency);
    if (klass === 'foreground' || segment.heldBytes > 0 || !isQueued || segment.isDone) return;
    segment.abort.abort(gaveUp());
    segment.abort = new AbortController();
    flight.klass = 'foreground';
    this.carry(flight);
  }

  /** Fills the area with the bytes from `offset` on. Resolves to the offset from which on they are not there, or null. */
  private async assemble(offset: number, area: Uint8Array): Promise<number | null> {
    const { content, store } = this.options;
    const end = offset + area.length;
    for (let at = offset; at < end; ) {
      const copied = this.copy(at, end, area.subarray(at - offset));
      at += copied;
      if (copied > 0) continue;
      const next = Math.min(
        end,
        ...this.flights.map(({ segment }) => segment.offset).filter((start) => start > at),
      );
      const stored = (await store?.read(content, at, next - at)) ?? null;
      if (stored === null) return at;
      area.set(stored, at - offset);
      at = next;
    }
    return null;
  }

  private copy(offset: number, end: number, area: Uint8Array): number {
    for (const { segment } of this.flights) {
      const copied = segment.copy(offset, end, area);
      if (copied > 0) return copied;
    }
    return 0;
  }

  private fetchAhead(): void {
    if (this.isClosed) return;
    const { memory, sizeBytes, sources } = this.options;
    const to = wantedTo(this.readAhead, sizeBytes);
    const { position, windowBytes } = this.readAhead;
    if (to <= position) return;
    // What is read ahead faster than the store writes would not be kept. Who waits for bytes never waits for that.
    if (this.runs?.isBehind === true) return;
    const atOnce = Math.max(1, ...sources.map(({ gate }) => gate.limits.rangesPerFile));
    // One range for each that may be under way, so that one round trip of each is hidden behind the others.
    const rangeBytes = Math.max(limits.firstRangeBytes, blockFloor(windowBytes / atOnce));
    for (const part of this.missing(position, to)) {
      const partEnd = part.offset + part.lengthBytes;
      for (let at = part.offset; at < partEnd; at += rangeBytes) {
        const underWay = this.flights.filter(({ segment }) => !segment.isDone);
        const bytesUnderWay = underWay.reduce((sum, { segment }) => sum + segment.end - segment.arrivedTo, 0);
        if (underWay.length >= atOnce || bytesUnderWay >= limits.inFlightFileBytes) return;
        if (memory.usedBytes >= limits.inFlightBytes) memory.reclaim('behind');
        if (memory.usedBytes >= limits.inFlightBytes) return;
        // Each range costs a round trip and a request: what the window grew by alone would be a short one each time.
        const isShort = at + rangeBytes > partEnd && partEnd >= to && to < sizeBytes;
        if (isShort && at > position) return;
        this.begin(at, Math.min(at + rangeBytes, partEnd), 'read-ahead');
      }
    }
  }

  /**
   * Bytes that are held right before an offset, or else those that are held nearest to it: what differs somewhere differs
   * most likely there.
   */
  private async overlap(before: number): Promise<Overlap | null> {
    for (const { offset, end } of this.held().toSorted((a, b) => distance(a, before) - distance(b, before))) {
      const overlapEnd =
        offset < before ? Math.min(end, before) : Math.min(end, offset + limits.overlapBytes);
      const from = Math.max(offset, overlapEnd - limits.overlapBytes);
      const bytes = await this.heldNow(from, overlapEnd);
      if (bytes !== null) return { offset: from, bytes };
    }
    return null;
  }

  /** Parts of the file that are in memory or in the store. */
  private held(): { readonly offset: number; readonly end: number }[] {
    const { content, sizeBytes, store } = this.options;
    const parts = this.flights
      .map(({ segment }) => ({ offset: segment.offset, end: segment.arrivedTo }))
      .filter(({ offset, end }) => end > offset);
    if (store === null) return parts;
    let at = 0;
    for (const gap of [...store.gaps(content, 0, sizeBytes), { offset: sizeBytes, lengthBytes: 0 }]) {
      if (gap.offset > at) parts.push({ offset: at, end: gap.offset });
      at = gap.offset + gap.lengthBytes;
    }
    return parts;
  }

  private async heldNow(offset: number, end: number): Promise<Uint8Array | null> {
    try {
      const area = new Uint8Array(end - offset);
      return (await this.assemble(offset, area)) === null ? area : null;
    } catch (error) {
      if (codeOf(error) === 'internal') throw error;
      return null;
    }
  }

  private drop(flight: Flight): void {
    if (!this.flights.includes(flight)) return;
    this.flights = this.flights.filter((other) => other !== flight);
    this.options.memory.usedBytes -= flight.segment.end - flight.segment.offset;
    flight.segment.release();
  }
}

/** Bytes between a part and an offset; 0 when it ends right there. */
function distance({ offset, end }: { readonly offset: number; readonly end: number }, from: number): number {
  return offset < from ? Math.max(0, from - end) : offset - from;
}

function blockFloor(offset: number): number {
  return Math.floor(offset / limits.blockBytes) * limits.blockBytes;
}

function blockCeil(offset: number): number {
  return Math.ceil(offset / limits.blockBytes) * limits.blockBytes;
}

function gaveUp(): MusicfsError {
  return new MusicfsError('cancelled', 'nobody waits for it any more');
}
