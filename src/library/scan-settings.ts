// What a walk of an origin looks for, what it leaves out and how what it finds is read, as configured in section [library].
// It says nothing about places and names, so that a change of it lays nothing out anew: the next scan brings it to the tree.
import { ignoreFileName } from './ignore-rules.ts';
import { isIgnoredName, musicExtensions } from './music-files.ts';
import { playlistFormats } from './playlist.ts';
import { baseNameOf, childPath, extensionOf, type RealPath, rootRealPath } from './real-path.ts';

export interface ScanSettings {
  /** Patterns of gitignore, relative to the root of every origin; see IgnoreOptions. */
  readonly ignore: readonly string[];
  /** The names that storage boxes, desktops and transfers leave behind are left out. */
  readonly ignoreBuiltin: boolean;
  /** Extensions, in lower case and without dot, of files that may be music. */
  readonly extensions: readonly string[];
  /** The same of files that are shown beside the music. */
  readonly sidecars: readonly string[];
  /** The code page of tags that are no Unicode; a name of the WHATWG Encoding standard. */
  readonly legacyCharset: string;
  /** When all origins are scanned without being asked: "03:30", or a cron pattern; "": never. */
  readonly background: string;
}

/** What is not configured of it. */
export interface WalkSettings extends ScanSettings {
  /** Playlists are listed too, whatever the list of sidecars says. */
  readonly wantsPlaylists: boolean;
}

export const defaultScan: ScanSettings = {
  ignore: [],
  ignoreBuiltin: true,
  extensions: musicExtensions,
  sidecars: ['lrc', 'cue', 'jpg', 'jpeg', 'png', 'webp', 'gif', 'pdf', 'log', 'nfo', 'txt'],
  legacyCharset: 'windows-1252',
  background: '',
};

/** Whether that is the name of a code page that can be read. */
export function isCodePage(name: string): boolean {
  try {
    return !new TextDecoder(name).encoding.startsWith('utf-');
  } catch {
    return false;
  }
}

export type WantedKind = 'music' | 'sidecar';

/** Which files of an origin are wanted, told by their names alone. Rules of ignoring are asked by the walk. */
export class WantedFiles {
  private readonly ignoreBuiltin: boolean;
  private readonly music: ReadonlySet<string>;
  private readonly beside: ReadonlySet<string>;

  constructor({ ignoreBuiltin, extensions, sidecars, wantsPlaylists }: WalkSettings) {
    this.ignoreBuiltin = ignoreBuiltin;
    this.music = new Set(extensions);
    this.beside = new Set([...sidecars, ...(wantsPlaylists ? playlistFormats.keys() : [])]);
  }

  /** Whether a listing need show that name (bytes in latin1), if it is no directory: files with rules are wanted too. */
  isWanted(name: string): boolean {
    if (this.ignoreBuiltin && isIgnoredName(name)) return false;
    return name === ignoreFileName || this.kindOf(childPath(rootRealPath, name)) !== null;
  }

  /** null: nobody wants it. Hidden files beside music are some program's notes, and stay out. */
  kindOf(path: RealPath): WantedKind | null {
    const extension = extensionOf(path);
    if (this.music.has(extension)) return 'music';
    return this.beside.has(extension) && !baseNameOf(path).startsWith('.') ? 'sidecar' : null;
  }
}
