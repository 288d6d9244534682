// Keys of an object store as paths, both ways. Pure.
//
// A key is any text; a path has parts that are neither empty nor dots. A key with such parts ("a//b", "../x") is listed
// under an escaped name that leads back to it: an empty part is "%", "." is "%2E", ".." is "%2E%2E". A part that looks
// like one of these by itself gets "25" after its "%" ("%" → "%25", "%25" → "%2525").
import { bytesToText, type RealPath } from '../library/real-path.ts';

const escaped: ReadonlyMap<string, string> = new Map([
  ['', '%'],
  ['.', '%2E'],
  ['..', '%2E%2E'],
]);
const looksEscaped = /^%(25)*(2E|2E%2E)?$/;

/** The prefix of an origin as it stands before each key: "" or with "/" at its end, without one at its start. */
export function normalPrefix(prefix: string | undefined): string {
  const bare = (prefix ?? '').replace(/^\/+/, '').replace(/\/+$/, '');
  return bare === '' ? '' : `${bare}/`;
}

/** The name of one part of a key, as bytes in latin1; undefined for one that no file could have. */
export function nameOfPart(part: string): string | undefined {
  if (part.includes('\0')) return undefined;
  const name = escaped.get(part) ?? (looksEscaped.test(part) ? `%25${part.slice(1)}` : part);
  return Buffer.from(name).toString('latin1');
}

/** The key below the prefix that a path stands for; undefined when there can be none (names that are not UTF-8). */
export function keyOfPath(path: RealPath): string | undefined {
  if (path === '') return '';
  const text = bytesToText(path);
  if (Buffer.from(text).toString('latin1') !== path) return undefined;
  return text.split('/').map(partOfName).join('/');
}

function partOfName(name: string): string {
  if (!looksEscaped.test(name)) return name;
  for (const [part, spelling] of escaped) if (name === spelling) return part;
  return name.startsWith('%25') ? `%${name.slice(3)}` : name;
}
