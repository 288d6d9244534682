// An sftp origin against a real OpenSSH server keeps the contract of every origin, and promises of its own.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { assert, asyncProperty, integer } from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { realPath, rootRealPath } from '../../../src/library/real-path.ts';
import type { FileVersion } from '../../../src/origins/origin.ts';
import { SftpOrigin, type SftpOriginOptions } from '../../../src/origins/sftp-origin.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { codeOf, MusicfsError } from '../../../src/platform/errors.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { folderHand } from '../../fixtures/folder-origin.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { type Relay, relayTo } from '../../fixtures/relay.ts';
import { type Sshd, sftpUser, startSshd } from '../../fixtures/servers/sshd.ts';
import { type OriginHarness, originContract } from './origin-contract.ts';

interface Scene {
  readonly server: Sshd;
  readonly relay: Relay;
  readonly origin: SftpOrigin;
  readonly key: string;
}

const revealing = (text: string) => ({ reveal: () => text });

/** A server behind a relay, and an origin that knows its key. */
async function scene(overrides: Partial<SftpOriginOptions> = {}): Promise<Scene> {
  const server = await startSshd();
  const relay = await relayTo(() => server.port);
  const key = server.newUserKey();
  const knownHosts = path.join(server.folder, 'known-hosts');
  writeFileSync(knownHosts, server.knownHosts(`[127.0.0.1]:${relay.port}`));
  const origin = new SftpOrigin({
    id: 'nas',
    host: '127.0.0.1',
    port: relay.port,
    path: server.music,
    credentials: { kind: 'ssh', user: sftpUser.name, privateKey: revealing(key) },
    knownHostsFiles: [knownHosts],
    hostKeyPolicy: 'strict',
    stateDirectory: path.join(server.folder, 'state'),
    ...overrides,
  });
  onTestFinished(() => origin.close());
  return { server, relay, origin, key };
}

originContract('a folder on an SSH server', async (): Promise<OriginHarness> => {
  const { server, relay, origin, key } = await scene();
  return {
    ...folderHand(server.music, sftpUser.uid),
    origin,
    cut: () => server.stop(),
    mend: () => server.start(),
    restart: () => server.restart(),
    hang: async () => server.hang(),
    goOn: async () => server.goOn(),
    transfers: () => server.handles(),
    requests: () => relay.bytesUp,
    secrets: [key, sftpUser.name],
    end: () => origin.close(),
  };
});

const never = new AbortController().signal;

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const part of parts) got.push(part);
  return got;
}

const bytesOf = async (origin: SftpOrigin, version: FileVersion, offset: number, length: number) =>
  Buffer.concat(await all(origin.readRange(song, version, offset, length, never)));

const song = realPath('CD1/a.flac');

/** A scene with one file of that size. */
async function sceneWithSong(sizeBytes: number, overrides: Partial<SftpOriginOptions> = {}) {
  const made = await scene(overrides);
  const bytes = filler(sizeBytes, 21);
  await folderHand(made.server.music, sftpUser.uid).put('CD1/a.flac', bytes, 1_000_000_000);
  const version = { sizeBytes, mtimeNs: '1000000000000000000', etag: null };
  return { ...made, bytes, version };
}

test('R-12: 100 ranges one after the other need one connection', async () => {
  const { relay, origin, bytes, version } = await sceneWithSong(1_000_000);
  for (let at = 0; at < 100; at += 1) {
    const got = await bytesOf(origin, version, at * 9_000, 20_000);
    expect(got.equals(bytes.subarray(at * 9_000, at * 9_000 + 20_000))).toBe(true);
  }
  expect(relay.connections).toBe(1);
});

test('R-12: 10 readers at once need at most four connections, and each gets its bytes', async () => {
  const { relay, origin, bytes, version } = await sceneWithSong(3_000_000);
  const read = async (at: number) => {
    const got = await bytesOf(origin, version, at * 250_000, 500_000);
    return got.equals(bytes.subarray(at * 250_000, at * 250_000 + 500_000));
  };
  for (let round = 0; round < 3; round += 1) {
    const right = await Promise.all(Array.from({ length: 10 }, (_, at) => read(at)));
    expect(right).toEqual(right.map(() => true));
  }
  expect(relay.connections).toBeGreaterThan(1);
  expect(relay.connections).toBeLessThanOrEqual(4);
});

test('R-12: after a reset of an idle connection the next read is right, over one more', async () => {
  const { relay, origin, bytes, version } = await sceneWithSong(100_000);
  for (let round = 1; round <= 5; round += 1) {
    expect((await bytesOf(origin, version, 0, 100_000)).equals(bytes)).toBe(true);
    expect(relay.connections).toBe(round);
    relay.reset();
  }
});

test('R-12: when all connections turn out to be dead, the next read is right, over one more', async () => {
  const { relay, origin, bytes, version } = await sceneWithSong(3_000_000);
  // Twice: one that was still being made in the first round has been made in the second.
  for (let round = 0; round < 2; round += 1)
    await Promise.all(Array.from({ length: 10 }, () => bytesOf(origin, version, 0, 3_000_000)));
  const before = relay.connections;
  expect(before).toBeGreaterThan(1);
  relay.forget();
  expect((await bytesOf(origin, version, 0, 10)).equals(bytes.subarray(0, 10))).toBe(true);
  expect(relay.connections).toBe(before + 1);
});

test('R-12: a reset in the middle of a read fails it, and the next one is right', async () => {
  const { relay, origin, bytes, version } = await sceneWithSong(8_000_000);
  const blocks = origin.readRange(song, version, 0, 8_000_000, never);
  await blocks.next();
  relay.reset();
  await expect(all(blocks)).rejects.toMatchObject({ code: 'origin_unavailable' });
  expect((await bytesOf(origin, version, 5, 10)).equals(bytes.subarray(5, 15))).toBe(true);
  expect(relay.connections).toBe(2);
});

test('a connection that nobody uses is closed after a while, and made again when it is needed', async () => {
  const { relay, origin, version } = await sceneWithSong(100_000, { idleMs: 200 });
  await bytesOf(origin, version, 0, 10);
  await bytesOf(origin, version, 0, 10);
  expect(relay.connections).toBe(1);
  await eventually('it is closed', () => relay.open.size === 0);
  await bytesOf(origin, version, 0, 10);
  expect(relay.connections).toBe(2);
});

test('distance costs three exchanges until the first byte, and a long read is not paid by the block', async () => {
  const { relay, origin, bytes, version } = await sceneWithSong(8_000_000);
  await origin.probe(never);
  relay.delayMs = 50;
  const start = performance.now();
  await origin.probe(never);
  const exchangeMs = performance.now() - start;
  expect(exchangeMs).toBeGreaterThan(99);
  const opened = performance.now();
  const blocks: Uint8Array[] = [];
  let firstMs = 0;
  for await (const block of origin.readRange(song, version, 0, 8_000_000, never)) {
    if (blocks.length === 0) firstMs = performance.now() - opened;
    blocks.push(block);
  }
  const allMs = performance.now() - opened;
  expect(Buffer.concat(blocks).equals(bytes)).toBe(true);
  expect(firstMs / exchangeMs).toBeLessThan(4);
  // 245 blocks, 64 at once: four exchanges, and what a busy machine adds.
  expect(allMs / exchangeMs).toBeLessThan(18);
  // What was seen to be a file is opened while it is looked at.
  const again = performance.now();
  await origin.readRange(song, version, 4_000_000, 10, never).next();
  expect((performance.now() - again) / exchangeMs).toBeLessThan(3);
});

test('for a reader that does not ask no more than 64 blocks come', async () => {
  const { relay, origin, version } = await sceneWithSong(8_000_000);
  const blocks = origin.readRange(song, version, 0, 8_000_000, never);
  const before = relay.bytesDown;
  await blocks.next();
  await eventually('64 blocks have come', () => relay.bytesDown - before > 64 * 32 * 1024);
  await origin.probe(never); // whatever was asked before has been answered by then
  expect(relay.bytesDown - before).toBeLessThan(68 * 32 * 1024);
  await blocks.return(undefined);
});

test('a peer that vanished without a word is left behind with the call that found out', async () => {
  const { relay, origin, bytes, version } = await sceneWithSong(100_000);
  await bytesOf(origin, version, 0, 10);
  relay.blackHole();
  const controller = new AbortController();
  const hanging = all(origin.readRange(song, version, 0, 10, controller.signal)).catch(codeOf);
  await eventually('it has waited for a second', () => relay.bytesUp > 0 && relay.open.size === 1);
  setTimeout(() => controller.abort(), 1_100);
  expect(await hanging).toBe('cancelled');
  // The second call must not meet the same silence.
  expect((await bytesOf(origin, version, 0, 10)).equals(bytes.subarray(0, 10))).toBe(true);
  expect(relay.connections).toBe(2);
  await eventually('the silent one is closed', () => relay.open.size === 1);
});

test('a server that takes the connection and says nothing is given up after the limit', async () => {
  const { origin, server } = await scene({ clock: fast });
  server.hang();
  await expect(origin.probe(never)).rejects.toMatchObject({ code: 'origin_unavailable' });
  server.goOn();
  await origin.probe(never);
});

/** Limits pass 50 times as fast. */
const fast: Clock = { ...systemClock, after: (ms, fire) => systemClock.after(ms / 50, fire) };

test('bits that turn on the way break the connection and never reach a reader', async () => {
  const { relay, origin, bytes, version } = await sceneWithSong(300_000);
  await origin.probe(never);
  await assert(
    asyncProperty(integer({ min: 0, max: 290_000 }), async (afterBytes) => {
      const flips = relay.flips;
      relay.flip(afterBytes);
      const got: Uint8Array[] = [];
      let code = 'whole';
      try {
        const range = origin.readRange(song, version, 0, 300_000, AbortSignal.timeout(1_500));
        for await (const block of range) got.push(block);
      } catch (error) {
        code = codeOf(error);
      }
      const read = Buffer.concat(got);
      expect(relay.flips).toBe(flips + 1);
      expect(read.equals(bytes.subarray(0, read.length))).toBe(true);
      // Before the first answer, on a connection that had been idle: made again, unseen. In the length of a packet: the
      // rest of it never comes.
      if (code === 'whole') expect(read.length).toBe(300_000);
      else expect(['origin_unavailable', 'deadline_exceeded']).toContain(code);
      await origin.probe(never);
    }),
    {
      ...printedSeed('turned bits'),
      numRuns: 25,
      examples: [[0], [3], [100], [40_000]],
      skipAllAfterTimeLimit: 20_000,
    },
  );
});

test('a root that is not there is no empty origin, and none of its files is called gone', async () => {
  const { origin } = await scene({ path: '/nowhere/at/all' });
  for (const call of [
    () => origin.probe(never),
    () => origin.stat(song, never),
    () => all(origin.list(rootRealPath, () => true, never)),
    () => all(origin.readRange(song, { sizeBytes: 1, mtimeNs: '0', etag: null }, 0, 1, never)),
  ])
    await expect(call()).rejects.toMatchObject({ code: 'origin_unavailable' });
});

test('a path without a slash in front begins at the home of the user', async () => {
  const { origin, server } = await sceneWithSong(10, { path: 'CD1' });
  expect((await all(origin.list(rootRealPath, () => true, never))).flat()).toMatchObject([
    { name: 'a.flac' },
  ]);
  expect(origin.displayName).toMatch(/^sftp 127\.0\.0\.1:\d+ CD1$/);
  expect(origin.displayName).not.toContain(server.folder);
});

test('a name without an address is a matter of names, not of the server', async () => {
  const resolve = async () => {
    throw new MusicfsError('name_resolution', 'nas has no address');
  };
  const { origin } = await scene({ resolve });
  await expect(origin.probe(never)).rejects.toMatchObject({ code: 'name_resolution' });
  const { origin: other } = await scene({ host: 'no-such-host.invalid' });
  await expect(other.probe(never)).rejects.toMatchObject({ code: 'name_resolution' });
});
