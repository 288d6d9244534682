// One range of a file, from whichever origin can give it: in the order of choose-origin.ts, from one to the next in the
// middle of the range, waiting only when nobody else is left to ask.
//
// Bytes of two versions never meet: each source is asked for the version it is known to hold, and one that goes on with
// what another began must first show that it has the same: an overlap of 4 KiB with bytes that are held.
import type { RealPath } from '../library/real-path.ts';
import { orderOfOrigins } from '../origins/choose-origin.ts';
import type { FileVersion } from '../origins/origin.ts';
import type { CallClass, OriginGate } from '../origins/origin-gate.ts';
import type { Clock } from '../platform/clock.ts';
import { codeOf, type ErrorCode, errorCodes, MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { pauseFor } from '../platform/pause.ts';

/** Where the bytes of a content version lie. */
export interface Source {
  readonly gate: OriginGate;
  readonly path: RealPath;
  readonly version: FileVersion;
  /** The holder whose word counts; the others were shown to be the same. */
  readonly isAuthoritative: boolean;
}

/** Bytes that are held, for comparison: as many as 4 KiB that end before `offset`, or else from anywhere. */
export interface Overlap {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface TransferOptions {
  readonly sources: readonly Source[];
  readonly clock: Clock;
  readonly random: () => number;
  /** Sources of this file that have been shown to hold the same, or that nothing was held of when they began. */
  readonly trusted: Set<string>;
  /** null: nothing is held. */
  readonly overlap: (before: number) => Promise<Overlap | null>;
  /** The origin has another file there now. */
  readonly onGone: (source: Source) => void;
  /** The origin holds other bytes, although it says that the file is the same. */
  readonly onDiverged: (source: Source) => void;
  /** It gave bytes. */
  readonly onServed: (source: Source) => void;
}

export interface Range {
  readonly offset: number;
  readonly end: number;
}

const permanent: ReadonlySet<ErrorCode> = new Set([
  'not_found',
  'permission_denied',
  'unsupported_operation',
  'invalid_argument',
  'version_gone',
]);

/**
 * Gives the bytes of the range to `push`, in order. Rejects with what the last origin that was tried said:
 * `origin_unavailable` at once when each is known to be down, `version_gone` when the content is no more.
 */
export async function transfer(
  options: TransferOptions,
  range: Range,
  klass: CallClass,
  push: (bytes: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  let at = range.offset;
  const failed = new Set<string>();
  const ruledOut = new Set<string>();
  let lastError: unknown = new MusicfsError('origin_unavailable', 'no origin that holds the file is up');
  for (let waits = 0; at < range.end; ) {
    const source = next(options.sources, new Set([...failed, ...ruledOut]));
    if (source === undefined) {
      const delayMs = limits.retryDelaysMs[waits];
      const canRetry = next(options.sources, ruledOut) !== undefined;
      if (delayMs === undefined || !canRetry || failed.size === 0) throw lastError;
      const jitter = 1 + limits.retryJitter * (2 * options.random() - 1);
      await pauseFor(options.clock, delayMs * jitter, signal);
      failed.clear();
      waits += 1;
      continue;
    }
    const id = source.gate.origin.id;
    const from = at;
    try {
      for await (const bytes of checked(options, source, { offset: at, end: range.end }, klass, signal)) {
        if (at === from && bytes.length > 0) options.onServed(source); // before anybody is answered with them
        at += bytes.length;
        push(bytes);
      }
    } catch (error) {
      if (signal.aborted) throw error;
      lastError = error;
      if (at > from) waits = 0; // a line that breaks over and over, and brings some each time
      const code = codeOf(error);
      if (permanent.has(code)) ruledOut.add(id);
      else failed.add(id);
      if (code === 'version_gone' || code === 'not_found') options.onGone(source);
      if (errorCodes[code].level === 'error') throw error; // a bug, not an outage
    }
  }
}

function next(sources: readonly Source[], without: ReadonlySet<string>): Source | undefined {
  const left = sources.filter(({ gate }) => !without.has(gate.origin.id));
  const byId = new Map(left.map((source) => [source.gate.origin.id, source]));
  const [best] = orderOfOrigins(left.map(({ gate }) => gate.candidate()));
  return best === undefined ? undefined : byId.get(best.originId);
}

/** The range from one source, once it has shown what it holds. */
async function* checked(
  options: TransferOptions,
  source: Source,
  { offset, end }: Range,
  klass: CallClass,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { gate, path, version } = source;
  const read = (from: number, to: number) => gate.readRange(path, version, from, to - from, klass, signal);
  const overlap = options.trusted.has(gate.origin.id) ? null : await options.overlap(offset);
  if (overlap === null) {
    for await (const bytes of read(offset, end)) {
      options.trusted.add(gate.origin.id);
      yield bytes;
    }
    return;
  }
  const overlapEnd = overlap.offset + overlap.bytes.length;
  const isAdjacent = overlapEnd === offset;
  let seen = 0;
  for await (const bytes of read(overlap.offset, isAdjacent ? end : overlapEnd)) {
    const compared = bytes.subarray(0, Math.max(0, overlap.bytes.length - seen));
    const held = overlap.bytes.subarray(seen, seen + compared.length);
    if (compared.length > 0 && Buffer.compare(compared, held) !== 0) {
      options.onDiverged(source);
      throw new MusicfsError('version_gone', `${gate.origin.id} holds other bytes of the file`);
    }
    seen += bytes.length;
    if (seen >= overlap.bytes.length) options.trusted.add(gate.origin.id);
    if (isAdjacent && bytes.length > compared.length) yield bytes.subarray(compared.length);
  }
  if (!isAdjacent) yield* read(offset, end);
}
