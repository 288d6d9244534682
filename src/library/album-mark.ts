// Several albums whose names come out as one directory: what is written behind each, as in "Album {Deluxe Edition}".
//
// Which of them keeps the bare name is a claim that the catalog holds. Here is only what each would be marked with: from
// the album's own fields and the fields in which the albums of the directory differ (`differenceOf`), so that it is the
// same in whatever order they came.
import { majorityValue } from './album-identity.ts';
import type { LibraryOptions } from './library-options.ts';
import { cleanValue, cutToBytes, foldName } from './names.ts';
import { sameTextKey } from './same-text.ts';
import type { TrackTags } from './track-tags.ts';

/** The fields that tell albums apart, best first, by the names the template has for them. */
export const markFields = ['edition', 'year', 'label', 'catalog_number', 'media', 'release_country'] as const;

export type MarkField = (typeof markFields)[number];

/** What is shown of an album to tell it from another of its name. */
export interface AlbumLook {
  readonly key: string;
  /** Values as they are shown; absent where missing. */
  readonly fields: Readonly<Partial<Record<MarkField, string>>>;
}

/** How the albums of one directory differ. */
export interface AlbumDifference {
  /** The fields that are shown: each tells apart albums that the ones before it leave together. */
  readonly telling: readonly MarkField[];
  /** All that differ. An album that has none of the telling ones shows the first of these that it has. */
  readonly differing: readonly MarkField[];
  /** Texts, folded, that more than one album would be marked with. */
  readonly ambiguous: readonly string[];
  /** Digits of the key that tell those apart. */
  readonly keyDigits: number;
}

/** Bytes of one value in a mark: a directory's name must have room for the album itself. */
const valueMaxBytes = 60;

const readField: Readonly<Record<MarkField, (tags: TrackTags) => string | undefined>> = {
  edition: (tags) => tags.edition,
  year: (tags) => tags.year?.toString(),
  label: (tags) => tags.label?.[0],
  catalog_number: (tags) => tags.catalogNumber?.[0],
  media: (tags) => tags.media,
  release_country: (tags) => tags.releaseCountry,
};

/** The look of an album from the tags of all its files, in any order. */
export function albumLookOf(
  key: string,
  files: readonly TrackTags[],
  options: Pick<LibraryOptions, 'names' | 'replace'>,
): AlbumLook {
  const fields: Partial<Record<MarkField, string>> = {};
  for (const field of markFields) {
    const shown = cutToBytes(
      cleanValue(majorityValue(files.map(readField[field])) ?? '', options).trim(),
      valueMaxBytes,
    ).trim();
    if (shown !== '') fields[field] = shown;
  }
  return { key, fields };
}

/** The mark of each album of one directory by its key; a lone album has none. */
export function distinguish(albums: readonly AlbumLook[]): ReadonlyMap<string, string> {
  if (albums.length < 2) return new Map();
  const difference = differenceOf(albums);
  return new Map(albums.map((album) => [album.key, markOf(album, difference)]));
}

/** How these albums differ. Their keys are distinct. */
export function differenceOf(albums: readonly AlbumLook[]): AlbumDifference {
  const telling: MarkField[] = [];
  let classes: readonly (readonly AlbumLook[])[] = [albums];
  for (const field of markFields) {
    const split = classes.flatMap((members) => [
      ...Map.groupBy(members, (album) => fieldKey(album, field)).values(),
    ]);
    if (split.length > classes.length) telling.push(field);
    classes = split;
  }
  const differing = markFields.filter(
    (field) => new Set(albums.map((album) => fieldKey(album, field))).size > 1,
  );
  const fields = { telling, differing };
  const byText = Map.groupBy(albums, (album) => foldName(plainMark(album, fields)));
  const alike = [...byText].filter(([text, members]) => text === '' || members.length > 1);
  return {
    ...fields,
    ambiguous: alike.map(([text]) => text).sort(),
    keyDigits: digitsFor(alike.flatMap(([, members]) => members.map(({ key }) => keyHex(key)))),
  };
}

/** What one album is marked with among albums that differ so. Never empty. */
export function markOf(album: AlbumLook, difference: AlbumDifference): string {
  const text = plainMark(album, difference);
  if (text !== '' && !difference.ambiguous.includes(foldName(text))) return text;
  const key = `~${keyHex(album.key).slice(0, difference.keyDigits)}`;
  return text === '' ? key : `${text}, ${key}`;
}

/** The fields whose values the mark of an album shows; none when it has none of those that differ. */
export function shownFields(
  { fields }: AlbumLook,
  { telling, differing }: Pick<AlbumDifference, 'telling' | 'differing'>,
): readonly MarkField[] {
  const has = (field: MarkField): boolean => fields[field] !== undefined;
  const told = telling.filter(has);
  return told.length > 0 ? told : differing.filter(has).slice(0, 1);
}

function plainMark(album: AlbumLook, difference: Pick<AlbumDifference, 'telling' | 'differing'>): string {
  return shownFields(album, difference)
    .map((field) => album.fields[field])
    .join(', ');
}

function fieldKey({ fields }: AlbumLook, field: MarkField): string {
  return sameTextKey(fields[field] ?? '');
}

function keyHex(key: string): string {
  return key.replaceAll('-', '');
}

/** 6, or more while digits of the keys are the same. */
function digitsFor(keys: readonly string[]): number {
  const lengths = [6, 8, 12, 16];
  return (
    lengths.find((length) => new Set(keys.map((key) => key.slice(0, length))).size === keys.length) ?? 32
  );
}
