// The path of a file on its origin, exactly as the origin's file system spells it.
//
// A name on Linux is bytes, not text: it may be in any encoding or in none. A RealPath keeps those bytes in a string,
// one character (U+0001 to U+00FF) per byte, so that it compares, sorts and works as a key like any string and gives
// the same bytes back (`Buffer.from(path, 'latin1')`). It is relative to the origin's root, parts joined by "/",
// without "/" at either end; the root itself is "". Never show one to a person: use `realPathText`.

declare const realPathBrand: unique symbol;

/** Bytes of a path below an origin's root, one character a byte. */
export type RealPath = string & { readonly [realPathBrand]: true };

/** The root of an origin. */
export const rootRealPath = '' as RealPath;

/**
 * Checks a string that came over an edge (database, message) and brands it. Throws RangeError on a character above
 * one byte, a NUL, an empty part, "." or "..".
 */
export function realPath(bytesAsText: string): RealPath {
  if (bytesAsText !== '') {
    for (const part of bytesAsText.split('/')) {
      if (part === '' || part === '.' || part === '..')
        throw new RangeError('real path with an empty or dot part');
    }
    if (/[^\u0001-\u00ff]/.test(bytesAsText))
      throw new RangeError('real path holds something that is no byte');
  }
  return bytesAsText as RealPath;
}

/** The path with one more part, given as bytes in latin1. The part is trusted to be one name of a listing. */
export function childPath(directory: RealPath, nameBytes: string): RealPath {
  return (directory === '' ? nameBytes : `${directory}/${nameBytes}`) as RealPath;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text of latin1-held bytes: UTF-8, each invalid byte sequence shown as U+FFFD. */
export function bytesToText(bytesAsText: string): string {
  // Most paths are plain ASCII, which needs no decoding.
  if (!/[\u0080-\u00ff]/.test(bytesAsText)) return bytesAsText;
  const bytes = new Uint8Array(bytesAsText.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = bytesAsText.charCodeAt(at);
  return utf8.decode(bytes);
}

/** The path as people read it. Not reversible for names that are not UTF-8. */
export function realPathText(path: RealPath): string {
  return bytesToText(path);
}

/** The last part, as bytes. */
export function baseNameOf(path: RealPath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The folder that holds the path; the root's parent is the root. */
export function parentOf(path: RealPath): RealPath {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0)) as RealPath;
}

/** The extension in lower case without its dot, as text; "" when there is none (".hidden" has none). */
export function extensionOf(path: RealPath): string {
  const name = baseNameOf(path);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : bytesToText(name.slice(dot + 1)).toLowerCase();
}

/** The last part without extension, as text. */
export function stemOf(path: RealPath): string {
  const name = baseNameOf(path);
  const dot = name.lastIndexOf('.');
  return bytesToText(dot <= 0 ? name : name.slice(0, dot));
}
