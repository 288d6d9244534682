import { expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

const place = 'Artist/Album [FLAC]/00 - A.flac';
const first = { sizeBytes: 1000, mtimeNs: '1600000000000000001' };
const second = { sizeBytes: 2000, mtimeNs: '1600000001000000002' };

it('changed content is a new version of the same node; the old one is still described', () => {
  const catalog = new LibraryCatalog('/srv/music');
  catalog.publish(track('dir/a.flac', 'A', first));
  const { id } = catalog.at(place);
  catalog.publish(track('dir/a.flac', 'A', second));
  expect(catalog.at(place)).toMatchObject({ id, version: 2, size: 2000 });
  expect(catalog.reader.nodeVersion(id, 2)).toEqual(catalog.reader.node(id));
  expect(catalog.reader.nodeVersion(id, 1)).toMatchObject({
    id,
    version: 1,
    size: 1000,
    mtimeSeconds: 1_600_000_000,
    mtimeNanoseconds: 1,
  });
  const found = { originName: 'music', originRoot: '/srv/music', realPath: Buffer.from('dir/a.flac') };
  expect(catalog.reader.location(id, 1)).toMatchObject({ ...found, size: 1000, mtimeNanoseconds: 1 });
  expect(catalog.reader.location(id, 2)).toMatchObject({ ...found, size: 2000, mtimeNanoseconds: 2 });
});

it('a version that never was is not described', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'A', first));
  const { id } = catalog.at(place);
  expect(catalog.reader.nodeVersion(id, 2)).toBeUndefined();
  expect(catalog.reader.location(id, 2)).toBeUndefined();
  expect(catalog.reader.location(id + 1000, 1)).toBeUndefined();
  expect(catalog.reader.node(id + 1000)).toBeUndefined();
});

it('new tags without new content are no new version', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'A', first));
  catalog.publish(track('a', 'B', first));
  expect(catalog.at('Artist/Album [FLAC]/00 - B.flac').version).toBe(1);
});

it('a removed file is described as long as its handles may read it', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'A', first));
  const { id } = catalog.at(place);
  catalog.remove('a');
  expect(catalog.reader.nodeVersion(id, 1)).toMatchObject({ size: 1000, links: 0 });
  expect(catalog.reader.location(id, 1)).toMatchObject({ size: 1000 });
});

it('an old version is forgotten a day after it was replaced', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'A', first));
  const { id } = catalog.at(place);
  catalog.publish(track('a', 'A', second));
  catalog.nowMs += limits.oldVersionMs - 1000;
  catalog.publisher.finishScan('music', ['/']);
  expect(catalog.reader.nodeVersion(id, 1)).toBeDefined();
  catalog.nowMs += 3000;
  catalog.publisher.finishScan('music', ['/']);
  expect(catalog.reader.nodeVersion(id, 1)).toBeUndefined();
  expect(catalog.reader.nodeVersion(id, 2)).toBeDefined();
});
