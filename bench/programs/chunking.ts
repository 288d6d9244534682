// How fast one core cuts and hashes, and how fast the reader gives chunk files that lie in the page cache, without FUSE.
// Run by hand: node bench/programs/chunking.ts [folder]. Prints a line of JSON a figure: MB/s, the best of five.
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import xxhash from 'xxhash-wasm';
import { ChunkReader } from '../../src/content/chunk-reader.ts';
import { ChunkStore } from '../../src/content/chunk-store.ts';
import { Chunker } from '../../src/content/fast-cdc.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { Failpoints } from '../../src/platform/failpoints.ts';
import { silentLogger } from '../../src/platform/logger.ts';

const { h64Raw } = await xxhash();
const hash = (bytes: Uint8Array) => h64Raw(bytes, 0n);
const bytes = randomFillSync(Buffer.alloc(256 * 1024 ** 2));
const directory = mkdtempSync(path.join(process.argv[2] ?? tmpdir(), 'musicfs-chunking-'));
const parts = { directory, clock: systemClock, failpoints: new Failpoints(false), hash };
const content = { node: 1, version: 1 };

function report(figure: string, work: () => void): void {
  const runs = Array.from({ length: 5 }, () => {
    const startedAtMs = performance.now();
    work();
    return bytes.length / 1000 / (performance.now() - startedAtMs);
  });
  console.log(JSON.stringify({ figure, megabytesPerSecond: Math.round(Math.max(...runs)) }));
}

function inSteps(stepBytes: number, work: (offset: number) => void): void {
  for (let offset = 0; offset < bytes.length; offset += stepBytes) work(offset);
}

try {
  const chunker = new Chunker();
  report('FastCDC and xxHash64, 64 KiB at a time', () => {
    inSteps(65_536, (offset) => chunker.add(bytes.subarray(offset, offset + 65_536), hash));
    chunker.finish(hash);
  });

  const limits = {
    enabled: true,
    contentMaxBytes: 1024 ** 3,
    highShare: 0.9,
    lowShare: 0.8,
    criticalShare: 0.95,
    diskStopShare: 1,
    minFreeBytes: 1,
    minFreeShare: 0,
    flushIntervalMs: 10_000,
    probeIntervalMs: 60_000,
    chunkInUseMs: 60_000,
  };
  const store = await ChunkStore.open({ ...parts, log: silentLogger, limits, onEvent: () => undefined });
  const run = store.beginRun(content, { sizeBytes: bytes.length, originId: 'bench' }, 0);
  const startedAtMs = performance.now();
  for (let offset = 0; offset < bytes.length; offset += 1024 ** 2) {
    run.add(bytes.subarray(offset, offset + 1024 ** 2));
    if (run.uncommittedBytes > 32 * 1024 ** 2) await run.flush();
  }
  await run.end();
  const megabytesPerSecond = Math.round(bytes.length / 1000 / (performance.now() - startedAtMs));
  console.log(
    JSON.stringify({ figure: 'put, synced', megabytesPerSecond, whole: store.isComplete(content) }),
  );

  const reader = new ChunkReader({ ...parts, memoryTierBytes: 32 * 1024 ** 2 });
  for (const readBytes of [131_072, 1024 ** 2]) {
    const area = Buffer.alloc(readBytes);
    report(`warm chunk files, readNow of ${readBytes / 1024} KiB`, () =>
      inSteps(readBytes, (offset) => {
        if (reader.readNow(content, offset, readBytes, area) !== readBytes) throw new Error('not warm');
      }),
    );
  }
  reader.close();
  await store.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
