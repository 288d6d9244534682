// Albums on disks of origins, and the real processes that find and make their pictures.
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { AlbumTrack, AlbumWantingArt } from '../../../src/artwork/album-wanting-art.ts';
import type { ArtFile, ArtOrigins } from '../../../src/artwork/brought-files.ts';
import { Extractions } from '../../../src/artwork/extractions.ts';
import { type AlbumArt, makeAlbumArt } from '../../../src/artwork/make-album-art.ts';
import { PictureMemory } from '../../../src/artwork/picture-memory.ts';
import type { RenditionSize } from '../../../src/artwork/rendition-protocol.ts';
import { Renditions } from '../../../src/artwork/renditions.ts';
import { realPath } from '../../../src/library/real-path.ts';
import { MadeStore } from '../../../src/made/made-store.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import type { MusicfsError } from '../../../src/platform/errors.ts';
import { Failpoints } from '../../../src/platform/failpoints.ts';
import type { LogFields, Logger } from '../../../src/platform/logger.ts';
import { defaultPicturePriority, parsePicturePriority } from '../../../src/platform/picture-priority.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const never = new AbortController().signal;

export class AlbumScene {
  readonly folder = temporaryDirectory();
  /** Where the files of `disk` are read; they are written into `filled`. */
  root = path.join(this.folder, 'origin');
  filled = this.root;
  readonly copiesDirectory = path.join(this.folder, 'copies');
  readonly storeDirectory = path.join(this.folder, 'made');
  readonly store = new MadeStore(this.storeDirectory);
  readonly extractions: Extractions;
  readonly renditions = new Renditions({ dropPrivileges: process.getuid?.() === 0 });
  readonly failpoints = new Failpoints(true);
  /** Questions to the processes so far. */
  readonly asked = { extractions: 0, renditions: 0 };
  readonly away = new Set<string>();
  readonly log: LogFields[] = [];
  memory = new PictureMemory();
  priority: readonly string[] = defaultPicturePriority;
  /** What was fetched of the files of `nas`, which has the same files as `disk`. */
  readonly copied: { path: string; from: number; to: number }[] = [];
  /** What `nas` says instead of a file. */
  refusal: MusicfsError | null = null;

  constructor(clock: Clock = systemClock) {
    this.extractions = new Extractions(process.getuid?.() === 0, clock);
    mkdirSync(this.root);
    onTestFinished(() =>
      Promise.all([this.extractions.close(), this.renditions.close()]).then(() => undefined),
    );
  }

  write(name: string, bytes: Uint8Array): void {
    const file = path.join(this.filled, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }

  file(name: string, origin = 'disk'): ArtFile {
    const { size, mtimeNs } = lstatSync(path.join(this.root, name), { bigint: true });
    return {
      ...{ origin, path: realPath(Buffer.from(name).toString('latin1')) },
      ...{ sizeBytes: Number(size), mtimeNs: mtimeNs.toString() },
    };
  }

  /** Tracks are numbered as they are named: "2-07.flac" is the seventh of the second disc. */
  album(tracks: readonly string[], pictures: readonly string[], origin = 'disk'): AlbumWantingArt {
    return {
      directory: 7,
      tracks: tracks.map((name): AlbumTrack => {
        const [, disc, track] = /(?:(\d+)-)?(\d+)\.\w+$/.exec(name) ?? [];
        const number = (text: string | undefined) => (text === undefined ? null : Number(text));
        return { ...this.file(name, origin), disc: number(disc), track: number(track) };
      }),
      pictures: pictures.map((name) => this.file(name, origin)),
    };
  }

  make(album: AlbumWantingArt, signal: AbortSignal = never): Promise<AlbumArt> {
    const note = (fields: LogFields) => void this.log.push(fields);
    const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };
    const { copiesDirectory, store, memory, failpoints } = this;
    const extractions: Pick<Extractions, 'take'> = {
      take: (...question) => {
        this.asked.extractions += 1;
        return this.extractions.take(...question);
      },
    };
    const renditions: Pick<Renditions, 'make'> = {
      make: (...question) => {
        this.asked.renditions += 1;
        return this.renditions.make(...question);
      },
    };
    const priority = parsePicturePriority(this.priority);
    const options = { priority, origins: this.origins, copiesDirectory, log };
    return makeAlbumArt(
      album,
      { ...options, extractions, renditions, store, memory, failpoints },
      this.away,
      signal,
    );
  }

  /** The bytes of what was made; fails when nothing was. */
  async bytesOf(album: AlbumWantingArt): Promise<Record<RenditionSize, Buffer>> {
    const art = await this.make(album);
    if (art.type !== 'made') throw new Error(JSON.stringify(art));
    const read = (size: RenditionSize) =>
      readFileSync(path.join(this.storeDirectory, art.files.get(size)?.path ?? ''));
    return { full: read('full'), medium: read('medium'), thumb: read('thumb') };
  }

  get copies(): string[] {
    return readdirSync(this.copiesDirectory);
  }

  private readonly origins: ArtOrigins = {
    rootOf: (origin) => (origin === 'disk' ? this.root : origin === 'nas' ? null : undefined),
    copy: async ({ path: name, sizeBytes }, ranges, target) => {
      if (this.refusal !== null) throw this.refusal;
      const bytes = readFileSync(path.join(this.root, Buffer.from(name, 'latin1').toString()));
      const file = await open(target, 'a', 0o600).then(async (made) => {
        await made.close();
        return open(target, 'r+');
      });
      await file.truncate(sizeBytes);
      for (const { offset, lengthBytes } of ranges) {
        this.copied.push({ path: name, from: offset, to: offset + lengthBytes });
        await file.write(bytes, offset, lengthBytes, offset);
      }
      await file.close();
    },
  };
}
