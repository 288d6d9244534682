import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { artOriginsOf, artwork, artworkSpec } from '../../../src/actors/artwork.ts';
import type { ArtworkCatalog, MadeName } from '../../../src/actors/artwork-catalog.ts';
import type { OriginCaller } from '../../../src/actors/origin-caller.ts';
import { type OriginLaneMessage, originLaneSpec } from '../../../src/actors/origin-lane.ts';
import { StatusBoard } from '../../../src/actors/status-board.ts';
import type { AlbumWantingArt } from '../../../src/artwork/album-wanting-art.ts';
import type { ArtFile, ArtOrigins } from '../../../src/artwork/brought-files.ts';
import { realPath } from '../../../src/library/real-path.ts';
import { MadeStore } from '../../../src/made/made-store.ts';
import { defaultArtwork } from '../../../src/platform/artwork-settings.ts';
import { MusicfsError } from '../../../src/platform/errors.ts';
import { Failpoints } from '../../../src/platform/failpoints.ts';
import { limits } from '../../../src/platform/limits.ts';
import { actorRef } from '../../../src/supervision/actor-ref.ts';
import { supervisorSpec } from '../../../src/supervision/child-spec.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';
import { makeScene } from '../supervision/scene.ts';

const file = (origin: string, name = 'cover.jpg'): ArtFile => ({
  ...{ origin, path: realPath(name), sizeBytes: 9, mtimeNs: '1' },
});

/** A catalog in memory, and origins that are all away. `bare` albums have no pictures, the others one on that origin. */
async function started(albums: Record<number, 'bare' | 'nas' | 'usb'>) {
  const scene = makeScene();
  const board = new StatusBoard();
  const folder = temporaryDirectory();
  const copiesDirectory = path.join(folder, 'copies');
  mkdirSync(copiesDirectory);
  writeFileSync(path.join(copiesDirectory, '1.jpg'), 'of an earlier life');
  const wanting = new Map(
    Object.entries(albums).map(([directory, where]): [number, AlbumWantingArt] => [
      Number(directory),
      { directory: Number(directory), tracks: [], pictures: where === 'bare' ? [] : [file(where)] },
    ]),
  );
  const asked: number[] = [];
  const made: [number, readonly MadeName[]][] = [];
  /** How the catalog fails, and what it waits for. */
  const fails: { wanting: Error | null } = { wanting: null };
  const waits: { for: Promise<void> } = { for: Promise.resolve() };
  const catalog: ArtworkCatalog = {
    async wanting(after, most) {
      if (fails.wanting !== null) throw fails.wanting;
      asked.push(after);
      return [...wanting.values()]
        .filter(({ directory }) => directory > after)
        .sort((left, right) => left.directory - right.directory)
        .slice(0, most);
    },
    async made(directory, files) {
      await waits.for;
      wanting.delete(directory);
      made.push([directory, files]);
    },
  };
  const origins: ArtOrigins = {
    rootOf: () => null,
    copy: () => Promise.reject(new Error('nothing is copied')),
  };
  const failpoints = new Failpoints(true);
  failpoints.set('artwork.extract=error(origin_unavailable)');
  const spec = artworkSpec({
    ...{ settings: defaultArtwork, catalog, origins, copiesDirectory, board, failpoints },
    ...{ store: new MadeStore(path.join(folder, 'made')), dropPrivileges: false },
  });
  await scene.startTree(supervisorSpec({ id: 'root', strategy: 'one_for_one', children: [spec] }));
  return {
    ...{ scene, board, wanting, asked, made, fails, waits, copiesDirectory },
    /** Files that origins were asked for. */
    looks: () => failpoints.hitsOf('artwork.extract'),
    advance: (ms: number) => scene.clock.advance(ms),
  };
}

test('albums are looked at ten seconds after the start, in order and in pages, and those without a picture are told as such', async () => {
  const albums = Object.fromEntries(
    Array.from({ length: limits.artworkPage + 2 }, (_, at) => [at + 1, 'bare' as const]),
  );
  const { made, asked, advance } = await started(albums);
  await advance(limits.artworkAfterMs - 1);
  expect(asked).toEqual([]);
  await advance(1);
  expect(made).toEqual(Object.keys(albums).map((directory) => [Number(directory), []]));
  expect(asked).toEqual([0, limits.artworkPage, limits.artworkPage + 2]);
  await advance(3_600_000);
  expect(asked).toHaveLength(3);
});

test('a change of the library is looked into at once, and one that comes meanwhile afterwards', async () => {
  const { wanting, made, waits, advance } = await started({});
  await advance(limits.artworkAfterMs);
  wanting.set(7, { directory: 7, tracks: [], pictures: [] });
  const gate = Promise.withResolvers<void>();
  waits.for = gate.promise;
  artwork.tell({ type: 'library-changed' });
  await advance(0);
  wanting.set(3, { directory: 3, tracks: [], pictures: [] });
  artwork.tell({ type: 'library-changed' });
  await advance(0);
  expect(made).toEqual([]);
  gate.resolve();
  await advance(0);
  expect(made.map(([directory]) => directory)).toEqual([7, 3]);
});

test('nothing is looked at while a scan runs, and one that begins stops the walk where it is', async () => {
  const { board, made, asked, waits, advance } = await started({ 1: 'bare', 2: 'bare' });
  board.scan = { ...board.scan, isRunning: true };
  await advance(limits.artworkAfterMs + 60_000);
  expect(asked).toEqual([]);
  const gate = Promise.withResolvers<void>();
  waits.for = gate.promise;
  board.scan = { ...board.scan, isRunning: false };
  await advance(limits.artworkScanLookMs);
  expect(asked).toEqual([0]);
  board.scan = { ...board.scan, isRunning: true };
  gate.resolve();
  await advance(60_000);
  expect(made.map(([directory]) => directory)).toEqual([1]);
  board.scan = { ...board.scan, isRunning: false };
  await advance(limits.artworkScanLookMs);
  expect(asked).toEqual([0, 1, 2]);
  expect(made.map(([directory]) => directory)).toEqual([1, 2]);
});

test('an album whose origin is away is asked for once a round, ever later, and keeps no other from its picture', async () => {
  const { made, wanting, looks, advance } = await started({ 1: 'nas', 2: 'usb', 3: 'nas', 4: 'bare' });
  await advance(limits.artworkAfterMs);
  expect(made.map(([directory]) => directory)).toEqual([4]);
  expect(looks()).toBe(2);
  for (const [round, seconds] of [30, 60, 120, 240, 480, 600, 600].entries()) {
    await advance(seconds * 1000 - 1);
    expect(looks()).toBe(2 * (round + 1));
    await advance(1);
    expect(looks()).toBe(2 * (round + 2));
  }
  artwork.tell({ type: 'library-changed' });
  await advance(30_000);
  expect(looks()).toBe(20); // it begins anew: at once, and half a minute later
  wanting.clear();
  await advance(3_600_000);
  expect(looks()).toBe(20);
});

test('what an earlier life has copied is gone with the start', async () => {
  const { copiesDirectory } = await started({});
  expect(existsSync(copiesDirectory)).toBe(false);
});

test('a catalog that does not answer is asked again later; what should not be ends the life, and the next one goes on', async () => {
  const { scene, made, fails, advance } = await started({ 1: 'bare' });
  fails.wanting = new MusicfsError('unavailable', 'it is being restarted');
  await advance(limits.artworkAfterMs);
  expect(scene.node('artwork')).toMatchObject({ state: 'running', incarnation: 1 });
  fails.wanting = null;
  await advance(limits.artworkAgainMs);
  expect(made).toHaveLength(1);
  fails.wanting = new Error('a bug');
  artwork.tell({ type: 'library-changed' });
  await advance(0);
  fails.wanting = null;
  await advance(1_000);
  await eventually('its next life', () => scene.node('artwork').state === 'running');
  expect(scene.node('artwork')).toMatchObject({ incarnation: 2, critical: false });
});

test('files of origins are copied through their lanes, with what the origin says of them', async () => {
  const scene = makeScene();
  const lane = actorRef<OriginLaneMessage>('origin-lane.nas');
  const copied: unknown[] = [];
  const copy: OriginCaller['copy'] = async (wanted, ranges, target) => {
    if (wanted.path === 'away.jpg') throw new MusicfsError('origin_unavailable', 'no');
    copied.push({ wanted, ranges, target });
  };
  const caller = { copy } as unknown as OriginCaller;
  const options = {
    ref: lane,
    originId: 'nas',
    caller,
    board: new StatusBoard(),
    failpoints: new Failpoints(false),
  };
  const child = originLaneSpec({ ...options, onEvidence: () => undefined });
  await scene.startTree(supervisorSpec({ id: 'root', strategy: 'one_for_one', children: [child] }));
  const origins = artOriginsOf([
    { id: 'nas', root: null, lane, followsLinks: false },
    {
      id: 'disk',
      root: '/music',
      lane: actorRef<OriginLaneMessage>('origin-lane.disk'),
      followsLinks: false,
    },
  ]);
  expect([origins.rootOf('nas'), origins.rootOf('disk'), origins.rootOf('none')]).toEqual([
    null,
    '/music',
    undefined,
  ]);
  const ranges = [{ offset: 0, lengthBytes: 9 }];
  const never = new AbortController().signal;
  await origins.copy(file('nas'), ranges, '/copies/1.jpg', never);
  expect(copied).toEqual([{ wanted: file('nas'), ranges, target: '/copies/1.jpg' }]);
  await expect(origins.copy(file('nas', 'away.jpg'), ranges, '/copies/2.jpg', never)).rejects.toMatchObject({
    code: 'origin_unavailable',
  });
  await expect(origins.copy(file('none'), ranges, '/copies/3.jpg', never)).rejects.toMatchObject({
    code: 'not_found',
  });
});
