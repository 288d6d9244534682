// Cuts and hashes that many random bytes in memory, as the fetch thread does, and prints MB for each second of processor time.
import { randomFillSync } from 'node:crypto';
import xxhash from 'xxhash-wasm';
import { Chunker } from '../../src/content/fast-cdc.ts';

const pieceBytes = 64 * 1024;
const { h64Raw } = await xxhash();
const bytes = randomFillSync(Buffer.allocUnsafeSlow(64 * 1024 ** 2));

function cutAndHash(total: number): void {
  const chunker = new Chunker();
  const hash = (chunk: Uint8Array) => void h64Raw(chunk);
  for (let done = 0; done < total; done += pieceBytes) {
    const at = done % bytes.length;
    chunker.add(bytes.subarray(at, at + pieceBytes), hash);
  }
  chunker.finish(hash);
}

cutAndHash(bytes.length); // compiled by then
const total = Number(process.argv[2]);
const before = process.cpuUsage();
cutAndHash(total);
const { user, system } = process.cpuUsage(before);
process.stdout.write(JSON.stringify(total / (user + system)));
