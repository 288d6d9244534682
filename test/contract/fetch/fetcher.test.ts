// The fetcher over origins in memory: what is asked of them, from whom, and what a reader gets.
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Holder } from '../../../src/catalog/locations.ts';
import { Fetcher } from '../../../src/fetch/fetcher.ts';
import { realPath } from '../../../src/library/real-path.ts';
import type { OriginKind } from '../../../src/origins/origin.ts';
import { OriginGate } from '../../../src/origins/origin-gate.ts';
import { limitsByKind, type OriginLimits } from '../../../src/origins/origin-limits.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { codeOf, MusicfsError } from '../../../src/platform/errors.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { MemoryOrigin, MemoryPlace } from '../../fixtures/memory-origin.ts';

const kib = 1024;
const mib = 1024 * kib;
const song = { node: 7, version: 1 };
const path = realPath('a/song.flac');
const never = new AbortController().signal;

interface Place {
  readonly id: string;
  readonly place: MemoryPlace;
  readonly gate: OriginGate;
}

interface OriginOptions {
  readonly kind?: OriginKind;
  readonly limits?: Partial<OriginLimits>;
  readonly wasDown?: boolean;
  /** Its files end there, whatever it says of their size. */
  readonly endsAtBytes?: number;
  /** So many bytes of each answer come, then its connection is reset. */
  readonly breaksAfterBytes?: number;
}

class CutOrigin extends MemoryOrigin {
  endsAtBytes = Number.POSITIVE_INFINITY;
  breaksAfterBytes = Number.POSITIVE_INFINITY;

  override async *readRange(
    ...[at, version, offset, length, signal]: Parameters<MemoryOrigin['readRange']>
  ): AsyncGenerator<Buffer> {
    const toEnd = Math.max(0, this.endsAtBytes - offset);
    yield* super.readRange(at, version, offset, Math.min(length, toEnd, this.breaksAfterBytes), signal);
    if (length > this.breaksAfterBytes) throw new MusicfsError('origin_unavailable', 'connection reset');
  }
}

function origin(id: string, priority: number, options: OriginOptions = {}): Place {
  const { kind = 'sftp', limits = {}, wasDown = false } = options;
  const place = new MemoryPlace();
  const cut = new CutOrigin(place, { id, kind, capabilities: { etag: false } });
  cut.endsAtBytes = options.endsAtBytes ?? cut.endsAtBytes;
  cut.breaksAfterBytes = options.breaksAfterBytes ?? cut.breaksAfterBytes;
  const gate = new OriginGate({
    origin: cut,
    priority,
    limits: { ...limitsByKind[kind], ...limits },
    clock: systemClock,
    random: () => 0.5,
    wasDown,
    onHealth: () => undefined,
  });
  onTestFinished(() => gate.close());
  return { id, place, gate };
}

const mtimeNs = '1700000000000000000';

/** A fetcher over these places, each of which holds the song; the first is authoritative. */
function fetcherOver(places: readonly Place[], bytes: Uint8Array, change: { sizeBytes?: number } = {}) {
  for (const { place } of places) if (place.lookAt(path) === undefined) place.put(path, bytes, mtimeNs);
  const diverged: string[] = [];
  const changed: string[] = [];
  const holders = places.map(
    ({ id }, index): Holder => ({
      ...{ originName: id, path, sizeBytes: change.sizeBytes ?? bytes.length, mtimeNs, etag: null },
      isAuthoritative: index === 0,
    }),
  );
  const fetcher = new Fetcher({
    holders: ({ node }) => (node === song.node ? holders : []),
    nextOf: () => null,
    gates: new Map(places.map(({ id, gate }) => [id, gate])),
    isCached: () => false,
    store: null,
    clock: systemClock,
    random: () => 0.5,
    onChanged: (id) => changed.push(id),
    onDiverged: (id) => diverged.push(id),
    onServedElsewhere: () => undefined,
  });
  onTestFinished(() => fetcher.close());
  const read = async (offset: number, length: number, signal = never) =>
    (await fetcher.read(song, offset, length, null, signal)).bytes;
  return { fetcher, read, diverged, changed };
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function readAll(read: (offset: number, length: number) => Promise<Uint8Array>, sizeBytes: number) {
  const all = createHash('sha256');
  for (let at = 0; at < sizeBytes; at += 128 * kib) all.update(await read(at, 128 * kib));
  return all.digest('hex');
}

async function drained(bodies: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bodies);
}

const codeOfRead = (reading: Promise<unknown>) => reading.then(() => 'ok', codeOf);

describe('a read', () => {
  it('is the bytes of its range, clamped to the file', async () => {
    const bytes = randomBytes(300 * kib + 7);
    const { read } = fetcherOver([origin('nas', 1)], bytes);
    expect(hash(await read(0, 10))).toBe(hash(bytes.subarray(0, 10)));
    expect(hash(await read(200 * kib - 3, 100 * kib))).toBe(
      hash(bytes.subarray(200 * kib - 3, 300 * kib - 3)),
    );
    expect(hash(await read(300 * kib, 4096))).toBe(hash(bytes.subarray(300 * kib)));
    expect([(await read(300 * kib + 7, 10)).length, (await read(900 * kib, 10)).length]).toEqual([0, 0]);
  });

  it('asks for each byte once, from start to end, with one range for the first bytes', async () => {
    const bytes = randomBytes(20 * mib + 5);
    const nas = origin('nas', 1);
    const { read } = fetcherOver([nas], bytes);
    expect(await readAll(read, bytes.length)).toBe(hash(bytes));
    expect(nas.place.bytesRead).toBe(bytes.length);
    expect(nas.place.requests).toBeLessThan(40);
  });

  it('is answered when its own bytes are there, not the whole window', async () => {
    const bytes = randomBytes(mib);
    const nas = origin('nas', 1);
    const { read } = fetcherOver([nas], bytes);
    const reading = read(0, 4 * kib);
    await eventually('the first bytes have come', () => nas.place.bytesRead >= 64 * kib);
    nas.place.hang();
    expect((await reading).length).toBe(4 * kib);
    nas.place.goOn();
  });

  it('joins one that is under way for the same bytes', async () => {
    const bytes = randomBytes(mib);
    const nas = origin('nas', 1);
    const { read } = fetcherOver([nas], bytes);
    nas.place.hang();
    const readers = Array.from({ length: 20 }, () => read(5, 8 * kib));
    await eventually('one asks', () => nas.place.requests > 0);
    nas.place.goOn();
    for (const got of await Promise.all(readers))
      expect(hash(got)).toBe(hash(bytes.subarray(5, 5 + 8 * kib)));
    expect(nas.place.requests).toBe(1);
    expect(nas.place.bytesRead).toBeLessThanOrEqual(256 * kib);
  });

  it('ends what it asked for when the last who waits gives up, and not before', async () => {
    const nas = origin('nas', 1);
    const { read } = fetcherOver([nas], randomBytes(mib));
    const [one, other] = [new AbortController(), new AbortController()];
    nas.place.hang();
    const readings = [codeOfRead(read(0, 10, one.signal)), codeOfRead(read(0, 10, other.signal))];
    await eventually('it asks', () => nas.place.requests > 0);
    one.abort();
    await pause(20);
    expect(nas.gate.pending).toBe(1);
    other.abort();
    expect(await Promise.all(readings)).toEqual(['cancelled', 'cancelled']);
    await eventually('the slot is free', () => nas.gate.pending === 0);
    nas.place.goOn();
    expect((await read(0, 10)).length).toBe(10);
  });

  it('that comes when the last who waits has just given up gets its bytes', async () => {
    const bytes = randomBytes(mib);
    const nas = origin('nas', 1);
    const { read } = fetcherOver([nas], bytes);
    const one = new AbortController();
    nas.place.hang();
    const first = codeOfRead(read(0, 10, one.signal));
    await eventually('it asks', () => nas.place.requests > 0);
    one.abort();
    const second = read(0, 10);
    nas.place.goOn();
    expect(await first).toBe('cancelled');
    expect(hash(await second)).toBe(hash(bytes.subarray(0, 10)));
  });

  it('of what was only read ahead and waits in the queue gets its bytes, and so does everybody else', async () => {
    const bytes = randomBytes(16 * mib);
    const nas = origin('nas', 1, { kind: 's3', limits: { concurrency: 2, rangesPerFile: 4 } });
    const { read } = fetcherOver([nas], bytes);
    for (let at = 0; at < 4 * mib; at += 128 * kib) await read(at, 128 * kib);
    await eventually('nothing is under way', () => nas.gate.pending === 0);
    nas.place.hang();
    const readings = Array.from({ length: 40 }, (_, index) =>
      read((4 * 1024 + index * 128) * kib, 128 * kib),
    );
    await eventually('more is asked for than may be under way', () => nas.gate.pending > 2);
    nas.place.goOn();
    for (const [index, got] of (await Promise.all(readings)).entries()) {
      const from = (4 * 1024 + index * 128) * kib;
      expect([index, hash(got)]).toEqual([index, hash(bytes.subarray(from, from + 128 * kib))]);
    }
  });

  it('of what is only queued for somebody else goes first, and both get their bytes', async () => {
    const bytes = randomBytes(4 * mib);
    const nas = origin('nas', 1, { limits: { concurrency: 1 } });
    const { fetcher, read } = fetcherOver([nas], bytes);
    nas.place.hang();
    const other = read(3 * mib, 10);
    await eventually('it asks', () => nas.place.requests === 1);
    const whole = fetcher.fetchWhole(song, 'pin', never).then(() => 'fetched', codeOf);
    await eventually('that is queued', () => nas.gate.pending > 1);
    const hurried = read(5, 10);
    nas.place.goOn();
    expect(hash(await hurried)).toBe(hash(bytes.subarray(5, 15)));
    expect(hash(await other)).toBe(hash(bytes.subarray(3 * mib, 3 * mib + 10)));
    expect(await whole).toBe('fetched');
  });

  it('from start to end goes on in long ranges when memory is full of what was read', async () => {
    const nas = origin('nas', 1);
    const sizeBytes = 200 * mib;
    nas.place.putSparse(path, sizeBytes, 0, randomBytes(kib));
    const thing = nas.place.things.get(path);
    if (thing !== undefined) nas.place.things.set(path, { ...thing, mtimeNs });
    const { fetcher, read } = fetcherOver([nas], new Uint8Array(), { sizeBytes });
    for (let at = 0; at < sizeBytes; at += mib) expect((await read(at, mib)).length).toBe(mib);
    expect(nas.place.requests).toBeLessThan(100);
    expect(nas.place.bytesRead).toBe(sizeBytes);
    expect(fetcher.memoryBytes).toBeLessThanOrEqual(80 * mib);
  });

  it('of the middle of a large file fetches 2 MiB at most', async () => {
    const nas = origin('nas', 1);
    const tail = randomBytes(mib);
    nas.place.putSparse(path, 500 * mib, 300 * mib, tail);
    const thing = nas.place.things.get(path);
    if (thing !== undefined) nas.place.things.set(path, { ...thing, mtimeNs });
    const { read } = fetcherOver([nas], tail, { sizeBytes: 500 * mib });
    expect(hash(await read(300 * mib + 5, 64 * kib))).toBe(hash(tail.subarray(5, 5 + 64 * kib)));
    expect(nas.place.bytesRead).toBeLessThanOrEqual(2 * mib);
  });

  it('of a version that nobody knows is gone', async () => {
    const { fetcher } = fetcherOver([origin('nas', 1)], randomBytes(10));
    expect(await codeOfRead(fetcher.read({ node: 8, version: 1 }, 0, 10, null, never))).toBe('version_gone');
  });

  it('of a file that is another one now is gone, and somebody is told', async () => {
    const nas = origin('nas', 1);
    const { read, changed } = fetcherOver([nas], randomBytes(mib));
    nas.place.put(path, randomBytes(mib), '1800000000000000000');
    expect(await codeOfRead(read(0, 10))).toBe('version_gone');
    expect(changed).toEqual(['nas']);
  });
});

describe('of two holders', () => {
  it('the second goes on in the middle of a range when the first fails', async () => {
    const bytes = randomBytes(64 * mib);
    const [first, second] = [origin('first', 1), origin('second', 2)];
    const { read } = fetcherOver([first, second], bytes);
    await readAll(read, 2 * mib); // some more of it is on its way then
    first.place.failWith('origin_unavailable');
    expect(await readAll(read, bytes.length)).toBe(hash(bytes));
    expect(first.place.bytesRead + second.place.bytesRead).toBeLessThan(bytes.length + mib);
    expect(second.place.bytesRead).toBeGreaterThan(0);
  });

  it('nobody waits for the first where it hangs longer than its first byte may take', async () => {
    const bytes = randomBytes(mib);
    const first = origin('first', 1, { limits: { firstByteMs: 100 } });
    const { read } = fetcherOver([first, origin('second', 2)], bytes);
    first.place.hang();
    const began = performance.now();
    expect(hash(await read(0, mib))).toBe(hash(bytes));
    expect(performance.now() - began).toBeLessThan(1_100);
    first.place.goOn();
  });

  it('the second never goes on with bytes of its own: a re-mastered file of the same name, size and time', async () => {
    const [bytes, other] = [randomBytes(8 * mib), randomBytes(8 * mib)];
    const [first, second] = [origin('first', 1), origin('second', 2)];
    second.place.put(path, other, mtimeNs);
    const { read, diverged } = fetcherOver([first, second], bytes);
    const got: Uint8Array[] = [];
    const outcome = await codeOfRead(
      (async () => {
        for (let at = 0; at < bytes.length; at += 128 * kib) {
          got.push(await read(at, 128 * kib));
          if (at === mib) first.place.failWith('origin_unavailable');
        }
      })(),
    );
    expect(outcome).not.toBe('ok');
    const all = Buffer.concat(got);
    expect(hash(all)).toBe(hash(bytes.subarray(0, all.length)));
    expect(diverged[0]).toBe('second');
  });

  it('nor does the first, when it comes back and the second began', async () => {
    const [bytes, other] = [randomBytes(4 * mib), randomBytes(4 * mib)];
    const [first, second] = [origin('first', 1), origin('second', 2)];
    second.place.put(path, other, mtimeNs);
    const { read } = fetcherOver([first, second], bytes);
    first.place.failWith('origin_unavailable');
    expect(hash(await read(0, 64 * kib))).toBe(hash(other.subarray(0, 64 * kib)));
    first.place.failWith(undefined);
    second.place.failWith('origin_unavailable');
    await first.gate.probe();
    expect(await codeOfRead(read(2 * mib, 64 * kib))).not.toBe('ok');
  });

  it('one that ends too early, cleanly, has failed', async () => {
    const bytes = randomBytes(mib);
    const [first, second] = [origin('first', 1, { endsAtBytes: 700_000 }), origin('second', 2)];
    const { read } = fetcherOver([first, second], bytes);
    expect(await readAll(read, bytes.length)).toBe(hash(bytes));
    expect(first.gate.stats.failures).toBeGreaterThan(0);
  });
});

describe('a connection that breaks', () => {
  it('takes all that is read over it along, and counts once: the origin is not down for it', async () => {
    const nas = origin('nas', 1);
    nas.place.put(path, randomBytes(mib), mtimeNs);
    const version = await nas.gate.stat(path, 'foreground', never);
    const ranges = Array.from({ length: 4 }, (_, index) =>
      nas.gate.readRange(path, version, index * 256 * kib, 256 * kib, 'foreground', never),
    );
    // Two of them have brought bytes by then.
    for (const range of ranges.slice(0, 2)) await range.next();
    nas.place.hang();
    const rest = ranges.map((range) => codeOfRead(drained(range)));
    await eventually('all are asked', () => nas.gate.stats.calls === 5);
    nas.place.failWith('origin_unavailable');
    nas.place.goOn();
    expect(await Promise.all(rest)).toEqual(Array.from({ length: 4 }, () => 'origin_unavailable'));
    expect(nas.gate.stats.failures).toBe(4);
    expect(nas.gate.health).toMatchObject({ state: 'degraded', consecutiveFailures: 1 });
    expect(nas.gate.candidate().isOpen).toBe(false);
  });

  it('over and over is used as long as it brings bytes', async () => {
    const bytes = randomBytes(mib);
    const nas = origin('nas', 1, { breaksAfterBytes: 128 * kib });
    const { read } = fetcherOver([nas], bytes);
    expect(hash(await read(0, mib))).toBe(hash(bytes));
    expect(nas.gate.stats.failures).toBeGreaterThanOrEqual(7);
    expect(nas.place.bytesRead).toBe(bytes.length);
  }, 10_000);
});

describe('an origin that is down', () => {
  it('is not asked any more once it failed three times, and reads fail at once', async () => {
    const nas = origin('nas', 1);
    const { read } = fetcherOver([nas], randomBytes(mib));
    nas.place.failWith('origin_unavailable');
    expect(await codeOfRead(read(0, 10))).toBe('origin_unavailable');
    expect([nas.gate.health.state, nas.gate.candidate().isOpen]).toEqual(['unhealthy', true]);
    const asked = nas.place.requests;
    const began = performance.now();
    for (let at = 0; at < 15; at += 1)
      expect(await codeOfRead(read(at * 64 * kib, 10))).toBe('origin_unavailable');
    expect(performance.now() - began).toBeLessThan(500);
    expect(nas.place.requests).toBe(asked);
  });

  it('is read again as soon as a probe has found it back', async () => {
    const bytes = randomBytes(mib);
    const nas = origin('nas', 1);
    const { read } = fetcherOver([nas], bytes);
    nas.place.failWith('origin_unavailable');
    await codeOfRead(read(0, 10));
    nas.place.failWith(undefined);
    expect(await nas.gate.probe()).toBeNull();
    expect(hash(await read(0, 10))).toBe(hash(bytes.subarray(0, 10)));
    expect(nas.gate.health.state).toBe('healthy');
  });

  it('a failure that passes is tried again where nobody else holds the file', async () => {
    const bytes = randomBytes(mib);
    const nas = origin('nas', 1);
    const { read } = fetcherOver([nas], bytes);
    nas.place.failWith('origin_unavailable');
    const reading = read(0, 10);
    await eventually('it failed once', () => nas.gate.stats.failures === 1);
    nas.place.failWith(undefined);
    expect(hash(await reading)).toBe(hash(bytes.subarray(0, 10)));
    expect(nas.place.requests).toBe(2);
  });

  it('that was down when the last life ended is not waited for', async () => {
    const nas = origin('nas', 1, { wasDown: true });
    const { read } = fetcherOver([nas], randomBytes(10));
    nas.place.hang();
    const began = performance.now();
    expect(await codeOfRead(read(0, 10))).toBe('origin_unavailable');
    expect(performance.now() - began).toBeLessThan(50);
    nas.place.goOn();
  });

  it('permission that is refused is no outage, and nobody tries again', async () => {
    const nas = origin('nas', 1);
    const { read } = fetcherOver([nas], randomBytes(10));
    nas.place.forbid('a');
    expect(await codeOfRead(read(0, 10))).toBe('permission_denied');
    expect([nas.place.requests, nas.gate.candidate().isOpen]).toEqual([1, false]);
  });
});
