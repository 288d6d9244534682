// Pictures for the tests of renditions, made as they are wanted.
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

export const red = { r: 220, g: 20, b: 20 };
export const blue = { r: 20, g: 20, b: 220 };

export function plain(width: number, height: number, background: object = red): Sharp {
  const channels = 'alpha' in background ? 4 : 3;
  return sharp({ create: { width, height, channels, background }, limitInputPixels: false });
}

/** Left half red, right half blue. */
export async function twoHalves(width: number, height: number): Promise<Sharp> {
  const right = await plain(width / 2, height, blue)
    .png()
    .toBuffer();
  return plain(width, height).composite([{ input: right, left: width / 2, top: 0 }]);
}

/** Noise, so that every part of the file matters. */
export function grain(width: number, height: number): Sharp {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  return sharp({ create: { width, height, channels: 3, background: red, noise } });
}

export interface Seen {
  readonly width: number;
  readonly height: number;
  readonly format: string;
  /** Mean colour of a corner. */
  pixel(left: number, top: number): Promise<[red: number, green: number, blue: number]>;
}

/** A picture as a reader of the mount would see it, decoded to its end. */
export async function seen(bytes: Uint8Array | undefined): Promise<Seen> {
  if (bytes === undefined) throw new Error('no picture');
  const { width, height, format } = await sharp(bytes).metadata();
  const { data, info } = await sharp(bytes, { failOn: 'warning' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return {
    width,
    height,
    format,
    pixel: async (left, top) => {
      const at = (top * info.width + left) * info.channels;
      return [data[at] ?? -1, data[at + 1] ?? -1, data[at + 2] ?? -1];
    },
  };
}

/** A PNG of those chunks, with an IHDR of 8-bit RGB before and an IEND after them. Layout: RFC 2083. */
export function pngOf(
  width: number,
  height: number,
  chunks: readonly (readonly [type: string, body: Buffer])[],
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...[['IHDR', header] as const, ...chunks, ['IEND', Buffer.alloc(0)] as const].map(([type, body]) => {
      const chunk = Buffer.alloc(12 + body.length);
      chunk.writeUInt32BE(body.length, 0);
      chunk.write(type, 4, 'latin1');
      chunk.set(body, 8);
      chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + body.length)), 8 + body.length);
      return chunk;
    }),
  ]);
}

/** What 300 MB of zeros pack into. */
export function packedZeros(): Buffer {
  return deflateSync(Buffer.alloc(300_000_000), { level: 1 });
}

export const green = { r: 20, g: 220, b: 20 };

export const jpegOf = (colour: object, side = 400) => plain(side, side, colour).jpeg().toBuffer();

/** Which of the three a picture shows. */
export async function colourOf(bytes: Uint8Array): Promise<'red' | 'green' | 'blue' | 'none'> {
  const [r, g, b] = await (await seen(bytes)).pixel(5, 5);
  if (r > 180) return 'red';
  if (g > 180) return 'green';
  return b > 180 ? 'blue' : 'none';
}
