// Whatever bytes come from the device: the codec returns, the session answers each request once and well-formed, and
// goes on. A failure is had again with TEST_SEED.
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { decodeRequest, type Request } from '../../../src/fuse/protocol/decode-request.ts';
import { abi, makeRequest, makeStruct, nulEnded, readStruct } from '../../fixtures/fuse-abi.ts';
import { type Random, randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { servedSession } from '../../fixtures/served-session.ts';

const inputs = 100_000;
const inputsAtOnce = 64;

/** Bodies that make sense for some operation. */
const bodies: readonly (readonly Uint8Array[])[] = [
  [],
  [nulEnded('Artist')],
  [nulEnded('x'.repeat(300))],
  [nulEnded(Uint8Array.of(0xff, 0xc3, 0x28))],
  [makeStruct(abi.initIn, { major: 7, minor: 45, maxReadahead: 131_072, flags: 0x73ff_fffb, flags2: 0x5fd })],
  [makeStruct(abi.initIn, { major: 7, minor: 12, flags: 1 }).subarray(0, 16)],
  [makeStruct(abi.readIn, { offset: 0n, size: 4096 })],
  [makeStruct(abi.readIn, { offset: 7n, size: 0xffff_ffff })],
  [makeStruct(abi.readIn, { offset: 2n ** 63n, size: 1 })],
  [makeStruct(abi.getxattrIn, { size: 0 }), nulEnded('user.musicfs.origin')],
  [makeStruct(abi.getxattrIn, { size: 2 }), nulEnded('user.musicfs.id')],
  [makeStruct(abi.getxattrIn, { size: 64 }), nulEnded('system.posix_acl_access')],
  [makeStruct(abi.openIn, { flags: 1 })],
];
const nodes = [0n, 1n, 2n, 3n, 4n, (1n << 40n) | 2n, (1n << 40n) | 5n, (9n << 40n) | 2n, 2n ** 64n - 1n];

/** The number of a request lies at bytes 8 to 16; it is what tells the answers apart. */
function anyBytes(random: Random, unique: bigint): Buffer {
  const pick = <T>(values: readonly T[], instead: T): T => values[random(values.length)] ?? instead;
  const some = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random(256)));
  const extensions = random(8) === 0 ? some(8 * random(4)) : new Uint8Array(0);
  const fields = { unique, nodeid: pick(nodes, 1n), extensions };
  let bytes = makeRequest(random(8) === 0 ? random(5000) : random(56), pick(bodies, []), fields);
  switch (random(6)) {
    case 0: // as it is
      break;
    case 1: // some bytes changed
      for (let count = 1 + random(6); count > 0; count -= 1) bytes[random(bytes.length)] = random(256);
      break;
    case 2: // cut, and its length not corrected
      bytes = bytes.subarray(0, random(bytes.length));
      break;
    case 3: // another body, its length right
      bytes = Buffer.concat([bytes.subarray(0, 40), some(random(120))]);
      bytes.writeUInt32LE(bytes.length, 0);
      break;
    case 4: // a length or a count of extensions that is a lie
      bytes.writeUInt32LE(pick([0, 39, 40, 41, 0x7fff_ffff, 0xffff_ffff], 0), 0);
      bytes.writeUInt16LE(pick([0, 1, 0xffff], 0), 36);
      break;
    default:
      bytes = some(random(200));
  }
  if (bytes.length >= 40) bytes.writeBigUInt64LE(unique, 8);
  return bytes;
}

/** Requests that the kernel wants no answer to. */
const silent: ReadonlySet<Request['type']> = new Set(['forget', 'interrupt']);

/** Lengths of the answers without a value of free length. */
const lengths: Partial<Record<Request['type'], readonly number[]>> = {
  init: [24, 40, 80],
  lookup: [144],
  getattr: [120],
  open: [32],
  opendir: [32],
  statfs: [96],
  release: [16],
  releasedir: [16],
  access: [16],
  destroy: [16],
};

function expectWellFormed(answer: Buffer, request: Request): void {
  const { len, error } = readStruct(abi.outHeader, answer, 0);
  expect(len).toBe(answer.length);
  if (error !== 0) {
    expect(answer).toHaveLength(16);
    expect(Number(error)).toBeGreaterThan(-4096);
    expect(Number(error)).toBeLessThan(0);
    return;
  }
  const allowed = lengths[request.type];
  if (allowed !== undefined) expect(allowed).toContain(answer.length);
  else if ('size' in request) expect(answer.length).toBeLessThanOrEqual(16 + Math.max(request.size, 8));
  else throw new Error(`${request.type} cannot succeed`);
}

it('any bytes are decoded without a throw, answered at most once and in the form of their request', async () => {
  const { seed } = printedSeed('bytes from the device');
  const random = randomOf(seed);
  const { kernel, counters } = servedSession(['One', 'Two']);
  const waiting = new Map<bigint, Request>();
  const take = (): void => {
    for (const answer of kernel.receiveAll()) {
      const { unique } = readStruct(abi.outHeader, answer, 0);
      const request = waiting.get(BigInt(unique));
      if (request === undefined) throw new Error(`an answer to nothing: ${answer.toString('hex')}`);
      waiting.delete(BigInt(unique));
      expectWellFormed(answer, request);
    }
  };
  const decoded: Partial<Record<Request['type'], number>> = {};
  for (let index = 1; index <= inputs; index += 1) {
    const bytes = anyBytes(random, BigInt(index));
    const request = decodeRequest(bytes, bytes.length);
    expect(request === null).toBe(bytes.length < 40);
    if (request !== null) {
      decoded[request.type] = (decoded[request.type] ?? 0) + 1;
      if (!silent.has(request.type)) waiting.set(BigInt(index), request);
    }
    if (bytes.length > 0) expect(kernel.send(bytes)).toBe(true);
    if (index % inputsAtOnce !== 0) continue;
    await setImmediate();
    take();
  }
  for (let turns = 0; waiting.size > 0 && turns < 1000; turns += 1) {
    await setImmediate();
    take();
  }
  expect([...waiting.values()]).toEqual([]);
  expect(counters.get('badReplies')).toBe(0);
  // Every kind of request was among them.
  expect(Object.keys(decoded)).toHaveLength(21);
});
