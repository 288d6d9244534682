// The settings that decide how tags become names: the part of the configuration that the pure code reads. The
// configuration validates them; here are only their shape and their defaults.
import type { ListField } from './track-tags.ts';

export type NameProfile = 'windows' | 'posix';

/** Whether names that differ in case only are one name. */
export type NameCase = 'merge' | 'sensitive';

/** One more tree over the same files, below a directory of its own. */
export interface ViewOptions {
  /** Name of the directory at the root of the mount. */
  readonly root: string;
  /** Text of a path template, or the name of a preset. */
  readonly template: string;
  /** A file with several values of this field has a place for each; null: one place. */
  readonly each: ListField | null;
}

export interface LibraryOptions {
  /** Which characters and names are made harmless. */
  readonly names: NameProfile;
  readonly case: NameCase;
  /** Further replacements, character → text, applied before the profile's own. */
  readonly replace: Readonly<Record<string, string>>;
  /** Name of the tag that says where a file belongs, instead of the template; "": none does. */
  readonly pathField: string;
  /** UTF-16 units that a path below the root may have; 0: any number. */
  readonly maxPath: number;
  /** Name of the album artist of a compilation. */
  readonly variousArtists: string;
  /** Whether files that do not say whose their album is are judged by their folder (rule aa5). */
  readonly guessCompilations: boolean;
  /** `all`: an album of several album artists is found below each of them as well. */
  readonly multiArtist: 'first' | 'all';
  /** Leading words that sorting moves to the end. */
  readonly articles: readonly string[];
  /** Whether `$year` is the year of this release or of the first one. */
  readonly year: 'release' | 'original';
  /** Delimiters per field that split one value into several. */
  readonly split: Readonly<Partial<Record<ListField, readonly string[]>>>;
  /** Names that are never split. */
  readonly splitKeep: readonly string[];
  /** Top folder of what has no usable tags; "" sends it through the template with the default names. */
  readonly unsorted: string;
  readonly views: readonly ViewOptions[];
  /** Directory of the playlists at the root of the mount; "": they are not shown. */
  readonly playlists: string;
}

export const defaultLibraryOptions: LibraryOptions = {
  names: 'windows',
  case: 'merge',
  replace: {},
  pathField: '',
  maxPath: 0,
  variousArtists: 'Various Artists',
  guessCompilations: true,
  multiArtist: 'first',
  articles: ['The', 'A', 'An'],
  year: 'release',
  split: { genre: [';'] },
  splitKeep: ['AC/DC', 'Simon & Garfunkel', 'Earth, Wind & Fire', 'Crosby, Stills, Nash & Young'],
  unsorted: 'Unsorted',
  views: [],
  playlists: 'Playlists',
};

/** One line of `library.playlist_map`: absolute paths that begin with `from` lie at `to` below the origin's root. */
export interface PlaylistMapping {
  /** `D:\Music`, `/mnt/music`, `//nas/music`; whole parts, compared without regard to case and separators. */
  readonly from: string;
  /** "" is the root. */
  readonly to: string;
}

/** Everything that decides about the names in the tree. */
export interface LibrarySettings {
  /** The text of a path template, or the name of a preset (template.ts). */
  readonly template: string;
  readonly options: LibraryOptions;
  /** Where absolute paths in playlists lie. */
  readonly playlistMap: readonly PlaylistMapping[];
  /** So long a name that went still leads to its file, seconds. */
  readonly pathGraceSeconds: number;
  /** A name that nothing has is looked for without regard to case. */
  readonly caseInsensitive: boolean;
}

export const defaultLibrary: LibrarySettings = {
  template: 'default',
  options: defaultLibraryOptions,
  playlistMap: [],
  pathGraceSeconds: 300,
  caseInsensitive: false,
};
