import { describe, expect, it } from 'vitest';
import { Locations } from '../../../src/catalog/locations.ts';
import { type ReadFile, seenKey } from '../../../src/catalog/publication.ts';
import { realPath } from '../../../src/library/real-path.ts';
import { LibraryCatalog } from '../../fixtures/library-catalog.ts';

const second = 1_000_000_000n;

function song(change: Partial<ReadFile> = {}): ReadFile {
  return {
    path: realPath('a/song.flac'),
    sizeBytes: 1000,
    mtimeNs: (1_600_000_000n * second).toString(),
    state: 'ok',
    reason: null,
    audioFp: '00000000000000aa',
    fileFp: '00000000000000ff',
    tags: { artist: 'Artist', album: 'Album', title: 'Song' },
    ...change,
  };
}

/** Origin "music" of priority 100, and "copy" of the given one. */
function twoOrigins(copyPriority = 200) {
  const catalog = new LibraryCatalog();
  catalog.publisher.registerOrigin('copy', 's3', 's3://copy', copyPriority);
  const locations = new Locations(catalog.database);
  const publish = (origin: string, ...files: ReadFile[]) => {
    const keys: number[] = [];
    const result = catalog.publisher.publish(origin, files, [], (key) => keys.push(key));
    return { ...result, keys };
  };
  const songs = () => [...catalog.tree()].filter(([, { isDirectory }]) => !isDirectory);
  const holders = (node: number, version = 1) =>
    locations.holders(node, version).map(({ originName }) => originName);
  return { catalog, publish, songs, holders };
}

const later = (1_700_000_000n * second).toString();

describe('a file that two origins hold', () => {
  it('is one entry, with both as holders, whatever its time says', () => {
    const { publish, songs, holders, catalog } = twoOrigins();
    publish('music', song());
    const { added, keys } = publish('copy', song({ mtimeNs: later }));
    const [[name, node] = [], ...others] = songs();
    expect([name, others, added]).toEqual(['Artist/Album [FLAC]/00 - Song.flac', [], 0]);
    expect(holders(node?.id ?? 0)).toEqual(['music', 'copy']);
    expect(keys).toEqual([seenKey.replica(1)]);
    expect(catalog.publisher.origins().map(({ name: id, files }) => [id, files])).toEqual([
      ['music', 1],
      ['copy', 1],
    ]);
    expect(catalog.publisher.compare('copy', [song({ mtimeNs: later })], () => undefined)).toEqual([]);
  });

  it.each([
    ['other bytes at its ends', { fileFp: '00000000000000fe' }],
    ['another size', { sizeBytes: 1001 }],
    ['ends that nobody read', { fileFp: null }],
    ['another path', { path: realPath('b/song.flac') }],
  ])('is two entries when the other one has %s', (_, change) => {
    const { publish, songs } = twoOrigins();
    publish('music', song());
    publish('copy', song(change));
    expect(songs()).toHaveLength(2);
  });

  it('is shown as the one of lower priority has it, also when that one comes last', () => {
    const { publish, songs, holders } = twoOrigins(50);
    publish('music', song());
    const [[, before] = []] = songs();
    const { changed, keys } = publish('copy', song({ mtimeNs: later }));
    const [[, after] = []] = songs();
    expect([after?.id, after?.version, after?.mtimeSeconds]).toEqual([before?.id, 1, 1_700_000_000]);
    expect([changed, keys]).toEqual([1, [seenKey.track(before?.id ?? 0)]]);
    expect(holders(after?.id ?? 0)).toEqual(['copy', 'music']);
  });

  it('stays the same entry when the one whose word counts loses it', () => {
    const { publish, songs, holders, catalog } = twoOrigins();
    publish('music', song());
    publish('copy', song());
    const [[, before] = []] = songs();
    expect(catalog.publisher.remove('music', [song().path]).removed).toBe(0);
    const [[, after] = []] = songs();
    expect(after?.id).toBe(before?.id);
    expect(holders(after?.id ?? 0)).toEqual(['copy']);
    expect(catalog.publisher.remove('copy', [song().path]).removed).toBe(1);
    expect(songs()).toEqual([]);
  });

  it('comes back to the one whose word counts when that has it again', () => {
    const { publish, songs, holders, catalog } = twoOrigins();
    publish('music', song());
    publish('copy', song());
    catalog.publisher.remove('music', [song().path]);
    publish('music', song());
    const [[, node] = []] = songs();
    expect(songs()).toHaveLength(1);
    expect(holders(node?.id ?? 0)).toEqual(['music', 'copy']);
  });

  it('a replica serves only the version it was shown to be, and must be read again after that', () => {
    const { publish, songs, holders, catalog } = twoOrigins();
    publish('music', song());
    publish('copy', song());
    publish('music', song({ sizeBytes: 2000, fileFp: '0000000000000001', mtimeNs: later }));
    const [[, node] = []] = songs();
    expect([holders(node?.id ?? 0, 2), holders(node?.id ?? 0, 1)]).toEqual([['music'], ['music', 'copy']]);
    expect(catalog.publisher.compare('copy', [song()], () => undefined)).toEqual(['a/song.flac']);
    publish('copy', song({ sizeBytes: 2000, fileFp: '0000000000000001' }));
    expect(holders(node?.id ?? 0, 2)).toEqual(['music', 'copy']);
    expect(songs()).toHaveLength(1);
  });

  it('is no track of its own any more once it equals one', () => {
    const { publish, songs } = twoOrigins();
    publish('music', song());
    publish('copy', song({ fileFp: '0000000000000001', mtimeNs: later }));
    expect(songs()).toHaveLength(2);
    publish('copy', song({ mtimeNs: later }));
    expect(songs().map(([name]) => name)).toEqual(['Artist/Album [FLAC]/00 - Song.flac']);
  });

  it('is missed when a walk of the other does not meet it', () => {
    const { publish, catalog } = twoOrigins();
    publish('music', song());
    publish('copy', song());
    const one = { known: 1, paths: ['a/song.flac'] };
    expect(catalog.publisher.missing('copy', () => false, null, 10)).toEqual({ ...one, next: null });
    const { next } = catalog.publisher.missing('copy', () => false, null, 1);
    expect(next).toEqual({ of: 'replicas', after: 1 });
    expect(catalog.publisher.missing('copy', () => false, next, 1)).toEqual({
      known: 1,
      paths: [],
      next: null,
    });
    expect(catalog.publisher.missing('copy', (key) => key === seenKey.replica(1), null, 10).paths).toEqual(
      [],
    );
  });
});

describe('an etag', () => {
  it('decides whether a file changed, where both are known', () => {
    const { publish, catalog } = twoOrigins();
    publish('music', song({ etag: '"1"' }));
    const compare = (file: ReadFile) => catalog.publisher.compare('music', [file], () => undefined).length;
    expect(compare(song({ etag: '"1"', mtimeNs: later }))).toBe(0);
    expect(compare(song({ etag: '"2"' }))).toBe(1);
    expect(compare(song({ etag: null }))).toBe(0);
    expect(compare(song({ etag: null, mtimeNs: later }))).toBe(1);
  });
});

describe('what lies beside the music of two origins', () => {
  const booklet = (name: string): ReadFile =>
    song({ path: realPath(`a/${name}`), state: 'sidecar', audioFp: null, fileFp: null, tags: {} });
  const besideOf = (songs: ReturnType<ReturnType<typeof twoOrigins>['songs']>) =>
    songs.map(([name]) => name.split('/').at(-1)).filter((name) => name?.endsWith('.flac') === false);

  it('is that of the origin whose word counts, and that of the other when the music is gone there', () => {
    const { publish, songs, catalog } = twoOrigins();
    publish('music', song(), booklet('first.pdf'));
    publish('copy', song(), booklet('second.pdf'));
    expect(besideOf(songs())).toEqual(['first.pdf']);
    catalog.publisher.remove('music', ['a/song.flac', 'a/first.pdf'].map(realPath));
    expect(besideOf(songs())).toEqual(['second.pdf']);
  });

  it('changes with the holder when one comes whose word counts more, under the same name', () => {
    const { publish, songs, catalog } = twoOrigins(50);
    publish('music', song(), booklet('cover.jpg'));
    const before = catalog.at('Artist/Album [FLAC]/cover.jpg').id;
    publish('copy', booklet('cover.jpg'), song());
    expect(besideOf(songs())).toEqual(['cover.jpg']);
    expect(catalog.at('Artist/Album [FLAC]/cover.jpg').id).not.toBe(before);
  });
});
