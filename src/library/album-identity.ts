// Which album a track belongs to: the key, and the values that the files of one folder share so that one stray tag does
// not split an album.
//
// The key says nothing of where a file lies: the same release on two origins is one album.
import { sameTextKey } from './same-text.ts';
import { commonestOf, tallyOf } from './tally.ts';
import type { TrackTags } from './track-tags.ts';

/** Values of an album that its files in one folder share. A field that is absent is missing for all of them. */
export interface SharedFields {
  readonly edition?: string;
  /** The first catalog number. */
  readonly catalogNumber?: string;
  readonly barcode?: string;
  readonly year?: number;
  readonly mbAlbumId?: string;
}

/** Anything else in an id tag ("0", "null", a link) would make one album of all files that carry it. */
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The key of the album: its MusicBrainz id, else a hash of what tells releases apart. `hash` gives hex digits. Tracks
 * without an album text are one album for each artist, whatever else they say: a folder of loose tracks is no set of
 * editions.
 */
export function albumKeyOf(albumArtist: string, tags: TrackTags, hash: (text: string) => string): string {
  const mbAlbumId = mbAlbumIdOf(tags);
  if (mbAlbumId !== undefined) return mbAlbumId;
  const artist = sameTextKey(albumArtist);
  if (tags.album === undefined) return hash(JSON.stringify([artist]));
  const release = [tags.edition, tags.catalogNumber?.[0] ?? tags.barcode, tags.year?.toString()];
  return hash(JSON.stringify([artist, ...[tags.album, ...release].map((text) => sameTextKey(text ?? ''))]));
}

/**
 * What the files of one group (folder-group.ts) that have one album artist share. The files are those of one album as
 * far as a folder can tell; their order does not matter.
 */
export function majorityOf(files: readonly TrackTags[]): SharedFields {
  const vote = (read: (tags: TrackTags) => string | undefined) => majorityValue(files.map(read));
  const edition = vote((tags) => tags.edition);
  const catalogNumber = vote((tags) => tags.catalogNumber?.[0]);
  const barcode = vote((tags) => tags.barcode);
  const year = vote((tags) => tags.year?.toString());
  const mbAlbumId = vote(mbAlbumIdOf);
  return {
    ...(edition === undefined ? {} : { edition }),
    ...(catalogNumber === undefined ? {} : { catalogNumber }),
    ...(barcode === undefined ? {} : { barcode }),
    ...(year === undefined ? {} : { year: Number(year) }),
    ...(mbAlbumId === undefined ? {} : { mbAlbumId }),
  };
}

/**
 * The value of most; of several the one with the lowest bytes. Where files have none, a value that others contradict
 * must be that of more than half of all files, otherwise it is missing for all.
 */
export function majorityValue(values: readonly (string | undefined)[]): string | undefined {
  const present = values.filter((value) => value !== undefined);
  const tally = tallyOf(present);
  const most = commonestOf(tally);
  const isClear =
    present.length === values.length ||
    tally.length === 1 ||
    (most !== undefined && most.count * 2 > values.length);
  return isClear ? most?.spelling : undefined;
}

/** The tags with the shared values in the place of the file's own. Further catalog numbers stay when the first fits. */
export function withShared(tags: TrackTags, shared: SharedFields): TrackTags {
  const { edition, catalogNumber, barcode, year, mbAlbumId, ...rest } = tags;
  const { catalogNumber: sharedNumber, ...plain } = shared;
  if (sharedNumber === undefined) return { ...rest, ...plain };
  const [first, ...further] = catalogNumber ?? [];
  const isOwn = first !== undefined && sameTextKey(first) === sameTextKey(sharedNumber);
  return { ...rest, ...plain, catalogNumber: [sharedNumber, ...(isOwn ? further : [])] };
}

function mbAlbumIdOf({ mbAlbumId }: TrackTags): string | undefined {
  return mbAlbumId !== undefined && uuid.test(mbAlbumId) ? mbAlbumId.toLowerCase() : undefined;
}
