// A mounted share, read in a process of its own: the contract of every origin, and what becomes of the process.
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { realPath, rootRealPath } from '../../../src/library/real-path.ts';
import { MountedOrigin, type MountedOriginOptions } from '../../../src/origins/mounted-origin.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { codeOf, MusicfsError } from '../../../src/platform/errors.ts';
import { limits } from '../../../src/platform/limits.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { descriptorsOf } from '../../fixtures/descriptors.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { folderHand, openBelow } from '../../fixtures/folder-origin.ts';
import { runLimited } from '../../fixtures/limited-child.ts';
import { isAlive } from '../../fixtures/processes.ts';
import { type ScriptedDisk, scriptedDisk } from '../../fixtures/scripted-disk.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';
import { type OriginHarness, originContract } from './origin-contract.ts';

originContract(
  'a mounted share',
  async (): Promise<OriginHarness> => {
    const root = path.join(temporaryDirectory(), 'music');
    mkdirSync(root);
    const origin = new MountedOrigin({ id: 'share', kind: 'nfs', root, expectedIdentity: null });
    let stopped = 0;
    const signalTo = (pid: number | null, signal: NodeJS.Signals) => {
      if (pid !== null && isAlive(pid)) process.kill(pid, signal);
    };
    return {
      ...folderHand(root),
      origin,
      cut: async () => renameSync(root, `${root}.away`),
      mend: async () => renameSync(`${root}.away`, root),
      restart: async () => signalTo(origin.hostPid, 'SIGKILL'),
      hang: async () => {
        stopped = origin.hostPid ?? 0;
        signalTo(stopped, 'SIGSTOP');
      },
      goOn: async () => signalTo(stopped, 'SIGCONT'),
      transfers: () => openBelow(process.pid, root) + openBelow(origin.hostPid ?? 0, root),
      end: () => origin.close(),
    };
  },
  // Nothing is closed to root with the capability to read everything.
  ['permissions', 'counts-requests'],
);

const never = new AbortController().signal;
const [ENOENT, ENOTCONN, EHOSTDOWN, ESTALE] = [2, 107, 112, 116] as const;

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const part of parts) got.push(part);
  return got;
}

/** A disk that can hang, with one file on it, and an origin over it. */
async function scene(overrides: Partial<MountedOriginOptions> = {}) {
  const disk = await scriptedDisk();
  const bytes = filler(600_000, 31);
  await folderHand(disk.folder).put('CD1/a.flac', bytes, 1_000_000_000);
  const origin = new MountedOrigin({
    id: 'share',
    kind: 'nfs',
    root: disk.mountPoint,
    expectedIdentity: null,
    ...overrides,
  });
  onTestFinished(() => origin.close());
  return { disk, origin, bytes };
}

const song = realPath('CD1/a.flac');
const version = { sizeBytes: 600_000, mtimeNs: '1000000000000000000', etag: null };

const read = async (origin: MountedOrigin, signal = never) =>
  Buffer.concat(await all(origin.readRange(song, version, 0, version.sizeBytes, signal)));

const is = (bytes: Buffer) => (got: Buffer) => got.equals(bytes);

/** The code with which a call ends that is aborted once the disk holds a request of it. */
async function abortedWhenHeld(
  disk: ScriptedDisk,
  call: (signal: AbortSignal) => Promise<unknown>,
  heldBefore = 0,
): Promise<string> {
  const controller = new AbortController();
  const ended = call(controller.signal).then(() => 'no failure', codeOf);
  await eventually('the call hangs', async () => (await disk.look()).held > heldBefore);
  controller.abort(new MusicfsError('deadline_exceeded', 'too slow'));
  const start = performance.now();
  const code = await ended;
  expect(performance.now() - start).toBeLessThan(500);
  return code;
}

test('R-44: a process whose system call does not return is killed and replaced; the disk is read again when it is well', async () => {
  const { disk, origin, bytes } = await scene();
  expect(await read(origin)).toSatisfy(is(bytes));
  const first = origin.hostPid;
  await disk.hang('READ');
  expect(await abortedWhenHeld(disk, (signal) => read(origin, signal))).toBe('deadline_exceeded');
  await eventually('it is killed', () => origin.hostPid === null);
  await disk.goOn();
  expect(await read(origin)).toSatisfy(is(bytes));
  expect(origin.hostPid).not.toBe(first);
  await eventually('the old one is gone', () => origin.abandoned === 0);
});

test('R-44: at most four processes hang in the kernel; then every call fails at once, until one is gone', async () => {
  const { disk, origin, bytes } = await scene();
  await disk.hang('LOOKUP');
  for (let round = 1; round <= 4; round += 1) {
    // Another name each time: the kernel asks once for one that it is just asking for.
    const name = realPath(`CD${round}`);
    const code = await abortedWhenHeld(disk, (signal) => origin.stat(name, signal), round - 1);
    expect(code).toBe('deadline_exceeded');
    await eventually(`process ${round} is left behind`, () => origin.abandoned === round);
  }
  // The youngest has not even had its second yet; afterwards nothing is waited for.
  expect(await origin.stat(song, never).then(() => 'no failure', codeOf)).toBe('origin_unavailable');
  for (const call of [() => read(origin), () => origin.probe(never), () => origin.stat(song, never)]) {
    const start = performance.now();
    await expect(call()).rejects.toMatchObject({ code: 'origin_unavailable' });
    expect(performance.now() - start).toBeLessThan(50);
  }
  expect((await disk.look()).held).toBe(4);
  // Neither a thread of this process nor anything else of it is in there.
  const files = await Promise.all(Array.from({ length: 64 }, () => readFile('/proc/self/stat')));
  expect(files).toHaveLength(64);
  await disk.goOn();
  await eventually('they are gone', () => origin.abandoned === 0);
  expect(await read(origin)).toSatisfy(is(bytes));
});

test('R-44: what else ran in a killed process fails as if the origin were away, which passes', async () => {
  const { disk, origin } = await scene();
  await folderHand(disk.folder).put('CD1/long.flac', filler(4_000_000, 8), 1_000_000_000);
  const long = { ...version, sizeBytes: 4_000_000 };
  const other = origin.readRange(realPath('CD1/long.flac'), long, 0, 4_000_000, never);
  await other.next();
  await disk.hang('LOOKUP');
  await abortedWhenHeld(disk, (signal) => origin.stat(song, signal));
  const rest = async () => {
    await eventually('it is killed', () => origin.abandoned === 1);
    return all(other);
  };
  // What had come before is still given.
  await expect(rest()).rejects.toMatchObject({ code: 'origin_unavailable' });
});

test('R-44: an abort that the process answers in time costs it nothing', async () => {
  // Limits pass 20 times as fast, and are counted when they are over.
  let over = 0;
  const after: Clock['after'] = (ms, fire) =>
    systemClock.after(ms / 20, () => {
      over += ms === limits.hostAnswerMs ? 1 : 0;
      fire();
    });
  const { disk, origin } = await scene({ clock: { ...systemClock, after } });
  await origin.probe(never);
  const pid = origin.hostPid;
  for (let round = 0; round < 10; round += 1) {
    const blocks = origin.readRange(song, version, 0, 600_000, never);
    await blocks.next();
    await blocks.return(undefined);
  }
  await eventually('each abort has had its time', () => over >= 10);
  expect(origin.hostPid).toBe(pid);
  expect(origin.abandoned).toBe(0);
  expect(openBelow(pid ?? 0, disk.mountPoint)).toBe(0);
});

test('R-21: a probe that hangs ends with its limit, and the next one is not held up by it', async () => {
  const { disk, origin } = await scene();
  await disk.hang('STATFS');
  expect(await abortedWhenHeld(disk, (signal) => origin.probe(signal))).toBe('deadline_exceeded');
  await disk.goOn();
  await origin.probe(never);
});

test('a handle that went stale is opened anew, three times at most', async () => {
  const { disk, origin, bytes } = await scene();
  await disk.fail('READ', ESTALE, 3);
  const start = performance.now();
  expect(await read(origin)).toSatisfy(is(bytes));
  expect(performance.now() - start).toBeGreaterThan(690); // after 100, 200 and 400 ms
  expect(await disk.look()).toMatchObject({ isFailing: false, opens: 4 });
  await disk.fail('READ', ESTALE, 4);
  await expect(read(origin)).rejects.toMatchObject({ code: 'stale_handle' });
});

test('a stale directory is listed anew', async () => {
  const { disk, origin } = await scene();
  await disk.fail('READDIR', ESTALE, 2);
  const names = (await all(origin.list(realPath('CD1'), () => true, never))).flat().map(({ name }) => name);
  expect(names).toEqual(['a.flac']);
});

test('a name that goes while its directory is listed does not make the directory look gone', async () => {
  const { disk, origin } = await scene();
  await folderHand(disk.folder).put('b.flac', filler(10, 1));
  await disk.fail('LOOKUP', ENOENT, 1);
  const names = (await all(origin.list(rootRealPath, () => true, never))).flat().map(({ name }) => name);
  expect(names.sort()).toEqual(['CD1', 'b.flac']);
  expect((await disk.look()).isFailing).toBe(false);
});

test('a share of kind smb that is just connecting anew is asked three times more; others are not', async () => {
  const { disk, origin, bytes } = await scene({ kind: 'smb' });
  for (const errno of [ENOTCONN, EHOSTDOWN]) {
    await disk.fail('READ', errno, 3);
    expect(await read(origin)).toSatisfy(is(bytes));
  }
  await disk.fail('OPEN', ENOTCONN, 4);
  await expect(read(origin)).rejects.toMatchObject({ code: 'origin_unavailable' });
  const nfs = await scene();
  await nfs.disk.fail('READ', ENOTCONN, 1);
  await expect(read(nfs.origin)).rejects.toMatchObject({ code: 'origin_unavailable' });
});

test('a share that is mounted anew is the same one; a directory that it left behind is not', async () => {
  const { disk, origin } = await scene();
  const found = await origin.identity(never);
  expect(found).toBe('fuse.scripted disk');
  disk.unmount();
  await disk.mount();
  const known = new MountedOrigin({
    id: 'again',
    kind: 'nfs',
    root: disk.mountPoint,
    expectedIdentity: found,
  });
  onTestFinished(() => known.close());
  await known.probe(never);
  expect(await known.identity(never)).toBe(found);
  disk.unmount();
  await expect(known.probe(never)).rejects.toMatchObject({
    code: 'origin_unavailable',
    message: expect.stringMatching(/not mounted: it was on "fuse\.scripted disk"/),
  });
});

test('R-44: a share of which nothing was known before is known once its files were listed: the directory under it is not it', async () => {
  const { disk, origin } = await scene();
  await origin.probe(never);
  expect(await all(origin.list(rootRealPath, () => true, never))).not.toEqual([]);
  disk.unmount();
  await expect(origin.probe(never)).rejects.toMatchObject({ code: 'origin_unavailable' });
  await disk.mount();
  await origin.probe(never);
});

test('a directory that was empty is nothing to go by: what is mounted on it later is the share', async () => {
  const { disk, origin, bytes } = await scene();
  disk.unmount();
  await origin.probe(never);
  expect(await all(origin.list(rootRealPath, () => true, never))).toEqual([]);
  await disk.mount();
  await origin.probe(never);
  expect(await read(origin)).toSatisfy(is(bytes));
});

test('the process keeps the user, has one capability, no environment and no descriptors of ours', async () => {
  const { origin } = await scene();
  await origin.probe(never);
  const pid = origin.hostPid ?? 0;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  expect(status).toMatch(/^Uid:\s+0\s+0\s+0\s+0$/m);
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  for (const set of ['CapPrm', 'CapEff', 'CapBnd'])
    expect(status).toMatch(new RegExp(`^${set}:\\s+0*4$`, 'm'));
  expect(status).toMatch(/^CapAmb:\s+0+$/m);
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .map((each) => each.split('=')[0]);
  expect(environment.filter(Boolean).sort()).toEqual(['LANG', 'PATH', 'UV_THREADPOOL_SIZE']);
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(origin.displayName.slice(4));
  const opened = () =>
    descriptorsOf(pid)
      .map(({ place }) => place)
      .filter((place) => !/^(anon_inode|pipe|\/dev\/null)/.test(place));
  // What the probe had open is closed after its answer.
  await eventually('there are no files', () => opened().every((place) => place.startsWith('socket:')));
  expect(opened().length).toBeLessThanOrEqual(3); // standard error and the talk are sockets
});

test('the process ends when nobody calls for a while, and comes back with the next call', async () => {
  const { origin, bytes } = await scene({ idleMs: 100 });
  await origin.probe(never);
  const pid = origin.hostPid ?? 0;
  await eventually('it ends', () => !isAlive(pid));
  expect(origin.hostPid).toBeNull();
  expect(await read(origin)).toSatisfy(is(bytes));
});

test('a reader that does not ask gets no more than its credit, and the process waits', async () => {
  const root = temporaryDirectory();
  await folderHand(root).put('CD1/a.flac', filler(8_000_000, 5), 1_000_000_000);
  const origin = new MountedOrigin({ id: 'share', kind: 'nfs', root, expectedIdentity: null });
  onTestFinished(() => origin.close());
  await origin.probe(never);
  const pid = origin.hostPid ?? 0;
  const rchar = () => Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
  const before = rchar();
  const big = { ...version, sizeBytes: 8_000_000 };
  const blocks = origin.readRange(song, big, 0, 8_000_000, never);
  await blocks.next();
  await eventually('it has read its credit', () => rchar() - before > 1024 * 1024);
  await origin.probe(never);
  expect(rchar() - before).toBeLessThan(1024 * 1024 + 4 * 256 * 1024);
  expect(Buffer.concat([...(await all(blocks))]).length).toBeGreaterThan(7_000_000);
});

test('the process ends with whoever started it, however that ends', async () => {
  const root = temporaryDirectory();
  const program = path.join(import.meta.dirname, '../../fixtures/programs/share-reader.ts');
  for (const [end, status] of [
    ['die', null],
    ['close', 0],
  ] as const) {
    const { stdout, code } = await runLimited(process.execPath, [program, root, end]);
    expect(code).toBe(status);
    const pid = Number(stdout);
    expect(pid).toBeGreaterThan(1);
    await eventually('it ends', () => !isAlive(pid));
  }
});
