// Section [library] of the configuration: how tags become names, and which files a scan is about.
import * as v from 'valibot';
import { libraryLimits } from '../library/library-limits.ts';
import { defaultLibrary, type LibraryOptions, type LibrarySettings } from '../library/library-options.ts';
import { foldName } from '../library/names.ts';
import { defaultScan, isCodePage, type ScanSettings } from '../library/scan-settings.ts';
import { parseTemplate } from '../library/template.ts';
import { type ListField, listFields } from '../library/track-tags.ts';
import { problemOfSchedule } from '../platform/schedule.ts';

/** Each costs a name for every file. */
const mostViews = 16;

const snakeCase = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const fieldOf = new Map<string, ListField>(listFields.map((field) => [snakeCase(field), field]));

const isTemplate = v.rawCheck<string>(({ dataset, addIssue }) => {
  if (!dataset.typed) return;
  const result = parseTemplate(dataset.value);
  if (result.type === 'refused') addIssue({ message: `column ${result.column}: ${result.reason}` });
});

const isDelimiters = v.array(v.pipe(v.string(), v.nonEmpty('a delimiter needs a character')));

const isSplit = v.rawCheck<Record<string, string[]>>(({ dataset, addIssue }) => {
  if (!dataset.typed) return;
  for (const name of Object.keys(dataset.value)) {
    if (name === 'keep' || fieldOf.has(name)) continue;
    addIssue({
      message: `${name} is no field that may have several values: ${[...fieldOf.keys()].join(', ')}`,
    });
  }
});

const oneCharacter = v.check<string, string>(
  (text) => [...text].length === 1,
  'what is replaced is one character',
);
const noSlash = v.check<string, string>((text) => !text.includes('/'), 'a name has no "/"');

const isListField = v.rawCheck<string>(({ dataset, addIssue }) => {
  if (!dataset.typed || fieldOf.has(dataset.value)) return;
  addIssue({
    message: `${dataset.value} is no field that may have several values: ${[...fieldOf.keys()].join(', ')}`,
  });
});

const rootName = v.pipe(v.string(), v.nonEmpty('it needs a name'), noSlash);

const viewEntry = v.strictObject({
  root: rootName,
  template: v.pipe(v.string(), isTemplate),
  each: v.optional(v.pipe(v.string(), isListField)),
});

const distinctRoots = v.check<v.InferOutput<typeof viewEntry>[], string>(
  (views) => new Set(views.map(({ root }) => foldName(root))).size === views.length,
  'two views have the same root',
);

const utf8 = new TextEncoder();
const ignorePattern = v.pipe(
  v.string(),
  v.nonEmpty('a pattern needs a character'),
  v.regex(/^[^\0\r\n]*$/, 'a pattern is one line'),
  v.check((text) => utf8.encode(text).length <= libraryLimits.ignoreLineBytes, 'that pattern is too long'),
);
const extensionList = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.toLowerCase(),
      v.regex(/^[a-z0-9]{1,16}$/, 'an extension is 1 to 16 of a-z and 0-9, without a dot'),
    ),
  ),
  v.maxLength(100, 'too many extensions'),
);
const tagName = v.pipe(v.string(), v.toUpperCase(), v.maxLength(100, 'no tag has such a long name'));
/** Shorter, and hardly a name would be left whole. */
const shortestMaxPath = 60;
const maxPath = v.pipe(
  v.number(),
  v.integer(),
  v.check((units) => units === 0 || units >= shortestMaxPath, `0, or ${shortestMaxPath} and more`),
  v.maxValue(4096),
);

const schedule = v.pipe(
  v.string(),
  v.rawCheck<string>(({ dataset, addIssue }) => {
    if (!dataset.typed || dataset.value === '') return;
    const problem = problemOfSchedule(dataset.value);
    if (problem !== null) addIssue({ message: problem });
  }),
);

const libraryObject = v.strictObject({
  template: v.optional(v.pipe(v.string(), isTemplate)),
  names: v.optional(v.picklist(['windows', 'posix'])),
  case: v.optional(v.picklist(['merge', 'sensitive'])),
  case_insensitive: v.optional(v.boolean()),
  path_field: v.optional(tagName),
  max_path: v.optional(maxPath),
  replace: v.optional(v.record(v.pipe(v.string(), oneCharacter), v.pipe(v.string(), noSlash))),
  various_artists: v.optional(v.pipe(v.string(), v.nonEmpty('it needs a name'))),
  guess_compilations: v.optional(v.boolean()),
  multi_artist: v.optional(v.picklist(['first', 'all'])),
  articles: v.optional(v.array(v.string())),
  year: v.optional(v.picklist(['release', 'original'])),
  split: v.optional(v.pipe(v.record(v.string(), isDelimiters), isSplit)),
  unsorted: v.optional(v.pipe(v.string(), noSlash)),
  path_grace: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400))),
  playlists: v.optional(v.pipe(v.string(), noSlash)),
  playlist_map: v.optional(
    v.pipe(v.record(v.pipe(v.string(), v.nonEmpty('it needs a path')), v.string()), v.maxEntries(100)),
  ),
  views: v.optional(
    v.pipe(v.array(viewEntry), v.maxLength(mostViews, `at most ${mostViews} views`), distinctRoots),
  ),
  ignore: v.optional(
    v.pipe(v.array(ignorePattern), v.maxLength(libraryLimits.ignorePatterns, 'too many patterns')),
  ),
  ignore_builtin: v.optional(v.boolean()),
  extensions: v.optional(v.pipe(extensionList, v.nonEmpty('without an extension there is no music'))),
  sidecars: v.optional(extensionList),
  refresh: v.optional(v.strictObject({ background: v.optional(schedule) })),
  legacy_charset: v.optional(
    v.pipe(
      v.string(),
      v.check(isCodePage, 'no code page of that name is known; windows-1251, shift_jis and gbk are some'),
    ),
  ),
});

type LibraryEntry = v.InferOutput<typeof libraryObject>;

export const libraryEntry = v.pipe(
  libraryObject,
  v.forward(
    v.check<LibraryEntry, string>((entry) => {
      const { extensions, sidecars } = scanSettingsOf(entry);
      return !sidecars.some((each) => extensions.includes(each));
    }, 'files with one of these extensions are music'),
    ['sidecars'],
  ),
);

/** The part of it that belongs to scans: no name depends on it. */
export function scanSettingsOf(entry: LibraryEntry = {}): ScanSettings {
  return {
    ignore: entry.ignore ?? defaultScan.ignore,
    ignoreBuiltin: entry.ignore_builtin ?? defaultScan.ignoreBuiltin,
    extensions: entry.extensions ?? defaultScan.extensions,
    sidecars: entry.sidecars ?? defaultScan.sidecars,
    legacyCharset: entry.legacy_charset ?? defaultScan.legacyCharset,
    background: entry.refresh?.background ?? defaultScan.background,
  };
}

/** What is left out has its default. */
export function librarySettingsOf(entry: LibraryEntry = {}): LibrarySettings {
  const { options } = defaultLibrary;
  const { keep, ...split } = entry.split ?? {};
  const given: { -readonly [K in keyof LibraryOptions]?: LibraryOptions[K] | undefined } = {
    names: entry.names,
    case: entry.case,
    pathField: entry.path_field,
    maxPath: entry.max_path,
    replace: entry.replace,
    variousArtists: entry.various_artists,
    articles: entry.articles,
    year: entry.year,
    guessCompilations: entry.guess_compilations,
    multiArtist: entry.multi_artist,
    split:
      entry.split === undefined
        ? undefined
        : {
            ...options.split,
            ...Object.fromEntries(Object.entries(split).map(([name, list]) => [fieldOf.get(name), list])),
          },
    splitKeep: keep,
    unsorted: entry.unsorted,
    playlists: entry.playlists,
    views: entry.views?.map(({ root, template, each }) => ({
      root,
      template,
      each: each === undefined ? null : (fieldOf.get(each) ?? null),
    })),
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    template: entry.template ?? defaultLibrary.template,
    options: { ...options, ...set },
    pathGraceSeconds: entry.path_grace ?? defaultLibrary.pathGraceSeconds,
    caseInsensitive: entry.case_insensitive ?? defaultLibrary.caseInsensitive,
    playlistMap: Object.entries(entry.playlist_map ?? {}).map(([from, to]) => ({ from, to })),
  };
}
