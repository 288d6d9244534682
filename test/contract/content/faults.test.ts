// Whatever fails on the way, and wherever a life ends: reads are right or a miss, and what is left is whole and counted.
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ChunkStore } from '../../../src/content/chunk-store.ts';
import { limits } from '../../../src/platform/limits.ts';
import { bytesOf, fileBytesOf, roomyLimits } from '../../fixtures/content-bytes.ts';
import {
  CacheScene,
  diskError,
  expectBytes,
  file,
  fill,
  readBy,
  watchedDisk,
} from '../../fixtures/content-cache.ts';
import { damageHeader, damagePage } from '../../fixtures/damage.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { startChild } from '../../fixtures/limited-child.ts';
import { programArguments } from '../../fixtures/mounted.ts';
import { randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const noSignal = new AbortController().signal;

const settled = (store: ChunkStore) => eventually('the mode is normal again', () => store.mode === 'normal');
const verified = (store: ChunkStore, repair: boolean) =>
  store.verify({ repair, full: true }, () => undefined, noSignal);

/** What a file is read as, by both sides: right, or not at all. */
async function expectRightOrMissing(
  scene: CacheScene,
  store: ChunkStore,
  node: number,
  sizeBytes: number,
): Promise<boolean> {
  const bytes = bytesOf(node, sizeBytes);
  const byReader = await readBy(scene.reader(1), file(node), 0, sizeBytes);
  if (byReader !== null) expectBytes(byReader, bytes);
  const byStore = await store.read(file(node), 0, sizeBytes);
  if (byStore !== null) expectBytes(byStore, bytes);
  return byStore !== null;
}

describe.each([
  ['ENOSPC', 1],
  ['EIO', 1],
  ['EROFS', 5],
] as const)('%s at the N-th call on the disk, for each N in steps of %i', (code, step) => {
  const sizes = [40_000, 30_000, 20_000, 40_000];

  /** Puts, flushes in the middle, evicts, shares, replaces, removes. */
  async function live(store: ChunkStore, scene: CacheScene): Promise<void> {
    await Promise.all([0, 1].map((node) => fill(store, file(node), bytesOf(node, sizes[node] ?? 0))));
    scene.clock.spend(roomyLimits.chunkInUseMs + 1);
    const bytes = bytesOf(2, sizes[2] ?? 0);
    const run = store.beginRun(file(2), { sizeBytes: bytes.length, originId: 'nas' }, 0);
    run.add(bytes.subarray(0, 10_000));
    await run.flush();
    run.add(bytes.subarray(10_000));
    await run.end();
    await fill(store, file(7), bytes);
    store.retire(file(7));
    await fill(store, file(3), bytesOf(3, sizes[3] ?? 0)); // evicts
    store.touched([1, 2, 3]);
    await store.reportBad(2);
    await store.housekeeping(noSignal);
  }

  /** One life with one fault. Returns the call that failed, null when the life ended before it. */
  async function liveWithFault(at: number): Promise<string | null> {
    let failed: string | null = null;
    let isOver = false;
    const scene = new CacheScene();
    const operations = watchedDisk((call, count) => {
      if (count !== at || isOver) return;
      failed = call;
      throw diskError(code, call);
    });
    const store = await scene.open({ limits: { contentMaxBytes: 110_000 }, operations });
    await live(store, scene);
    for (const [node, size] of sizes.entries()) await expectRightOrMissing(scene, store, node, size);
    isOver = true;
    // A minute later the disk is used again, and what the failure left is put right by itself.
    for (let step = 0; step < 3 || (store.mode !== 'normal' && step < 6); step += 1) {
      scene.clock.spend(61_000);
      await store.housekeeping(noSignal);
    }
    await settled(store);
    expect([at, failed, await verified(store, false)]).toMatchObject([at, failed, { isClean: true }]);
    await fill(store, file(3), bytesOf(3, sizes[3] ?? 0));
    expect(await expectRightOrMissing(scene, store, 3, sizes[3] ?? 0)).toBe(true);
    scene.expectWhole();
    await store.close();
    rmSync(scene.directory, { recursive: true });
    return failed;
  }

  test('R-08, R-33, R-39: every read is right, nothing is thrown, and the store passes its check', async () => {
    const together = 16;
    for (let first = 1; ; first += together * step) {
      const lives = Array.from({ length: together }, (_, index) => liveWithFault(first + index * step));
      if ((await Promise.all(lives)).includes(null)) return expect(first).toBeGreaterThan(150);
    }
  }, 120_000);
});

describe('R-37: what a failure left to be done', () => {
  test.each(['unlink', 'beforeStatement'] as const)(
    'is done by the next step of housekeeping (%s)',
    async (failing) => {
      const scene = new CacheScene();
      let isArmed = false;
      let isRemoving = false;
      const operations = watchedDisk((call) => {
        isRemoving ||= isArmed && call === 'unlink';
        if (!isRemoving || !isArmed || call !== failing) return;
        isArmed = false;
        throw diskError('EIO', call);
      });
      const store = await scene.open({ operations });
      await fill(store, file(1), bytesOf(1, 15_000));
      for (const chunk of scene.chunkFiles()) writeFileSync(chunk, 'rot');
      isArmed = true;
      await store.reportBad(1);
      expect([isArmed, (await verified(store, false)).isClean]).toEqual([false, false]);
      await store.housekeeping(noSignal);
      await scene.expectSound(store);
      expect(scene.chunkFiles()).toEqual([]);
    },
  );
});

describe('R-33: a life that ends on the way of a chunk to the disk', () => {
  /** Runs the program that fills a cache; the signal that ended it. */
  function writer(directory: string, quota: number, seed: number, count: number, ...armed: string[]) {
    const args = [directory, String(quota), String(seed), String(count), ...armed];
    const child = startChild(process.execPath, programArguments('cache-writer', args));
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stdout?.on('data', (text: Buffer) => {
      said += text.toString();
    });
    child.stderr?.pipe(process.stderr);
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      child.once('close', (_, signal) => resolve(signal)),
    );
    return { child, ended, put: () => said.split('\n').filter(Boolean).map(Number) };
  }

  async function expectSoundAfterwards(
    scene: CacheScene,
    nodes: readonly number[],
    quota: number,
  ): Promise<number[]> {
    const store = await scene.open({ limits: { contentMaxBytes: quota } });
    expect(scene.unfinished).toEqual([]);
    await eventually('orphans are indexed', async () => (await verified(store, false)).isClean, 30_000);
    scene.expectWhole();
    const whole: number[] = [];
    for (const node of nodes)
      if (await expectRightOrMissing(scene, store, node, fileBytesOf(node))) whole.push(node);
    await store.close();
    return whole;
  }

  test.each([
    'cas.put.before-write=abort;after=3',
    'cas.put.before-fsync=abort;after=3',
    'cas.put.before-rename=abort;after=3',
    'cas.put.before-index=abort;after=3',
    'manifest.store.before-commit=abort;after=3',
  ])('%s: each chunk is whole and found, or absent; nothing is left in tmp', async (fault) => {
    const scene = new CacheScene();
    const { ended, put } = writer(scene.directory, 10_000_000, 0, 20, fault);
    expect(await ended).toBe('SIGKILL');
    const whole = await expectSoundAfterwards(scene, [0, 1, 2, 3, 4, 5, 6], 10_000_000);
    expect(whole).toEqual(put());
    // The next life goes on where this one ended.
    const next = writer(scene.directory, 10_000_000, 0, 7);
    expect(await next.ended).toBeNull();
    expect(await expectSoundAfterwards(scene, [0, 1, 2, 3, 4, 5, 6], 10_000_000)).toEqual([
      0, 1, 2, 3, 4, 5, 6,
    ]);
  });

  test('R-20: at any moment, also while it evicts: the counters are what a recount says', async () => {
    const { seed } = printedSeed('moments of death');
    const random = randomOf(seed);
    const scene = new CacheScene();
    let last = 0;
    for (let life = 0; life < 4; life += 1) {
      const { child, ended, put } = writer(scene.directory, 1_000_000, last, 0);
      const enough = put().length + 10 + random(20);
      await eventually('some files are put', () => put().length >= enough);
      child.kill('SIGKILL');
      expect(await ended).toBe('SIGKILL');
      last = (put().at(-1) ?? last) + 1;
      await expectSoundAfterwards(scene, [last - 1, last], 1_000_000);
    }
    const index = scene.peek();
    const { stored_bytes: stored } =
      index.prepare<[], { stored_bytes: number }>('SELECT * FROM counters').get() ?? {};
    index.close();
    expect(stored).toBeLessThanOrEqual(1_000_000);
    expect(last).toBeGreaterThan(20); // so that some were evicted
  }, 150_000);

  test('R-33: rows whose files are gone are removed by the next life, which reads of them as a miss', async () => {
    const scene = new CacheScene();
    const { child, ended, put } = writer(scene.directory, 10_000_000, 0, 0);
    await eventually('some files are put', () => put().length >= 5);
    child.kill('SIGKILL');
    await ended;
    for (const chunk of scene.chunkFiles().slice(0, 3)) rmSync(chunk); // evicted, and not yet recorded so
    await expectSoundAfterwards(scene, put().slice(-2), 10_000_000);
  });

  test('cas.evict.before-unlink=abort: what was being evicted is there or not', async () => {
    const scene = new CacheScene();
    const { ended, put } = writer(scene.directory, 500_000, 0, 0, 'cas.evict.before-unlink=abort;after=5');
    expect(await ended).toBe('SIGKILL');
    await expectSoundAfterwards(scene, put().slice(-2), 500_000);
  });
});

describe('R-15: a damaged index', () => {
  const harms: Record<string, (index: string) => void> = {
    junk: (index) => writeFileSync(index, Buffer.alloc(10_000, 0x5a)),
    header: damageHeader,
    emptied: (index) => truncateSync(index, 0),
    'cut short': (index) => truncateSync(index, 6_000),
    'taken away': (index) => rmSync(index),
    'of a newer program': (index) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(99);
      const file = openSync(index, 'r+');
      writeSync(file, bytes, 0, 4, 60);
      closeSync(file);
    },
  };

  test.each(Object.entries(harms))(
    'is begun anew (%s), the chunk files are indexed again, and content finds them',
    async (name, harm) => {
      const scene = new CacheScene();
      const first = await scene.open();
      const bytes = bytesOf(1, 400_000);
      await fill(first, file(1), bytes);
      const chunks = first.stats().storedChunks;
      await first.close();
      harm(path.join(scene.directory, 'cache.db'));
      const startedAtMs = performance.now();
      const store = await scene.open();
      expect(performance.now() - startedAtMs).toBeLessThan(1000);
      expect(await readBy(scene.reader(), file(1), 0, 1000)).toBeNull();
      await settled(store);
      await scene.expectSound(store);
      expect(store.stats()).toMatchObject({ storedChunks: chunks, storedBytes: 400_000, logicalBytes: 0 });
      const kept = readdirSync(scene.directory).filter((each) => /^cache\.db\.corrupt-\d+$/.test(each));
      expect(kept).toHaveLength(name === 'taken away' || name === 'emptied' ? 0 : 1);
      expect(scene.eventsOf('cache_index_lost')).toHaveLength(kept.length);
      const files = scene.chunkFiles();
      await fill(store, file(1), bytes);
      expect(scene.chunkFiles()).toEqual(files);
      expectBytes(await readBy(scene.reader(), file(1), 0, 400_000), bytes);
      await scene.expectSound(store);
    },
  );

  test('R-36: while it is used, is noticed by the statement that meets it, and reads go on or miss', async () => {
    const { seed } = printedSeed('places of damage');
    const random = randomOf(seed);
    for (let round = 0; round < 8; round += 1) {
      const scene = new CacheScene();
      const store = await scene.open();
      await Promise.all(
        Array.from({ length: 60 }, (_, node) => fill(store, file(node), bytesOf(node, 2_000 + node))),
      );
      await store.close();
      const again = await scene.open();
      const index = path.join(scene.directory, 'cache.db');
      if (round === 0) truncateSync(index, 9_000);
      else damagePage(index, random(1000) / 1000);
      for (let node = 0; node < 60; node += 1) await expectRightOrMissing(scene, again, node, 2_000 + node);
      await Promise.all(
        Array.from({ length: 60 }, (_, node) => fill(again, file(node), bytesOf(node, 2_000 + node))),
      );
      await settled(again);
      await Promise.all(
        Array.from({ length: 60 }, (_, node) => fill(again, file(node), bytesOf(node, 2_000 + node))),
      );
      await again.close();
    }
  });

  test('R-36: that is taken away while it is used is begun anew within a minute', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    await fill(store, file(1), bytesOf(1, 100_000));
    rmSync(path.join(scene.directory, 'cache.db'));
    scene.clock.spend(limits.cacheSampleMs);
    await store.housekeeping(noSignal);
    await settled(store);
    await fill(store, file(2), bytesOf(2, 50_000));
    expectBytes(await readBy(scene.reader(), file(2), 0, 50_000), bytesOf(2, 50_000));
    await scene.expectSound(store);
  });
});

describe('R-39: a disk that cannot be used', () => {
  test('cache.probe: is found by the probe, costs no read, and is used again when it answers', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    const bytes = bytesOf(1, 200_000);
    await fill(store, file(1), bytes);
    scene.failpoints.set('cache.probe=error(unavailable)');
    await store.housekeeping(noSignal);
    expect(store.mode).toBe('normal');
    scene.clock.spend(60_000);
    await store.housekeeping(noSignal);
    expect(store.mode).toBe('passthrough');
    expect(store.gaps(file(1), 0, 10)).toEqual([{ offset: 0, lengthBytes: 10 }]);
    expect(await store.read(file(1), 0, 10)).toBeNull();
    // The reader verifies what it gives, and goes on.
    expectBytes(await readBy(scene.reader(), file(1), 0, 200_000), bytes);
    const run = store.beginRun(file(2), { sizeBytes: 50_000, originId: 'nas' }, 0);
    run.add(bytesOf(2, 50_000));
    expect([run.uncommittedBytes, run.committedTo(), await run.flush()]).toEqual([0, 50_000, 50_000]);
    scene.failpoints.set('cache.probe=off');
    scene.clock.spend(60_000);
    await store.housekeeping(noSignal);
    expect(store.mode).toBe('normal');
    expectBytes(await store.read(file(1), 0, 200_000), bytes);
    expect(scene.eventsOf('cache_mode_changed').map(({ to }) => to)).toEqual(['passthrough', 'normal']);
    await scene.expectSound(store);
  });

  test('that rotted meanwhile is looked at before it is used', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    await fill(store, file(1), bytesOf(1, 200_000));
    scene.failpoints.set('cache.probe=error(unavailable);count=1');
    scene.clock.spend(60_000);
    await store.housekeeping(noSignal);
    for (const chunk of scene.chunkFiles()) writeFileSync(chunk, 'rot');
    scene.clock.spend(60_000);
    await store.housekeeping(noSignal);
    expect([store.mode, store.stats().storedChunks]).toEqual(['normal', 0]);
  });

  test('a directory that cannot be made, or is a file, gives a store that keeps nothing and throws nothing', async () => {
    const scene = new CacheScene();
    mkdirSync(path.dirname(scene.directory), { recursive: true });
    writeFileSync(scene.directory, 'in the way');
    const store = await scene.open();
    expect(store.mode).toBe('passthrough');
    await fill(store, file(1), bytesOf(1, 100_000));
    expect(await store.read(file(1), 0, 10)).toBeNull();
    expect(await readBy(scene.reader(), file(1), 0, 10)).toBeNull();
    store.retire(file(1));
    store.touched([1]);
    await store.reportBad(1);
    expect(() => store.pin(file(1))).toThrow(/cache/);
    await expect(verified(store, false)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.clear({ includePinned: true, dryRun: false })).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(store.stats()).toMatchObject({ storedBytes: 0, mode: 'passthrough' });
    // Somebody clears the way.
    rmSync(scene.directory);
    scene.clock.spend(60_000);
    await store.housekeeping(noSignal);
    await settled(store);
    await fill(store, file(1), bytesOf(1, 100_000));
    expect(store.isComplete(file(1))).toBe(true);
    await scene.expectSound(store);
  });

  test('one that never answers is given up after its time, and close ends within its own', async () => {
    const scene = new CacheScene();
    let hangs = false;
    const operations = watchedDisk(() => undefined);
    const store = await scene.open({
      operations: {
        ...operations,
        sync: (fd) => (hangs ? new Promise(() => undefined) : operations.sync(fd)),
        syncFileSystem: (folder) =>
          hangs ? new Promise(() => undefined) : operations.syncFileSystem(folder),
      },
    });
    hangs = true;
    const run = store.beginRun(file(1), { sizeBytes: 50_000, originId: 'nas' }, 0);
    run.add(bytesOf(1, 50_000));
    let flushedTo = -1;
    const flushed = run.flush().then((to) => {
      flushedTo = to;
    });
    await eventually('the call is under way', () => scene.unfinished.length > 0);
    await scene.clock.advance(limits.cacheSyncMs - 1);
    expect([flushedTo, store.mode]).toEqual([-1, 'normal']);
    await scene.clock.advance(1);
    await flushed;
    expect([flushedTo, store.mode]).toEqual([50_000, 'passthrough']);
    // Its probes hang as well, one at a time.
    for (let round = 0; round < 3; round += 1) {
      scene.clock.spend(60_000);
      const step = store.housekeeping(noSignal);
      await scene.clock.advance(limits.cacheDiskMs);
      await step;
    }
    expect(store.mode).toBe('passthrough');
    const closed = store.close();
    await scene.clock.advance(3_000);
    await closed;
  });

  test('cas.put.…=hang, =error: what hangs ends with the store, what fails is not kept', async () => {
    for (const place of [
      'cas.put.before-write',
      'cas.put.before-fsync',
      'cas.put.before-rename',
      'cas.put.before-index',
    ]) {
      const scene = new CacheScene();
      const store = await scene.open();
      scene.failpoints.set(`${place}=error(unavailable);count=1`);
      await fill(store, file(1), bytesOf(1, 15_000));
      expect([place, store.isComplete(file(1)), store.stats().unkeptChunks]).toEqual([place, false, 1]);
      await fill(store, file(1), bytesOf(1, 15_000));
      expect(store.isComplete(file(1))).toBe(true);
      await scene.expectSound(store);
      scene.failpoints.set(`${place}=hang`);
      const run = store.beginRun(file(2), { sizeBytes: 15_000, originId: 'nas' }, 0);
      run.add(bytesOf(2, 15_000));
      const flushed = run.flush();
      await eventually('it hangs', () => scene.failpoints.hitsOf(place) === 2);
      const closed = store.close();
      await scene.clock.advance(3_000);
      await Promise.all([closed, flushed]);
      scene.failpoints.clear();
      await scene.expectSound(await scene.open());
    }
  });
});

describe('R-40: permissions that are taken away', () => {
  test('at run time are passthrough, named in the cause', async () => {
    const scene = new CacheScene();
    const operations = watchedDisk(() => undefined);
    let isAllowed = true;
    const refuse = () =>
      Promise.reject(Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }));
    const store = await scene.open({
      operations: {
        ...operations,
        writeFile: (file, bytes) => (isAllowed ? operations.writeFile(file, bytes) : refuse()),
        create: (file) => (isAllowed ? operations.create(file) : refuse()),
      },
    });
    isAllowed = false;
    await fill(store, file(1), bytesOf(1, 15_000));
    expect(store.stats()).toMatchObject({ mode: 'passthrough', cause: expect.stringContaining('EACCES') });
    isAllowed = true;
    scene.clock.spend(60_000);
    await store.housekeeping(noSignal);
    expect(store.mode).toBe('normal');
  });
});
