// The variables of the path template: their names and what each gives for one track. Pure; called by the parser for
// the names and by the renderer for the values.
import { type AlbumArtist, type AlbumArtistGuess, albumArtistOf } from './album-artist.ts';
import { libraryLimits } from './library-limits.ts';
import type { LibraryOptions } from './library-options.ts';
import { musicExtensions } from './music-files.ts';
import { extensionOf, parentOf, realPathText, stemOf } from './real-path.ts';
import { initialOf, moveArticle } from './sort-name.ts';
import type { TrackFacts } from './track-facts.ts';
import {
  type FlagField,
  flagFields,
  type ListField,
  listFields,
  type NumberField,
  numberFields,
  type TextField,
  type TrackTags,
  textFields,
} from './track-tags.ts';

/** What a variable is rendered from. */
export interface RenderFacts {
  readonly track: TrackFacts;
  /** Tags with the configured splitting done. */
  readonly tags: TrackTags;
  readonly albumArtist: AlbumArtist;
  readonly isMultiDisc: boolean;
  readonly options: LibraryOptions;
}

export interface FieldValue {
  /** One value, or all of a list; empty means missing. */
  readonly values: readonly string[];
  /** The name under which the first value is ordered, where it differs by a tag. */
  readonly sortTag?: string;
  /** The value is a path: its "/" separate components. */
  readonly isPath?: boolean;
}

type FieldGetter = (facts: RenderFacts) => FieldValue;

const missing: FieldValue = { values: [] };

const one = (text: string | number | undefined, sortTag?: string): FieldValue => {
  if (text === undefined || text === '') return missing;
  return { values: [String(text)], ...(sortTag === undefined ? {} : { sortTag }) };
};

/** The name of a field of the tags in the template, as everywhere outside of the code. */
export const snakeCase = (field: string): string =>
  field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const sortTags: Readonly<Record<string, TextField>> = {
  title: 'titleSort',
  artist: 'artistSort',
  album: 'albumSort',
  composer: 'composerSort',
};

const textGetter =
  (field: TextField): FieldGetter =>
  ({ tags }) => {
    const sortField = sortTags[field];
    return one(tags[field], sortField === undefined ? undefined : tags[sortField]);
  };
const listGetter =
  (field: ListField): FieldGetter =>
  ({ tags }) => {
    const sortTag = field === 'composer' ? tags.composerSort : undefined;
    return { values: tags[field] ?? [], ...(sortTag === undefined ? {} : { sortTag }) };
  };
const numberGetter =
  (field: NumberField): FieldGetter =>
  ({ tags }) =>
    one(tags[field]);
const flagGetter =
  (field: FlagField): FieldGetter =>
  ({ tags }) =>
    one(tags[field] === true ? 'true' : undefined);

/** Variables that are more than one tag. They win over a tag of the same name. */
const derivedGetters: Readonly<Record<string, FieldGetter>> = {
  artist: ({ tags }) => one(tags.artist ?? tags.artists?.[0], tags.artistSort),
  album_artist: ({ albumArtist }) => one(albumArtist.name, albumArtist.sortName),
  track: ({ tags }) => one(trackText(tags)),
  disc: ({ tags }) => one(tags.disc ?? tags.discText),
  year: (facts) => one(shownYear(facts)),
  disc_track: ({ tags, isMultiDisc }) => {
    const track = trackText(tags);
    return one(track !== undefined && isMultiDisc ? `${discText(tags)}-${track}` : track);
  },
  disc_multi: ({ tags, isMultiDisc }) => one(isMultiDisc ? discText(tags) : undefined),
  va_artist: ({ tags, albumArtist }) =>
    one(
      tags.compilation === true || albumArtist.isVarious ? (tags.artist ?? tags.artists?.[0]) : undefined,
      tags.artistSort,
    ),
  format: ({ track }) => one(extensionOf(track.realPath)),
  format_upper: ({ track }) => one(extensionOf(track.realPath).toUpperCase()),
  decade: (facts) => {
    const year = shownYear(facts);
    return one(year === undefined ? undefined : `${Math.floor(year / 10) * 10}s`);
  },
  initial: ({ albumArtist }) => one(initialOf(albumArtist.sortName)),
  origin: ({ track }) => one(track.originId),
  real_dir: ({ track }) => ({ ...one(realPathText(parentOf(track.realPath))), isPath: true }),
  real_path: ({ track }) => ({ ...one(realPathText(track.realPath)), isPath: true }),
  stem: ({ track }) => one(stemOf(track.realPath)),
  path_field: ({ tags, options }) => ({ ...one(pathFieldOf(tags, options)), isPath: true }),
  added_at: ({ track }) => one(addedDate(track)),
  added_month: ({ track }) => one(addedDate(track)?.slice(0, 7)),
};

const hiddenFields: ReadonlySet<string> = new Set(['trackText', 'discText']);

const getters: ReadonlyMap<string, FieldGetter> = new Map<string, FieldGetter>([
  ...textFields.filter((field) => !hiddenFields.has(field)).map((field) => named(field, textGetter(field))),
  ...listFields.map((field) => named(field, listGetter(field))),
  ...numberFields.map((field) => named(field, numberGetter(field))),
  ...flagFields.map((field) => named(field, flagGetter(field))),
  ...Object.entries(derivedGetters),
]);

function named(field: string, getter: FieldGetter): [string, FieldGetter] {
  return [snakeCase(field), getter];
}

const customPrefix = 'custom_';

/** Every fixed name, for messages and for the tests. */
export const fieldNames: readonly string[] = [...getters.keys()];

const namesByLength = [...fieldNames].sort((a, b) => b.length - a.length);

export function isFieldName(name: string): boolean {
  return getters.has(name) || (name.startsWith(customPrefix) && name.length > customPrefix.length);
}

/** The longest name that the text has at this place, or null. */
export function longestFieldName(text: string, at: number): string | null {
  const custom = /^custom_\w+/.exec(text.slice(at, at + 100));
  if (custom !== null) return custom[0];
  return namesByLength.find((name) => text.startsWith(name, at)) ?? null;
}

/** What a variable gives for these facts. The name is known: the template was parsed. */
export function fieldValue(name: string, facts: RenderFacts): FieldValue {
  const getter = getters.get(name);
  if (getter !== undefined) return getter(facts);
  return { values: facts.tags.custom?.[name.slice(customPrefix.length).toUpperCase()] ?? [] };
}

/** What a variable prints outside a section when it is missing; "" for most. */
export function fieldDefault(name: string, facts: RenderFacts): string {
  switch (name) {
    case 'artist':
    // Somebody is always named, but by nothing that can be printed perhaps.
    case 'album_artist':
      return 'Unknown Artist';
    case 'album':
      return 'Unknown Album';
    case 'genre':
    case 'year':
      return 'Unknown';
    case 'title':
      return titleFromStem(stemOf(facts.track.realPath));
    case 'track':
      return '00';
    case 'disc':
      return '1';
    case 'disc_track':
      return facts.isMultiDisc ? `${discText(facts.tags)}-00` : '00';
    default:
      return '';
  }
}

/** The facts of one track with what is derived from them. `guess` is that of its folder, if there is one. */
export function renderFactsOf(
  track: TrackFacts,
  tags: TrackTags,
  isMultiDisc: boolean,
  guess: AlbumArtistGuess | null,
  options: LibraryOptions,
): RenderFacts {
  return { track, tags, albumArtist: albumArtistOf(tags, options, guess), isMultiDisc, options };
}

/** The name under which a value is ordered: its sort tag, else without leading article. */
export function sortNameOf(value: FieldValue, text: string, options: LibraryOptions): string {
  return value.sortTag ?? moveArticle(text, options.articles);
}

/**
 * The path that the tag of `library.path_field` gives, in components, without an extension of music at its end: the file
 * may have become another format since. Undefined where it gives none, or one of too many parts.
 */
export function pathFieldOf(tags: TrackTags, { pathField }: LibraryOptions): string | undefined {
  if (pathField === '') return undefined;
  const parts = (tags.custom?.[pathField]?.[0] ?? '').split('/').filter((part) => part.trim() !== '');
  const end = /(?<=.)\.([A-Za-z0-9]+)$/.exec(parts.at(-1) ?? '')?.[1];
  const path = parts.join('/');
  if (path === '' || parts.length > libraryLimits.pathFieldParts) return undefined;
  return end !== undefined && musicExtensions.includes(end.toLowerCase())
    ? path.slice(0, -end.length - 1)
    : path;
}

/** The day on which a file was first seen, "2026-03-31", in UTC. */
function addedDate({ addedAtSeconds }: TrackFacts): string | undefined {
  if (addedAtSeconds === undefined || addedAtSeconds === null) return undefined;
  return new Date(addedAtSeconds * 1000).toISOString().slice(0, 10);
}

function trackText(tags: TrackTags): string | undefined {
  if (tags.track === undefined) return tags.trackText;
  return String(tags.track).padStart((tags.trackTotal ?? 0) >= 100 ? 3 : 2, '0');
}

function discText(tags: TrackTags): string {
  return tags.disc?.toString() ?? tags.discText ?? '1';
}

function shownYear({ tags, options }: RenderFacts): number | undefined {
  return options.year === 'original' ? (tags.originalYear ?? tags.year) : tags.year;
}

/** "03 - Song" → "Song"; a stem that is only a number stays. */
function titleFromStem(stem: string): string {
  const title = stem.replace(/^\s*(?:\d{1,2}-)?\d{1,3}(?:\s*[-._)]\s*|\s+)(?=\S)/, '').trim();
  return title === '' ? 'Unknown Track' : title;
}
