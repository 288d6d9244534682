// The extended attributes of a file: where it comes from (`user.musicfs.`) and what its tags say (`user.tag.`). Pure.
import type { TrackRow } from '../catalog/tree-reader.ts';
import type { TrackTags } from '../library/track-tags.ts';
import type { FileHolding } from './content.ts';

export const ownPrefix = 'user.musicfs.';
export const tagPrefix = 'user.tag.';
/** The kernel's bounds (XATTR_SIZE_MAX, XATTR_NAME_MAX): what is larger is not listed and not answered. */
const longestValueBytes = 65_536;
const longestNameBytes = 255;

export interface DescribedNode {
  readonly id: number;
  readonly version: number;
  /** Null for directories. */
  readonly track: TrackRow | null;
  /** Where its bytes are; null: on the one origin that it is of. */
  readonly holding: FileHolding | null;
}

/** Every attribute of a node by its whole name, in the order they are listed. */
export function xattrsOf({ id, version, track, holding }: DescribedNode): Map<string, Buffer> {
  const values = new Map<string, Buffer>();
  const add = (name: string, value: string | Buffer) => {
    const bytes = Buffer.from(value);
    if (bytes.length <= longestValueBytes && Buffer.byteLength(name) <= longestNameBytes)
      values.set(name, bytes);
  };
  add(`${ownPrefix}id`, String(id));
  if (track === null) return values;
  add(`${ownPrefix}version`, String(version));
  add(`${ownPrefix}origin`, track.originName);
  add(`${ownPrefix}real_path`, track.realPath);
  add(`${ownPrefix}served_by`, holding?.servedBy ?? track.originName);
  add(`${ownPrefix}locations`, holding?.holders.join('\0') ?? track.originName);
  if (holding !== null && holding.keptShare !== null) add(`${ownPrefix}cached`, String(holding.keptShare));
  add(`${ownPrefix}state`, track.state);
  add(`${ownPrefix}why`, track.why);
  add(`${ownPrefix}overlay`, 'none');
  if (track.audioFp !== null) add(`${ownPrefix}audio_fp`, track.audioFp);
  for (const [name, value] of tagsOf(track.tags)) add(`${tagPrefix}${name}`, value);
  return values;
}

/** Field → value as text; lists joined by NUL, flags as 1 and 0, custom fields as custom.<KEY>. */
function* tagsOf(tags: TrackTags): Iterable<[string, string]> {
  for (const [field, value] of Object.entries(tags)) {
    if (field === 'custom') {
      for (const [key, texts] of Object.entries(tags.custom ?? {})) yield [`custom.${key}`, texts.join('\0')];
    } else yield [snakeCase(field), textOf(value as TagValue)];
  }
}

type TagValue = string | number | boolean | readonly string[];

function textOf(value: TagValue): string {
  if (typeof value === 'object') return value.join('\0');
  return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
}

/** `albumArtist` → `album_artist`, as the fields are called everywhere outside the code. */
function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
