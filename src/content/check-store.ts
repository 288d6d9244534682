// Holds the index against the chunk files, and the rows of the index against each other. Called by the store: `verify` for
// a person, `scrub` once a day, `reindex` after an index was begun anew or was not closed in order. Each looks at a few
// dozen files or rows and lets others go on in between.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { limits } from '../platform/limits.ts';
import type { ChunkRow } from './cache-index.ts';
import { checkRows, countersAreRight } from './check-rows.ts';
import { chunkFolders, parseName } from './chunk-name.ts';
import type { StoreState } from './store-state.ts';

export interface VerifyResult {
  /** Chunk files and rows that were held against each other. */
  readonly checked: number;
  /** Files of another size or other bytes than their row says. */
  readonly bad: number;
  /** Rows without a file. */
  readonly missing: number;
  /** Files without a row. */
  readonly orphans: number;
  /** Pages and rows of the index that contradict others. */
  readonly badRows: number;
  /** Of all these, the ones that were put right: bad and missing chunks forgotten, orphans indexed. */
  readonly repaired: number;
  /** Nothing was found, or everything was put right. */
  readonly isClean: boolean;
}

export interface VerifyProgress {
  readonly foldersDone: number;
  readonly folders: number;
  readonly checked: number;
}

export interface ScrubResult {
  readonly checked: number;
  readonly bad: number;
  /** So many were bad that all chunks were looked at. */
  readonly wasFull: boolean;
}

export interface VerifyOptions {
  readonly repair: boolean;
  /** Reads and hashes every chunk; otherwise sizes are compared. */
  readonly full: boolean;
}

type Finding = 'sound' | 'bad' | 'missing' | 'orphan' | 'none';

const namesAtOnce = 32;

/** Rejects when the disk fails or `signal` aborts. */
export async function verifyStore(
  state: StoreState,
  { repair, full }: VerifyOptions,
  onProgress: (progress: VerifyProgress) => void,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const found = { sound: 0, bad: 0, missing: 0, orphan: 0, none: 0 };
  for (const [index, folder] of chunkFolders.entries()) {
    const { files, rows } = await namesIn(state, folder);
    for (const names of parts([...files.union(rows)])) {
      const findings = await inLane(state, signal, () => lookAt(state, names, { repair, full }));
      for (const finding of findings) found[finding] += 1;
    }
    const checked = found.sound + found.bad + found.missing + found.orphan;
    onProgress({ foldersDone: index + 1, folders: chunkFolders.length, checked });
  }
  const badRows = await inLane(state, signal, () => checkRows(state, repair, signal));
  const { sound, bad, missing, orphan: orphans } = found;
  const wrong = bad + missing + orphans + badRows;
  const repaired = repair ? wrong : 0;
  const isClean =
    wrong === 0 || (repair && (await inLane(state, signal, async () => countersAreRight(state))));
  return { checked: sound + wrong - badRows, bad, missing, orphans, badRows, repaired, isClean };
}

/** Reads the chunks that were checked longest ago. Bad ones go; when there are many, all are read. */
export async function scrubStore(state: StoreState, signal: AbortSignal): Promise<ScrubResult> {
  const stored = state.withIndex((index) => index.counters().stored_chunks) ?? 0;
  const most = Math.max(limits.scrubChunks, Math.ceil(stored * limits.scrubShare));
  const { checked, bad } = await checkOldest(state, most, signal);
  if (bad <= checked * limits.scrubAlarmShare) return { checked, bad, wasFull: false };
  state.options.log.error(
    { event: 'cache_scrub_alarm', checked, bad },
    'many chunks are rotten: all are checked',
  );
  const all = await verifyStore(state, { repair: true, full: true }, () => undefined, signal);
  return { checked: all.checked, bad: bad + all.bad + all.missing, wasFull: true };
}

/** The same for so many of them, however many are bad. */
export async function checkOldest(
  state: StoreState,
  most: number,
  signal: AbortSignal,
): Promise<{ checked: number; bad: number }> {
  const rows = state.withIndex((index) => index.chunksToCheck(most)) ?? [];
  let bad = 0;
  for (let at = 0; at < rows.length; at += namesAtOnce) {
    const names = rows.slice(at, at + namesAtOnce).map(({ name }) => name);
    const findings = await inLane(state, signal, () => lookAt(state, names, { repair: true, full: true }));
    bad += findings.filter((finding) => finding === 'bad' || finding === 'missing').length;
  }
  return { checked: rows.length, bad };
}

/**
 * After a life that did not end in order: finds chunk files that the index does not know and rows whose file is gone, and
 * records that all were looked at.
 */
export async function reindexStore(state: StoreState, signal: AbortSignal): Promise<void> {
  const begun = state.index;
  for (const folder of chunkFolders) {
    const { files, rows } = await namesIn(state, folder);
    for (const names of parts([...files.symmetricDifference(rows)])) {
      await inLane(state, signal, () => lookAt(state, names, { repair: true, full: false }));
    }
  }
  if (state.index === begun) state.withIndex((index) => index.setMeta('indexed', 1));
}

async function namesIn(
  state: StoreState,
  folder: string,
): Promise<{ readonly files: ReadonlySet<string>; readonly rows: ReadonlySet<string> }> {
  const files = (await state.files.list(folder)).filter(
    (name) => parseName(name) !== null && name.startsWith(folder),
  );
  const rows = state.withIndex((index) => index.namesInFolder(folder)) ?? [];
  return { files: new Set(files), rows: new Set(rows) };
}

/** A few at a time. */
function parts(names: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(names.length / namesAtOnce) }, (_, index) =>
    names.slice(index * namesAtOnce, (index + 1) * namesAtOnce),
  );
}

async function inLane<T>(state: StoreState, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  await nextTurn();
  return state.lane.add(() => work());
}

async function lookAt(
  state: StoreState,
  names: readonly string[],
  options: VerifyOptions,
): Promise<Finding[]> {
  const sound: number[] = [];
  const adopted: { name: string; sizeBytes: number }[] = [];
  const look = async (name: string): Promise<Finding> => {
    const row = state.withIndex((index) => index.chunkNamed(name));
    const finding = await findingOf(state, name, row, options.full);
    if (finding === 'sound' && row !== undefined && options.full) sound.push(row.id);
    if (!options.repair) return finding;
    if (row !== undefined && (finding === 'bad' || finding === 'missing')) await state.removeBad(row);
    else if (finding === 'bad') await state.files.remove(name);
    const sizeBytes = finding === 'orphan' ? await state.files.sizeBytes(name) : null;
    if (sizeBytes !== null) adopted.push({ name, sizeBytes });
    return finding;
  };
  const findings = await Promise.all(names.map((name) => state.calls.add(() => look(name))));
  state.withIndex((index) => index.verified(sound, state.times.now()));
  state.withIndex((index) => index.adopt(adopted));
  return findings;
}

async function findingOf(
  state: StoreState,
  name: string,
  row: ChunkRow | undefined,
  isFull: boolean,
): Promise<Finding> {
  const sizeBytes = await state.files.sizeBytes(name);
  if (sizeBytes === null) return row === undefined ? 'none' : 'missing';
  if (row !== undefined && sizeBytes !== row.length) return 'bad';
  if (isFull) {
    const bytes = await state.files.read(name);
    if (bytes === null) return 'none';
    if (state.options.hash(bytes) !== parseName(name)?.hash) return 'bad';
  }
  return row === undefined ? 'orphan' : 'sound';
}
