// From what a file's tag families say to TrackTags: the parts of a date, "3/12", lists and what is shown of them.
// Called with the values of all families merged, cleaned and within their limits.
import {
  cleanList,
  isTrue,
  joinNames,
  parseDate,
  parseDecimal,
  parsePosition,
  yearOf,
} from '../library/tag-text.ts';
import {
  type ListField,
  listFields,
  type TextField,
  type TrackTags,
  textFields,
} from '../library/track-tags.ts';
import type { RawField } from './tag-names.ts';

/** Values by what they feed, and the text tags that feed nothing, by upper-case name. */
export interface RawTags {
  readonly fields: Map<RawField, string[]>;
  readonly custom: Map<string, string[]>;
}

type Building = { -readonly [K in keyof TrackTags]: TrackTags[K] };

const plainTextFields = textFields.filter(
  (field) =>
    ![
      'artist',
      'albumArtist',
      'date',
      'originalDate',
      'trackText',
      'discText',
      'codec',
      'container',
    ].includes(field),
) as (TextField & RawField)[];

/** The tags; fields that say nothing are absent. */
export function assembleTags({ fields, custom }: RawTags): TrackTags {
  const tags: Building = {};
  const first = (field: RawField): string | undefined => fields.get(field)?.[0];
  for (const field of plainTextFields) {
    const text = first(field);
    if (text !== undefined) tags[field] = text;
  }
  for (const field of listFields) {
    const values = cleanList(fields.get(field) ?? []);
    if (values.length > 0) tags[field] = values;
  }
  setNames(tags, 'artist', 'artists', fields);
  setNames(tags, 'albumArtist', 'albumArtists', fields);
  setPosition(tags, 'track', first('trackPosition'), first('trackTotalText'));
  setPosition(tags, 'disc', first('discPosition'), first('discTotalText'));
  setDates(tags, first);
  setNumbers(tags, first);
  const compilation = first('compilation');
  if (compilation !== undefined) tags.compilation = isTrue(compilation);
  if (custom.size > 0) {
    tags.custom = Object.fromEntries([...custom].map(([key, values]) => [key, [...new Set(values)]]));
  }
  return tags;
}

/** A repeated singular tag is a list; the list tag (ARTISTS) wins over it; what is shown is the singular one. */
function setNames(
  tags: Building,
  shown: 'artist' | 'albumArtist',
  list: ListField & ('artists' | 'albumArtists'),
  fields: ReadonlyMap<RawField, string[]>,
): void {
  const singular = cleanList(fields.get(shown) ?? []);
  if (singular.length > 1 && tags[list] === undefined) tags[list] = singular;
  if (singular.length > 0) tags[shown] = joinNames(singular);
  else if (shown === 'artist' && tags[list] !== undefined) tags[shown] = joinNames(tags[list]);
}

function setPosition(
  tags: Building,
  name: 'track' | 'disc',
  text: string | undefined,
  total: string | undefined,
): void {
  const position = text === undefined ? {} : parsePosition(text);
  if (position.number !== undefined) tags[name] = position.number;
  if (position.text !== undefined) tags[`${name}Text`] = position.text;
  const count = (total === undefined ? undefined : parsePosition(total).number) ?? position.total;
  if (count !== undefined) tags[`${name}Total`] = count;
}

function setDates(tags: Building, first: (field: RawField) => string | undefined): void {
  const date = [
    first('releaseDate'),
    first('laterReleaseDate'),
    yearWithDay(first('yearText'), first('dayMonth')),
  ]
    .map((text) => (text === undefined ? undefined : parseDate(text)))
    .find((text) => text !== undefined);
  if (date !== undefined) {
    tags.date = date;
    const year = yearOf(date);
    if (year !== undefined) tags.year = year;
  }
  const original = [first('originalDateText'), first('originalYearText')]
    .map((text) => (text === undefined ? undefined : parseDate(text)))
    .find((text) => text !== undefined);
  if (original !== undefined) {
    tags.originalDate = original;
    const year = yearOf(original);
    if (year !== undefined) tags.originalYear = year;
  }
}

/** ID3v2.3 keeps the day apart: TYER "2003", TDAT "0412" for the fourth of December. */
function yearWithDay(year: string | undefined, dayMonth: string | undefined): string | undefined {
  const match = /^(\d\d)(\d\d)$/.exec(dayMonth ?? '');
  return year !== undefined && match !== null && /^\d{4}$/.test(year)
    ? `${year}-${match[2]}-${match[1]}`
    : year;
}

const gainFields = [
  'replaygainTrackGain',
  'replaygainTrackPeak',
  'replaygainAlbumGain',
  'replaygainAlbumPeak',
] as const;

function setNumbers(tags: Building, first: (field: RawField) => string | undefined): void {
  for (const field of ['bpm', ...gainFields] as const) {
    const value = parseDecimal(first(field) ?? '');
    if (value !== undefined) tags[field] = value;
  }
  for (const field of ['r128TrackGain', 'r128AlbumGain'] as const) {
    // RFC 7845: a whole number of 1/256 dB.
    const value = parseDecimal(first(field) ?? '');
    if (value !== undefined) tags[field] = value / 256;
  }
}
