// Playlists of origins as the mount shows them: entries become paths of the tree. Called by the look thread, with the
// bytes of the playlists; reads the catalog, changes nothing.
import type Database from 'better-sqlite3';
import { withSuffix } from '../library/collisions.ts';
import type { LibraryOptions, PlaylistMapping } from '../library/library-options.ts';
import { cleanName, foldName } from '../library/names.ts';
import { type Playlist, parsePlaylist, playlistFormats } from '../library/playlist.ts';
import { type PlaylistLine, renderPlaylist } from '../library/playlist-render.ts';
import { foldPath, type PlaylistLookup, resolvePlaylistEntry } from '../library/playlist-resolve.ts';
import {
  baseNameOf,
  bytesToText,
  extensionOf,
  parentOf,
  type RealPath,
  rootRealPath,
} from '../library/real-path.ts';
import type { TrackTags } from '../library/track-tags.ts';
import { TrackFolders } from './track-folders.ts';
import { TreePaths } from './tree-paths.ts';

export interface PlaylistSource {
  readonly originName: string;
  /** Where the origin lies: absolute paths below it are meant as paths of the origin. */
  readonly originRoot: string;
  readonly path: RealPath;
  readonly bytes: Uint8Array;
}

export interface RenderedPlaylist {
  /** In the directory of playlists; no two are the same but for case. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface PlaylistOptions {
  readonly library: LibraryOptions;
  readonly map: readonly PlaylistMapping[];
  readonly hash: (text: string) => string;
}

const mostInFolder = 50_000;
const mostFoldersKept = 2_000;

/** Those that say more than one album: a list that lies in the folder of its one album is left out. */
export function renderPlaylists(
  database: Database.Database,
  sources: readonly PlaylistSource[],
  { library, map, hash }: PlaylistOptions,
): RenderedPlaylist[] {
  const paths = new TreePaths(database);
  const tagsOf = database.prepare<unknown[], string>('SELECT tags FROM tracks WHERE node = ?').pluck();
  const taken = new Set<string>();
  const rendered: RenderedPlaylist[] = [];
  const folder = [cleanName(library.playlists, library)];
  for (const { originName, originRoot, path, bytes } of sources) {
    const playlist = parsePlaylist(bytes, playlistFormats.get(extensionOf(path)) ?? 'm3u');
    const lookup = new OriginLookup(database, originName);
    const own: PlaylistMapping = { from: originRoot, to: '' };
    const mappings = originRoot.startsWith('/') ? [own, ...map] : map;
    const lines = playlist.entries.map((entry): PlaylistLine & { directory?: string } => {
      const node = resolvePlaylistEntry(entry, parentOf(path), mappings, lookup);
      const listed = node === undefined ? null : paths.of(node);
      if (node === undefined || listed === null) return { type: 'missing', text: entry.text };
      const { title, artist, artists, durationMs } = JSON.parse(tagsOf.get(node) ?? '{}') as TrackTags; // written by TrackRows
      const seconds = durationMs === undefined ? entry.seconds : durationMs / 1000;
      const by = artist ?? artists?.[0];
      return {
        type: 'track',
        path: listed.split('/'),
        directory: listed.slice(0, listed.lastIndexOf('/')),
        ...(seconds === undefined ? {} : { seconds }),
        ...(by === undefined ? {} : { artist: by }),
        ...((title ?? entry.title) === undefined ? {} : { title: title ?? entry.title }),
      };
    });
    if (isOfOneAlbum(playlist, lines)) continue;
    const wished = nameOf(path, library);
    const name = taken.has(foldName(wished)) ? withSuffix(wished, hash(`${originName}/${path}`), 6) : wished;
    taken.add(foldName(name));
    rendered.push({ name, bytes: renderPlaylist(lines, folder) });
  }
  return rendered;
}

/** All that was found lies in one directory, and the list speaks of files beside itself only. */
function isOfOneAlbum(playlist: Playlist, lines: readonly { readonly directory?: string }[]): boolean {
  const directories = new Set(lines.flatMap(({ directory }) => directory ?? []));
  return directories.size <= 1 && playlist.entries.every(({ bytes }) => !/[\\/]/.test(bytes));
}

function nameOf(path: RealPath, library: LibraryOptions): string {
  const name = bytesToText(baseNameOf(path));
  const stem = name.slice(0, -extensionOf(path).length - 1);
  return cleanName(`${stem}.m3u8`, library, '.m3u8');
}

/** Finds the tracks of one origin by their real paths. */
class OriginLookup implements PlaylistLookup<number> {
  private readonly origin: number;
  private readonly exact;
  private readonly folders: TrackFolders;
  private readonly known = new Map<RealPath, ReadonlyMap<string, RealPath | number>>();

  constructor(database: Database.Database, originName: string) {
    this.origin =
      database.prepare<unknown[], number>('SELECT id FROM origins WHERE name = ?').pluck().get(originName) ??
      0;
    this.exact = database
      .prepare<unknown[], number>(
        "SELECT node FROM tracks WHERE origin = ? AND real_path = ? AND removed_at IS NULL AND state <> 'sidecar'",
      )
      .pluck();
    this.folders = new TrackFolders(database);
  }

  find(path: RealPath): number | undefined {
    return this.exact.get(this.origin, Buffer.from(path, 'latin1'));
  }

  findFolded(folded: string): number | undefined {
    let at: RealPath = rootRealPath;
    const parts = folded.split('/');
    for (const [index] of parts.entries()) {
      const found = this.childrenOf(at).get(parts.slice(0, index + 1).join('/'));
      if (typeof found === 'number') return index === parts.length - 1 ? found : undefined;
      if (found === undefined) return undefined;
      at = found;
    }
    return undefined;
  }

  /** Folders and the nodes of tracks in a folder, by their folded paths. Of several the first. */
  private childrenOf(folder: RealPath): ReadonlyMap<string, RealPath | number> {
    const known = this.known.get(folder);
    if (known !== undefined) return known;
    const { tracks, folders } = this.folders.look(this.origin, folder, mostInFolder);
    const children = new Map<string, RealPath | number>();
    for (const path of folders) if (!children.has(foldPath(path))) children.set(foldPath(path), path);
    for (const { path, node } of tracks)
      if (!children.has(foldPath(path))) children.set(foldPath(path), node);
    if (this.known.size >= mostFoldersKept) this.known.clear();
    this.known.set(folder, children);
    return children;
  }
}
