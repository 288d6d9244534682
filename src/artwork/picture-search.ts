// The search for the picture of one album. Used by make-album-art.ts.
//
// What is tried, in which order, is said by the setting artwork.priority and choose-picture.ts. Nothing of an origin is opened
// or decoded here: both happen in processes of their own (extractions.ts, renditions.ts).
import { bytesToText } from '../library/real-path.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import type { Logger } from '../platform/logger.ts';
import type { PictureSource } from '../platform/picture-priority.ts';
import type { AlbumTrack, AlbumWantingArt } from './album-wanting-art.ts';
import {
  type ArtFile,
  type ArtOrigins,
  type BroughtFile,
  BroughtFiles,
  stepsIntoFile,
} from './brought-files.ts';
import { choosePictures, type EmbeddedPicture, type FolderPicture } from './choose-picture.ts';
import type { ExtractionAnswer, PictureInFile } from './extraction-protocol.ts';
import type { Extractions } from './extractions.ts';
import {
  type ContentIdentity,
  identityOfFile,
  identityOfPicture,
  type PictureMemory,
} from './picture-memory.ts';
import { type RenditionSize, renditionSizes } from './rendition-protocol.ts';
import type { Renditions } from './renditions.ts';

export interface PictureSearchOptions {
  readonly priority: readonly PictureSource[];
  readonly origins: ArtOrigins;
  /** A directory of ours for copies of files. */
  readonly copiesDirectory: string;
  readonly extractions: Pick<Extractions, 'take'>;
  readonly renditions: Pick<Renditions, 'make'>;
  readonly memory: PictureMemory;
  readonly failpoints: Failpoints;
  readonly log: Logger;
}

/** This album cannot be judged now. */
export class Later extends Error {
  readonly origin: string | null;

  constructor(why: string, origin: string | null = null) {
    super(why);
    this.origin = origin;
  }
}

export type Made = ReadonlyMap<RenditionSize, Uint8Array>;

/** For one album: `firstThatDecodes` once, then `end`. */
export class PictureSearch {
  /** A file was not there, or was another one than the catalog knows: a scan will tell. */
  hasMissed = false;
  private readonly options: PictureSearchOptions;
  private readonly away: ReadonlySet<string>;
  private readonly signal: AbortSignal;
  private readonly brought: BroughtFiles;
  private readonly tried = new Set<ContentIdentity>();

  constructor(options: PictureSearchOptions, away: ReadonlySet<string>, signal: AbortSignal) {
    this.options = options;
    this.away = away;
    this.signal = signal;
    this.brought = new BroughtFiles(options.copiesDirectory, options.origins);
  }

  async firstThatDecodes({ tracks, pictures }: AlbumWantingArt): Promise<Made | null> {
    const folder = pictures.map(({ origin, ...file }): FolderPicture & ArtFile => {
      return { type: 'folder', originId: origin, origin, ...file };
    });
    const opened = tracks.toSorted(trackOrder).slice(0, limits.pictureFilesOpened);
    for (const source of this.options.priority) {
      if (source.type === 'folder') {
        for (const candidate of choosePictures(folder, [source])) {
          const made = await this.fromFolder(candidate as FolderPicture & ArtFile);
          if (made !== null) return made;
        }
      } else if (source.type === 'embedded') {
        for (const track of opened) {
          const made = await this.fromTrack(track, source);
          if (made !== null) return made;
        }
      }
    }
    return null;
  }

  end(): Promise<void> {
    return this.brought.remove();
  }

  private async fromFolder(file: ArtFile): Promise<Made | null> {
    const identity = identityOfFile(file);
    if (this.isDone(identity)) return null;
    const answer = await this.lookInto(file, identity, file.sizeBytes, null);
    return answer?.type === 'picture' ? this.rendered(answer.bytes, identity, file) : null;
  }

  /** The first of its pictures of that kind that can be decoded. */
  private async fromTrack(
    track: AlbumTrack,
    source: PictureSource & { type: 'embedded' },
  ): Promise<Made | null> {
    const { memory } = this.options;
    const identity = identityOfFile(track);
    if (memory.isRefused(identity)) return null;
    let answer =
      memory.picturesOf(identity) === null ? await this.picturesOf(track, identity, source.kind) : null;
    const found = answer?.pictures ?? memory.picturesOf(identity);
    for (const { contentHash } of choosePictures(asCandidates(found ?? []), [source]) as EmbeddedPicture[]) {
      const picture = identityOfPicture(contentHash);
      if (this.isDone(picture)) continue;
      if (answer?.picked?.contentHash !== contentHash)
        answer = await this.picturesOf(track, identity, contentHash);
      if (answer?.picked?.contentHash !== contentHash) return null;
      const made = await this.rendered(answer.picked.bytes, picture, track);
      if (made !== null) return made;
    }
    return null;
  }

  /** What is in a track, with one of its pictures. */
  private async picturesOf(
    track: AlbumTrack,
    identity: ContentIdentity,
    pick: string,
  ): Promise<(ExtractionAnswer & { type: 'pictures' }) | null> {
    for (const wantedBytes of stepsIntoFile) {
      const answer = await this.lookInto(track, identity, wantedBytes, pick);
      if (answer?.type !== 'pictures') return null;
      if (answer.pictures.length === 0 && answer.isShort && wantedBytes < limits.pictureReadBytes) continue;
      this.options.memory.holds(identity, answer.pictures);
      return answer;
    }
    return null;
  }

  /** null: it is of no use now. `pick` null: a picture that lies in a folder. */
  private async lookInto(
    file: ArtFile,
    identity: ContentIdentity,
    wantedBytes: number,
    pick: string | null,
  ): Promise<ExtractionAnswer | null> {
    const { extractions, failpoints } = this.options;
    const { origin } = file;
    if (this.away.has(origin)) throw new Later('its origin is away', origin);
    let brought: BroughtFile | null;
    try {
      await failpoints.pass('artwork.extract', file.path, this.signal);
      brought = await this.brought.bring(file, wantedBytes, this.signal);
    } catch (error) {
      this.signal.throwIfAborted();
      return this.notBrought(error, file, identity);
    }
    if (brought === null) return this.missed();
    let answer: ExtractionAnswer;
    try {
      answer = await extractions.take(
        pick === null ? { ...brought, type: 'folder' } : { ...brought, type: 'embedded', pick },
        this.signal,
      );
    } catch (error) {
      this.signal.throwIfAborted();
      const code = codeOf(error);
      if (code === 'origin_unavailable') throw new Later(messageOf(error), origin);
      if (code === 'deadline_exceeded' || code === 'unavailable')
        return this.died(identity, file, messageOf(error));
      throw error;
    }
    switch (answer.type) {
      case 'picture':
      case 'pictures':
        return answer;
      case 'gone':
        return this.missed();
      case 'away':
        throw new Later(`its origin is away (${answer.code})`, origin);
      case 'unreadable':
        // A bad block, or a bad moment.
        if (answer.code === 'EIO') return this.died(identity, file, 'it cannot be read (EIO)');
        return this.refuse(identity, file, `it cannot be read (${answer.code})`);
    }
  }

  /** What an origin said instead of a file. */
  private notBrought(error: unknown, file: ArtFile, identity: ContentIdentity): null {
    switch (codeOf(error)) {
      case 'not_found':
      case 'version_gone':
      case 'is_a_directory':
      case 'not_a_directory':
        return this.missed();
      case 'permission_denied':
      case 'unsupported_operation':
      case 'invalid_argument':
      case 'name_too_long':
        return this.refuse(identity, file, messageOf(error));
      case 'internal':
        throw error;
      default:
        throw new Later(messageOf(error), file.origin);
    }
  }

  private async rendered(bytes: Uint8Array, identity: ContentIdentity, file: ArtFile): Promise<Made | null> {
    try {
      return await this.options.renditions.make(bytes, renditionSizes, this.signal);
    } catch (error) {
      this.signal.throwIfAborted();
      switch (codeOf(error)) {
        case 'unsupported_here':
        case 'invalid_argument':
          return this.refuse(identity, file, messageOf(error));
        case 'deadline_exceeded':
        case 'unavailable':
          return this.died(identity, file, messageOf(error));
        default:
          throw error;
      }
    }
  }

  private missed(): null {
    this.hasMissed = true;
    return null;
  }

  /** It is passed over from now on, for every album. */
  private refuse(identity: ContentIdentity, file: ArtFile, reason: string): null {
    this.options.memory.refuse(identity);
    return this.told(file, reason);
  }

  /** Once may be chance: the album is tried again later. Twice, and it is passed over. */
  private died(identity: ContentIdentity, file: ArtFile, reason: string): null {
    if (!this.options.memory.died(identity)) throw new Later(reason);
    return this.told(file, reason);
  }

  private told({ origin, path }: ArtFile, reason: string): null {
    this.options.log.info({ event: 'picture_refused', origin, file: bytesToText(path), reason });
    return null;
  }

  /** It was tried for this album, or is known to be of no use. */
  private isDone(identity: ContentIdentity): boolean {
    if (this.tried.has(identity)) return true;
    this.tried.add(identity);
    return this.options.memory.isRefused(identity);
  }
}

/** Lowest disc (untagged: the first), lowest track (untagged: the last), then by where it lies. */
function trackOrder(left: AlbumTrack, right: AlbumTrack): number {
  return (
    (left.disc ?? 1) - (right.disc ?? 1) ||
    (left.track ?? Number.MAX_SAFE_INTEGER) - (right.track ?? Number.MAX_SAFE_INTEGER) ||
    (left.path < right.path ? -1 : Number(left.path > right.path))
  );
}

function asCandidates(pictures: readonly PictureInFile[]): EmbeddedPicture[] {
  return pictures.map((picture) => {
    return { type: 'embedded', trackId: 0, discNumber: null, trackNumber: null, ...picture };
  });
}
