// Tags of files that are not on this machine: their first and last bytes are fetched into files of ours, which a parser
// reads like any other. When the tags go on elsewhere the parser says where, that range is fetched too, and it begins
// again. Nothing else of the file is fetched. Part of a scan.
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import PQueue from 'p-queue';
import type { SeenFile } from '../catalog/publication.ts';
import { extensionOf, type RealPath, realPath } from '../library/real-path.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import type { HeldRange } from '../tags/bounded-reader.ts';
import type { ParseOutcome } from '../tags/parse-outcome.ts';
import { parserLimits } from '../tags/parser-limits.ts';
import type { ParserPool } from '../tags/parser-pool.ts';

export interface RemoteTagsOptions {
  /** A directory of ours for the beginnings of files. */
  readonly directory: string;
  readonly parsers: ParserPool;
  readonly wantsFileFp: boolean;
  readonly copy: (
    file: SeenFile,
    ranges: readonly HeldRange[],
    target: string,
    signal: AbortSignal,
  ) => Promise<unknown>;
}

interface Head {
  readonly file: SeenFile;
  readonly name: RealPath;
  held: HeldRange[];
}

/** Files whose heads are here at once: bounds the disk they take. */
const filesAtOnce = 64;
/** Fetches that are waited for at once; the origin's gate lets fewer through. */
const copiesAtOnce = 16;
/** Files are named one after the other, for the whole life of the process. */
let lastName = 0;

/** One outcome for each file. Rejects when the origin is gone, so that the scan ends and is done again. */
export async function parseRemote(
  files: readonly SeenFile[],
  options: RemoteTagsOptions,
  signal: AbortSignal,
): Promise<ParseOutcome[]> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const outcomes: ParseOutcome[] = [];
  for (let at = 0; at < files.length; at += filesAtOnce) {
    outcomes.push(...(await parsePart(files.slice(at, at + filesAtOnce), options, signal)));
  }
  return outcomes;
}

async function parsePart(
  files: readonly SeenFile[],
  options: RemoteTagsOptions,
  signal: AbortSignal,
): Promise<ParseOutcome[]> {
  const outcomes = new Map<RealPath, ParseOutcome>();
  let heads = files.map((file): Head => {
    lastName += 1;
    return { file, name: realPath(`${lastName}.${extensionOf(file.path)}`), held: [] };
  });
  const all = heads;
  try {
    const wanted = new Map(
      heads.map((head) => [head, firstRanges(head.file.sizeBytes, options.wantsFileFp)]),
    );
    while (heads.length > 0) {
      heads = await fetchHeads(heads, wanted, options, outcomes, signal);
      if (heads.length === 0) break;
      const parsed = await options.parsers.parse(
        {
          rootPath: options.directory,
          files: heads.map(({ name }) => name),
          held: heads.map(({ held }) => held),
          wantsFileFp: options.wantsFileFp,
        },
        signal,
      );
      const again: Head[] = [];
      for (const outcome of parsed) {
        const head = heads.find(({ name }) => name === outcome.path);
        if (head === undefined) continue;
        if (outcome.type === 'needs' && head.held.length < parserLimits.fileRequests) {
          wanted.set(head, [{ offset: outcome.offset, lengthBytes: outcome.lengthBytes }]);
          again.push(head);
        } else outcomes.set(head.file.path, asOf(head.file, outcome));
      }
      heads = again;
    }
  } finally {
    await Promise.all(all.map(({ name }) => rm(path.join(options.directory, name), { force: true })));
  }
  return [...outcomes.values()];
}

/** Fetches what is wanted of each. Returns those that were fetched; a file that cannot be read has its outcome then. */
async function fetchHeads(
  heads: readonly Head[],
  wanted: ReadonlyMap<Head, readonly HeldRange[]>,
  { directory, copy }: RemoteTagsOptions,
  outcomes: Map<RealPath, ParseOutcome>,
  signal: AbortSignal,
): Promise<Head[]> {
  const queue = new PQueue({ concurrency: copiesAtOnce });
  const fetched: Head[] = [];
  let failure: unknown = null;
  for (const head of heads) {
    void queue.add(async () => {
      if (failure !== null || signal.aborted) return;
      const ranges = wanted.get(head) ?? [];
      try {
        await copy(head.file, ranges, path.join(directory, head.name), signal);
        head.held = merged([...head.held, ...ranges]);
        fetched.push(head);
      } catch (error) {
        const outcome = outcomeOf(head.file, error);
        if (outcome === null) failure = error;
        else outcomes.set(head.file.path, outcome);
      }
    });
  }
  await queue.onIdle();
  signal.throwIfAborted();
  if (failure !== null) throw failure as Error;
  return heads.filter((head) => fetched.includes(head));
}

/** null: it says nothing about the file. */
function outcomeOf({ path: name, sizeBytes, mtimeNs }: SeenFile, error: unknown): ParseOutcome | null {
  switch (codeOf(error)) {
    case 'not_found':
    case 'version_gone': // it changed between its listing and now: the next scan has it
      return { type: 'vanished', path: name, code: 'ENOENT' };
    case 'permission_denied':
    case 'unsupported_operation':
    case 'invalid_argument':
      return { type: 'failed', path: name, sizeBytes, mtimeNs, reason: messageOf(error), audioFp: null };
    default:
      return null;
  }
}

/** What its listing says of a file holds, not what the copy of its head looks like. */
function asOf({ path: name, sizeBytes, mtimeNs }: SeenFile, outcome: ParseOutcome): ParseOutcome {
  switch (outcome.type) {
    case 'parsed':
    case 'failed':
      return { ...outcome, path: name, sizeBytes, mtimeNs };
    case 'needs':
      return {
        ...{ type: 'failed', path: name, sizeBytes, mtimeNs, audioFp: null },
        reason: 'the tags need more reading than is allowed',
      };
    case 'not-music':
      return { type: 'not-music', path: name };
    case 'vanished':
      throw new MusicfsError('unavailable', 'the fetched head of a file went away');
  }
}

/** Head and tail, as a parser reads them first; a file that is not much longer than both is taken whole. */
function firstRanges(sizeBytes: number, wantsFileFp: boolean): HeldRange[] {
  const headBytes = parserLimits.headBytes;
  const tailBytes = wantsFileFp ? parserLimits.headBytes : parserLimits.tailBytes;
  if (sizeBytes <= headBytes + tailBytes) return [{ offset: 0, lengthBytes: sizeBytes }];
  return [
    { offset: 0, lengthBytes: headBytes },
    { offset: sizeBytes - tailBytes, lengthBytes: tailBytes },
  ];
}

/** Sorted, and those that touch made one: a reader's window may lie across two of them. */
function merged(ranges: readonly HeldRange[]): HeldRange[] {
  const result: HeldRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = result.at(-1);
    const lastEnd = last === undefined ? -1 : last.offset + last.lengthBytes;
    if (last === undefined || range.offset > lastEnd) result.push(range);
    else {
      const end = Math.max(lastEnd, range.offset + range.lengthBytes);
      result[result.length - 1] = { offset: last.offset, lengthBytes: end - last.offset };
    }
  }
  return result;
}
