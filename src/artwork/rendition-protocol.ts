// What the daemon and the picture process say to each other, in packets as of packets.ts. Pure. Numbers are unsigned and
// big-endian.
//
//   daemon → process, on its standard input, one question at a time:
//     u32 length of the picture, u8 wanted sizes (bit 0 full, bit 1 medium, bit 2 thumb), the picture
//   process → daemon, on its descriptor 3, packets
//     1 made          for each wanted size, in the order above: u32 length, a JPEG. A `full` of length 0 is the question's
//                     own bytes: they are a JPEG that can be decoded
//     2 too large     a reason for people, UTF-8
//     3 not decodable a reason for people, UTF-8
//
// What the process says is checked here, as a picture may have got the better of it.
import { limits } from '../platform/limits.ts';
import { PacketViolation, packetOf } from './packets.ts';

/** In the order of the protocol. `medium` fits 300 pixels, `thumb` 150. */
export const renditionSizes = ['full', 'medium', 'thumb'] as const;

export type RenditionSize = (typeof renditionSizes)[number];

export type RenditionAnswer =
  | { readonly type: 'made'; readonly renditions: ReadonlyMap<RenditionSize, Uint8Array> }
  | { readonly type: 'too-large' | 'not-decodable'; readonly reason: string };

export const questionHeadBytes = 5;

/** Three pictures with their lengths, of which two are small. */
export const longestAnswerBytes = limits.renditionBytes + 2 * 1024 * 1024;

/** Characters of a reason. */
const longestReason = 300;

export function encodeQuestionHead(pictureBytes: number, sizes: ReadonlySet<RenditionSize>): Buffer {
  const head = Buffer.alloc(questionHeadBytes);
  head.writeUInt32BE(pictureBytes, 0);
  head.writeUInt8(
    renditionSizes.reduce((bits, size, at) => bits | (sizes.has(size) ? 1 << at : 0), 0),
    4,
  );
  return head;
}

/** Believed: nobody but the daemon can write there. */
export function parseQuestionHead(head: Buffer): {
  readonly pictureBytes: number;
  readonly sizes: ReadonlySet<RenditionSize>;
} {
  const bits = head.readUInt8(4);
  return {
    pictureBytes: head.readUInt32BE(0),
    sizes: new Set(renditionSizes.filter((_, at) => (bits & (1 << at)) !== 0)),
  };
}

const types = { made: 1, 'too-large': 2, 'not-decodable': 3 } as const;

export function encodeAnswer(answer: RenditionAnswer): Buffer {
  return packetOf(types[answer.type], bodyOf(answer));
}

function bodyOf(answer: RenditionAnswer): Buffer {
  switch (answer.type) {
    case 'made':
      return Buffer.concat(
        renditionSizes.flatMap((size) => {
          const bytes = answer.renditions.get(size);
          if (bytes === undefined) return [];
          const length = Buffer.alloc(4);
          length.writeUInt32BE(bytes.length);
          return [length, bytes];
        }),
      );
    case 'too-large':
    case 'not-decodable':
      return Buffer.from(answer.reason);
  }
}

export interface RenditionQuestion {
  readonly bytes: Uint8Array;
  readonly sizes: ReadonlySet<RenditionSize>;
}

/**
 * What the process said in reply to that question. Throws PacketViolation on anything it could not mean. Pictures are
 * memory of their own, but for an unchanged one, which is the question's.
 */
export function parseAnswer(packet: Buffer, question: RenditionQuestion): RenditionAnswer {
  const body = packet.subarray(1);
  switch (packet[0]) {
    case types.made:
      return { type: 'made', renditions: renditionsOf(body, question) };
    case types['too-large']:
      return { type: 'too-large', reason: reasonOf(body) };
    case types['not-decodable']:
      return { type: 'not-decodable', reason: reasonOf(body) };
    default:
      throw new PacketViolation('a message of no known type');
  }
}

function renditionsOf(
  body: Buffer,
  { bytes: original, sizes }: RenditionQuestion,
): ReadonlyMap<RenditionSize, Uint8Array> {
  const renditions = new Map<RenditionSize, Uint8Array>();
  let at = 0;
  for (const size of renditionSizes) {
    if (!sizes.has(size)) continue;
    if (at + 4 > body.length) throw new PacketViolation('less than was asked for');
    const end = at + 4 + body.readUInt32BE(at);
    const isOriginal = size === 'full' && end === at + 4;
    const bytes = isOriginal ? original : Uint8Array.from(body.subarray(at + 4, end));
    if (!isJpeg(bytes)) throw new PacketViolation('what is no JPEG');
    renditions.set(size, bytes);
    at = end;
  }
  if (at !== body.length) throw new PacketViolation('another number of bytes than it said');
  return renditions;
}

/** By its first marker. Whether the rest can be decoded is another matter. */
function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

function reasonOf(body: Buffer): string {
  return body
    .toString('utf8')
    .replace(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, ' ')
    .slice(0, longestReason)
    .trim();
}
