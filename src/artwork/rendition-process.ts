// The process in which pictures are decoded: the libraries for that are large, written in C, and meet files from anywhere.
// Started by rendition-child.ts, which it talks to as rendition-protocol.ts says.
//
// One picture at a time. It opens no file once it is ready, reads no format but the four, decides nothing, and remembers
// nothing between two pictures. It takes no more memory than it is allowed, is the first to go when the machine has none
// left, and ends with its parent and at the end of its input.
import sharp, { type ResizeOptions, type Sharp, type SharpOptions } from 'sharp';
import { messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { endWithParent } from '../platform/native.ts';
import { greeting } from './packets.ts';
import { limitThisProcess } from './process-limits.ts';
import { say, take } from './process-pipes.ts';
import {
  encodeAnswer,
  parseQuestionHead,
  questionHeadBytes,
  type RenditionAnswer,
  type RenditionSize,
} from './rendition-protocol.ts';

const mediumPixels = 300;
const thumbPixels = 150;
const quality = 85;

async function main(): Promise<void> {
  endWithParent();
  sharp.cache(false);
  sharp.concurrency(1);
  const loaders = ['Jpeg', 'Png', 'Webp', 'Nsgif'].map((format) => `VipsForeignLoad${format}Buffer`);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: loaders });
  limitThisProcess(limits.renditionMemoryBytes);
  say(greeting);
  for (;;) {
    const head = take(questionHeadBytes);
    if (head === null) return;
    const { pictureBytes, sizes } = parseQuestionHead(head);
    const picture = take(pictureBytes);
    if (picture === null) return;
    say(encodeAnswer(await answerTo(picture, sizes)));
  }
}

async function answerTo(picture: Buffer, sizes: ReadonlySet<RenditionSize>): Promise<RenditionAnswer> {
  try {
    // Only the head is read for that; the decoder's own limit would not say which of its errors it is.
    const { format, width, height } = await sharp(picture, {
      ...reading,
      limitInputPixels: false,
    }).metadata();
    if (width * height > limits.picturePixels || Math.max(width, height) > limits.pictureSidePixels)
      return { type: 'too-large', reason: `it has ${width} x ${height} pixels` };
    const renditions = await renditionsOf(picture, format === 'jpeg', sizes);
    const fullBytes = renditions.get('full')?.length ?? 0;
    if (fullBytes > limits.renditionBytes)
      return { type: 'too-large', reason: `as a JPEG it has ${fullBytes} bytes` };
    return { type: 'made', renditions };
  } catch (error) {
    return { type: 'not-decodable', reason: messageOf(error) };
  }
}

const reading: SharpOptions = {
  failOn: 'error',
  sequentialRead: true,
  limitInputPixels: limits.picturePixels,
};

/** The picture is decoded in any case, to its end: what cannot be is refused. */
async function renditionsOf(
  picture: Buffer,
  isJpeg: boolean,
  sizes: ReadonlySet<RenditionSize>,
): Promise<ReadonlyMap<RenditionSize, Uint8Array>> {
  const small = await upright(picture)
    .resize(fitting(mediumPixels))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const fromSmall = () => sharp(small.data, { raw: small.info });
  const renditions = new Map<RenditionSize, Uint8Array>();
  if (sizes.has('full')) renditions.set('full', isJpeg ? new Uint8Array() : await wholeJpeg(picture));
  if (sizes.has('medium')) renditions.set('medium', await fromSmall().jpeg({ quality }).toBuffer());
  // Always from the medium one, so that it is the same whatever else is asked for.
  if (sizes.has('thumb'))
    renditions.set('thumb', await fromSmall().resize(fitting(thumbPixels)).jpeg({ quality }).toBuffer());
  return renditions;
}

/** Turned as its EXIF data say, on white where it is transparent. */
function upright(picture: Buffer): Sharp {
  return sharp(picture, reading).autoOrient().flatten({ background: '#ffffff' });
}

/** Without the optimal tables, for which the encoder would keep the whole picture in memory. */
function wholeJpeg(picture: Buffer): Promise<Buffer> {
  return upright(picture).jpeg({ quality, optimiseCoding: false }).toBuffer();
}

function fitting(pixels: number): ResizeOptions {
  return { width: pixels, height: pixels, fit: 'inside', withoutEnlargement: true };
}

if (import.meta.main) await main();
