import { describe, expect, it } from 'vitest';
import { instantOf } from '../../../src/catalog/known-content.ts';
import { LibraryCatalog, seenFile, track } from '../../fixtures/library-catalog.ts';

const album = 'Artist/Album [FLAC]';

describe('a publication that fails half way', () => {
  it('R-09: changes nothing, and leaves nothing behind for the next one', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a', 'A'));
    const before = catalog.tree();
    catalog.database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON entries WHEN new.name LIKE '%Z.flac' BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
    );
    const never = (file: string, title: string) => track(file, title, { tags: { album: 'Never' } });
    expect(() => catalog.publish(never('b', 'B'), never('z', 'Z'))).toThrow('the disk is full');
    expect(catalog.tree()).toEqual(before);
    catalog.database.exec('DROP TRIGGER full');
    const { invalidations } = catalog.publish(track('e', 'E'));
    expect(invalidations.map(({ parent, name }) => [parent, name])).toEqual([
      [catalog.at('Artist/Album [FLAC]').id, null],
    ]);
  });
});

describe('a published file', () => {
  it('is found at the place its tags name, with its size and times', () => {
    const catalog = new LibraryCatalog();
    const result = catalog.publish(
      track('a.flac', 'Song', { tags: { track: 3 }, sizeBytes: 2 ** 40, mtimeNs: '1600000000123456789' }),
    );
    expect(result).toMatchObject({ added: 1, changed: 0, removed: 0 });
    expect(catalog.files()).toEqual([`${album}/03 - Song.flac`]);
    expect(catalog.at(`${album}/03 - Song.flac`)).toMatchObject({
      isDirectory: false,
      version: 1,
      size: 2 ** 40,
      mtimeSeconds: 1_600_000_000,
      mtimeNanoseconds: 123_456_789,
      links: 1,
    });
  });

  it('has no second entry when it is published again', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a.flac', 'Song'));
    const before = catalog.tree();
    catalog.publish(track('a.flac', 'Song'));
    expect(catalog.tree()).toEqual(before);
  });

  it('may have a real path that is no text', () => {
    const catalog = new LibraryCatalog();
    const bytes = Buffer.from([0x66, 0xff, 0x2f, 0xe9]);
    const file = {
      ...seenFile({ path: 'x' }),
      path: bytes.toString('latin1') as ReturnType<typeof seenFile>['path'],
    };
    const read = { ...file, state: 'ok' as const, reason: null, audioFp: null, tags: { title: 'T' } };
    catalog.publisher.publish('music', [read], [], () => undefined);
    expect(catalog.publisher.compare('music', [file], () => undefined)).toEqual([]);
    const node = [...catalog.tree().values()].find((entry) => !entry.isDirectory);
    expect(catalog.reader.location(node?.id ?? 0, 1)?.realPath).toEqual(bytes);
  });

  it('keeps its node when new tags move it, and leaves no empty directory', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a.flac', 'Song'));
    const { id } = catalog.at(`${album}/00 - Song.flac`);
    catalog.publish(track('a.flac', 'Song', { tags: { album: 'Other' }, mtimeNs: '2' }));
    expect([...catalog.tree().keys()]).toEqual([
      'Artist/',
      'Artist/Other [FLAC]/',
      'Artist/Other [FLAC]/00 - Song.flac',
    ]);
    expect(catalog.at('Artist/Other [FLAC]/00 - Song.flac').id).toBe(id);
  });
});

describe('a directory', () => {
  it('keeps its node when the only track in it gets another name', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a.flac', 'Song'));
    const before = [catalog.at('Artist').id, catalog.at(album).id];
    catalog.publish(track('a.flac', 'Another', { mtimeNs: '2' }));
    expect(catalog.files()).toEqual([`${album}/00 - Another.flac`]);
    expect([catalog.at('Artist').id, catalog.at(album).id]).toEqual(before);
  });

  it('keeps its node when its last track leaves and another comes in the same publication', () => {
    const catalog = new LibraryCatalog();
    const two = { tags: { album: 'Two' } };
    catalog.publish(track('a', 'A'), track('b', 'B', two));
    const before = [catalog.at(album).id, catalog.at('Artist/Two [FLAC]').id];
    catalog.publish(track('a', 'A', two), track('b', 'B'));
    expect(catalog.files()).toEqual([`${album}/00 - B.flac`, 'Artist/Two [FLAC]/00 - A.flac']);
    expect([catalog.at(album).id, catalog.at('Artist/Two [FLAC]').id]).toEqual(before);
  });

  it('counts its sub-directories in its links and its own name', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a', 'A'), track('b', 'B', { tags: { album: 'Two' } }));
    expect(catalog.at('').links).toBe(3);
    expect(catalog.at('Artist').links).toBe(4);
    expect(catalog.at(album).links).toBe(2);
    catalog.remove('b');
    expect(catalog.at('Artist').links).toBe(3);
    catalog.remove('a');
    expect(catalog.at('').links).toBe(2);
  });

  it('is dated anew when a name in it comes, goes, or shows other content, and only then', () => {
    const catalog = new LibraryCatalog();
    const dates = (): number[] =>
      ['', 'Artist', album].map((name) => {
        const { mtimeSeconds, mtimeNanoseconds } = catalog.at(name);
        return mtimeSeconds * 1000 + Math.round(mtimeNanoseconds / 1e6);
      });
    catalog.publish(track('a', 'A'));
    const first = catalog.nowMs;
    expect(dates()).toEqual([first, first, first]);
    catalog.publish(track('b', 'B'));
    const second = catalog.nowMs;
    expect(dates()).toEqual([first, first, second]);
    catalog.publish(track('b', 'B', { mtimeNs: '2' }));
    const third = catalog.nowMs;
    expect(dates()).toEqual([first, first, third]);
    catalog.remove('b');
    expect(dates()).toEqual([first, first, catalog.nowMs]);
  });

  it('has size 0 and version 0', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a', 'A'));
    expect(catalog.at('Artist')).toMatchObject({ isDirectory: true, size: 0, version: 0 });
    expect(catalog.reader.parent(catalog.at(album).id)).toBe(catalog.at('Artist').id);
    expect(catalog.reader.parent(1)).toBe(1);
  });
});

describe('an album', () => {
  it('that gets a second disc renames its tracks in the same publication, and back', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('1', 'One', { tags: { track: 1 } }), track('2', 'Two', { tags: { track: 2 } }));
    const ids = [catalog.nodeOf('1'), catalog.nodeOf('2')];
    catalog.publish(track('3', 'Three', { tags: { track: 1, disc: 2 } }));
    expect(catalog.files()).toEqual([
      `${album}/1-01 - One.flac`,
      `${album}/1-02 - Two.flac`,
      `${album}/2-01 - Three.flac`,
    ]);
    expect([catalog.at(`${album}/1-01 - One.flac`).id, catalog.at(`${album}/1-02 - Two.flac`).id]).toEqual(
      ids,
    );
    catalog.remove('3');
    expect(catalog.files()).toEqual([`${album}/01 - One.flac`, `${album}/02 - Two.flac`]);
  });

  it('becomes one of several discs as soon as a tag says so', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('1', 'One', { tags: { track: 1 } }));
    catalog.publish(track('2', 'Two', { tags: { track: 2, disc: 1, discTotal: 2 } }));
    expect(catalog.files()).toEqual([`${album}/1-01 - One.flac`, `${album}/1-02 - Two.flac`]);
  });

  it('is told apart from another one of the same discs', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(
      track('1', 'One', { tags: { disc: 2, album: 'Other' } }),
      track('2', 'Two', { tags: { disc: 1 } }),
    );
    expect(catalog.files()).toEqual([`${album}/00 - Two.flac`, 'Artist/Other [FLAC]/00 - One.flac']);
  });
});

describe('a removed file', () => {
  it('leaves the tree, keeps its row, and comes back as the same node', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a', 'A'), track('b', 'B'));
    const { id } = catalog.at(`${album}/00 - A.flac`);
    expect(catalog.remove('a')).toMatchObject({ removed: 1 });
    expect(catalog.files()).toEqual([`${album}/00 - B.flac`]);
    expect(catalog.reader.node(id)).toMatchObject({ id, links: 0 });
    expect(catalog.compare({ path: 'a' })).toEqual(['a.flac']);
    expect(catalog.publish(track('a', 'A'))).toMatchObject({ added: 1, changed: 0 });
    expect(catalog.at(`${album}/00 - A.flac`)).toMatchObject({ id, links: 1, version: 1 });
  });

  it('comes back in a new version when it has changed', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a', 'A'));
    catalog.remove('a');
    catalog.publish(track('a', 'A', { sizeBytes: 7 }));
    expect(catalog.at(`${album}/00 - A.flac`)).toMatchObject({ version: 2, size: 7 });
  });

  it('is removed once, and one that was never there not at all', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(track('a', 'A'));
    catalog.remove('a');
    expect(catalog.remove('a', 'never')).toEqual({
      added: 0,
      changed: 0,
      removed: 0,
      hasInvalidations: false,
      invalidations: [],
    });
    expect(catalog.publisher.counters()).toMatchObject({ tracks: 0, files: 0, bytes: 0 });
  });
});

describe('a moment', () => {
  it.each([
    ['0', 0, 0],
    ['1600000000123456789', 1_600_000_000, 123_456_789],
    ['-1', -1, 999_999_999],
    ['-1000000000', -1, 0],
    ['-1000000001', -2, 999_999_999],
  ])('of %s ns is %i s and %i ns', (text, seconds, nanoseconds) => {
    expect(instantOf(text)).toEqual({ seconds, nanoseconds });
  });
});
