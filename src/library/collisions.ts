// Two files that would carry one name in one directory: the later one gets a mark made of its own content, so that the
// name does not depend on the order in which files were found.
import { cutToBytes, endOf, nameMaxBytes, utf8Length } from './names.ts';

/**
 * `01 - Title.flac` → `01 - Title ~3fa9c1.flac`. `identityHex` is the content identity in hex, of which the first
 * `digits` are shown (6, and 8, 12 or 16 while those clash as well). At most 255 bytes; the extension stays whole.
 */
export function withSuffix(name: string, identityHex: string, digits: number): string {
  const extension = endOf(name);
  const stem = name.slice(0, name.length - extension.length);
  const mark = ` ~${identityHex.slice(0, digits)}`;
  const room = nameMaxBytes - utf8Length(mark) - utf8Length(extension);
  return `${cutToBytes(stem, room).trimEnd()}${mark}${extension}`;
}
