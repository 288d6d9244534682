// The store and the reader on a real disk: what was put is read, whole and right, once and by whom it may concern.
import {
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { bytesOf, hash64 } from '../../fixtures/content-bytes.ts';
import { CacheScene, expectBytes, file, fill, readBy } from '../../fixtures/content-cache.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

function each(scene: CacheScene, harm: (chunk: string) => void): void {
  for (const chunk of scene.chunkFiles()) harm(chunk);
}

const noSignal = new AbortController().signal;

describe('what was put', () => {
  test('is held from the moment a run says so, and is read by both sides, also by the next life', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    const bytes = bytesOf(1, 700_000);
    const run = store.beginRun(file(1), { sizeBytes: bytes.length, originId: 'nas' }, 0);
    run.add(bytes.subarray(0, 400_000));
    expect(store.gaps(file(1), 0, 700_000)).toEqual([{ offset: 0, lengthBytes: 700_000 }]);
    expect(run.uncommittedBytes).toBe(400_000);
    expect(await run.flush()).toBe(400_000);
    expect([run.uncommittedBytes, run.committedTo()]).toEqual([0, 400_000]);
    expect(store.gaps(file(1), 0, 700_000)).toEqual([{ offset: 400_000, lengthBytes: 300_000 }]);
    expect([store.heldBytes(file(1)), store.isComplete(file(1))]).toEqual([400_000, false]);
    run.add(bytes.subarray(400_000));
    await run.end();
    await run.end();
    expect([store.heldBytes(file(1)), store.isComplete(file(1))]).toEqual([700_000, true]);
    expectBytes(await store.read(file(1), 0, 700_000), bytes);
    const reader = scene.reader();
    expectBytes(await readBy(reader, file(1), 123_456, 300_000), bytes.subarray(123_456, 423_456));
    expect([
      reader.heldShare(file(1), 700_000),
      reader.heldShare(file(2), 5),
      reader.heldShare(file(2), 0),
    ]).toEqual([100, 0, 100]);
    await store.close();
    await scene.expectSound(await scene.open());
    expectBytes(await readBy(scene.reader(), file(1), 0, 700_000), bytes);
  });

  test('is cut like the whole file when the run goes on where another stopped, whatever was flushed in between', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    const bytes = bytesOf(2, 900_000);
    await fill(store, file(1), bytes);
    const whole = scene.chunkFiles().sort();
    const run = store.beginRun(file(2), { sizeBytes: bytes.length, originId: 'nas' }, 0);
    for (let at = 0; at < bytes.length; at += 70_001) {
      run.add(bytes.subarray(at, at + 70_001));
      await run.flush();
    }
    await run.end();
    expect(store.isComplete(file(2))).toBe(true);
    // Edges went when the chunks that took their place were recorded, and those are shared with the first file.
    expect(scene.chunkFiles().sort()).toEqual(whole);
    for (const node of [1, 2])
      expect(
        scene
          .pages(file(node))
          .flat()
          .filter(({ isEdge }) => isEdge),
      ).toEqual([]);
    // A run from elsewhere begins with an edge, which gives way to a pass over all of it.
    await fill(store, file(3), bytes, { from: 100_001 });
    expect(
      scene
        .pages(file(3))
        .flat()
        .filter(({ isEdge }) => isEdge),
    ).toHaveLength(1);
    await fill(store, file(3), bytes);
    expect(
      scene
        .pages(file(3))
        .flat()
        .filter(({ isEdge }) => isEdge),
    ).toEqual([]);
    await store.clear({ content: file(3), includePinned: false, dryRun: false });
    expect(store.stats()).toMatchObject({ storedBytes: 900_000, logicalBytes: 1_800_000, sharedShare: 0.5 });
    await scene.expectSound(store);
  });

  test('by runs from anywhere, in any order, is held once, and becomes whole by a pass over all of it', async () => {
    const { seed } = printedSeed('runs in any order');
    const random = randomOf(seed);
    const scene = new CacheScene();
    const store = await scene.open();
    const reader = scene.reader(300_000);
    const bytes = bytesOf(seed, 2_000_000);
    const held = new Uint8Array(bytes.length);
    for (let round = 0; round < 12; round += 1) {
      const from = random(bytes.length);
      const to = Math.min(bytes.length, from + 1 + random(400_000));
      await fill(store, file(1), bytes, { from, to });
      held.fill(1, from, to);
      const count = held.reduce((sum, each) => sum + each, 0);
      expect(store.heldBytes(file(1))).toBe(count);
      expect(store.gaps(file(1), 0, bytes.length).reduce((sum, gap) => sum + gap.lengthBytes, 0)).toBe(
        bytes.length - count,
      );
      for (let look = 0; look < 4; look += 1) {
        const at = random(bytes.length - 1);
        const length = 1 + random(Math.min(200_000, bytes.length - at));
        const isHeld = held.subarray(at, at + length).every((each) => each === 1);
        expectBytes(
          await readBy(reader, file(1), at, length),
          isHeld ? bytes.subarray(at, at + length) : null,
        );
        scene.clock.spend(limits.cacheLookMs);
      }
    }
    await scene.expectSound(store);
    await fill(store, file(1), bytes);
    expect(store.isComplete(file(1))).toBe(true);
    await scene.expectSound(store);
    // As the whole file is cut: nothing of it is stored twice.
    const stored = scene.chunkFiles();
    await fill(store, file(2), bytes);
    const more = scene.chunkFiles().filter((each) => !stored.includes(each));
    expect(store.heldBytes(file(2))).toBe(bytes.length);
    expect(more.length).toBeLessThan(stored.length / 2);
  });

  test('of an empty file is complete at once, and of a large one far behind', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    await fill(store, file(1), Buffer.alloc(0));
    expect(store.isComplete(file(1))).toBe(true);
    expect(store.stats()).toMatchObject({ completeFiles: 1, partialFiles: 0 });
    await store.clear({ content: file(1), includePinned: false, dryRun: false });
    expect(store.isComplete(file(1))).toBe(false);
    expect(store.stats()).toMatchObject({ completeFiles: 0, partialFiles: 0 });
    const far = 6 * 1024 ** 3;
    const bytes = bytesOf(3, 200_000);
    const run = store.beginRun(file(2), { sizeBytes: far + bytes.length, originId: 'nas' }, far);
    run.add(bytes);
    await run.end();
    expectBytes(await readBy(scene.reader(), file(2), far + 1000, 100_000), bytes.subarray(1000, 101_000));
    expect(store.gaps(file(2), far - 5, 10)).toEqual([{ offset: far - 5, lengthBytes: 5 }]);
  });

  test('of more than a page of extents stays addressable when any part of it goes', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    const bytes = bytesOf(4, 40_000_000);
    await fill(store, file(1), bytes, { stepBytes: 1_000_000 });
    expect(store.isComplete(file(1))).toBe(true);
    expect(scene.pages(file(1)).map((page) => page.length)).toEqual([256, 256, expect.any(Number)]);
    const reader = scene.reader();
    for (const at of [0, 17_000_000, 20_000_000, 39_900_000]) {
      expectBytes(await readBy(reader, file(1), at, 100_000), bytes.subarray(at, at + 100_000));
    }
    const gone = scene.chunkFiles().filter((_, index) => index % 3 === 0);
    for (const each of gone) rmSync(each);
    await store.verify({ repair: true, full: false }, () => undefined, noSignal);
    await scene.expectSound(store);
    const gaps = store.gaps(file(1), 0, bytes.length);
    expect(gaps.length).toBeGreaterThan(50);
    for (const { offset, lengthBytes } of gaps)
      await fill(store, file(1), bytes, { from: offset, to: offset + lengthBytes });
    expect(store.isComplete(file(1))).toBe(true);
    await scene.expectSound(store);
  });

  test('under the same version in another size is forgotten', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    await fill(store, file(1), bytesOf(5, 100_000));
    const other = bytesOf(6, 120_000);
    await fill(store, file(1), other);
    expectBytes(await store.read(file(1), 0, 120_000), other);
    expect(store.stats().logicalBytes).toBe(120_000);
  });
});

describe('two different chunks of one hash', () => {
  /** All chunks that begin alike have the same hash. */
  const poorHash = (bytes: Uint8Array) => BigInt(bytes[0] ?? 0);

  test('are both kept when they come together, and a third that is the same as one of them is not', async () => {
    const scene = new CacheScene();
    const store = await scene.open({ hash: poorHash });
    const files = [1, 2, 1].map((seed) => {
      const bytes = bytesOf(seed, 16_000);
      bytes[0] = 7;
      return bytes;
    });
    await Promise.all(files.map((bytes, node) => fill(store, file(node), bytes)));
    expect(store.stats()).toMatchObject({ collisions: 1, storedChunks: 2 });
    for (const [node, bytes] of files.entries()) expectBytes(await store.read(file(node), 0, 16_000), bytes);
  });

  test('are both kept, and each is read as itself', async () => {
    const scene = new CacheScene();
    const store = await scene.open({ hash: poorHash });
    const files = [1, 2, 3].map((seed) => {
      const bytes = bytesOf(seed, 16_000);
      bytes[0] = 7;
      return bytes;
    });
    for (const [index, bytes] of files.entries()) await fill(store, file(index), bytes);
    await fill(store, file(9), files[1] ?? Buffer.alloc(0));
    const names = scene.chunkFiles().map((each) => path.basename(each));
    expect(names.sort()).toEqual(['0000000000000007', '0000000000000007-1', '0000000000000007-2']);
    expect(store.stats()).toMatchObject({ collisions: 2, storedChunks: 3 });
    const reader = scene.reader(1024 * 1024, poorHash);
    for (const [index, bytes] of files.entries()) {
      expectBytes(await store.read(file(index), 0, 16_000), bytes);
      expectBytes(await readBy(reader, file(index), 0, 16_000), bytes);
    }
    // The middle one goes; the others keep their names, and what comes takes the free one.
    await store.clear({ content: file(1), includePinned: false, dryRun: false });
    await store.clear({ content: file(9), includePinned: false, dryRun: false });
    const fourth = bytesOf(4, 16_000);
    fourth[0] = 7;
    await fill(store, file(4), fourth);
    expect(scene.chunkFiles()).toHaveLength(3);
    expectBytes(await store.read(file(4), 0, 16_000), fourth);
    expectBytes(await store.read(file(2), 0, 16_000), files[2] ?? null);
  });
});

describe('R-37: a chunk that is rotten or gone', () => {
  async function filled() {
    const scene = new CacheScene();
    const store = await scene.open();
    const bytes = bytesOf(7, 500_000);
    await fill(store, file(1), bytes);
    return { scene, store, bytes };
  }

  /** Bits turn in place: neither size nor time of the file tells. */
  function rot(chunk: string): void {
    const { atime, mtime } = statSync(chunk);
    const bytes = readFileSync(chunk);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    writeFileSync(chunk, bytes);
    utimesSync(chunk, atime, mtime);
  }

  const harms = {
    'one bit of each': (scene: CacheScene) => each(scene, rot),
    'each shorter': (scene: CacheScene) => each(scene, (chunk) => truncateSync(chunk, 5_000)),
    'each longer': (scene: CacheScene) => each(scene, (chunk) => writeFileSync(chunk, 'x', { flag: 'a' })),
    'all files deleted': (scene: CacheScene) => each(scene, (chunk) => rmSync(chunk)),
    'the folder deleted': (scene: CacheScene) =>
      rmSync(path.join(scene.directory, 'chunks'), { recursive: true }),
  };

  test.each(Object.entries(harms))('is never given by the reader, and reported (%s)', async (_, harm) => {
    const { scene, store, bytes } = await filled();
    const reader = scene.reader(1); // nothing stays in memory
    expectBytes(await readBy(reader, file(1), 0, 400_000), bytes.subarray(0, 400_000));
    harm(scene);
    for (let at = 0; at < bytes.length; at += 10_000)
      expect(await readBy(reader, file(1), at, 10_000)).toBeNull();
    const bad = reader.takeBad();
    expect(bad.length).toBe(store.stats().storedChunks);
    expect(reader.takeBad()).toEqual([]);
    for (const chunk of bad) await store.reportBad(chunk);
    expect(store.stats()).toMatchObject({ storedChunks: 0, storedBytes: 0, corruptChunks: bad.length });
    expect(scene.eventsOf('chunk_corrupt')).toHaveLength(bad.length);
    expect(store.gaps(file(1), 0, 500_000)).toEqual([{ offset: 0, lengthBytes: 500_000 }]);
    // Fetched again, it is there again, for the same reader.
    await fill(store, file(1), bytes);
    expectBytes(await readBy(reader, file(1), 0, 500_000), bytes);
    await scene.expectSound(store);
  });

  test.each(Object.entries(harms))('is never given by the store, and removed first (%s)', async (_, harm) => {
    const { scene, store, bytes } = await filled();
    harm(scene);
    for (let at = 0; at < bytes.length; at += 10_000)
      expect(await store.read(file(1), at, 10_000)).toBeNull();
    expect(store.stats()).toMatchObject({ storedChunks: 0, logicalBytes: 0 });
    expect(store.mode).toBe('normal');
    await fill(store, file(1), bytes);
    expectBytes(await store.read(file(1), 0, 500_000), bytes);
    await scene.expectSound(store);
  });

  test('that somebody takes for bad is kept when it is sound', async () => {
    const { scene, store } = await filled();
    for (let chunk = 1; chunk < 20; chunk += 1) await store.reportBad(chunk);
    expect(store.isComplete(file(1))).toBe(true);
    await scene.expectSound(store);
  });

  test('is put right by bytes that come anew, also for other files that share it', async () => {
    const { scene, store, bytes } = await filled();
    await fill(store, file(2), bytes);
    each(scene, rot);
    await store.clear({ content: file(1), includePinned: false, dryRun: false });
    await fill(store, file(1), bytes);
    expectBytes(await store.read(file(1), 0, 500_000), bytes);
    await scene.expectSound(store);
  });

  test('is found by the scrub, which then looks at all of them', async () => {
    const { scene, store } = await filled();
    expect(await store.scrub(noSignal)).toMatchObject({ bad: 0, wasFull: false });
    for (const chunk of scene.chunkFiles().slice(0, 2)) rot(chunk);
    expect(await store.scrub(noSignal)).toMatchObject({ bad: 2, wasFull: true });
    expect(scene.eventsOf('chunk_corrupt')).toHaveLength(2);
    await scene.expectSound(store);
  });

  test('is told by verify, which puts it right only when it is to', async () => {
    const { scene, store } = await filled();
    const [first, second, third] = scene.chunkFiles();
    rot(first ?? '');
    truncateSync(second ?? '', 100);
    rmSync(third ?? '');
    const orphan = bytesOf(99, 20_000);
    const name = hash64(orphan).toString(16).padStart(16, '0');
    await fill(store, file(5), orphan);
    await store.clear({ content: file(5), includePinned: false, dryRun: false });
    writeFileSync(path.join(scene.directory, 'chunks', name.slice(0, 2), name), orphan);
    const seen: number[] = [];
    const verify = (repair: boolean, full: boolean) =>
      store.verify({ repair, full }, ({ foldersDone }) => seen.push(foldersDone), noSignal);
    expect(await verify(false, false)).toMatchObject({ bad: 1, missing: 1, orphans: 1, isClean: false });
    expect(await verify(false, true)).toMatchObject({
      bad: 2,
      missing: 1,
      orphans: 1,
      repaired: 0,
      isClean: false,
    });
    expect(seen.at(-1)).toBe(256);
    expect(await verify(true, true)).toMatchObject({
      bad: 2,
      missing: 1,
      orphans: 1,
      repaired: 4,
      isClean: true,
    });
    expect(await verify(false, true)).toMatchObject({ bad: 0, missing: 0, orphans: 0, isClean: true });
    await scene.expectSound(store);
  });
});

describe('the reader', () => {
  test('answers from memory and the page cache at once, hashes each chunk once, and counts', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    const bytes = bytesOf(8, 600_000);
    await fill(store, file(1), bytes);
    let hashed = 0;
    const reader = scene.reader(8 * 1024 * 1024, (chunk) => {
      if (chunk.length > 15_000) hashed += 1;
      return hash64(chunk);
    });
    const area = Buffer.alloc(4_000);
    for (let at = 0; at < bytes.length; at += 4_000) {
      expect(reader.readNow(file(1), at, 4_000, area)).toBe(4_000);
      expect(area.equals(bytes.subarray(at, at + 4_000))).toBe(true);
    }
    expect(hashed).toBe(store.stats().storedChunks);
    expect(reader.stats).toEqual({ hits: 150, misses: 0, bytes: 600_000 });
    expect(reader.readNow(file(2), 0, 10, area)).toBe('miss');
    expect(reader.readNow(file(1, 2), 0, 10, area)).toBe('miss');
    expect(reader.stats.misses).toBe(2);
    expect(reader.takeTouched()).toHaveLength(hashed);
    expect(reader.takeTouched()).toEqual([]);
  });

  test('lives with an index that is not there yet, that grows, and that is another one', async () => {
    const scene = new CacheScene();
    const reader = scene.reader();
    const bytes = bytesOf(9, 300_000);
    expect(await readBy(reader, file(1), 0, 1000)).toBeNull();
    const store = await scene.open();
    await fill(store, file(1), bytes, { to: 150_000 });
    scene.clock.spend(limits.cacheLookMs);
    expectBytes(await readBy(reader, file(1), 0, 1000), bytes.subarray(0, 1000));
    expect(await readBy(reader, file(1), 200_000, 1000)).toBeNull();
    await fill(store, file(1), bytes, { from: 150_000 });
    expectBytes(await readBy(reader, file(1), 100_000, 150_000), bytes.subarray(100_000, 250_000));
    await store.close();
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(path.join(scene.directory, `cache.db${suffix}`), { force: true });
    const next = await scene.open();
    await eventually('the chunk files are indexed', () => next.mode === 'normal');
    // Numbers of chunks mean others now: the second file has those of the first.
    const other = bytesOf(10, 300_000);
    await fill(next, file(2), other);
    scene.clock.spend(limits.cacheLookMs);
    expectBytes(await readBy(reader, file(2), 0, 300_000), other);
    expect(await readBy(reader, file(1), 0, 1000)).toBeNull();
    await fill(next, file(1), bytes);
    expectBytes(await readBy(reader, file(1), 0, 300_000), bytes);
  });

  test('R-36: lives with an index that is cut short or overwritten while it reads', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    const bytes = bytesOf(11, 300_000);
    await fill(store, file(1), bytes);
    await store.close();
    const reader = scene.reader(1);
    expectBytes(await readBy(reader, file(1), 0, 1000), bytes.subarray(0, 1000));
    const index = path.join(scene.directory, 'cache.db');
    truncateSync(index, 5_000);
    writeFileSync(index, Buffer.alloc(3_000, 0xff), { flag: 'r+' });
    for (let round = 0; round < 5; round += 1) {
      const got = await readBy(reader, file(1), 1000 * round, 1000);
      expect(got === null || got.equals(bytes.subarray(1000 * round, 1000 * round + 1000))).toBe(true);
      expect(await readBy(reader, file(3), 0, 10)).toBeNull();
      scene.clock.spend(limits.cacheLookMs);
    }
  });

  test('lets go of everything after a minute, and begins anew', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    const bytes = bytesOf(12, 100_000);
    await fill(store, file(1), bytes);
    const reader = scene.reader();
    expectBytes(await readBy(reader, file(1), 0, 100_000), bytes);
    scene.clock.spend(limits.originFileIdleMs);
    reader.closeIdle();
    const open = readFileDescriptors().filter(
      (target) => target.startsWith(scene.directory) && target.includes('chunks'),
    );
    expect(open).toEqual([]);
    expectBytes(await readBy(reader, file(1), 0, 100_000), bytes);
  });

  test('cas.get.read, cas.get.corrupt, manifest.load: what fails or is wrong is a miss', async () => {
    const scene = new CacheScene();
    const store = await scene.open();
    const bytes = bytesOf(13, 100_000);
    await fill(store, file(1), bytes);
    const reader = scene.reader(1);
    for (const fault of [
      'cas.get.read=error(unavailable)',
      'cas.get.corrupt=corrupt(1)',
      'manifest.load=error(unavailable)',
    ]) {
      scene.failpoints.set(`${fault};count=1`);
      if (fault.startsWith('manifest')) reader.close();
      scene.clock.spend(limits.cacheLookMs);
      expect([fault, await readBy(reader, file(1), 0, 50_000)]).toEqual([fault, null]);
      expect(scene.failpoints.hitsOf(fault.split('=')[0] ?? '')).toBe(1);
      scene.clock.spend(limits.cacheLookMs);
      expectBytes(await readBy(reader, file(1), 0, 50_000), bytes.subarray(0, 50_000));
    }
    expect(reader.takeBad()).toHaveLength(1); // the corrupt one, which the store will find to be sound
  });
});

function readFileDescriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}
