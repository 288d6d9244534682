// Which pictures may stand for an album, best first. Pure: the same candidates in any order give the same answer.
//
// Nobody has looked into a candidate yet: whoever asks takes the first that can be decoded. Therefore the answer is a list,
// and a picture that many tracks carry is in it once.
import { posix } from 'node:path';
import { baseNameOf, bytesToText, extensionOf, type RealPath } from '../library/real-path.ts';
import { limits } from '../platform/limits.ts';
import {
  type EmbeddedKind,
  foldName,
  type PictureSource,
  pictureExtensions,
} from '../platform/picture-priority.ts';

/** A file beside the album's tracks, of whatever kind: those that are no pictures are passed over. */
export interface FolderPicture {
  readonly type: 'folder';
  readonly originId: string;
  readonly path: RealPath;
  readonly sizeBytes: number;
  /** Nanoseconds since 1970 in decimal digits. */
  readonly mtimeNs: string;
}

/** A picture in the tags of a track. */
export interface EmbeddedPicture {
  readonly type: 'embedded';
  /** Which track, by whatever names it for ever. */
  readonly trackId: number;
  /** As tagged; null where it is not. */
  readonly discNumber: number | null;
  readonly trackNumber: number | null;
  readonly kind: EmbeddedKind;
  /** As tagged, which is often wrong. "-->" says that the bytes are an address, not a picture. */
  readonly mime: string;
  readonly sizeBytes: number;
  /** Equal for equal bytes. */
  readonly contentHash: string;
}

export type PictureCandidate = FolderPicture | EmbeddedPicture;

/** What to try, in this order; empty: the album has no picture. */
export function choosePictures(
  candidates: readonly PictureCandidate[],
  priority: readonly PictureSource[],
): readonly PictureCandidate[] {
  const usable = candidates.filter(({ sizeBytes }) => sizeBytes > 0 && sizeBytes <= limits.pictureInputBytes);
  const folder = usable
    .filter((each) => each.type === 'folder')
    .filter(({ path }) => pictureExtensions.includes(extensionOf(path)))
    .sort(folderOrder);
  const embedded = usable
    .filter((each) => each.type === 'embedded')
    .filter(({ mime }) => mime !== '-->')
    .sort(embeddedOrder);
  const chosen = new Map<string, PictureCandidate>();
  for (const source of priority) {
    for (const candidate of matching(source)) {
      const identity = identityOf(candidate);
      if (!chosen.has(identity)) chosen.set(identity, candidate);
    }
  }
  return [...chosen.values()];

  function matching(source: PictureSource): readonly PictureCandidate[] {
    switch (source.type) {
      case 'folder':
        return folder.filter(({ path }) => isNamed(path, source.glob));
      case 'embedded':
        return embedded.filter(({ kind }) => source.kind === 'any' || source.kind === kind);
      case 'overlay':
        return [];
    }
  }
}

function isNamed(path: RealPath, glob: string): boolean {
  return posix.matchesGlob(foldName(bytesToText(baseNameOf(path))), glob);
}

/** Two candidates with the same identity are the same picture. */
function identityOf(candidate: PictureCandidate): string {
  return candidate.type === 'folder'
    ? `folder ${candidate.originId}\0${candidate.path}`
    : `embedded ${candidate.contentHash}`;
}

/** By format, then where it lies: the album's upper folder before its "CD1". */
function folderOrder(left: FolderPicture, right: FolderPicture): number {
  return (
    rankOf(left) - rankOf(right) ||
    depthOf(left) - depthOf(right) ||
    compare(left.path, right.path) ||
    compare(left.originId, right.originId)
  );
}

const rankOf = ({ path }: FolderPicture): number => pictureExtensions.indexOf(extensionOf(path));
const depthOf = ({ path }: FolderPicture): number => path.split('/').length;

/** Lowest disc (untagged: the first), lowest track (untagged: the last); in one track the front, then the larger one. */
function embeddedOrder(left: EmbeddedPicture, right: EmbeddedPicture): number {
  return (
    (left.discNumber ?? 1) - (right.discNumber ?? 1) ||
    (left.trackNumber ?? unnumbered) - (right.trackNumber ?? unnumbered) ||
    left.trackId - right.trackId ||
    kindOrder.indexOf(left.kind) - kindOrder.indexOf(right.kind) ||
    right.sizeBytes - left.sizeBytes ||
    compare(left.contentHash, right.contentHash)
  );
}

const unnumbered = Number.MAX_SAFE_INTEGER;
const kindOrder: readonly EmbeddedKind[] = ['front', 'other', 'back'];

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
