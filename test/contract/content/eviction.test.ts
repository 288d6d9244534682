// Room: the quota, who goes and who stays, what is counted, what a person removes.
import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ChunkStore } from '../../../src/content/chunk-store.ts';
import { limits } from '../../../src/platform/limits.ts';
import { bytesOf, roomyLimits } from '../../fixtures/content-bytes.ts';
import { CacheScene, expectBytes, file, fill, readBy, watchedDisk } from '../../fixtures/content-cache.ts';
import { randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const noSignal = new AbortController().signal;
const pieceBytes = 10_000;

/** Files of one chunk each, put together. */
async function fillSmall(
  store: ChunkStore,
  nodes: readonly number[],
  sizeBytes = pieceBytes,
  originId = 'nas',
): Promise<void> {
  await Promise.all(nodes.map((node) => fill(store, file(node), bytesOf(node, sizeBytes), { originId })));
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const held = (store: ChunkStore, nodes: readonly number[]) =>
  nodes.filter((node) => store.isComplete(file(node)));
const aMinute = roomyLimits.chunkInUseMs + 1;

describe('who goes', () => {
  test('R-20: the least recently used, of which the index knows also after a restart', async () => {
    const scene = new CacheScene();
    const first = await scene.open({ limits: { contentMaxBytes: 200_000 } });
    for (const node of numbers(0, 17)) {
      await fillSmall(first, [node]);
      scene.clock.spend(1000);
    }
    scene.clock.spend(aMinute);
    const reader = scene.reader();
    for (const node of [0, 2])
      expectBytes(await readBy(reader, file(node), 0, 100), bytesOf(node, pieceBytes).subarray(0, 100));
    first.touched(reader.takeTouched());
    await first.close();
    scene.clock.jumpWall(-1_000_000_000); // the order is not that of people's clocks
    const store = await scene.open({ limits: { contentMaxBytes: 200_000 } });
    scene.clock.spend(aMinute);
    await fillSmall(store, numbers(17, 19));
    await store.housekeeping(noSignal);
    expect(held(store, numbers(0, 19))).toEqual([0, 2, ...numbers(5, 19)]);
    expect(scene.eventsOf('cache_eviction')).toEqual([
      { type: 'cache_eviction', bytesFreed: 30_000, chunks: 3 },
    ]);
    // The rest of the way to the low mark, a step at a time.
    await store.housekeeping(noSignal);
    expect(store.stats().storedBytes).toBeLessThanOrEqual(160_000);
    await scene.expectSound(store);
  });

  test('chunks of no file first, then replaced versions, then the least recently used', async () => {
    const scene = new CacheScene();
    const store = await scene.open({ limits: { contentMaxBytes: 100_000 } });
    await fillSmall(store, [1, 2, 3]);
    scene.clock.spend(1000);
    await fillSmall(store, [4, 5, 6]);
    // Of 6 there is a newer version with the same bytes.
    const shared = bytesOf(6, pieceBytes);
    await fill(store, file(6, 2), shared);
    store.retire(file(6));
    scene.clock.spend(1);
    store.retire(file(4));
    scene.clock.spend(aMinute);
    await fillSmall(store, [7, 8, 9]);
    expect(store.stats()).toMatchObject({ storedBytes: 90_000, logicalBytes: 80_000 });
    await store.housekeeping(noSignal);
    // 4 was replaced; what 6 shares with its next version stays.
    expect(held(store, [1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual([1, 2, 3, 5, 7, 8, 9]);
    expect(store.isComplete(file(6, 2))).toBe(true);
    expect(store.stats().storedBytes).toBe(80_000);
    await scene.expectSound(store);
  });

  test('never what is pinned, before or after it came, as long as it is', async () => {
    const scene = new CacheScene();
    const limited = { limits: { contentMaxBytes: 100_000 } };
    const first = await scene.open(limited);
    first.pin(file(1));
    await fillSmall(first, numbers(1, 7));
    first.pin(file(2));
    expect(first.stats().pinnedBytes).toBe(20_000);
    await first.close();
    const store = await scene.open(limited);
    expect(store.pins()).toEqual(
      [1, 2].map((node) => ({ content: file(node), sizeBytes: pieceBytes, heldBytes: pieceBytes })),
    );
    for (let round = 0; round < 4; round += 1) {
      scene.clock.spend(aMinute);
      await fillSmall(store, numbers(10 + 3 * round, 13 + 3 * round));
      await store.housekeeping(noSignal);
      expect(held(store, [1, 2])).toEqual([1, 2]);
    }
    store.unpin(file(1));
    scene.clock.spend(aMinute);
    await fillSmall(store, [90]);
    await store.housekeeping(noSignal);
    expect(held(store, [1, 2])).toEqual([2]);
    expect(store.stats().pinnedBytes).toBe(10_000);
    await scene.expectSound(store);
  });

  test('what was passed over because it was pinned is found again once it is not', async () => {
    const scene = new CacheScene();
    const store = await scene.open({ limits: { contentMaxBytes: 420_000 } });
    const pinned = numbers(0, 300);
    for (const node of pinned) store.pin(file(node));
    await fillSmall(store, pinned, 1_000);
    scene.clock.spend(1);
    await fillSmall(store, numbers(300, 310));
    scene.clock.spend(aMinute);
    for (let step = 0; step < 3; step += 1) await store.housekeeping(noSignal);
    expect(held(store, pinned)).toHaveLength(300);
    expect(held(store, numbers(300, 310)).length).toBeLessThan(10);
    for (const node of pinned) store.unpin(file(node));
    await fillSmall(store, numbers(310, 316));
    for (let step = 0; step < 3; step += 1) await store.housekeeping(noSignal);
    expect(store.isComplete(file(0))).toBe(false);
    expect(store.isComplete(file(299))).toBe(true);
    await scene.expectSound(store);
  });

  test('never what was written or read within a minute: what comes is then not kept', async () => {
    const scene = new CacheScene();
    const store = await scene.open({ limits: { contentMaxBytes: 50_000 } });
    await fillSmall(store, numbers(0, 8));
    expect(held(store, numbers(0, 8))).toHaveLength(5);
    expect(store.stats().unkeptChunks).toBe(3);
    await store.housekeeping(noSignal);
    expect(store.stats().storedChunks).toBe(5);
    scene.clock.spend(aMinute);
    store.touched([1, 2]);
    await fillSmall(store, [20, 21]);
    expect(held(store, [20, 21])).toEqual([20, 21]);
    expect(store.stats().evictedChunks).toBeGreaterThan(0);
    await scene.expectSound(store);
  });

  test('a victim whose file cannot be removed is counted no longer, and holds up nobody', async () => {
    const scene = new CacheScene();
    const store = await scene.open({ limits: { contentMaxBytes: 100_000 } });
    await fillSmall(store, numbers(0, 9));
    scene.clock.spend(aMinute);
    scene.failpoints.set('cas.evict.before-unlink=error(unavailable);count=1');
    await store.housekeeping(noSignal);
    expect(scene.failpoints.hitsOf('cas.evict.before-unlink')).toBe(1);
    expect(store.stats()).toMatchObject({ lostVictims: 1, storedBytes: 80_000 });
    const found = await store.verify({ repair: true, full: true }, () => undefined, noSignal);
    expect(found).toMatchObject({ orphans: 1, isClean: true });
    await scene.expectSound(store);
  });
});

describe('R-08: the quota', () => {
  test('is never exceeded, also not by what is only half written, and everything that is read is right', async () => {
    const scene = new CacheScene();
    const contentMaxBytes = 300_000;
    let most = 0;
    const look = () => {
      const bytes = scene
        .chunkFiles()
        .reduce((sum, each) => sum + (statSync(each, { throwIfNoEntry: false })?.size ?? 0), 0);
      most = Math.max(most, bytes);
    };
    const operations = watchedDisk((call) => {
      if (call === 'sync' || call === 'rename') look();
    });
    const store = await scene.open({ limits: { contentMaxBytes }, operations });
    const reader = scene.reader(1);
    for (let node = 0; node < 12; node += 1) {
      const bytes = bytesOf(node, 200_000);
      await fill(store, file(node), bytes);
      scene.clock.spend(aMinute);
      for (let at = 0; at < bytes.length; at += 40_000) {
        const got = await readBy(reader, file(node), at, 40_000);
        if (got !== null) expectBytes(got, bytes.subarray(at, at + 40_000));
      }
      await store.housekeeping(noSignal);
    }
    look();
    expect(most).toBeGreaterThan(contentMaxBytes / 2);
    expect(most).toBeLessThanOrEqual(contentMaxBytes);
    expect(store.stats().evictedBytes).toBeGreaterThan(0);
    await scene.expectSound(store);
  });

  test('others who fill the disk shrink the cache step by step; a disk below its floor takes no writes', async () => {
    const scene = new CacheScene();
    const disk = { freeBytes: 1_000_000, totalBytes: 10_000_000 };
    const operations = { ...watchedDisk(() => undefined), space: () => Promise.resolve({ ...disk }) };
    const store = await scene.open({
      limits: { minFreeBytes: 500_000, contentMaxBytes: 10_000_000 },
      operations,
    });
    await fillSmall(store, numbers(0, 40));
    expect(store.stats()).toMatchObject({ storedBytes: 400_000, limitBytes: 500_000, mode: 'normal' });
    disk.freeBytes = 400_000; // ours are in it: others took 200 000
    scene.clock.spend(limits.cacheSampleMs);
    const sizes: number[] = [];
    for (let step = 0; step < 12; step += 1) {
      await store.housekeeping(noSignal);
      sizes.push(store.stats().storedBytes);
      disk.freeBytes = 800_000 - store.stats().storedBytes;
      if (step === 0) expect(store.mode).toBe('no-writes');
    }
    expect(sizes.slice(0, 3)).toEqual([360_000, 320_000, 280_000]);
    expect(sizes.at(-1)).toBe(240_000);
    expect(store.mode).toBe('normal');
    disk.freeBytes = 100_000;
    scene.clock.spend(limits.cacheSampleMs);
    await store.housekeeping(noSignal);
    expect([store.mode, store.stats().cause]).toEqual(['no-writes', 'the cache disk is full']);
    await fillSmall(store, [99]);
    expect(store.isComplete(file(99))).toBe(false);
    expectBytes(await store.read(file(39), 0, 100), bytesOf(39, pieceBytes).subarray(0, 100));
    await scene.expectSound(store);
  });
});

describe('what is counted', () => {
  test('R-20: a thousand puts, evictions, pins, replacements and clearings are what a recount says', async () => {
    const { seed } = printedSeed('puts and evictions');
    const random = randomOf(seed);
    const scene = new CacheScene();
    const store = await scene.open({ limits: { contentMaxBytes: 400_000 } });
    for (let round = 0; round < 50; round += 1) {
      const nodes = numbers(0, 20).map(() => random(200));
      // Some hold the same bytes, some come in pieces, from two origins.
      await Promise.all(
        nodes.map((node) => {
          const sizeBytes = 500 + (node % 10) * 2_000;
          const bytes = bytesOf(node % 50, sizeBytes);
          return fill(store, file(node), bytes, {
            from: random(3) === 0 ? random(sizeBytes) : 0,
            originId: `o${node % 2}`,
          });
        }),
      );
      if (random(3) === 0) store.pin(file(random(200)));
      if (random(3) === 0) store.unpin(file(store.pins()[0]?.content.node ?? 0));
      if (random(3) === 0) store.retire(file(random(200)));
      if (random(8) === 0)
        await store.clear({ content: file(random(200)), includePinned: false, dryRun: false });
      scene.clock.spend(random(2) * aMinute);
      await store.housekeeping(noSignal);
    }
    expect(store.stats().evictedChunks).toBeGreaterThan(20);
    await scene.expectSound(store);
    const { logicalBytes, completeFiles, partialFiles, pinnedBytes, storedBytes } = store.stats();
    await store.close();
    const again = (await scene.open({ limits: { contentMaxBytes: 400_000 } })).stats();
    expect(again).toMatchObject({ logicalBytes, completeFiles, partialFiles, pinnedBytes, storedBytes });
  });

  test('access times cost at most ten seconds or a hundred changes', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    await fillSmall(store, numbers(0, 130));
    const times = () => {
      const index = scene.peek();
      const rows = index.prepare<[], number>('SELECT accessed_at FROM chunks ORDER BY id').pluck().all();
      index.close();
      return new Set(rows).size;
    };
    expect(times()).toBe(1);
    scene.clock.spend(1000);
    store.touched([1, 2, 3]);
    await store.housekeeping(noSignal);
    expect(times()).toBe(1);
    scene.clock.spend(10_000);
    await store.housekeeping(noSignal);
    expect(times()).toBe(2);
    scene.clock.spend(1000);
    store.touched(numbers(20, 120));
    expect(times()).toBe(3);
  });

  test('a version that was replaced is forgotten after a day', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    await fillSmall(store, [1, 2]);
    store.retire(file(1));
    await store.housekeeping(noSignal);
    expect(store.isComplete(file(1))).toBe(true);
    scene.clock.spend(limits.oldVersionMs + 1);
    await store.housekeeping(noSignal);
    expect(held(store, [1, 2])).toEqual([2]);
    await scene.expectSound(store);
  });
});

describe('clearing', () => {
  async function filled() {
    const scene = new CacheScene();
    const store = await scene.open();
    await fillSmall(store, [1, 2], pieceBytes, 'one');
    await fillSmall(store, [3, 4], pieceBytes, 'two');
    await fill(store, file(5), bytesOf(1, pieceBytes), { originId: 'two' }); // the same bytes as file 1
    store.pin(file(3));
    return { scene, store };
  }

  const cases = [
    [{ includePinned: false }, 30_000, [3]],
    [{ includePinned: true }, 40_000, []],
    [{ originId: 'one', includePinned: false }, 10_000, [3, 4, 5]],
    [{ originId: 'two', includePinned: false }, 10_000, [1, 2, 3]],
    [{ originId: 'two', includePinned: true }, 20_000, [1, 2]],
    [{ content: file(2), includePinned: false }, 10_000, [1, 3, 4, 5]],
    [{ content: file(3), includePinned: false }, 0, [1, 2, 3, 4, 5]],
  ] as const;

  test.each(cases)(
    '%j frees %i bytes and leaves the files %j; a dry run says the same and does nothing',
    async (which, bytes, left) => {
      const { scene, store } = await filled();
      const expected = { bytes, chunks: bytes / pieceBytes };
      expect(await store.clear({ ...which, dryRun: true })).toEqual(expected);
      expect(held(store, [1, 2, 3, 4, 5])).toHaveLength(5);
      expect(await store.clear({ ...which, dryRun: false })).toEqual(expected);
      expect(held(store, [1, 2, 3, 4, 5])).toEqual(left);
      await scene.expectSound(store);
    },
  );
});
