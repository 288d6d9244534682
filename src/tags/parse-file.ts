// Reads one file below an origin's root: opens it, parses its tags, computes its content identity. Runs in the
// parser's child only; everything here may hang or die on a hostile file.
import { closeSync, constants, fstatSync } from 'node:fs';
import { parseFromTokenizer } from 'music-metadata';
import { type AudioContainer, audioContainerOf, hasMagic, mimeTypes } from '../library/audio-container.ts';
import { type AudioRange, audioRangeOf, fingerprintInput, id3v2End } from '../library/audio-range.ts';
import { lastGranule } from '../library/ogg-pages.ts';
import { hasName } from '../library/placement.ts';
import { extensionOf, type RealPath } from '../library/real-path.ts';
import type { TrackTags } from '../library/track-tags.ts';
import { errnoOf, messageOf } from '../platform/errors.ts';
import { openBeneath } from '../platform/native.ts';
import { BoundedReader, type HeldRange, type ReadCounts } from './bounded-reader.ts';
import type { LegacyText } from './legacy-text.ts';
import { mapNativeTags } from './native-tags.ts';
import type { ChildResult } from './parse-outcome.ts';
import { parserLimits } from './parser-limits.ts';
import { parserViewOf } from './parser-view.ts';
import { ReaderTokenizer } from './reader-tokenizer.ts';

type Parsed = Awaited<ReturnType<typeof parseFromTokenizer>>;

/** 64-bit hash of bytes, unsigned. */
export type Hash64 = (bytes: Uint8Array) => bigint;

const noCounts: ReadCounts = { tagBytes: 0, fingerprintBytes: 0, requests: 0 };

/** Errors of open that say that there is no such regular file any more. */
const goneCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV', 'ENXIO', 'EISDIR']);

/** O_PATH, which node does not name: a descriptor for fstat that needs no right to read. */
const openPathOnly = 0o10000000;

/** Whether O_NOATIME is worth trying: it is refused on files of other users. */
let isNoAtimeAllowed = true;

/** A file, and what of it is there; null: all of it. */
interface FileToParse {
  readonly path: RealPath;
  readonly held: readonly HeldRange[] | null;
}

/** `tags` false: only size, time and identity, for a file that has killed its parser. */
interface Wanted {
  readonly tags: boolean;
  readonly fileFp: boolean;
  readonly legacy: LegacyText;
}

/** The result for one file; never rejects for what the file holds. */
export async function parseFile(
  rootFd: number,
  file: FileToParse,
  wanted: Wanted,
  hash: Hash64,
): Promise<ChildResult> {
  const bytes = Buffer.from(file.path, 'latin1');
  let fd: number;
  try {
    fd = openForReading(rootFd, bytes);
  } catch (error) {
    return openFailure(rootFd, bytes, error);
  }
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile())
      return { type: 'vanished', code: stat.isDirectory() ? 'EISDIR' : 'ENXIO', ...noCounts };
    const found = { sizeBytes: Number(stat.size), mtimeNs: stat.mtimeNs.toString() };
    return await parseOpenFile(fd, found, file, wanted, hash);
  } finally {
    closeSync(fd);
  }
}

async function parseOpenFile(
  fd: number,
  file: { readonly sizeBytes: number; readonly mtimeNs: string },
  { path, held }: FileToParse,
  wanted: Wanted,
  hash: Hash64,
): Promise<ChildResult> {
  let reader: BoundedReader | undefined;
  let audioFp: string | null = null;
  try {
    reader = new BoundedReader(fd, file.sizeBytes, held);
    const audioStart = id3v2End(reader.readForFingerprint);
    const magic = reader.readForFingerprint(audioStart, 16);
    const container = audioContainerOf(magic, extensionOf(path), audioStart > 0);
    const range = audioRangeOf(container, file.sizeBytes, reader.readForFingerprint);
    const identity = hash(fingerprintInput(range, reader.readForFingerprint));
    audioFp = identity.toString(16).padStart(16, '0');
    const failed = (reason: string): ChildResult => ({
      type: 'failed',
      ...file,
      reason,
      audioFp,
      ...(reader?.counts ?? noCounts),
    });
    if (file.sizeBytes === 0) return failed('the file is empty');
    if (!wanted.tags) return failed('not parsed');
    if (container === null) return failed('not a music file that is known');
    const tags = await readTags(reader, container, range, wanted.legacy);
    const fileFp = wanted.fileFp ? fileFingerprint(reader, hash) : null;
    if (reader.needs !== null) return needed(reader, reader.needs);
    if (tags === null) return { type: 'not-music', ...reader.counts };
    return {
      type: 'parsed',
      ...file,
      tags,
      audioFp,
      fileFp,
      state: hasName(tags) ? 'ok' : 'untagged',
      ...reader.counts,
    };
  } catch (error) {
    if (reader?.needs) return needed(reader, reader.needs);
    const reason = messageOf(error).slice(0, 200) || 'unreadable';
    return { type: 'failed', ...file, reason, audioFp, ...(reader?.counts ?? noCounts) };
  }
}

function needed({ counts }: BoundedReader, needs: HeldRange): ChildResult {
  return { type: 'needs', ...needs, ...counts };
}

/** Over the first and the last 64 KiB: what tells two copies of a file from two files. The caller compares the sizes. */
function fileFingerprint(reader: BoundedReader, hash: Hash64): string {
  const { size } = reader;
  const partBytes = Math.min(parserLimits.headBytes, size);
  const head = reader.readForFingerprint(0, partBytes);
  const tail = reader.readForFingerprint(size - partBytes, partBytes);
  const both = new Uint8Array(head.length + tail.length);
  both.set(head);
  both.set(tail, head.length);
  return hash(both).toString(16).padStart(16, '0');
}

function openForReading(rootFd: number, path: Buffer): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  if (isNoAtimeAllowed) {
    try {
      return openBeneath(rootFd, path, flags | constants.O_NOATIME);
    } catch (error) {
      if (errnoOf(error) !== 'EPERM') throw error;
      isNoAtimeAllowed = false;
    }
  }
  return openBeneath(rootFd, path, flags);
}

function openFailure(rootFd: number, path: Buffer, error: unknown): ChildResult {
  const code = errnoOf(error) ?? 'EIO';
  if (goneCodes.has(code)) return { type: 'vanished', code, ...noCounts };
  let file = { sizeBytes: 0, mtimeNs: '0' };
  try {
    const fd = openBeneath(rootFd, path, openPathOnly);
    const stat = fstatSync(fd, { bigint: true });
    closeSync(fd);
    file = { sizeBytes: Number(stat.size), mtimeNs: stat.mtimeNs.toString() };
  } catch {
    // Nothing more is to be had; the reason of the first failure is the one that helps.
  }
  return { type: 'failed', ...file, reason: `cannot be opened (${code})`, audioFp: null, ...noCounts };
}

/** The tags, or null when the file holds moving pictures. */
async function readTags(
  reader: BoundedReader,
  container: AudioContainer,
  range: AudioRange,
  legacy: LegacyText,
): Promise<TrackTags | null> {
  const view = parserViewOf(container, reader.size, range, reader.read);
  const tokenizer = new ReaderTokenizer(reader, mimeTypes[view.as], view.pieces);
  const parsed = await parseFromTokenizer(tokenizer, {
    skipCovers: true,
    duration: false,
    mkvUseIndex: true,
  });
  if (parsed.format.hasVideo === true) return null;
  const isApeCarrier = container === 'ape' || container === 'wavpack' || container === 'musepack';
  const named = mapNativeTags(parsed.native, isApeCarrier, nulSeparatedFrames(parsed), (text) =>
    legacy.fromLatin1(text, reader.hasRead),
  );
  if (tokenizer.isLimitHit && !hasName(named)) throw new Error('the tags need more reading than is allowed');
  return { ...named, ...technicalFields(parsed, reader, container, range, view.isShortened) };
}

/** The parser says in a warning which old ID3v2 frames had their values separated by NUL. */
function nulSeparatedFrames(parsed: Parsed): ReadonlySet<string> {
  const frames = new Set<string>();
  for (const { message } of parsed.quality.warnings) {
    const match = /^ID3v2\.[23] (\w+) uses non standard null-separator/.exec(message);
    if (match?.[1] !== undefined) frames.add(match[1]);
  }
  return frames;
}

function technicalFields(
  { format }: Parsed,
  reader: BoundedReader,
  container: AudioContainer,
  range: AudioRange,
  isShortened: boolean,
): TrackTags {
  const audioBytes = range.end - range.start;
  const stream = container === 'mpeg' ? mpegStream(reader, range) : null;
  const exactSeconds =
    container === 'ogg' ? (oggSeconds(format, reader) ?? format.duration) : format.duration;
  const bitrate = isShortened ? undefined : positive(format.bitrate);
  const guessedSeconds =
    exactSeconds === undefined && container === 'mpeg' && bitrate !== undefined
      ? (audioBytes * 8) / bitrate
      : undefined;
  const seconds = positive(exactSeconds ?? guessedSeconds);
  const isEstimated = stream !== null && !stream.hasHeader && seconds !== undefined;
  const bitrateBps = bitrate ?? (seconds === undefined ? undefined : (audioBytes * 8) / seconds);
  return withoutUndefined({
    durationMs: whole(seconds === undefined ? undefined : seconds * 1000),
    durationEstimated: isEstimated ? true : undefined,
    bitrateBps: whole(bitrateBps),
    sampleRateHz: whole(positive(format.sampleRate)),
    channels: whole(positive(format.numberOfChannels)),
    bitsPerSample: whole(positive(format.bitsPerSample)),
    codec: format.codec,
    container: format.container,
    lossless: format.lossless,
    vbr: stream?.isVariable,
    encoder: format.tool,
  });
}

/** What the first frame of an MPEG stream says about the whole: Xing and VBRI count frames, Info means constant. */
function mpegStream(
  reader: BoundedReader,
  range: AudioRange,
): { hasHeader: boolean; isVariable: boolean | undefined } {
  const frame = reader.readForFingerprint(range.start, 256);
  for (let at = 4; at + 4 <= frame.length; at += 1) {
    if (hasMagic(frame, at, 'Xing') || hasMagic(frame, at, 'VBRI'))
      return { hasHeader: true, isVariable: true };
    if (hasMagic(frame, at, 'Info')) return { hasHeader: true, isVariable: false };
  }
  return { hasHeader: false, isVariable: undefined };
}

/** Longest page of an Ogg stream, and the part of it that lastGranule looks at. */
const oggPageBytes = 65_307;
const oggHeaderBytes = 27;

function oggSeconds(format: Parsed['format'], reader: BoundedReader): number | undefined {
  // The last page begins in the tail that is there anyway, or in what lies before it.
  const inRange = (start: number, end: number): number | null =>
    lastGranule(reader.readForFingerprint(Math.max(start, 0), end - Math.max(start, 0)));
  const tailStart = Math.max(reader.size - parserLimits.tailBytes, 0);
  const granule =
    inRange(tailStart, reader.size) ??
    inRange(reader.size - oggPageBytes, Math.min(tailStart + oggHeaderBytes, reader.size));
  if (granule === null) return undefined;
  // Opus counts at 48 kHz whatever the input was, and starts with a few samples that are not played.
  if (format.codec === 'Opus') {
    const head = reader.readForFingerprint(28, 12);
    const preSkip = hasMagic(head, 0, 'OpusHead') ? (head[10] ?? 0) + (head[11] ?? 0) * 256 : 0;
    return (granule - preSkip) / 48_000;
  }
  return format.sampleRate === undefined ? undefined : granule / format.sampleRate;
}

function positive(value: number | null | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

function whole(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}

function withoutUndefined(values: { readonly [K in keyof TrackTags]: TrackTags[K] | undefined }): TrackTags {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
