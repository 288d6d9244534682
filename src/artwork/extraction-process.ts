// The process that takes pictures out of files of an origin: from beside the tracks, as they are, or from the tags of a track.
// Started by extractions.ts, which it talks to as extraction-protocol.ts says.
//
// One file at a time, opened below its root without following a link, and read within bounds. It decodes no picture, writes
// nothing, decides nothing, remembers nothing between two files, and ends with its parent and at the end of its input.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { extensionOf, type RealPath } from '../library/real-path.ts';
import { errnoOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { endWithParent, errnoName, openBeneathAsync, systemError } from '../platform/native.ts';
import { choosePictures, type EmbeddedPicture } from './choose-picture.ts';
import { type EmbeddedBytes, embeddedPictures } from './embedded-pictures.ts';
import {
  type ExtractionAnswer,
  type ExtractionQuestion,
  encodeExtracted,
  type FileToOpen,
} from './extraction-protocol.ts';
import { greeting } from './packets.ts';
import { PictureReader } from './picture-reader.ts';
import { limitThisProcess } from './process-limits.ts';
import { say, take } from './process-pipes.ts';

async function main(): Promise<void> {
  endWithParent();
  limitThisProcess(limits.extractionMemoryBytes);
  say(greeting);
  for (;;) {
    const length = take(4);
    const text = length && take(length.readUInt32BE(0));
    if (text === null) return;
    // Only the parent writes here, and it wrote this type.
    const question = JSON.parse(text.toString()) as ExtractionQuestion;
    say(encodeExtracted(await answerTo(question)));
  }
}

async function answerTo(question: ExtractionQuestion): Promise<ExtractionAnswer> {
  try {
    const rootFd = openRoot(question.rootPath);
    if (typeof rootFd === 'string') return { type: 'away', code: rootFd };
    try {
      const fd = await openFile(rootFd, question.path);
      try {
        return await lookInto(fd, question);
      } finally {
        closeSync(fd);
      }
    } finally {
      closeSync(rootFd);
    }
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    if (goneCodes.has(code)) return { type: 'gone', code };
    return { type: awayCodes.has(code) ? 'away' : 'unreadable', code };
  }
}

/** There is no such regular file any more. */
const goneCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV', 'ENXIO', 'EISDIR']);
/** What is below it has failed; or the machine, for a moment. */
const awayCodes: ReadonlySet<string> = new Set([
  ...['ENODEV', 'ENOTCONN', 'ESHUTDOWN', 'ESTALE', 'ETIMEDOUT', 'EHOSTDOWN', 'ENOMEM', 'EMFILE', 'ENFILE'],
]);

/** Its descriptor, or why there is none. */
function openRoot(path: string): number | string {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    return errnoOf(error) ?? 'EIO';
  }
}

async function openFile(rootFd: number, path: RealPath): Promise<number> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  const bytes = Buffer.from(path, 'latin1');
  let fd = await openBeneathAsync(rootFd, bytes, flags | constants.O_NOATIME, 'refused');
  // That is refused on files of other users.
  if (fd < 0 && errnoName(-fd) === 'EPERM') fd = await openBeneathAsync(rootFd, bytes, flags, 'refused');
  if (fd < 0) throw systemError('openat2', -fd);
  return fd;
}

async function lookInto(fd: number, question: ExtractionQuestion): Promise<ExtractionAnswer> {
  const stat = fstatSync(fd, { bigint: true });
  if (!stat.isFile()) return { type: 'gone', code: 'ENXIO' };
  if (!isThatFile(stat, question)) return { type: 'gone', code: 'ESTALE' };
  if (question.type === 'folder') {
    if (question.sizeBytes > limits.pictureInputBytes) return { type: 'unreadable', code: 'EFBIG' };
    const bytes = wholeFile(fd, question.sizeBytes);
    return bytes === null ? { type: 'gone', code: 'ESTALE' } : { type: 'picture', bytes };
  }
  const reader = new PictureReader(fd, question.sizeBytes, question.heldBytes);
  const found = await embeddedPictures(reader, extensionOf(question.path));
  const picked = pickedFrom(found, question.pick);
  return {
    type: 'pictures',
    pictures: found.map(({ bytes: _, ...picture }) => picture),
    picked: picked && { contentHash: picked.contentHash, bytes: picked.bytes },
    isShort: reader.isShort,
  };
}

function isThatFile(
  stat: { readonly size: bigint; readonly mtimeNs: bigint },
  { sizeBytes, mtimeNs }: FileToOpen,
): boolean {
  return stat.size === BigInt(sizeBytes) && (mtimeNs === null || stat.mtimeNs === BigInt(mtimeNs));
}

/** null when it is being cut. */
function wholeFile(fd: number, sizeBytes: number): Buffer | null {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  for (let done = 0; done < sizeBytes; ) {
    const count = readSync(fd, bytes, done, sizeBytes - done, done);
    if (count === 0) return null;
    done += count;
  }
  return bytes;
}

/** The one of that hash, or the one that would be tried first for that kind. */
function pickedFrom(found: readonly EmbeddedBytes[], pick: string): EmbeddedBytes | null {
  const byHash = found.find(({ contentHash }) => contentHash === pick);
  if (byHash !== undefined) return byHash;
  const [first] = choosePictures(
    found.map(({ bytes: _, ...picture }): EmbeddedPicture => {
      return { type: 'embedded', trackId: 0, discNumber: null, trackNumber: null, ...picture };
    }),
    kindOf(pick),
  );
  return first?.type === 'embedded'
    ? (found.find(({ contentHash }) => contentHash === first.contentHash) ?? null)
    : null;
}

function kindOf(pick: string): readonly { type: 'embedded'; kind: 'front' | 'back' | 'other' | 'any' }[] {
  const kind = (['front', 'back', 'other', 'any'] as const).find((known) => known === pick);
  return kind === undefined ? [] : [{ type: 'embedded', kind }];
}

if (import.meta.main) await main();
