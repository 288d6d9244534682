// The parser's child process: reads batches from standard input, writes one line per file to descriptor 3, in order.
//
// Everything is synchronous on purpose. The parent counts lines, so it knows which file was being parsed when this
// process died; the end of standard input means that the parent is gone. Nothing else is opened, nothing is remembered
// between files but the armed failpoints.
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import xxhash from 'xxhash-wasm';
import { defaultScan } from '../library/scan-settings.ts';
import { errnoOf } from '../platform/errors.ts';
import { Failpoints } from '../platform/failpoints.ts';
import { endWithParent } from '../platform/native.ts';
import { LegacyText, tolerateBadUtf8 } from './legacy-text.ts';
import { type Hash64, parseFile } from './parse-file.ts';
import { type ChildBatch, childReady, rootUnavailable } from './parse-outcome.ts';

const resultFd = 3;

async function main(): Promise<void> {
  endWithParent();
  const { h64Raw } = await xxhash();
  const failpoints = new Failpoints(false);
  const lines = new LineReader(0);
  let armed = '';
  let charset = defaultScan.legacyCharset;
  let legacy = new LegacyText(charset);
  tolerateBadUtf8(() => legacy);
  writeLine(childReady);
  for (;;) {
    const line = lines.next();
    if (line === null) return;
    // Only the parent writes here, and it wrote this type.
    const batch = JSON.parse(line) as ChildBatch;
    if (batch.failpoints.join('\n') !== armed) {
      armed = batch.failpoints.join('\n');
      failpoints.enabled = armed !== '';
      failpoints.clear();
      for (const text of batch.failpoints) failpoints.set(text);
    }
    if (batch.legacyCharset !== charset) {
      charset = batch.legacyCharset;
      legacy = new LegacyText(charset);
    }
    const rootFd = openRoot(batch.rootPath);
    if (rootFd === null) continue;
    try {
      await parseBatch(rootFd, batch, failpoints, legacy, h64Raw);
    } finally {
      closeSync(rootFd);
    }
  }
}

/** The root's descriptor; when it cannot be had, says so in one line for the whole batch. */
function openRoot(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    writeLine(`${rootUnavailable}${errnoOf(error) ?? 'EIO'}`);
    return null;
  }
}

async function parseBatch(
  rootFd: number,
  batch: ChildBatch,
  failpoints: Failpoints,
  legacy: LegacyText,
  hash: Hash64,
): Promise<void> {
  for (const [index, path] of batch.files.entries()) {
    const action = batch.wantsTags ? failpoints.check('parser.file') : null;
    if (action !== null) sleepSync(action.type === 'delay' ? action.ms : Number.POSITIVE_INFINITY);
    const wanted = { tags: batch.wantsTags, fileFp: batch.wantsFileFp, legacy };
    writeLine(
      JSON.stringify(await parseFile(rootFd, { path, held: batch.held[index] ?? null }, wanted, hash)),
    );
  }
}

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

function sleepSync(ms: number): void {
  Atomics.wait(sleepCell, 0, 0, ms);
}

function writeLine(text: string): void {
  const bytes = Buffer.from(`${text}\n`);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(resultFd, bytes, written);
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      sleepSync(1);
    }
  }
}

/** Lines of a descriptor, read as they are wanted. */
class LineReader {
  private readonly fd: number;
  private readonly area = Buffer.alloc(256 * 1024);
  private rest = Buffer.alloc(0);

  constructor(fd: number) {
    this.fd = fd;
  }

  /** The next line, or null at the end. */
  next(): string | null {
    for (;;) {
      const end = this.rest.indexOf(10);
      if (end >= 0) {
        const line = this.rest.toString('utf8', 0, end);
        this.rest = this.rest.subarray(end + 1);
        return line;
      }
      const count = this.read();
      if (count === 0) return null;
      this.rest = Buffer.concat([this.rest, this.area.subarray(0, count)]);
    }
  }

  private read(): number {
    for (;;) {
      try {
        return readSync(this.fd, this.area, 0, this.area.length, null);
      } catch (error) {
        if (errnoOf(error) === 'EOF') return 0;
        if (errnoOf(error) !== 'EAGAIN') throw error;
        sleepSync(5);
      }
    }
  }
}

if (import.meta.main) await main();
