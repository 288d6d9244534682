// What the parser pool answers for one file, and the line in which a child tells it.
//
// A child is hostile once it has met a hostile file: each of its lines goes through `childResultSchema`, and the path
// of an outcome is the one that the parent asked for, never one that a child names.
import * as v from 'valibot';
import type { RealPath } from '../library/real-path.ts';
import { flagFields, listFields, numberFields, type TrackTags, textFields } from '../library/track-tags.ts';
import type { HeldRange } from './bounded-reader.ts';
import { parserLimits } from './parser-limits.ts';

export type ParseOutcome =
  | {
      readonly type: 'parsed';
      readonly path: RealPath;
      readonly sizeBytes: number;
      /** Nanoseconds since 1970 in decimal digits. */
      readonly mtimeNs: string;
      readonly tags: TrackTags;
      /** 16 hex digits over the audio, tags left out. */
      readonly audioFp: string;
      /** 16 hex digits over the start and the end of the whole file; null unless it was asked for. */
      readonly fileFp: string | null;
      readonly state: 'ok' | 'untagged';
    }
  | {
      readonly type: 'failed';
      readonly path: RealPath;
      readonly sizeBytes: number;
      readonly mtimeNs: string;
      readonly reason: string;
      readonly audioFp: string | null;
    }
  /** A container that holds moving pictures. */
  | { readonly type: 'not-music'; readonly path: RealPath }
  /** The name is gone, or no longer a regular file. `code` is an errno name. */
  | { readonly type: 'vanished'; readonly path: RealPath; readonly code: string }
  /** Only parts of the file were there, and the tags go on elsewhere. */
  | {
      readonly type: 'needs';
      readonly path: RealPath;
      readonly offset: number;
      readonly lengthBytes: number;
    };

/** An outcome without its path, with what was read for it. */
export type ChildResult = ReadTotals &
  (
    | Omit<Extract<ParseOutcome, { type: 'parsed' }>, 'path'>
    | Omit<Extract<ParseOutcome, { type: 'failed' }>, 'path'>
    | Omit<Extract<ParseOutcome, { type: 'not-music' }>, 'path'>
    | Omit<Extract<ParseOutcome, { type: 'vanished' }>, 'path'>
    | Omit<Extract<ParseOutcome, { type: 'needs' }>, 'path'>
  );

interface ReadTotals {
  readonly tagBytes: number;
  readonly fingerprintBytes: number;
  readonly requests: number;
}

/** What the parent asks of a child, one JSON line. */
export interface ChildBatch {
  readonly rootPath: string;
  readonly files: readonly RealPath[];
  /** What of each file is there; null: all of it. */
  readonly held: readonly (readonly HeldRange[] | null)[];
  readonly wantsFileFp: boolean;
  readonly legacyCharset: string;
  /** False: size, time and content identity only. */
  readonly wantsTags: boolean;
  /** Failpoints to arm, empty unless they are on. */
  readonly failpoints: readonly string[];
}

/** The first line of a child: it has started and waits for work. */
export const childReady = 'ready';

/** Start of the one line that answers a batch whose root cannot be opened; an errno name follows. */
export const rootUnavailable = 'root-unavailable ';

const text = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength));
const texts = v.pipe(v.array(text(parserLimits.valueBytes)), v.maxLength(parserLimits.values));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const finite = v.pipe(v.number(), v.finite());

const optionalOf = <const Field extends string, Schema extends v.GenericSchema>(
  fields: readonly Field[],
  schema: (field: Field) => Schema,
): Record<Field, v.OptionalSchema<Schema, undefined>> =>
  Object.fromEntries(fields.map((field) => [field, v.optional(schema(field))])) as Record<
    Field,
    v.OptionalSchema<Schema, undefined>
  >;

const tagsSchema = v.object({
  ...optionalOf(textFields, (field) =>
    text(field === 'lyrics' ? parserLimits.lyricsBytes : parserLimits.valueBytes),
  ),
  ...optionalOf(listFields, () => texts),
  ...optionalOf(numberFields, () => finite),
  ...optionalOf(flagFields, () => v.boolean()),
  custom: v.optional(
    v.pipe(
      v.record(text(parserLimits.valueBytes), texts),
      v.check((custom) => Object.keys(custom).length <= parserLimits.customKeys),
    ),
  ),
});

const totals = { tagBytes: count, fingerprintBytes: count, requests: count };
const file = { sizeBytes: count, mtimeNs: v.pipe(v.string(), v.regex(/^-?\d{1,20}$/)) };
const fingerprint = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/));

const childResultSchema = v.variant('type', [
  v.object({
    type: v.literal('parsed'),
    ...file,
    tags: tagsSchema,
    audioFp: fingerprint,
    fileFp: v.nullable(fingerprint),
    state: v.picklist(['ok', 'untagged']),
    ...totals,
  }),
  v.object({
    type: v.literal('failed'),
    ...file,
    reason: text(1000),
    audioFp: v.nullable(fingerprint),
    ...totals,
  }),
  v.object({ type: v.literal('not-music'), ...totals }),
  v.object({ type: v.literal('needs'), offset: count, lengthBytes: count, ...totals }),
  v.object({
    type: v.literal('vanished'),
    code: v.pipe(v.string(), v.regex(/^E[A-Z0-9]{1,20}$/)),
    ...totals,
  }),
]);

/** The result in one line of a child, or null when the line is none. */
export function parseChildLine(line: string): ChildResult | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const result = v.safeParse(childResultSchema, value);
  // The schema leaves absent fields absent; only its type says that they may be there as undefined.
  return result.success ? (result.output as ChildResult) : null;
}
