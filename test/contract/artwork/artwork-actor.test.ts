// The artwork actor with real files, processes and disk: what the catalog is told, and what is left at the end.
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { artwork, artworkSpec } from '../../../src/actors/artwork.ts';
import type { ArtworkCatalog, MadeName } from '../../../src/actors/artwork-catalog.ts';
import { StatusBoard } from '../../../src/actors/status-board.ts';
import type { AlbumWantingArt } from '../../../src/artwork/album-wanting-art.ts';
import { MadeStore } from '../../../src/made/made-store.ts';
import { defaultArtwork } from '../../../src/platform/artwork-settings.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { Failpoints } from '../../../src/platform/failpoints.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { supervisorSpec } from '../../../src/supervision/child-spec.ts';
import { startSystem } from '../../../src/supervision/system.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { childrenOf } from '../../fixtures/processes.ts';
import { AlbumScene } from './album-scene.ts';
import { flacWith, front } from './pictured-music.ts';
import { plain, seen } from './pictures.ts';

async function started(scene: AlbumScene, albums: readonly AlbumWantingArt[], settings = defaultArtwork) {
  const made = new Map<number, readonly MadeName[]>();
  const catalog: ArtworkCatalog = {
    wanting: async (after, most) =>
      albums.filter(({ directory }) => directory > after && !made.has(directory)).slice(0, most),
    made: async (directory, files) => void made.set(directory, files),
  };
  const spec = artworkSpec({
    ...{ settings, catalog, copiesDirectory: scene.copiesDirectory, board: new StatusBoard() },
    origins: { rootOf: () => scene.root, copy: () => Promise.reject(new Error('nothing is copied')) },
    ...{ store: new MadeStore(scene.storeDirectory), failpoints: new Failpoints(false) },
    dropPrivileges: process.getuid?.() === 0,
  });
  const system = await startSystem(
    supervisorSpec({ id: 'root', strategy: 'one_for_one', children: [spec] }),
    {
      ...{ clock: systemClock, log: silentLogger, random: () => 0 },
      ...{ onRootGaveUp: () => undefined, onReport: () => undefined },
    },
  );
  onTestFinished(async () => void (await system.stop()));
  artwork.tell({ type: 'library-changed' });
  return { made, system };
}

it('the catalog is told of each album under all its names, once every byte is on the disk', async () => {
  const scene = new AlbumScene();
  const picture = await plain(900, 600).jpeg().toBuffer();
  scene.write('a/cover.jpg', picture);
  scene.write('b/01.flac', flacWith([[front, picture]]));
  scene.write('c/cover.jpg', Buffer.from('no picture'));
  const albums = [
    { ...scene.album([], ['a/cover.jpg']), directory: 1 },
    { ...scene.album(['b/01.flac'], []), directory: 2 },
    { ...scene.album([], ['c/cover.jpg']), directory: 3 },
  ];
  const settings = { ...defaultArtwork, names: ['cover.jpg', 'folder.jpg'], listSizes: true };
  const { made } = await started(scene, albums, settings);
  await eventually('all have had their turn', () => made.size === 3);
  expect(made.get(1)?.map(({ name, isListed }) => [name, isListed])).toEqual([
    ...[
      ['cover.jpg', true],
      ['folder.jpg', true],
    ],
    ...[
      ['cover_medium.jpg', true],
      ['cover_thumb.jpg', true],
    ],
  ]);
  expect(made.get(2)).toEqual(made.get(1)); // the same picture is kept once
  expect(made.get(3)).toEqual([]);
  for (const { name, file } of made.get(1) ?? []) {
    const stat = lstatSync(path.join(scene.storeDirectory, file.path), { bigint: true });
    expect([file.sizeBytes, file.mtimeNs]).toEqual([Number(stat.size), stat.mtimeNs.toString()]);
    const { width } = await seen(readFileSync(path.join(scene.storeDirectory, file.path)));
    expect(width).toBe({ 'cover_medium.jpg': 300, 'cover_thumb.jpg': 150 }[name] ?? 900);
  }
});

it('the smaller ones are not listed unless that is wanted', async () => {
  const scene = new AlbumScene();
  scene.write('cover.jpg', await plain(9, 9).jpeg().toBuffer());
  const { made } = await started(scene, [scene.album([], ['cover.jpg'])]);
  await eventually('it has had its turn', () => made.size === 1);
  expect([...made.values()].flat().map(({ name, isListed }) => [name, isListed])).toEqual([
    ...[
      ['cover.jpg', true],
      ['cover_medium.jpg', false],
      ['cover_thumb.jpg', false],
    ],
  ]);
});

it('its end in the middle of a picture leaves no process and nothing half made', async () => {
  const before = childrenOf(process.pid);
  const scene = new AlbumScene();
  scene.write('cover.jpg', await plain(8000, 8000).png().toBuffer());
  const { made, system } = await started(scene, [scene.album([], ['cover.jpg'])]);
  const own = () => childrenOf(process.pid).filter((pid) => !before.includes(pid));
  await eventually('both processes are there', () => own().length === 2);
  const startedMs = performance.now();
  await system.stop();
  expect(performance.now() - startedMs).toBeLessThan(3_000);
  expect(own()).toEqual([]);
  expect(made.size).toBe(0);
  expect(() => readdirSync(scene.storeDirectory)).toThrow('ENOENT');
});
