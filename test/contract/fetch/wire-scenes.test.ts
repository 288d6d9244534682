// What each network kind must bear on its way: the fetcher over a gate and a real adapter, with toxiproxy and the fault
// proxy in front of a real server. The gate's clock runs ten times as fast, so that its deadlines are what they are outside
// of tests: 10 s for a first byte and between two, 5 s of an open breaker, and so on.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Fetcher } from '../../../src/fetch/fetcher.ts';
import type { ByteStore } from '../../../src/fetch/stored-runs.ts';
import { realPath } from '../../../src/library/real-path.ts';
import type { Origin } from '../../../src/origins/origin.ts';
import { OriginGate } from '../../../src/origins/origin-gate.ts';
import type { OriginHealthFacts } from '../../../src/origins/origin-health.ts';
import { limitsByKind, type OriginLimits } from '../../../src/origins/origin-limits.ts';
import { HostResolver } from '../../../src/origins/resolve-host.ts';
import { S3Origin } from '../../../src/origins/s3-origin.ts';
import { Secret } from '../../../src/origins/secret.ts';
import { SftpOrigin } from '../../../src/origins/sftp-origin.ts';
import { WebdavOrigin } from '../../../src/origins/webdav-origin.ts';
import { codeOf } from '../../../src/platform/errors.ts';
import { StubResolver } from '../../chaos/stub-resolver.ts';
import { type NetworkKind, type NetworkPlace, WireServers } from '../../chaos/wire/wire-places.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { fastClock } from '../../fixtures/fast-clock.ts';
import { MemoryOrigin, MemoryPlace } from '../../fixtures/memory-origin.ts';
import { s3Credentials } from '../../fixtures/s3-harness.ts';
import { s3Bucket } from '../../fixtures/servers/s3-servers.ts';
import { sftpUser } from '../../fixtures/servers/sshd.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';
import { webdavCredentials } from '../../fixtures/webdav-harness.ts';

const kib = 1024;
const times = 10;
const clock = fastClock(times);
const never = new AbortController().signal;
const song = { node: 7, version: 1 };
const name = realPath('song.flac');
const size = 2_000_000;
const bytes = filler(size, 77);

let servers: WireServers;
beforeAll(async () => {
  servers = await WireServers.start();
}, 300_000);
afterAll(() => servers?.end());

/** Keeps what it is given, and gives nothing back: to see what would be stored. */
class Kept implements ByteStore {
  readonly runs: { node: number; offset: number; bytes: Buffer }[] = [];

  gaps(_content: unknown, offset: number, lengthBytes: number) {
    return [{ offset, lengthBytes }];
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  beginRun({ node }: { node: number }, _file: unknown, offset: number) {
    const run = { node, offset, bytes: Buffer.alloc(0) };
    this.runs.push(run);
    return {
      add: (more: Uint8Array) => {
        run.bytes = Buffer.concat([run.bytes, more]);
      },
      end: () => Promise.resolve(),
      committedTo: () => 0,
      uncommittedBytes: 0,
    };
  }

  lengthOf(node: number): number {
    return this.runs.filter((run) => run.node === node).reduce((sum, run) => sum + run.bytes.length, 0);
  }

  get wrong(): number[] {
    return this.runs
      .filter((run) => !run.bytes.equals(bytes.subarray(run.offset, run.offset + run.bytes.length)))
      .map(({ offset }) => offset);
  }
}

interface SceneOptions {
  readonly limits?: Partial<OriginLimits>;
  readonly hasReplica?: boolean;
  readonly resolver?: HostResolver;
  readonly content?: Buffer;
}

function originOf(kind: NetworkKind, place: NetworkPlace, resolver: HostResolver | undefined): Origin {
  const { table } = place;
  const named = (address: string) =>
    resolver === undefined ? address : address.replace('127.0.0.1', 'nas.test');
  const own = resolver === undefined ? {} : { resolver };
  switch (kind) {
    case 'sftp':
      return new SftpOrigin({
        ...{ id: 'wire', host: named('127.0.0.1'), port: Number(table['port']), path: String(table['path']) },
        credentials: { kind: 'ssh', user: sftpUser.name, password: new Secret(sftpUser.password) },
        ...{ knownHostsFiles: [], hostKeyPolicy: 'accept-new', stateDirectory: temporaryDirectory(), clock },
        ...(resolver === undefined
          ? {}
          : { resolve: (host: string, signal: AbortSignal) => resolver.resolve(host, signal) }),
      });
    case 's3':
      return new S3Origin({
        ...{ id: 'wire', bucket: s3Bucket, prefix: String(table['prefix']), pathStyle: true },
        ...{ endpoint: named(String(table['endpoint'])), credentials: s3Credentials(servers.s3), ...own },
      });
    case 'webdav':
      return new WebdavOrigin({
        ...{ id: 'wire', url: named(String(table['url'])), credentials: webdavCredentials, ...own },
      });
  }
}

async function scene(kind: NetworkKind, options: SceneOptions = {}) {
  const { limits = {}, hasReplica = false, resolver, content = bytes } = options;
  const place = await servers.network(kind, 1);
  onTestFinished(() => place.end());
  await place.put('song.flac', content);
  await place.put('other.flac', content);
  const origin = originOf(kind, place, resolver);
  const version = await origin.stat(name, never);
  const health: OriginHealthFacts[] = [];
  const common = { clock, random: () => 0.5, wasDown: false };
  const gate = new OriginGate({
    ...common,
    origin,
    priority: 1,
    // To shake hands takes a busy machine longer than half a second.
    limits: { ...limitsByKind[kind], probeMs: 20_000, ...limits },
    onHealth: (facts) => health.push(facts),
  });
  onTestFinished(() => gate.close());
  const memory = new MemoryPlace();
  memory.put(name, content, version.mtimeNs);
  const replica = new OriginGate({
    ...common,
    origin: new MemoryOrigin(memory, { id: 'replica', kind: 'sftp', capabilities: { etag: false } }),
    priority: 2,
    limits: limitsByKind.sftp,
    onHealth: () => undefined,
  });
  onTestFinished(() => replica.close());
  const { sizeBytes, mtimeNs, etag } = version;
  const store = new Kept();
  const fetcher = new Fetcher({
    holders: ({ node }) => [
      {
        ...{ originName: 'wire', path: node === 8 ? realPath('other.flac') : name, sizeBytes, mtimeNs },
        ...{ etag: node === 8 ? otherEtag : etag, isAuthoritative: true },
      },
      ...(hasReplica
        ? [{ originName: 'replica', path: name, sizeBytes, mtimeNs, etag: null, isAuthoritative: false }]
        : []),
    ],
    nextOf: () => null,
    gates: new Map([
      ['wire', gate],
      ['replica', replica],
    ]),
    isCached: () => true,
    store,
    clock,
    random: () => 0.5,
    onChanged: () => undefined,
    onDiverged: () => undefined,
    onServedElsewhere: () => undefined,
  });
  onTestFinished(() => fetcher.close());
  const { mtimeNs: otherMtime, etag: otherEtag } = await origin.stat(realPath('other.flac'), never);
  const { proxy } = place;
  const read = async (offset: number, length: number, node = song.node) => {
    const got = await fetcher.read({ node, version: 1 }, offset, length, null, never);
    return { ...got, isRight: Buffer.from(got.bytes).equals(content.subarray(offset, offset + length)) };
  };
  return { place, proxy, origin, gate, replica, health, store, fetcher, read, version, otherMtime };
}

const outcome = (reading: Promise<{ isRight: boolean }>) =>
  reading.then(({ isRight }) => (isRight ? 'right' : 'WRONG'), codeOf);

async function timed<T>(work: Promise<T>): Promise<{ value: T; ms: number }> {
  const began = performance.now();
  const value = await work;
  return { value, ms: performance.now() - began };
}

const kinds: readonly NetworkKind[] = ['sftp', 's3', 'webdav'];
/** Positions count in the body of an answer where there is one, else in all that the server says. */
const inBody = (kind: NetworkKind) => kind !== 'sftp';

describe.each(kinds)('an origin of kind %s', (kind) => {
  test('R-47: a spike of latency: a replica answers within the limit of a first byte and a second; afterwards it is asked again', async () => {
    const { place, gate, read } = await scene(kind, { hasReplica: true });
    expect((await read(0, 4 * kib)).servedBy).toBe('wire');
    await place.toxin('latency', { latency: 5_000, jitter: 0 });
    const { value, ms } = await timed(read(1_000_000, 64 * kib));
    expect(value).toMatchObject({ isRight: true, servedBy: 'replica' });
    // 10 s and 1 s, ten times as fast, and what a busy machine takes.
    expect(ms).toBeLessThan(1_100 + 500);
    await place.heal();
    await eventually('a probe finds it', async () => (await gate.probe()) === null);
    let node = 500;
    await eventually('it is asked again', async () => {
      node += 1;
      return (await read(0, 1, node)).servedBy === 'wire';
    });
  });

  test('R-47: a slow start of each answer: degraded after 20 of them, and a replica goes before it', async () => {
    const { place, gate, replica, read, version } = await scene(kind, { hasReplica: true });
    expect(await replica.probe()).toBeNull();
    // 2.3 s, ten times as fast; SFTP needs two exchanges for a file that it knows.
    await place.toxin('latency', { latency: kind === 'sftp' ? 115 : 230, jitter: 0 });
    const seen: string[] = [];
    for (let at = 0; at < 30 && gate.health.state !== 'degraded'; at += 1) {
      for await (const part of gate.readRange(name, version, at * 1_000, 10, 'foreground', never))
        expect(Buffer.from(part).equals(bytes.subarray(at * 1_000, at * 1_000 + 10))).toBe(true);
      seen.push(gate.health.state);
    }
    expect(seen.filter((state) => state !== 'degraded').length).toBeGreaterThanOrEqual(19);
    expect(seen.length).toBeLessThanOrEqual(21);
    expect(gate.health).toMatchObject({ state: 'degraded', isSlow: true, consecutiveFailures: 0 });
    expect(await read(0, 64 * kib)).toMatchObject({ isRight: true, servedBy: 'replica' });
  }, 60_000);

  test('R-47: a thin line: the first byte comes early, the origin is degraded, and well within a minute after it', async () => {
    const { place, gate, read } = await scene(kind);
    // 30 KiB/s, ten times as fast.
    await place.toxin('bandwidth', { rate: 300 });
    const { value, ms } = await timed(read(0, 4 * kib));
    expect(value.isRight).toBe(true);
    expect(ms).toBeLessThan(1_000);
    await eventually('it is degraded', () => gate.health.state === 'degraded' && gate.health.isSlow);
    await place.heal();
    const began = performance.now();
    // Nobody reads; somebody looks every half minute.
    await eventually(
      'it is healthy',
      async () => {
        await gate.probe();
        return gate.health.state === 'healthy';
      },
      60_000 / times,
    );
    expect(performance.now() - began).toBeLessThan(60_000 / times);
  });

  test('R-45: it dies in mid-body: the next attempt goes on where it ended, and little comes twice', async () => {
    const { place, proxy, gate, read } = await scene(kind);
    proxy.setFault({ type: 'reset_at', bytes: 100_000, inBody: inBody(kind) }, 1);
    expect((await read(0, 256 * kib)).isRight).toBe(true);
    expect(proxy.counters.applied).toBe(1);
    expect(gate.stats.bytes).toBeLessThanOrEqual(256 * kib + 256 * kib);
    expect(gate.stats.failures).toBe(1);
    const before = gate.stats.bytes;
    await place.toxin('limit_data', { bytes: 220_000 });
    expect((await read(1_048_576, 256 * kib)).isRight).toBe(true);
    expect(gate.stats.bytes - before).toBeLessThanOrEqual(256 * kib + 256 * kib);
    expect(gate.stats.failures).toBeGreaterThan(1);
  });

  test('R-45: it ends too early, in good order, at every border of blocks: no short read, nothing short is kept', async () => {
    const { proxy, read, store, gate } = await scene(kind);
    const nodes: number[] = [];
    let at = 0;
    let applied = 0;
    for (const border of [4 * kib, 64 * kib, 128 * kib, 192 * kib]) {
      for (const end of [border - 1, border, border + 1]) {
        proxy.setFault({ type: 'truncate_at', bytes: end, inBody: inBody(kind) }, 1);
        const offset = (at % 6) * 256 * kib;
        const node = 100 + at;
        nodes.push(node);
        expect([end, (await read(offset, 256 * kib, node)).isRight]).toEqual([end, true]);
        applied += 1;
        expect(proxy.counters.applied).toBe(applied);
        // Half of its calls failing would open the breaker.
        for (const more of [1, 2])
          expect((await read(offset, 4 * kib, 1_000 * more + at)).isRight).toBe(true);
        at += 1;
      }
    }
    // On one connection of SFTP two transfers may end together.
    expect(gate.stats.failures).toBeGreaterThanOrEqual(applied);
    expect(store.wrong).toEqual([]);
    expect(store.runs.length).toBeGreaterThanOrEqual(12);
    for (const node of nodes) expect(store.lengthOf(node)).toBe(256 * kib);
  }, 60_000);

  test('R-45: a bit turns on the way over SSH, or in the head of an answer: right bytes or a failure, nothing wrong is kept', async () => {
    const { proxy, read, store } = await scene(kind);
    // The bodies of plain HTTP are what nobody can check; its heads are shorter than this.
    proxy.setFault({ type: 'bit_flip', offset: 30, every: kind === 'sftp' ? 40_000 : 1e9 });
    for (let round = 0; round < 6; round += 1) {
      expect(['right', 'origin_unavailable', 'version_gone', 'permission_denied', 'not_found']).toContain(
        await outcome(read(round * 256 * kib, 64 * kib, 200 + round)),
      );
    }
    expect(proxy.counters.applied).toBeGreaterThan(0);
    expect(store.wrong).toEqual([]);
  }, 60_000);

  test('it stalls in mid-body: the limit of a stall ends the attempt, another file is read meanwhile', async () => {
    const { proxy, read, gate } = await scene(kind);
    proxy.setFault({ type: 'stall_at', bytes: 65_536, inBody: inBody(kind) }, 1);
    let isOver = false;
    const stalled = timed(read(0, 256 * kib)).finally(() => {
      isOver = true;
    });
    await eventually('it stalls', () => proxy.counters.applied === 1);
    // A connection on which nothing has come for a second is not joined any more.
    const silentAtMs = performance.now() + 1_200 / times;
    await eventually('it is silent', () => performance.now() > silentAtMs);
    const { value: other } = await timed(read(0, 64 * kib, 8));
    expect([other.isRight, isOver]).toEqual([true, false]);
    const { value, ms } = await stalled;
    expect(value.isRight).toBe(true);
    expect(ms).toBeGreaterThan(900);
    expect(ms).toBeLessThan(3_000);
    expect(gate.stats.failures).toBe(1);
  });

  test('it is silent from the start: the limit of a first byte counts, the third failure opens the breaker, then EIO at once', async () => {
    const { proxy, read, gate } = await scene(kind);
    proxy.setFault({ type: 'accept_silent' });
    const { value, ms } = await timed(outcome(read(0, 4 * kib)));
    expect(['deadline_exceeded', 'origin_unavailable']).toContain(value);
    // Two or three limits of 10 s: a probe after the first failure counts too.
    expect(ms).toBeGreaterThan(1_900);
    expect(ms).toBeLessThan(3_000 + 1_500);
    expect(gate.candidate().isOpen).toBe(true);
    for (let at = 0; at < 10; at += 1) {
      const refused = await timed(outcome(read(500_000 + at * 4 * kib, 4 * kib)));
      expect(refused.value).toBe('origin_unavailable');
      expect(refused.ms).toBeLessThanOrEqual(50);
    }
    proxy.setFault(undefined);
    await proxy.down();
    await proxy.up();
    await eventually('it is back', () => gate.health.state === 'healthy', 60_000 / times);
    expect((await read(0, 4 * kib)).isRight).toBe(true);
  }, 30_000);

  test('it flaps for half a minute: no wrong byte, and the breaker lets no storm of connections through', async () => {
    const { proxy, read, gate } = await scene(kind);
    const untilMs = performance.now() + 30_000 / times;
    let isOver = false;
    const seen = new Set<string>();
    const reader = async (start: number) => {
      for (let at = start; !isOver; at = (at + 37) % 480) {
        seen.add(await outcome(read(at * 4 * kib, 4 * kib, 300 + at)));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    const readers = Array.from({ length: 8 }, (_, index) => reader(index * 11));
    let downs = 0;
    for (let isUp = true; performance.now() < untilMs; isUp = !isUp) {
      proxy.setFault(isUp ? { type: 'reset_at', bytes: 0 } : undefined);
      if (isUp) downs += 1;
      await new Promise((resolve) => setTimeout(resolve, 2_000 / times));
    }
    proxy.setFault(undefined);
    isOver = true;
    await Promise.all(readers);
    expect(seen).not.toContain('WRONG');
    expect(
      [...seen].every((each) => ['right', 'origin_unavailable', 'deadline_exceeded'].includes(each)),
    ).toBe(true);
    expect(proxy.counters.applied).toBeGreaterThan(0);
    // For each time it went down: those under way, as many as open the breaker, each dialled once more, and a probe.
    expect(proxy.counters.connections).toBeLessThanOrEqual(downs * 16 + 8);
    await eventually('it is back', () => gate.health.state === 'healthy', 60_000 / times);
    expect((await read(0, 4 * kib)).isRight).toBe(true);
  }, 30_000);

  test('its answers come in slices of one byte: right bytes', async () => {
    const content = filler(1_000, 5);
    const { place, read } = await scene(kind, { content, limits: { firstByteMs: 100_000, callMs: 300_000 } });
    await place.toxin('slicer', { average_size: 1, size_variation: 0, delay: 100 });
    expect((await read(0, 1_000)).isRight).toBe(true);
  }, 30_000);

  test('R-12: its connections are slow to say good-bye: no more of them are open than before', async () => {
    const { place, proxy, read, gate, version } = await scene(kind);
    await place.toxin('slow_close', { delay: 300 });
    for (let round = 0; round < 5; round += 1) {
      // Somebody leaves in the middle of a file.
      for await (const _part of gate.readRange(name, version, 0, size, 'foreground', never)) break;
      proxy.setFault({ type: 'truncate_at', bytes: 50_000, inBody: inBody(kind) }, 1);
      // On one connection several calls of SFTP go on at once: all of them fail with it.
      const readings = [0, 1, 2, 3].map((part) =>
        outcome(read(part * 256 * kib, 100 * kib, 400 + round * 10 + part)),
      );
      for (const each of await Promise.all(readings)) expect(['right', 'origin_unavailable']).toContain(each);
      await eventually('it is well', async () => (await gate.probe()) === null && gate.pending === 0);
    }
    expect(proxy.counters.applied).toBe(5);
    await eventually('what was ended is closed', () => proxy.open <= 4, 5_000);
    expect(proxy.counters.connections).toBeLessThanOrEqual(4 + 5 * 4);
  }, 30_000);

  test('R-25: its name does not resolve for a while: degraded at most, the old address is used, and it is looked at again', async () => {
    const stub = await StubResolver.start();
    onTestFinished(() => stub.end());
    stub.set('nas.test', '127.0.0.1');
    const resolver = new HostResolver({ servers: [stub.server], clock });
    const { proxy, gate, read, health } = await scene(kind, { resolver });
    expect(await gate.probe()).toBeNull();
    stub.set('nas.test', 'SERVFAIL');
    await gate.probe();
    for (let round = 0; round < 3; round += 1) {
      await eventually('nothing is under way', () => gate.pending === 0);
      await proxy.down(); // each read needs a new connection, and so the address
      await proxy.up();
      expect((await read(round * 300 * kib, 4 * kib)).isRight).toBe(true);
    }
    expect(gate.candidate()).toMatchObject({ isOpen: false, consecutiveFailures: 0 });
    expect(health.map(({ state }) => state)).not.toContain('unhealthy');
    // When the old address is too old and nothing is connected, the name is what fails, and no more than that.
    const tooOldAtMs = performance.now() + 61_000 / times;
    await eventually('the address is too old', () => performance.now() > tooOldAtMs);
    await proxy.down();
    await proxy.up();
    expect(await outcome(read(1_200_000, 4 * kib))).toBe('name_resolution');
    expect(gate.health).toMatchObject({ state: 'degraded', consecutiveFailures: 0 });
    expect(gate.health.lastError?.code).toBe('name_resolution');
    stub.set('nas.test', '127.0.0.1');
    const { ms } = await timed(
      eventually('it is healthy', () => gate.health.state === 'healthy', 6_000 / times + 500),
    );
    expect(ms).toBeLessThan(6_000 / times + 500);
    expect((await read(1_200_000, 4 * kib)).isRight).toBe(true);
  }, 30_000);
});
