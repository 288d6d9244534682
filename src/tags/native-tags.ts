// Turns the native tags that music-metadata found into TrackTags. The native ones, as its own common view joins
// several artists into one string and splits "AC/DC" in two.
//
// Per field, the first family that says anything gives all of its values; families are asked in the order below.
import { cutToBytes, utf8Length } from '../library/names.ts';
import { cleanText } from '../library/tag-text.ts';
import type { TrackTags } from '../library/track-tags.ts';
import { parserLimits } from './parser-limits.ts';
import { assembleTags, type RawTags } from './raw-tags.ts';
import { creditRoles, freeFormNames, id3Frames, otherNames, type RawField } from './tag-names.ts';

export interface NativeTag {
  readonly id: string;
  readonly value: unknown;
}

/** Tag family ("vorbis", "ID3v2.3", "iTunes", …) → its tags in file order. */
export type NativeTags = Readonly<Record<string, readonly NativeTag[]>>;

/** Families by trust. ID3v1 comes last: it cuts everything at 30 characters. */
const familyOrder = [
  'vorbis',
  'iTunes',
  'asf',
  'matroska',
  'ID3v2.4',
  'ID3v2.3',
  'ID3v2.2',
  'APEv2',
  'exif',
  'AIFF',
  'ID3v1',
];

/**
 * The tags of one file. `isApeCarrier`: APEv2 is the container's own tag, and ID3v2 in front of it is not.
 * `nulSeparated` names the ID3v2.2/2.3 frames whose values were separated by NUL rather than by "/". `meant` gives the text
 * that was meant by one of a family that declares ISO 8859-1.
 */
export function mapNativeTags(
  native: NativeTags,
  isApeCarrier: boolean,
  nulSeparated: ReadonlySet<string>,
  meant: (text: string) => string,
): TrackTags {
  const order = isApeCarrier ? ['APEv2', ...familyOrder.filter((family) => family !== 'APEv2')] : familyOrder;
  const budget = { values: parserLimits.values, bytes: parserLimits.textBytes };
  const merged: RawTags = { fields: new Map(), custom: new Map() };
  for (const family of order) {
    const tags = native[family];
    if (tags === undefined) continue;
    const raw = readFamily(family, isOldId3(family) ? rejoin(tags, nulSeparated) : tags, meant, budget);
    for (const [field, values] of raw.fields) if (!merged.fields.has(field)) merged.fields.set(field, values);
    for (const [key, values] of raw.custom) {
      if (!merged.custom.has(key) && merged.custom.size < parserLimits.customKeys)
        merged.custom.set(key, values);
    }
  }
  return assembleTags(merged);
}

function isOldId3(family: string): boolean {
  return family === 'ID3v2.3' || family === 'ID3v2.2';
}

/** Frames that the parser cuts at "/" in ID3v2.2 and 2.3. */
const slashSplit = /^(?:TPE[1-4]|TCOM|TEXT|TOLY|TOPE|TP1|TCM|TXT|TOA|TOL|TSRC|TXXX(?::.*)?)$/;

/** Puts the pieces of one frame together again: the slash of "AC/DC" is no separator until the user says so. */
function rejoin(tags: readonly NativeTag[], nulSeparated: ReadonlySet<string>): readonly NativeTag[] {
  const joined: { id: string; value: unknown }[] = [];
  for (const tag of tags) {
    const last = joined.at(-1);
    const frame = tag.id.split(':', 1)[0] ?? tag.id;
    const belongs =
      last?.id === tag.id &&
      slashSplit.test(tag.id) &&
      !nulSeparated.has(frame) &&
      typeof tag.value === 'string' &&
      typeof last.value === 'string';
    if (belongs) last.value = `${String(last.value)}/${String(tag.value)}`;
    else joined.push({ ...tag });
  }
  return joined;
}

function readFamily(
  family: string,
  tags: readonly NativeTag[],
  meant: (text: string) => string,
  budget: { values: number; bytes: number },
): RawTags {
  const raw: RawTags = { fields: new Map(), custom: new Map() };
  const isByteText = family.startsWith('ID3') || family === 'exif' || family === 'AIFF';
  for (const { id, value } of tags) {
    const { field, key } = nameOf(family, id);
    if (field === 'ignored') continue;
    if (field === 'credits') {
      addCredits(raw.fields, value, meant, budget);
      continue;
    }
    const text = textOf(field, value);
    if (text === undefined) continue;
    const decoded = isByteText ? meant(text) : text;
    const isIdFrame = id === 'UFID' || id === 'UFI';
    const named = isIdFrame ? 'mbRecordingId' : field;
    if (named !== null) add<RawField>(raw.fields, named, decoded, maxBytesOf(field), budget);
    else if (typeof value === 'string' && (raw.custom.has(key) || raw.custom.size < parserLimits.customKeys))
      // Further ones would only use up what the names behind them need.
      add(raw.custom, key, decoded, parserLimits.customValueBytes, budget);
  }
  return raw;
}

/** The field a native tag feeds, or null and the name under which it is kept as a custom tag. */
function nameOf(family: string, id: string): { field: RawField | null; key: string } {
  const lookUp = (names: Readonly<Record<string, RawField>>, name: string): RawField | null =>
    Object.hasOwn(names, name) ? (names[name] ?? null) : null;
  const freeForm = (key: string) => ({
    field: lookUp(freeFormNames, key.toUpperCase().replace(/[\s_/-]/g, '')),
    key: key.toUpperCase(),
  });
  switch (family) {
    case 'vorbis':
    case 'APEv2':
      return freeForm(id);
    case 'asf':
      return freeForm(id.replace(/^WM\//, ''));
    case 'iTunes': {
      const match = /^----:[^:]*:(.*)$/s.exec(id);
      return match === null
        ? { field: lookUp(otherNames, id), key: id.toUpperCase() }
        : freeForm(match[1] ?? '');
    }
    case 'ID3v2.2':
    case 'ID3v2.3':
    case 'ID3v2.4': {
      const match = /^(?:TXXX|TXX):(.*)$/s.exec(id);
      return match === null
        ? { field: lookUp(id3Frames, id), key: id.toUpperCase() }
        : freeForm(match[1] ?? '');
    }
    case 'matroska': {
      const field = lookUp(otherNames, id);
      return field === null ? freeForm(id.replace(/^[^:]*:/, '')) : { field, key: id };
    }
    default:
      return { field: lookUp(otherNames, id), key: id.toUpperCase() };
  }
}

/** The text of a native value; undefined for pictures and other binary ones. */
function textOf(field: RawField | null, value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value !== 'object' || value === null) return undefined;
  if ('owner_identifier' in value && 'identifier' in value) {
    const { owner_identifier: owner, identifier } = value;
    if (owner !== 'http://musicbrainz.org' || !(identifier instanceof Uint8Array)) return undefined;
    return Buffer.from(identifier).toString('latin1');
  }
  if (!('text' in value) || typeof value.text !== 'string') return undefined;
  // A comment with a description is a program's note to itself.
  const isNote = 'descriptor' in value && typeof value.descriptor === 'string' && value.descriptor !== '';
  return field === 'comment' && isNote ? undefined : value.text;
}

function addCredits(
  fields: Map<RawField, string[]>,
  value: unknown,
  meant: (text: string) => string,
  budget: { values: number; bytes: number },
): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [role, names] of Object.entries(value)) {
    const field = creditRoles[role.toLowerCase()] ?? (role.toLowerCase() === 'mix' ? null : 'performer');
    if (field === null || !Array.isArray(names)) continue;
    for (const name of names) {
      if (typeof name === 'string') add(fields, field, meant(name), parserLimits.valueBytes, budget);
    }
  }
}

function maxBytesOf(field: RawField | null): number {
  return field === 'lyrics' ? parserLimits.lyricsBytes : parserLimits.valueBytes;
}

function add<Key>(
  into: Map<Key, string[]>,
  key: Key,
  value: string,
  maxBytes: number,
  budget: { values: number; bytes: number },
): void {
  if (budget.values <= 0) return;
  const text = cleanText(cutToBytes(value, maxBytes));
  if (text === undefined) return;
  const bytes = utf8Length(text);
  if (bytes > budget.bytes) return;
  budget.values -= 1;
  budget.bytes -= bytes;
  const values = into.get(key);
  if (values === undefined) into.set(key, [text]);
  else values.push(text);
}
