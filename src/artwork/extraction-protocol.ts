// What the daemon and the extraction process say to each other, in packets as of packets.ts. Pure.
//
//   daemon → process, on its standard input: u32 length, big-endian, then ExtractionQuestion as JSON
//   process → daemon, packets of type 1: u32 length, big-endian, an Answer as JSON, and the bytes of a picture, if any
//
// A file may have got the better of the process: what it says goes through a schema, and is held against the question.
import * as v from 'valibot';
import type { RealPath } from '../library/real-path.ts';
import { limits } from '../platform/limits.ts';
import { PacketViolation, packetOf } from './packets.ts';

const kinds = ['front', 'back', 'other'] as const;

/** A picture in the tags of a file. */
export interface PictureInFile {
  readonly kind: (typeof kinds)[number];
  /** As tagged, which is often wrong. */
  readonly mime: string;
  readonly sizeBytes: number;
  /** SHA-256 in hex. */
  readonly contentHash: string;
}

export interface FileToOpen {
  readonly rootPath: string;
  readonly path: RealPath;
  readonly sizeBytes: number;
  /** Nanoseconds since 1970 in decimal digits; null: a copy, whose time means nothing. */
  readonly mtimeNs: string | null;
}

export type ExtractionQuestion = FileToOpen &
  (
    | { readonly type: 'folder' }
    | {
        readonly type: 'embedded';
        /** Bytes that are there, from the start; the others are a hole. */
        readonly heldBytes: number;
        /** Which picture is to come along: the best of a kind, or the one of a hash. */
        readonly pick: string;
      }
  );

export type ExtractionAnswer =
  | { readonly type: 'picture'; readonly bytes: Uint8Array }
  | {
      readonly type: 'pictures';
      readonly pictures: readonly PictureInFile[];
      /** The one that came along; null when none is as was asked for. */
      readonly picked: { readonly contentHash: string; readonly bytes: Uint8Array } | null;
      /** More of the file would have been looked at than was there. */
      readonly isShort: boolean;
    }
  /** There is no such regular file, or it is another one by now. `code` is an errno name. */
  | { readonly type: 'gone'; readonly code: string }
  /** It is there and cannot be read. */
  | { readonly type: 'unreadable'; readonly code: string }
  /** So is all that lies beside it: its root or its disk is away. */
  | { readonly type: 'away'; readonly code: string };

export function encodeExtraction(question: ExtractionQuestion): Buffer {
  return Buffer.concat(textOf(question));
}

const answerType = 1;

export function encodeExtracted(answer: ExtractionAnswer): Buffer {
  switch (answer.type) {
    case 'picture':
      return packetOf(answerType, ...textOf({ type: answer.type }), answer.bytes);
    case 'pictures': {
      const { picked, ...said } = answer;
      const text = textOf({ ...said, picked: picked?.contentHash ?? null });
      return packetOf(answerType, ...text, ...(picked === null ? [] : [picked.bytes]));
    }
    default:
      return packetOf(answerType, ...textOf(answer));
  }
}

/** With its length. */
function textOf(value: object): [Buffer, Buffer] {
  const text = Buffer.from(JSON.stringify(value));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return [length, text];
}

/** One picture, and what is said about all. */
export const longestExtractedBytes = limits.pictureInputBytes + 256 * 1024;

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const code = v.pipe(v.string(), v.regex(/^E[A-Z0-9]{1,20}$/));
const toldSchema = v.variant('type', [
  v.object({ type: v.literal('picture') }),
  v.object({
    type: v.literal('pictures'),
    pictures: v.pipe(
      v.array(
        v.object({
          kind: v.picklist(kinds),
          mime: v.pipe(v.string(), v.maxLength(64)),
          sizeBytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
          contentHash: hash,
        }),
      ),
      v.maxLength(limits.picturesInFile),
    ),
    picked: v.nullable(hash),
    isShort: v.boolean(),
  }),
  v.object({ type: v.literal('gone'), code }),
  v.object({ type: v.literal('unreadable'), code }),
  v.object({ type: v.literal('away'), code }),
]);

/** Throws PacketViolation. The bytes are memory of their own. */
export function parseExtracted(packet: Buffer, question: ExtractionQuestion): ExtractionAnswer {
  if (packet[0] !== answerType || packet.length < 5) throw new PacketViolation('a message of no known type');
  const textEnd = 5 + packet.readUInt32BE(1);
  if (textEnd > packet.length) throw new PacketViolation('less than it said');
  const told = v.safeParse(toldSchema, jsonOf(packet.subarray(5, textEnd)));
  if (!told.success) throw new PacketViolation('an answer that makes no sense');
  const bytes = Uint8Array.from(packet.subarray(textEnd));
  const { output } = told;
  switch (output.type) {
    case 'picture':
      if (question.type !== 'folder' || bytes.length !== question.sizeBytes)
        throw new PacketViolation('another file than was asked for');
      return { type: 'picture', bytes };
    case 'pictures': {
      const { pictures, picked, isShort } = output;
      if (question.type !== 'embedded') throw new PacketViolation('another file than was asked for');
      const wanted = pictures.find(({ contentHash }) => contentHash === picked);
      if ((wanted?.sizeBytes ?? 0) !== bytes.length || (picked !== null && wanted === undefined))
        throw new PacketViolation('a picture that it does not name');
      return {
        ...{ type: 'pictures', pictures, isShort },
        picked: picked === null ? null : { contentHash: picked, bytes },
      };
    }
    default:
      if (bytes.length > 0) throw new PacketViolation('a picture that nobody asked for');
      return output;
  }
}

function jsonOf(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return null;
  }
}
