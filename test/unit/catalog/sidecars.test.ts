// Files beside the music follow the tracks of their folder.
import { expect, it } from 'vitest';
import { LibraryCatalog, type TrackFile, track } from '../../fixtures/library-catalog.ts';

const beside = (path: string, rest: Partial<TrackFile> = {}): TrackFile => ({
  path,
  state: 'sidecar',
  audioFp: null,
  ...rest,
});
const song = (path: string, title: string, tags: object = {}) => track(path, title, { tags });
const others = (catalog: LibraryCatalog) => catalog.files().filter((path) => !path.endsWith('.flac'));
const later = { mtimeNs: '1700000000000000001' };

it('one of a track takes its name, others keep theirs, both behind the tracks', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(
    beside('dir/01.lrc'),
    beside('dir/cover.jpg'),
    song('dir/01', 'One', { track: 1 }),
    song('dir/02', 'Two', { track: 2 }),
  );
  expect(catalog.files()).toEqual([
    'Artist/Album [FLAC]/01 - One.flac',
    'Artist/Album [FLAC]/02 - Two.flac',
    'Artist/Album [FLAC]/01 - One.lrc',
    'Artist/Album [FLAC]/cover.jpg',
  ]);
  expect(catalog.reader.counters()).toMatchObject({ tracks: 2, files: 4, bytes: 4000 });
  expect(catalog.reader.location(catalog.nodeOf('dir/cover.jpg'), 1)).toMatchObject({
    originName: 'music',
    realPath: Buffer.from('dir/cover.jpg'),
  });
});

it('they come with tracks that come later, move with them, and go with the last', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(beside('dir/cover.jpg'));
  expect(catalog.files()).toEqual([]);
  catalog.publish(song('dir/01', 'One'));
  const node = catalog.nodeOf('dir/cover.jpg');
  expect(others(catalog)).toEqual(['Artist/Album [FLAC]/cover.jpg']);
  catalog.publish(track('dir/01', 'One', { ...later, tags: { album: 'Other' } }));
  expect(others(catalog)).toEqual(['Artist/Other [FLAC]/cover.jpg']);
  expect(catalog.at('Artist/Other [FLAC]/cover.jpg').id).toBe(node);
  catalog.remove('dir/01');
  expect(catalog.files()).toEqual([]);
  expect([...catalog.tree().keys()]).toEqual([]);
});

it('sub-folders keep their names, and those of discs are one album', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(
    beside('Album/Scans/back.jpg'),
    beside('Album/booklet.pdf'),
    beside('Album/CD1/cover.jpg'),
    song('Album/CD1/01', 'One', { disc: 1, discTotal: 2, track: 1 }),
    song('Album/CD2/01', 'Two', { disc: 2, discTotal: 2, track: 1 }),
  );
  expect(others(catalog).sort()).toEqual([
    'Artist/Album [FLAC]/Scans/back.jpg',
    'Artist/Album [FLAC]/booklet.pdf',
    'Artist/Album [FLAC]/cover.jpg',
  ]);
});

it('those of a folder without music anywhere near are not shown', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(beside('Docs/manual.pdf'), beside('a/b/c/deep.jpg'), song('a/01', 'One'));
  expect(others(catalog)).toEqual([]);
});

it('two of one name: the first keeps it, the other has a suffix, and neither is renamed again', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(beside('CD1/cover.jpg'), song('CD1/01', 'One', { disc: 1 }));
  catalog.publish(beside('CD2/cover.jpg'), song('CD2/01', 'Two', { disc: 2 }));
  const both = others(catalog).sort();
  expect(both).toEqual([
    expect.stringMatching(/^Artist\/Album \[FLAC\]\/cover ~[0-9a-f]{6}\.jpg$/),
    'Artist/Album [FLAC]/cover.jpg',
  ]);
  catalog.publish(song('CD2/02', 'Three', { disc: 2 }));
  expect(others(catalog).sort()).toEqual(both);
});

it('music in the root has its own beside it, and a changed one is a new version', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(beside('cover.jpg'), song('01', 'One'), song('Deep/01', 'Two', { album: 'Deep' }));
  expect(others(catalog)).toEqual(['Artist/Album [FLAC]/cover.jpg']);
  catalog.publish(beside('cover.jpg', { sizeBytes: 2000, ...later }));
  expect(catalog.at('Artist/Album [FLAC]/cover.jpg')).toMatchObject({ size: 2000, version: 2 });
  catalog.remove('cover.jpg');
  expect(others(catalog)).toEqual([]);
});

it('they stay with their tracks when the tree is laid out anew', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(beside('dir/01.lrc'), beside('dir/cover.jpg'), song('dir/01', 'One'));
  const publisher = catalog.publisherWith('$album/$title.$format');
  while (publisher.isOutOfLayout) publisher.layOut(1);
  expect(catalog.files()).toEqual(['Album/One.flac', 'Album/cover.jpg', 'Album/One.lrc']);
});
