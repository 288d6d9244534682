// What is known of pictures and files that were looked into, so that a bad one is not tried again and again. In memory: a new
// life of the daemon tries once more. Bounded: what was not asked for longest is forgotten.
import { limits } from '../platform/limits.ts';
import type { PictureInFile } from './extraction-protocol.ts';

/** What names a picture or a file for ever: another content has another identity. */
export type ContentIdentity = string;

/** A file, by where it lies and which version it is. */
export function identityOfFile(file: {
  readonly origin: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeNs: string;
  readonly etag?: string | null;
}): ContentIdentity {
  return `file ${file.origin}\0${file.path}\0${file.sizeBytes}\0${file.mtimeNs}\0${file.etag ?? ''}`;
}

export function identityOfPicture(contentHash: string): ContentIdentity {
  return `picture ${contentHash}`;
}

interface Known {
  /** Processes that died of it. */
  readonly deaths: number;
  readonly isRefused: boolean;
  /** The pictures in its tags; null where nobody has looked. */
  readonly pictures: readonly PictureInFile[] | null;
}

const nothing: Known = { deaths: 0, isRefused: false, pictures: null };

export class PictureMemory {
  private readonly known = new Map<ContentIdentity, Known>();

  isRefused(identity: ContentIdentity): boolean {
    return this.of(identity).isRefused;
  }

  refuse(identity: ContentIdentity): void {
    this.note(identity, { isRefused: true });
  }

  /** A process died of it, which may have had another reason the first time. Answers whether it is refused now. */
  died(identity: ContentIdentity): boolean {
    const deaths = this.of(identity).deaths + 1;
    this.note(identity, { deaths, isRefused: deaths >= limits.pictureDeaths });
    return deaths >= limits.pictureDeaths;
  }

  picturesOf(identity: ContentIdentity): readonly PictureInFile[] | null {
    return this.of(identity).pictures;
  }

  holds(identity: ContentIdentity, pictures: readonly PictureInFile[]): void {
    this.note(identity, { pictures });
  }

  private of(identity: ContentIdentity): Known {
    const known = this.known.get(identity);
    if (known === undefined) return nothing;
    this.known.delete(identity);
    this.known.set(identity, known); // now the last to go
    return known;
  }

  private note(identity: ContentIdentity, change: Partial<Known>): void {
    this.known.set(identity, { ...this.of(identity), ...change });
    for (const oldest of this.known.keys()) {
      if (this.known.size <= limits.picturesRemembered) break;
      this.known.delete(oldest);
    }
  }
}
