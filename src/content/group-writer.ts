// Writes chunks to the disk in groups: what waits for a second, or is 16 MiB, or is asked for goes together. A group's
// chunks are written, several at once, synced all by one call (a sync each, and one for each of up to 256 folders, took
// longer than the bytes), then named, then recorded in the index with the pieces of files they hold. Whatever happens on that way, a chunk is recorded whole or not kept at all;
// what fails costs that chunk only.
//
// A chunk that is there already is not written again: the bytes are compared, not only the hash. Other bytes of the same
// hash get a file of their own (`-1`, `-2`, …).
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BufferPool, sharedMemory } from '../platform/buffer-pool.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { ChunkRow, Placement } from './cache-index.ts';
import { excessOf } from './cache-limits.ts';
import { chunkName, parseName } from './chunk-name.ts';
import type { ContentKey } from './content-key.ts';
import type { Evictor } from './evictor.ts';
import { isWanted } from './extents.ts';
import type { StoreState } from './store-state.ts';

/** A piece of a file on its way to the disk. */
export interface QueuedChunk {
  readonly content: ContentKey;
  readonly file: { readonly sizeBytes: number; readonly originId: string };
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly hash: bigint;
  readonly isEdge: boolean;
  /** Called once: it is recorded, or will not be kept. */
  readonly settled: () => void;
}

/** Bytes that are to lie in one file, and all pieces of the group that consist of them. */
interface Put {
  readonly hash: bigint;
  readonly bytes: Uint8Array;
  readonly pieces: QueuedChunk[];
  ordinal: number;
  /** new: to be written · written: in tmp · there: under its name · unkept. */
  state: 'new' | 'written' | 'there' | 'unkept';
  /** We wrote the file; it goes again if it cannot be recorded. */
  isOurs: boolean;
  temporary: string;
}

/** Buffers for chunks of up to 256 KiB: of eight lengths. */
const chunkStepBytes = 32 * 1024;

export class GroupWriter {
  /** What queued chunks lie in. A call that a disk never answers goes on reading one that is another's by then: of a file that gets no name. */
  readonly buffers = new BufferPool(chunkStepBytes, sharedMemory);
  private readonly state: StoreState;
  private readonly evictor: Evictor;
  private queue: QueuedChunk[] = [];
  private queuedBytes = 0;
  private writingBytes = 0;
  private scheduled: Promise<void> | null = null;
  private writing: Promise<void> | null = null;
  private undoTimer: (() => void) | null = null;

  constructor(state: StoreState, evictor: Evictor) {
    this.state = state;
    this.evictor = evictor;
  }

  /** False when too much waits already: it will not be kept, and `settled` is not called. */
  add(chunk: QueuedChunk): boolean {
    if (this.queuedBytes + this.writingBytes + chunk.bytes.length > limits.chunksWaitingBytes) {
      this.state.totals.unkeptChunks += 1;
      return false;
    }
    this.queue.push(chunk);
    this.queuedBytes += chunk.bytes.length;
    if (this.queuedBytes >= limits.chunkGroupBytes) this.startUnwatched();
    else this.undoTimer ??= this.state.options.clock.after(limits.chunkGroupMs, () => this.startUnwatched());
    return true;
  }

  /** Resolves when everything that was added is recorded or given up. Rejects for a bug only. */
  async settle(): Promise<void> {
    if (this.queue.length > 0) await this.start();
    else await (this.scheduled ?? this.writing);
  }

  private startUnwatched(): void {
    this.start().catch((error: unknown) => {
      // A bug, or a crash on purpose, with nobody to tell: the thread ends.
      queueMicrotask(() => {
        throw error;
      });
    });
  }

  private start(): Promise<void> {
    this.undoTimer?.();
    this.undoTimer = null;
    // A turn later, as an idle lane would run it before the promise is here.
    this.scheduled ??= Promise.resolve().then(() =>
      this.state.lane.add(() => {
        this.writing = this.scheduled;
        this.scheduled = null;
        return this.writeQueued();
      }),
    );
    return this.scheduled;
  }

  private async writeQueued(): Promise<void> {
    const queued = this.queue;
    this.queue = [];
    this.writingBytes = this.queuedBytes;
    this.queuedBytes = 0;
    try {
      for (let group = queued.splice(0, groupLength(queued)); group.length > 0; ) {
        await this.writeGroup(group);
        group = queued.splice(0, groupLength(queued));
      }
    } finally {
      for (const chunk of queued) this.settleOne(chunk);
      this.writingBytes = 0;
    }
  }

  private settleOne(chunk: QueuedChunk): void {
    this.writingBytes -= chunk.bytes.length;
    chunk.settled();
  }

  private async writeGroup(group: readonly QueuedChunk[]): Promise<void> {
    const { state } = this;
    const reservedBefore = state.reservedBytes;
    const puts = state.isWriting ? putsOf(this.wantedOf(group)) : [];
    try {
      const alike = alikeBy(puts, ({ hash }) => hash);
      await this.each(alike, (some) => state.calls.add(() => this.locate(some)));
      for (const put of inState(puts, 'new'))
        if (!(await this.reserve(put.bytes.length))) put.state = 'unkept';
      await this.each(inState(puts, 'new').map(alone), ([put]) => this.write(put));
      await this.sync(inState(puts, 'written'));
      await this.each(inState(puts, 'written').map(alone), ([put]) => this.name(put));
      await this.record(inState(puts, 'there'));
      const unkept = inState(puts, 'unkept');
      await state.discard(unkept.filter(({ isOurs }) => isOurs).map(nameOf));
    } finally {
      state.reservedBytes = reservedBefore;
      state.totals.unkeptChunks += inState(puts, 'unkept').length;
      for (const chunk of group) this.settleOne(chunk);
    }
  }

  /** What adds something to what is held. */
  private wantedOf(group: readonly QueuedChunk[]): QueuedChunk[] {
    const byContent = Map.groupBy(group, ({ content }) => `${content.node}.${content.version}`);
    return [...byContent.values()].flatMap((chunks) => {
      const [first] = chunks;
      if (first === undefined) return [];
      const { content, file } = first;
      const offset = Math.min(...chunks.map((chunk) => chunk.offset));
      const end = Math.max(...chunks.map((chunk) => chunk.offset + chunk.bytes.length));
      const held = this.state.withIndex((index) =>
        // In another size it is another file, of which nothing is held.
        index.manifest(content)?.size === file.sizeBytes
          ? index.extents(content, { offset, lengthBytes: end - offset })
          : [],
      );
      if (held === undefined) return [];
      return chunks.filter(({ offset: at, bytes, isEdge }) =>
        isWanted(held, { offset: at, lengthBytes: bytes.length, isEdge }),
      );
    });
  }

  /** Does `work` for all of them at once. Where it fails these are not kept, and the others go on. */
  private async each(items: readonly Puts[], work: (puts: Puts) => Promise<void>): Promise<void> {
    const one = async (puts: Puts) => {
      try {
        if (this.state.modes.mode !== 'passthrough') return await work(puts);
      } catch (error) {
        this.state.fileFailed(error);
      }
      for (const put of puts) put.state = 'unkept';
    };
    await Promise.all(items.map(one));
  }

  /**
   * Looks for bytes of one hash among the files there are, and finds a free name for those that are not there. A file of
   * that name that the index does not know, from before a power cut or a damaged index, is nobody's and is replaced.
   */
  private async locate(puts: Puts): Promise<void> {
    const { state } = this;
    const { hash } = puts[0];
    const taken = new Set<number>();
    for (const row of state.withIndex((index) => index.chunksOfHash(hash)) ?? []) {
      const bytes = await state.files.read(row.name);
      if (bytes === null || !this.isSound(bytes, row, hash)) {
        await state.removeBad(row);
        continue;
      }
      const ordinal = parseName(row.name)?.ordinal ?? 0;
      taken.add(ordinal);
      state.times.touch(row.id); // it must not be evicted to make room for this group
      take(puts, bytes, ordinal);
    }
    for (const put of inState(puts, 'new')) {
      while (taken.has(put.ordinal)) put.ordinal += 1;
      taken.add(put.ordinal);
    }
  }

  private isSound(bytes: Uint8Array, row: ChunkRow, hash: bigint): boolean {
    return bytes.length === row.length && this.state.options.hash(bytes) === hash;
  }

  /** Takes so many bytes of the quota, and evicts for it what must be. */
  private async reserve(bytes: number): Promise<boolean> {
    const { state, evictor } = this;
    let fill = state.fill(bytes);
    while (fill.level === 'critical') {
      const wanted = excessOf(state.usedBytes() + state.reservedBytes + bytes, fill, state.options.limits);
      if ((await evictor.evict(wanted)) === 0) break;
      fill = state.fill(bytes);
    }
    if (fill.level === 'full') state.judgeRoom();
    if (fill.level === 'full' || fill.share > 1) return false;
    state.reservedBytes += bytes;
    return true;
  }

  private async write(put: Put): Promise<void> {
    if (!this.state.isWriting) {
      put.state = 'unkept';
      return;
    }
    put.temporary = await this.state.files.write(put.bytes);
    put.state = 'written';
  }

  /** They last from now on, or none of them is kept. */
  private async sync(written: readonly Put[]): Promise<void> {
    if (written.length === 0) return;
    const { state } = this;
    try {
      if (state.modes.mode !== 'passthrough')
        return await state.files.sync(written.map(({ temporary }) => temporary));
    } catch (error) {
      state.fileFailed(error);
    }
    for (const put of written) put.state = 'unkept';
  }

  private async name(put: Put): Promise<void> {
    this.state.keep(nameOf(put));
    await this.state.files.publish(put.temporary, nameOf(put));
    put.isOurs = true;
    put.state = 'there';
  }

  private async record(puts: readonly Put[]): Promise<void> {
    const { state } = this;
    if (puts.length === 0) return;
    try {
      if (state.modes.mode === 'passthrough')
        throw new MusicfsError('unavailable', 'the cache disk is not used');
      await state.options.failpoints.pass('cas.put.before-index', undefined, state.closing.signal);
    } catch (error) {
      state.fileFailed(error);
      for (const put of puts) put.state = 'unkept';
      return;
    }
    for (let at = 0; at < puts.length; at += limits.chunksPerCommit) {
      const some = puts.slice(at, at + limits.chunksPerCommit);
      const placements = some.flatMap(placementsOf);
      const replaced = state.withIndex((index) => index.commit(placements, state.times.now()));
      if (replaced === undefined) for (const put of some) put.state = 'unkept';
      else await this.evictor.removeUnused(replaced);
      await nextTurn();
    }
  }
}

/** Some that have something in common. */
type Puts = readonly [Put, ...Put[]];

const alone = (put: Put): Puts => [put];
const nameOf = ({ hash, ordinal }: Put): string => chunkName(hash, ordinal);

function alikeBy<K>(puts: readonly Put[], keyOf: (put: Put) => K): Puts[] {
  return [...Map.groupBy(puts, keyOf).values()].flatMap(([first, ...rest]) =>
    first === undefined ? [] : [[first, ...rest] satisfies Puts as Puts],
  );
}

function inState(puts: readonly Put[], state: Put['state']): Put[] {
  return puts.filter((put) => put.state === state);
}

/** How many of the first chunks make a group. */
function groupLength(chunks: readonly QueuedChunk[]): number {
  let bytes = 0;
  const end = chunks.findIndex((chunk) => {
    bytes += chunk.bytes.length;
    return bytes > limits.chunkGroupBytes;
  });
  return end < 0 ? chunks.length : Math.max(1, end);
}

function putsOf(chunks: readonly QueuedChunk[]): Put[] {
  const puts = new Map<bigint, Put[]>();
  for (const chunk of chunks) {
    const { hash, bytes } = chunk;
    const alike = puts.get(hash) ?? [];
    puts.set(hash, alike);
    const same = alike.find((put) => Buffer.compare(put.bytes, bytes) === 0);
    if (same !== undefined) same.pieces.push(chunk);
    else alike.push({ hash, bytes, pieces: [chunk], ordinal: 0, state: 'new', isOurs: false, temporary: '' });
  }
  return [...puts.values()].flat();
}

/** Marks the one that consists of these bytes. False when none does. */
function take(puts: readonly Put[], bytes: Uint8Array, ordinal: number): boolean {
  const same = puts.find((put) => put.state === 'new' && Buffer.compare(put.bytes, bytes) === 0);
  if (same === undefined) return false;
  same.state = 'there';
  same.ordinal = ordinal;
  return true;
}

function placementsOf({ pieces, hash, ordinal, bytes }: Put): Placement[] {
  return pieces.map(({ content, file, offset, isEdge }) => ({
    content,
    fileBytes: file.sizeBytes,
    originId: file.originId,
    offset,
    hash,
    ordinal,
    lengthBytes: bytes.length,
    isEdge,
  }));
}
