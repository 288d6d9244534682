// Origins over HTTP on real servers with a network in between that fails: how many connections they make, and that no
// wrong or missing byte comes out as a byte of the file.
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { realPath } from '../../../src/library/real-path.ts';
import type { Origin, OriginEntry } from '../../../src/origins/origin.ts';
import { HostResolver } from '../../../src/origins/resolve-host.ts';
import { S3Origin } from '../../../src/origins/s3-origin.ts';
import { WebdavOrigin } from '../../../src/origins/webdav-origin.ts';
import { StubResolver } from '../../chaos/stub-resolver.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { codeOfCall, listEntries, readBytes, unbounded } from '../../fixtures/read-origin.ts';
import { type S3Harness, s3Credentials, s3Hand, s3Harness } from '../../fixtures/s3-harness.ts';
import { type S3Server, s3Bucket, startS3rver } from '../../fixtures/servers/s3-servers.ts';
import { ToxiproxyServer } from '../../fixtures/servers/toxiproxy.ts';
import { startRclone, type WebdavServer } from '../../fixtures/servers/webdav-servers.ts';
import { type WebdavHarness, webdavCredentials, webdavHarness } from '../../fixtures/webdav-harness.ts';
import { SimulatedClock } from '../../unit/supervision/simulated-clock.ts';

let rclone: WebdavServer;
let s3rver: S3Server;
let hand: S3Client;
let toxiproxy: ToxiproxyServer;

beforeAll(async () => {
  [rclone, s3rver, toxiproxy] = await Promise.all([startRclone(), startS3rver(), ToxiproxyServer.start()]);
  hand = await s3Hand(s3rver);
}, 300_000);

afterAll(async () => {
  hand?.destroy();
  await Promise.all([rclone?.end(), s3rver?.end(), toxiproxy?.end()]);
});

type Harness = WebdavHarness | S3Harness;
interface Kind {
  readonly name: string;
  readonly make: (options?: { host?: string; resolver?: HostResolver }) => Promise<Harness>;
  readonly serverPort: () => number;
  /** Another origin over the same place, by another port. */
  readonly by: (port: number, displayName: string) => Origin;
}

/** The folder or prefix of a harness, out of what its origin says of itself. */
const placeIn = (displayName: string): string => /100%(?:25)?\/(\d+)/.exec(displayName)?.[1] ?? '';

const kinds: readonly Kind[] = [
  {
    name: 'webdav',
    make: (options) => webdavHarness(rclone, options),
    serverPort: () => rclone.process.port,
    by: (port, displayName) =>
      new WebdavOrigin({
        id: 'dav',
        url: `http://127.0.0.1:${port}/${encodeURIComponent('my müsic 100%')}/${placeIn(displayName)}`,
        credentials: webdavCredentials,
      }),
  },
  {
    name: 's3',
    make: (options) => s3Harness(s3rver, hand, options),
    serverPort: () => s3rver.process.port,
    by: (port, displayName) =>
      new S3Origin({
        id: 's3',
        bucket: s3Bucket,
        prefix: `my müsic 100%/${placeIn(displayName)}`,
        endpoint: `http://127.0.0.1:${port}`,
        credentials: s3Credentials(s3rver),
      }),
  },
];

/** Less than any head of these servers. A wrong bit in a body shows to nobody who only asks once. */
const headBytes = 240;
const size = 300_000;
const bytes = filler(size, 21);

describe.each(kinds)('an origin of kind $name', (kind) => {
  /** One file of 300,000 bytes, and the connection that looked at it. */
  async function scene(options?: { host?: string; resolver?: HostResolver }) {
    const harness = await kind.make(options);
    onTestFinished(() => harness.end());
    await harness.put('a.flac', bytes);
    const version = await harness.origin.stat(realPath('a.flac'), unbounded());
    const read = (offset = 0, length = size, signal?: AbortSignal) =>
      readBytes(harness.origin, 'a.flac', version, offset, length, signal);
    return { harness, origin: harness.origin, proxy: harness.proxy, version, read };
  }

  test('R-12: 100 ranges in turn need at most 4 connections, and so do 10 readers at once', async () => {
    const { proxy, read } = await scene();
    for (let at = 0; at < 100; at += 1) {
      expect(await read(at * 2_000, 1_500)).toEqual(bytes.subarray(at * 2_000, at * 2_000 + 1_500));
    }
    expect(proxy.counters.connections).toBeLessThanOrEqual(4);
    const readers = Array.from({ length: 10 }, (_, at) => read(at * 10_000, 200_000));
    for (const [at, got] of (await Promise.all(readers)).entries())
      expect(got.equals(bytes.subarray(at * 10_000, at * 10_000 + 200_000))).toBe(true);
    expect(proxy.counters.connections).toBeLessThanOrEqual(4);
    expect(proxy.open).toBeGreaterThan(0); // kept, not closed
  });

  test('R-12: a kept connection that is reset costs one more connection and no failure', async () => {
    const { proxy, read } = await scene();
    await Promise.all([1, 2, 3, 4].map(() => read()));
    const before = proxy.counters.connections;
    proxy.setFault({ type: 'reset_at', bytes: 0 }, 1);
    expect((await read(1_000, 5_000)).equals(bytes.subarray(1_000, 6_000))).toBe(true);
    expect(proxy.counters.applied).toBe(1);
    expect(proxy.counters.connections).toBe(before + 1);
  });

  test('R-12: a connection that was just made and is reset is a failure, not a reason to dial again', async () => {
    const harness = await kind.make();
    onTestFinished(() => harness.end());
    harness.proxy.setFault({ type: 'reset_at', bytes: 0 });
    expect(await codeOfCall(harness.origin.probe(unbounded()))).toBe('origin_unavailable');
    expect(harness.proxy.counters.connections).toBe(1);
  });

  test('R-45: a body that ends too early, in good order, is a failure at whatever byte it ends', async () => {
    const { proxy, read } = await scene();
    for (const block of [0, 4_096, 65_536, 131_072, size]) {
      for (const at of [block - 1, block, block + 1].filter((n) => n >= 0 && n < size)) {
        proxy.setFault({ type: 'truncate_at', bytes: at, inBody: true }, 1);
        const before = proxy.counters.applied;
        expect([at, await codeOfCall(read())]).toEqual([at, 'origin_unavailable']);
        expect(proxy.counters.applied).toBe(before + 1);
      }
    }
    proxy.setFault(undefined);
    expect((await read()).equals(bytes)).toBe(true);
  });

  test('R-45: a listing that ends too early, in good order, is a failure and no shorter listing', async () => {
    const { harness, proxy } = await scene();
    for (let at = 0; at < 40; at += 1) await harness.put(`many/${at}.flac`, bytes.subarray(0, at));
    const whole = await listEntries(harness.origin, realPath('many'));
    for (const at of [0, 1, 40, 200, 1_000, 4_000, 8_000]) {
      proxy.setFault({ type: 'truncate_at', bytes: at, inBody: true }, 1);
      expect([at, await codeOfCall(listEntries(harness.origin, realPath('many')))]).toEqual([
        at,
        'origin_unavailable',
      ]);
    }
    expect(proxy.counters.applied).toBe(7);
    expect(await listEntries(harness.origin, realPath('many'))).toEqual(whole);
    expect(whole).toHaveLength(40);
  });

  test('R-45: what was given before a body broke off are the right bytes, so that the next try goes on there', async () => {
    const { origin, proxy, version } = await scene();
    for (const type of ['truncate_at', 'reset_at', 'half_close'] as const) {
      proxy.setFault({ type, bytes: 100_000, inBody: true }, 1);
      const got: Uint8Array[] = [];
      const reading = async () => {
        for await (const chunk of origin.readRange(realPath('a.flac'), version, 0, size, unbounded()))
          got.push(chunk);
      };
      expect(await codeOfCall(reading())).toBe('origin_unavailable');
      const part = Buffer.concat(got);
      expect(part.length).toBeLessThanOrEqual(100_000);
      expect(part.equals(bytes.subarray(0, part.length))).toBe(true);
    }
  });

  test('R-45: a head with a wrong bit gives the right bytes or a failure, never other bytes', async () => {
    const { seed } = printedSeed('bits of heads');
    const { harness, proxy, version, read } = await scene();
    let state = seed >>> 0 || 1;
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 60; round += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      proxy.setFault({ type: 'bit_flip', offset: state % headBytes, bit: (state >>> 16) % 8 }, 1);
      const patience = AbortSignal.timeout(300); // a longer length is waited for
      let outcome: string;
      try {
        outcome = (await read(1_000, 3_000, patience)).equals(bytes.subarray(1_000, 4_000))
          ? 'right'
          : `wrong bytes, bit ${(state >>> 16) % 8} at ${state % headBytes}`;
      } catch (error) {
        outcome = await codeOfCall(Promise.reject(error));
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].filter((outcome) => outcome.startsWith('wrong'))).toEqual([]);
    expect([...outcomes.keys()].filter((outcome) => outcome !== 'right').length).toBeGreaterThan(0);
    expect(proxy.counters.applied).toBeGreaterThan(40);
    proxy.setFault(undefined);
    expect(await harness.origin.stat(realPath('a.flac'), unbounded())).toEqual(version);
  });

  test('R-45: bytes that come one by one, slowly, or late are right', async () => {
    const { harness, version } = await scene();
    const { proxy, port } = await toxiproxy.proxy(kind.name, kind.serverPort());
    const origin = kind.by(port, harness.origin.displayName);
    onTestFinished(() => origin.close());
    const slicer = await proxy.addToxic({
      name: 'slices',
      type: 'slicer',
      stream: 'downstream',
      toxicity: 1,
      attributes: { average_size: 1, size_variation: 0, delay: 100 },
    });
    expect(await readBytes(origin, 'a.flac', version, 70_000, 1_000)).toEqual(bytes.subarray(70_000, 71_000));
    await slicer.remove();
    await proxy.addToxic({
      name: 'late',
      type: 'latency',
      stream: 'downstream',
      toxicity: 1,
      attributes: { latency: 300, jitter: 0 },
    });
    expect((await readBytes(origin, 'a.flac', version)).equals(bytes)).toBe(true);
  });

  test('R-12: after a reset of every connection by toxiproxy the next read is right', async () => {
    const { harness, version } = await scene();
    const { proxy, port } = await toxiproxy.proxy(`${kind.name}-reset`, kind.serverPort());
    const origin = kind.by(port, harness.origin.displayName);
    onTestFinished(() => origin.close());
    expect((await readBytes(origin, 'a.flac', version)).equals(bytes)).toBe(true);
    const reset = await proxy.addToxic({
      name: 'reset',
      type: 'reset_peer',
      stream: 'downstream',
      toxicity: 1,
      attributes: { timeout: 0 },
    });
    expect(await codeOfCall(readBytes(origin, 'a.flac', version))).toBe('origin_unavailable');
    await reset.remove();
    expect((await readBytes(origin, 'a.flac', version)).equals(bytes)).toBe(true);
  });

  test('silence from the start and in mid-body ends with the signal, and the connection is given back', async () => {
    const { harness, proxy, read } = await scene();
    proxy.setFault({ type: 'stall_at', bytes: 65_536, inBody: true }, 1);
    expect(await codeOfCall(read(0, size, AbortSignal.timeout(300)))).toBe('deadline_exceeded');
    await eventually('nothing is under way', () => harness.origin.underWay === 0, 5_000);
    await proxy.down();
    await proxy.up();
    proxy.setFault({ type: 'accept_silent' });
    expect(await codeOfCall(read(0, size, AbortSignal.timeout(300)))).toBe('deadline_exceeded');
    expect(await codeOfCall(harness.origin.probe(AbortSignal.timeout(300)))).toBe('deadline_exceeded');
    await eventually('nothing is open', () => harness.origin.underWay === 0 && proxy.open === 0, 5_000);
    proxy.setFault(undefined);
    expect((await read()).equals(bytes)).toBe(true);
  });

  test('R-25: while the name servers fail, reads go on over the old address, and only the probe says so', async () => {
    const stub = await StubResolver.start();
    onTestFinished(() => stub.end());
    stub.set('nas.test', '127.0.0.1');
    const clock = new SimulatedClock();
    const resolver = new HostResolver({ servers: [stub.server], timeLimitMs: 500, clock });
    const { origin, proxy, read } = await scene({ host: 'nas.test', resolver });
    await origin.probe(unbounded());
    stub.set('nas.test', 'SERVFAIL');
    for (let round = 0; round < 3; round += 1) {
      expect(await codeOfCall(origin.probe(unbounded()))).toBe('name_resolution');
      await proxy.down(); // each read needs a new connection, and so the address
      await proxy.up();
      expect((await read(round, 1_000)).equals(bytes.subarray(round, round + 1_000))).toBe(true);
      await clock.advance(5_000);
    }
    await clock.advance(60_000);
    await proxy.down();
    await proxy.up();
    expect(await codeOfCall(read())).toBe('name_resolution');
    stub.set('nas.test', '127.0.0.1');
    await origin.probe(unbounded());
    expect((await read()).equals(bytes)).toBe(true);
  });

  test('a host that no name server knows is a failure of the name', async () => {
    const stub = await StubResolver.start();
    onTestFinished(() => stub.end());
    const resolver = new HostResolver({ servers: [stub.server] });
    const harness = await kind.make({ host: 'nowhere.test', resolver });
    onTestFinished(() => harness.end());
    const version: OriginEntry = { name: '', kind: 'file', sizeBytes: 5, mtimeNs: '0', etag: null };
    expect(await codeOfCall(harness.origin.probe(unbounded()))).toBe('name_resolution');
    expect(await codeOfCall(listEntries(harness.origin))).toBe('name_resolution');
    expect(await codeOfCall(readBytes(harness.origin, 'a.flac', version))).toBe('name_resolution');
  });
});
