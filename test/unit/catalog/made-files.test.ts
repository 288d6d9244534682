// Files that musicfs makes itself, as the catalog shows them.
import path from 'node:path';
import { expect, it } from 'vitest';
import type { MadeFile } from '../../../src/catalog/publication.ts';
import { limits } from '../../../src/platform/limits.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

const made = (name: string, bytes = 'aa/1', isListed = true): MadeFile => ({
  name,
  path: bytes,
  sizeBytes: 500,
  mtimeNs: '1650000000000000007',
  isListed,
});
const album = 'Artist/Album [FLAC]';

/** What wants pictures, by its path. */
function wanting(catalog: LibraryCatalog) {
  const paths = new Map([...catalog.tree()].map(([name, { id }]) => [id, name]));
  return new Map(
    catalog.publisher.albumsWantingArt(0, 100).map((each) => [paths.get(each.directory) ?? '', each]),
  );
}

function show(catalog: LibraryCatalog, ...files: readonly MadeFile[]) {
  const one = wanting(catalog).get(`${album}/`) ?? {
    directory: catalog.at(album).id,
    revision: 0,
  };
  return catalog.withNews(catalog.publisher.showArt(one, files));
}

it('an album that changed wants its picture until it was told of one', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(
    track('dir/b', 'Two', { tags: { track: 2 } }),
    track('dir/a', 'One', { tags: { track: 1 } }),
    { path: 'dir/cover.png', state: 'sidecar', audioFp: null },
  );
  const found = wanting(catalog).get(`${album}/`);
  expect(found?.tracks.map((each) => each.path)).toEqual(['dir/a.flac', 'dir/b.flac']);
  expect(found?.pictures).toEqual([
    { origin: 'music', path: 'dir/cover.png', sizeBytes: 1000, mtimeNs: '1600000000000000001', etag: null },
  ]);
  expect(wanting(catalog).get('Artist/')?.tracks).toEqual([]);
  show(catalog, made('cover.jpg'));
  expect(wanting(catalog).has(`${album}/`)).toBe(false);
  catalog.publish(track('dir/c', 'Three'));
  expect(wanting(catalog).has(`${album}/`)).toBe(true);
});

it('a change that comes while a picture is made is not forgotten', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('dir/a', 'One'));
  const before = wanting(catalog).get(`${album}/`);
  catalog.publish(track('dir/b', 'Two'));
  catalog.publisher.showArt({ directory: catalog.at(album).id, revision: before?.revision ?? 0 }, []);
  expect(wanting(catalog).has(`${album}/`)).toBe(true);
});

it('is listed or only found, with the facts of its bytes, which lie beside the catalog', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('dir/a', 'One'));
  show(catalog, made('cover.jpg'), made('cover_thumb.jpg', 'bb/2', false));
  expect(catalog.files()).toEqual([`${album}/00 - One.flac`, `${album}/cover.jpg`]);
  const thumb = catalog.at(`${album}/cover_thumb.jpg`);
  expect(thumb).toMatchObject({ size: 500, mtimeSeconds: 1650000000, mtimeNanoseconds: 7, links: 1 });
  expect(catalog.reader.location(thumb.id, 1)).toEqual({
    originName: '',
    originRoot: path.join(catalog.directory, 'made'),
    realPath: Buffer.from('bb/2'),
    size: 500,
    mtimeSeconds: 1650000000,
    mtimeNanoseconds: 7,
  });
  expect(catalog.publisher.isMadeReferenced('bb/2')).toBe(true);
  show(catalog, made('cover.jpg', 'aa/1', false), made('cover_thumb.jpg', 'bb/2'));
  expect(catalog.files()).toEqual([`${album}/00 - One.flac`, `${album}/cover_thumb.jpg`]);
});

it('other bytes are a new version; the old one is read on by whoever has it open', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('dir/a', 'One'));
  show(catalog, made('cover.jpg'));
  const { id } = catalog.at(`${album}/cover.jpg`);
  const { invalidations } = show(catalog, { ...made('cover.jpg', 'cc/3'), sizeBytes: 700 });
  expect(invalidations.map(({ name }) => name)).toContain('cover.jpg');
  expect(catalog.at(`${album}/cover.jpg`)).toMatchObject({ id, version: 2, size: 700 });
  expect(catalog.reader.location(id, 1)).toMatchObject({ realPath: Buffer.from('aa/1'), size: 500 });
  expect(catalog.reader.location(id, 2)).toMatchObject({ realPath: Buffer.from('cc/3'), size: 700 });
  expect(show(catalog, { ...made('cover.jpg', 'cc/3'), sizeBytes: 700 }).hasInvalidations).toBe(false);
});

it('a real file of that name wins, whoever comes first', () => {
  const catalog = new LibraryCatalog();
  const real = { path: 'dir/cover.jpg', state: 'sidecar', audioFp: null } as const;
  catalog.publish(track('dir/a', 'One'));
  show(catalog, made('cover.jpg'));
  catalog.publish(real);
  expect(catalog.at(`${album}/cover.jpg`).id).toBe(catalog.nodeOf('dir/cover.jpg'));
  show(catalog, made('cover.jpg'), made('cover_thumb.jpg', 'bb/2', false));
  expect(catalog.at(`${album}/cover.jpg`).id).toBe(catalog.nodeOf('dir/cover.jpg'));
  expect(catalog.at(`${album}/cover_thumb.jpg`).size).toBe(500);
});

it('keeps no directory, goes with it, and its bytes are free then', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('dir/a', 'One'));
  show(catalog, made('cover.jpg'), made('cover_thumb.jpg', 'bb/2', false));
  catalog.remove('dir/a');
  expect([...catalog.tree().keys()]).toEqual([]);
  expect(catalog.reader.counters()).toMatchObject({ files: 0, directories: 1 });
  const areKept = () => ['aa/1', 'bb/2'].map((each) => catalog.publisher.isMadeReferenced(each));
  catalog.publisher.finishScan('music', ['/']);
  expect(areKept()).toEqual([true, true]); // whoever has them open reads on
  catalog.nowMs += limits.oldVersionMs + 2_000;
  catalog.publisher.finishScan('music', ['/']);
  expect(areKept()).toEqual([false, false]);
});

it('is not shown in a directory that went meanwhile', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('dir/a', 'One'));
  const one = wanting(catalog).get(`${album}/`);
  catalog.remove('dir/a');
  if (one === undefined) throw new Error('it wants a picture');
  catalog.publisher.showArt(one, [made('cover.jpg')]);
  expect([...catalog.tree().keys()]).toEqual([]);
  expect(catalog.publisher.isMadeReferenced('aa/1')).toBe(false);
});
