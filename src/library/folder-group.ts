// Which files belong together when one is judged by its neighbours: those of one origin, one real folder and one album
// text. The folders of the discs of an album ("CD1", "Disc 2 - Live") count as the folder they lie in.
//
// Called for every file when its tags are known. Knows nothing of who the artists are.
import { baseNameOf, bytesToText, parentOf, type RealPath } from './real-path.ts';
import { sameTextKey } from './same-text.ts';
import type { TrackFacts } from './track-facts.ts';

/** The number ends the word: "CD1", "cd 2 of 3", "[Disc 03] Live", "vol. 3"; not "CD1a", "Discography 2". */
const discFolder = /^[\s([{]*(?:cd|disc|disk|disque|vol(?:ume)?)[\s._#-]*\d{1,3}(?![\p{L}\p{N}])/iu;

/**
 * The key that the files of one group share, as text; null for a file without an album, which has no group. Equal keys
 * mean one group and different ones mean two: no part can run into the next.
 */
export function folderGroupOf(
  track: Pick<TrackFacts, 'originId' | 'realPath'> & { readonly tags: { readonly album?: string } },
): string | null {
  const { album } = track.tags;
  if (album === undefined) return null;
  return JSON.stringify([track.originId, groupFolderOf(track.realPath), sameTextKey(album)]);
}

/** The real folder a file counts to: its own, or the one above when its own is the folder of a disc. */
export function groupFolderOf(path: RealPath): RealPath {
  const folder = parentOf(path);
  return isDiscFolder(folder) ? parentOf(folder) : folder;
}

/** Whether a real folder is named like one disc of an album. */
export function isDiscFolder(folder: RealPath): boolean {
  return discFolder.test(bytesToText(baseNameOf(folder)));
}
