// A cache of any size without its bytes: every row is real, and every chunk file is there with its length, but only the beginning
// of each file has its own bytes; the rest are holes that nobody reads. What a store of so many chunks costs is its index.

import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import xxhash from 'xxhash-wasm';
import { Locations } from '../../src/catalog/locations.ts';
import { openCatalogForReading } from '../../src/catalog/open-catalog.ts';
import { TreeReader } from '../../src/catalog/tree-reader.ts';
import { openCacheIndex } from '../../src/content/cache-database.ts';
import { CacheIndex, type Placement } from '../../src/content/cache-index.ts';
import { chunkName, pathOfName } from '../../src/content/chunk-name.ts';
import { Chunker } from '../../src/content/fast-cdc.ts';
import { fileOperations } from '../../src/content/file-operations.ts';
import { tracksBelow } from '../../src/fetch/tracks-below.ts';
import { Failpoints } from '../../src/platform/failpoints.ts';

const trueBytes = 512 * 1024;
const holeBytes = 96 * 1024;

/** Fills the cache of a library that is not mounted: all of its files are kept then. Returns the number of chunks. */
export async function fillCache(
  stateDirectory: string,
  originId: string,
  music: string,
  signal: AbortSignal,
): Promise<number> {
  const directory = path.join(stateDirectory, 'cache');
  const chunks = path.join(directory, 'chunks');
  mkdirSync(path.join(chunks, 'tmp'), { recursive: true, mode: 0o700 });
  const { h64Raw } = await xxhash();
  const { database } = openCacheIndex(directory, Date.now());
  database.pragma('synchronous = OFF');
  const failpoints = new Failpoints(false);
  const index = new CacheIndex(database, failpoints, fileOperations, h64Raw);
  const catalog = openCatalogForReading(path.join(stateDirectory, 'catalog.db'));
  let count = 0;
  try {
    const locations = new Locations(catalog);
    const beginning = Buffer.alloc(trueBytes);
    for (const { content, sizeBytes } of tracksBelow(new TreeReader(catalog, { failpoints }), '')) {
      signal.throwIfAborted();
      const [holder] = locations.holders(content.node, content.version);
      if (holder === undefined) continue;
      const placements: Placement[] = [];
      let at = 0;
      const put = (hash: bigint, lengthBytes: number, bytes: Uint8Array | null) => {
        writeChunk(chunks, chunkName(hash, 0), lengthBytes, bytes);
        placements.push({
          ...{ content, fileBytes: sizeBytes, originId, offset: at },
          ...{ hash, ordinal: 0, lengthBytes, isEdge: false },
        });
        at += lengthBytes;
      };
      const fd = openSync(path.join(music, holder.path), 'r');
      const got = readSync(fd, beginning, 0, trueBytes, 0);
      closeSync(fd);
      const chunker = new Chunker();
      const cut = (chunk: Uint8Array) => put(h64Raw(chunk), chunk.length, chunk);
      chunker.add(beginning.subarray(0, got), cut);
      chunker.finish(cut);
      while (at < sizeBytes) put(randomBytes(8).readBigUInt64BE(), Math.min(holeBytes, sizeBytes - at), null);
      index.commit(placements, Date.now());
      count += placements.length;
      await nextTurn();
    }
    index.setMeta('indexed', 1);
    index.setMeta('clean', 1);
    index.checkpoint();
  } finally {
    catalog.close();
    index.close();
  }
  return count;
}

function writeChunk(chunks: string, name: string, lengthBytes: number, bytes: Uint8Array | null): void {
  const file = path.join(chunks, pathOfName(name));
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  if (bytes !== null) return writeFileSync(file, bytes, { mode: 0o600 });
  const fd = openSync(file, 'w', 0o600);
  ftruncateSync(fd, lengthBytes);
  closeSync(fd);
}
