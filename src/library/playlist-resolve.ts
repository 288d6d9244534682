// Which file of an origin an entry of a playlist means. Playlists were written by other programs on other machines:
// the separators may be Windows', the path absolute on a drive that is long gone, percent-encoded, composed otherwise
// than on the disk, or in another case. All of these are tried, the likeliest first. The caller says what exists.
//
// Never gives a path outside the origin: an entry that climbs above its root means nothing.
import { utf8ByteText } from './byte-text.ts';
import type { PlaylistMapping } from './library-options.ts';
import { foldName } from './names.ts';
import type { PlaylistEntry } from './playlist.ts';
import { bytesToText, type RealPath, realPath, realPathText } from './real-path.ts';

export interface PlaylistLookup<T> {
  find(path: RealPath): T | undefined;
  /** By `foldPath`. Where several files have that key it has to be the same one each time. */
  findFolded(folded: string): T | undefined;
}

/** The key by which paths are the same without regard to case and composition. */
export function foldPath(path: RealPath): string {
  return foldName(realPathText(path));
}

/** The file of an entry in a playlist that lies in `folder`; undefined when there is none. */
export function resolvePlaylistEntry<T>(
  entry: PlaylistEntry,
  folder: RealPath,
  map: readonly PlaylistMapping[],
  lookup: PlaylistLookup<T>,
): T | undefined {
  const written = spellingsOf(entry);
  const depth = ({ from }: PlaylistMapping): number => partsOf(from)?.length ?? 0;
  const longestFirst = [...map].sort((one, other) => depth(other) - depth(one));
  const places: ((spelling: string) => RealPath | undefined)[] = [
    (spelling) => (isAbsolute(spelling) ? undefined : pathBelow(folder, spelling)),
    ...longestFirst.map((mapping) => (spelling: string) => mapped(spelling, mapping)),
  ];
  for (const place of places) {
    const paths = [...new Set(written.map(place))].filter((path) => path !== undefined);
    const found = firstOf(paths, lookup);
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstOf<T>(paths: readonly RealPath[], lookup: PlaylistLookup<T>): T | undefined {
  for (const path of paths) {
    const found = lookup.find(path);
    if (found !== undefined) return found;
  }
  for (const path of paths) {
    const text = realPathText(path);
    for (const form of ['NFC', 'NFD'] as const) {
      const other = realPath(utf8ByteText(text.normalize(form)));
      const found = other === path ? undefined : lookup.find(other);
      if (found !== undefined) return found;
    }
  }
  for (const path of paths) {
    const found = lookup.findFolded(foldPath(path));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** How the path may have been meant, as bytes held as text: as it stands, with "/" for "\", percent-decoded. */
function spellingsOf({ bytes, text }: PlaylistEntry): readonly string[] {
  if (/^file:\//i.test(bytes)) return [pathOfFileUrl(bytes)];
  // The bytes of the playlist may be those of the name, or its text may be the name's.
  const exact = [bytes, utf8ByteText(text)];
  const trimmed = exact.map((spelling) => spelling.replace(/^[ \t]+|[ \t]+$/g, ''));
  const plain = [...exact, ...trimmed];
  const all = [...plain, ...plain.map(withSlashes)];
  return [...new Set([...all, ...all.map(percentDecoded)])];
}

/** `file:///D:/a%20b` → `/D:/a b`; `file://nas/music` → `//nas/music`. */
function pathOfFileUrl(url: string): string {
  const path = url.replace(/^file:(\/\/localhost(?=\/)|\/\/(?=\/))?/i, '');
  return withSlashes(percentDecoded(path));
}

function percentDecoded(bytes: string): string {
  return bytes.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function withSlashes(path: string): string {
  return path.replaceAll('\\', '/');
}

function isAbsolute(path: string): boolean {
  return /^[\\/]|^[a-z]:[\\/]/i.test(path);
}

function mapped(spelling: string, { from, to }: PlaylistMapping): RealPath | undefined {
  const parts = isAbsolute(spelling) ? partsOf(spelling) : undefined;
  const prefix = partsOf(utf8ByteText(from));
  if (parts === undefined || prefix === undefined) return undefined;
  const isBelow = prefix.every((part, index) => sameName(part, parts[index]));
  return isBelow ? pathBelow(utf8ByteText(to), parts.slice(prefix.length).join('/')) : undefined;
}

function sameName(one: string, other: string | undefined): boolean {
  return other !== undefined && foldName(bytesToText(one)) === foldName(bytesToText(other));
}

/** A path from a folder on, both held as bytes; undefined when it leaves the origin, is its root, or is no path. */
function pathBelow(folder: string, path: string): RealPath | undefined {
  const whole = partsOf(`${folder}/${path}`, '/')?.join('/') ?? '';
  return whole === '' || whole.includes('\0') ? undefined : realPath(whole);
}

/** The parts of a path, ".." taken as the way up; undefined when it climbs above where it began. */
function partsOf(path: string, separator: string | RegExp = /[\\/]/): readonly string[] | undefined {
  const parts: string[] = [];
  for (const part of path.split(separator)) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}
