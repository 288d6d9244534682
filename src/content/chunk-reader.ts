// Bytes of the cache for the thread that faces the kernel. It reads cache.db and the chunk files itself and asks nobody.
//
// What is in memory or in the page cache is answered at once (openat2 RESOLVE_CACHED, preadv2 RWF_NOWAIT); everything that
// would wait for a disk goes to the pool. Every chunk that comes from a file is held against its length and its xxHash64
// before a byte of it is given; verified ones stay in memory, so that reading on hashes each chunk once. What is wrong or
// missing is a miss, and is told (`takeBad`): the fetch thread removes it and fetches anew.
//
// Never here: a write, a blocking read in `readNow`, a byte that was not verified.
import { closeSync, constants, fstatSync, open } from 'node:fs';
import { constants as osConstants } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { MusicfsError } from '../platform/errors.ts';
import { damage } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { openBeneathAsync, openBeneathCached, openCached, preadAsync, Vector } from '../platform/native.ts';
import { chunkName, pathOfName } from './chunk-name.ts';
import type { ContentKey } from './content-key.ts';
import type { ManifestPage } from './manifest-page.ts';
import { ManifestReader, type ManifestReaderOptions } from './manifest-reader.ts';
import { MemoryTier } from './memory-tier.ts';

export interface ChunkReaderOptions extends ManifestReaderOptions {
  readonly memoryTierBytes: number;
}

/** Reads that were answered whole, reads that were not held, and the bytes of the former. */
export interface ChunkReaderStats {
  hits: number;
  misses: number;
  bytes: number;
}

/** The part of a chunk that is wanted. */
interface Piece {
  readonly page: ManifestPage;
  readonly index: number;
  readonly chunk: number;
  readonly chunkBytes: number;
}

const { EAGAIN, EINTR, ENOENT, ENOTDIR, EOPNOTSUPP, EPERM } = osConstants.errno;
const baseFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_NOFOLLOW;

const rootFlags = constants.O_RDONLY | constants.O_DIRECTORY;
const openDirectory = promisify(open);

export class ChunkReader {
  readonly stats: ChunkReaderStats = { hits: 0, misses: 0, bytes: 0 };
  private readonly options: ChunkReaderOptions;
  private readonly root: string;
  private readonly manifests: ManifestReader;
  private readonly tier: MemoryTier;
  private readonly vector = new Vector();
  private touched = new Set<number>();
  private bad = new Set<number>();
  /** Ids of chunks mean others than before with each step. */
  private life = 0;
  private rootFd = -1;
  private usedAtMs = 0;
  /** O_NOATIME needs ownership; refused once, it is not asked for again. */
  private noAtime: number = constants.O_NOATIME;

  constructor(options: ChunkReaderOptions) {
    this.options = options;
    this.root = path.join(options.directory, 'chunks');
    this.tier = new MemoryTier(options.memoryTierBytes);
    this.manifests = new ManifestReader(options, () => {
      this.life += 1;
      this.tier.clear();
      this.touched.clear();
      this.bad.clear();
    });
  }

  /**
   * Reads the whole range into `area` from its start, without waiting for a disk. Returns its length; 'miss' when not all
   * of it is held; 'wait' when a disk is needed (then call `read`). After 'miss' and 'wait' the area holds anything. The
   * caller has cut the range to the file's size.
   */
  readNow(
    content: ContentKey,
    offset: number,
    lengthBytes: number,
    area: Uint8Array,
  ): number | 'wait' | 'miss' {
    this.usedAtMs = this.options.clock.monotonicMs();
    for (let done = 0; done < lengthBytes; ) {
      const at = offset + done;
      let piece = this.locate(content, at);
      let buffer = piece === undefined ? undefined : this.tier.get(piece.chunk);
      if (buffer === undefined) {
        // From here on a file is needed: the newest page says which.
        piece = this.locateAnew(content, at, piece);
        if (piece === undefined) return this.miss();
        const loaded = this.loadNow(piece);
        if (loaded === 'wait') return 'wait';
        if (loaded === 'bad') return this.miss();
        buffer = loaded;
      }
      if (piece === undefined) return this.miss();
      done += this.copy(piece, buffer, at, area, done, lengthBytes - done);
    }
    return this.hit(lengthBytes);
  }

  /** The same, waiting on the pool. `area` belongs to the read until it settles. Never rejects, but for a crash on purpose. */
  async read(
    content: ContentKey,
    offset: number,
    lengthBytes: number,
    area: Uint8Array,
  ): Promise<number | 'miss'> {
    this.usedAtMs = this.options.clock.monotonicMs();
    for (let done = 0; done < lengthBytes; ) {
      const at = offset + done;
      const piece = this.locate(content, at);
      const buffer = piece === undefined ? undefined : this.tier.get(piece.chunk);
      if (buffer === undefined) {
        const found = this.locateAnew(content, at, piece);
        if (found === undefined) return this.miss();
        // Copied in the same turn in which it is verified: the buffer may be another chunk's in the next one.
        let count = 0;
        await this.loadLater(found, (chunk) => {
          count = this.copy(found, chunk, at, area, done, lengthBytes - done);
        });
        if (count === 0) return this.miss();
        done += count;
        continue;
      }
      if (piece === undefined) return this.miss();
      done += this.copy(piece, buffer, at, area, done, lengthBytes - done);
    }
    return this.hit(lengthBytes);
  }

  /** How much of a file is held, in whole percent; 100 only when all of it is. */
  heldShare(content: ContentKey, sizeBytes: number): number {
    if (sizeBytes === 0) return 100;
    return Math.min(100, Math.floor((100 * this.manifests.heldBytes(content)) / sizeBytes));
  }

  /** Chunks that were served since the last call: for their access times. */
  takeTouched(): number[] {
    const taken = [...this.touched];
    this.touched = new Set();
    return taken;
  }

  /** Chunks that were found wrong or missing since the last call. */
  takeBad(): number[] {
    const taken = [...this.bad];
    this.bad = new Set();
    return taken;
  }

  /** After a minute without a read: gives the memory back and lets go of the disk. */
  closeIdle(): void {
    if (this.options.clock.monotonicMs() - this.usedAtMs >= limits.originFileIdleMs) this.close();
  }

  /** May be used again afterwards. */
  close(): void {
    this.manifests.close();
    this.tier.clear();
    this.closeRoot();
  }

  private hit(lengthBytes: number): number {
    this.stats.hits += 1;
    this.stats.bytes += lengthBytes;
    return lengthBytes;
  }

  private miss(): 'miss' {
    this.stats.misses += 1;
    return 'miss';
  }

  private locate(content: ContentKey, at: number): Piece | undefined {
    return pieceOf(this.manifests.page(content, at), at);
  }

  private locateAnew(content: ContentKey, at: number, known: Piece | undefined): Piece | undefined {
    if (known !== undefined && this.manifests.isCurrent(content, at)) return known;
    return pieceOf(this.manifests.refresh(content, at), at);
  }

  /** Copies what the chunk has of the wanted range; the number of bytes. */
  private copy(
    piece: Piece,
    chunk: Buffer,
    at: number,
    area: Uint8Array,
    areaStart: number,
    wanted: number,
  ): number {
    const { page, index } = piece;
    const inside = at - page.offset(index);
    const count = Math.min(wanted, page.lengthBytes(index) - inside);
    const from = page.skipBytes(index) + inside;
    chunk.copy(area, areaStart, from, from + count);
    remember(this.touched, piece.chunk);
    return count;
  }

  private loadNow(piece: Piece): Buffer | 'wait' | 'bad' {
    const { failpoints } = this.options;
    if (failpoints.enabled && (failpoints.isArmed('cas.get.read') || failpoints.isArmed('cas.get.corrupt'))) {
      return 'wait';
    }
    const root = this.openRootNow();
    if (root < 0) return 'wait';
    const fd = openBeneathCached(root, pathBytes(piece), baseFlags | this.noAtime);
    if (fd === -ENOENT && this.isRootInPlace()) return this.isBad(piece);
    if (fd < 0) return 'wait';
    const buffer = this.tier.take(piece.chunkBytes + 1);
    const got = this.vector.readNowait(fd, buffer, 0, piece.chunkBytes + 1, 0);
    closeSync(fd);
    // Fewer bytes than it should have: not all are in memory, or it is shorter; the pool finds out.
    if (got < piece.chunkBytes) {
      this.tier.give(buffer);
      return got < 0 && got !== -EAGAIN && got !== -EOPNOTSUPP && got !== -EINTR ? this.isBad(piece) : 'wait';
    }
    return this.accept(piece, buffer, got) ?? 'bad';
  }

  /** `use` is called with the verified chunk, or not at all. */
  private async loadLater(piece: Piece, use: (chunk: Buffer) => void): Promise<void> {
    const { life } = this;
    let wrongBytes = 0;
    try {
      if (this.options.failpoints.enabled) {
        await this.options.failpoints.pass('cas.get.read');
        wrongBytes = await this.options.failpoints.pass('cas.get.corrupt');
      }
    } catch (error) {
      if (error instanceof MusicfsError) return;
      throw error;
    }
    const fd = await this.openLater(piece);
    if (fd < 0) {
      if ((fd === -ENOENT || fd === -ENOTDIR) && life === this.life) this.isBad(piece);
      return;
    }
    const buffer = this.tier.take(piece.chunkBytes + 1);
    let done = 0;
    let got = 1;
    while (got !== 0 && done <= piece.chunkBytes) {
      got = await preadAsync(fd, buffer.subarray(done), piece.chunkBytes + 1 - done, done);
      if (got === -EINTR) continue;
      if (got < 0) break;
      done += got;
    }
    closeSync(fd);
    if (got >= 0 && wrongBytes > 0) damage(buffer.subarray(0, done), wrongBytes);
    if (life !== this.life) return; // the number of this chunk means another one by now
    const chunk = got < 0 ? this.refuse(piece, buffer) : this.accept(piece, buffer, done);
    if (chunk !== undefined) use(chunk);
  }

  /** The chunk goes into memory when it is what it should be. */
  private accept(piece: Piece, buffer: Buffer, lengthBytes: number): Buffer | undefined {
    const { page, index, chunk, chunkBytes } = piece;
    const isRight =
      lengthBytes === chunkBytes && this.options.hash(buffer.subarray(0, chunkBytes)) === page.hash(index);
    if (!isRight) return this.refuse(piece, buffer);
    this.tier.put(chunk, buffer);
    return buffer;
  }

  private refuse(piece: Piece, buffer: Buffer): undefined {
    this.tier.give(buffer);
    this.isBad(piece);
    return undefined;
  }

  private isBad(piece: Piece): 'bad' {
    remember(this.bad, piece.chunk);
    return 'bad';
  }

  private async openLater(piece: Piece): Promise<number> {
    for (;;) {
      const root = this.rootFd >= 0 ? this.rootFd : await this.openRootLater();
      if (root < 0) return root;
      const flags = baseFlags | this.noAtime;
      const fd = await openBeneathAsync(root, pathBytes(piece), flags);
      if (fd === -EPERM && flags !== baseFlags) this.noAtime = 0;
      else if (fd === -ENOENT && !this.isRootInPlace()) this.closeRoot();
      else if (fd !== -EINTR) return fd;
    }
  }

  /** The folder chunks, or a negative errno. */
  private openRootNow(): number {
    if (this.rootFd < 0) this.rootFd = openCached(Buffer.from(this.root), rootFlags);
    return this.rootFd;
  }

  private async openRootLater(): Promise<number> {
    try {
      const fd = await openDirectory(this.root, rootFlags);
      if (this.rootFd < 0) this.rootFd = fd;
      else closeSync(fd); // two at once
      return this.rootFd;
    } catch (error) {
      return error instanceof Error && 'errno' in error ? Number(error.errno) : -ENOENT;
    }
  }

  /** Somebody may have removed the folder and another been made since. */
  private isRootInPlace(): boolean {
    try {
      return fstatSync(this.rootFd).nlink > 0;
    } catch {
      return false;
    }
  }

  private closeRoot(): void {
    if (this.rootFd >= 0) closeSync(this.rootFd);
    this.rootFd = -1;
  }
}

function pieceOf(page: ManifestPage | undefined, at: number): Piece | undefined {
  const index = page?.find(at) ?? -1;
  if (page === undefined || index < 0) return undefined;
  return { page, index, chunk: page.chunk(index), chunkBytes: page.chunkBytes(index) };
}

function pathBytes({ page, index }: Piece): Buffer {
  return Buffer.from(pathOfName(chunkName(page.hash(index), page.ordinal(index))), 'latin1');
}

/** Bounded: what nobody asks for is forgotten, the oldest first. */
function remember(chunks: Set<number>, chunk: number): void {
  if (chunks.size >= limits.chunksToTell) for (const oldest of chunks) if (chunks.delete(oldest)) break;
  chunks.add(chunk);
}
