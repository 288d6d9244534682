// What becomes of the tree when the settings that name it change.
import { describe, expect, it } from 'vitest';
import type { Publisher } from '../../../src/catalog/publisher.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

/** As the writer thread does it. Returns how many steps it took. */
function layOut(publisher: Publisher, most = 2): number {
  let steps = 0;
  for (; publisher.isOutOfLayout; steps += 1) publisher.layOut(most);
  return steps;
}

function filled(): LibraryCatalog {
  const catalog = new LibraryCatalog();
  catalog.publish(
    track('a', 'One', { tags: { track: 1, year: 1999 } }),
    track('b', 'Two', { tags: { track: 2, year: 1999 } }),
    track('c', 'Three', { tags: { track: 3, album: 'Other' } }),
  );
  return catalog;
}

describe('a change of the template', () => {
  it('gives every track its new place; files keep their nodes, and old folders go', () => {
    const catalog = filled();
    const before = new Map(['a', 'b', 'c'].map((file) => [file, catalog.nodeOf(file)]));
    expect(catalog.publisher.isOutOfLayout).toBe(false);
    const publisher = catalog.publisherWith('$year/$title');
    expect(publisher.isOutOfLayout).toBe(true);
    layOut(publisher);
    expect([...catalog.tree().keys()].sort()).toEqual([
      '1999/',
      '1999/One.flac',
      '1999/Two.flac',
      'Unknown/',
      'Unknown/Three.flac',
    ]);
    for (const [file, node] of before) expect(catalog.nodeOf(file)).toBe(node);
    expect(catalog.at('1999/One.flac').id).toBe(before.get('a'));
  });

  it('tells the kernel of each name that went, and of each folder that changed', () => {
    const catalog = filled();
    const folder = catalog.at('Artist/Album (1999) [FLAC]').id;
    const publisher = catalog.publisherWith('$album_artist/$album/$title');
    catalog.publisher = publisher;
    const told = catalog.withNews(publisher.layOut(100)).invalidations;
    expect(told).toContainEqual(expect.objectContaining({ parent: folder, name: '01 - One.flac' }));
    expect(told).toContainEqual(expect.objectContaining({ parent: catalog.at('Artist').id, name: null }));
  });

  it('goes on where it was when a life ends, and is done once', () => {
    const catalog = filled();
    const first = catalog.publisherWith('$title');
    first.layOut(1);
    const second = catalog.publisherWith('$title');
    // Two more tracks, one look that finds no more, and the same again on the second way.
    expect(layOut(second, 1)).toBe(2 + 1 + 3 + 1);
    expect(catalog.files().sort()).toEqual(['One.flac', 'Three.flac', 'Two.flac']);
    expect(catalog.publisherWith('$title').isOutOfLayout).toBe(false);
  });

  it('that is taken back half way is undone', () => {
    const catalog = filled();
    const before = catalog.files();
    catalog.publisherWith('$title').layOut(1);
    expect(catalog.files()).not.toEqual(before);
    const back = catalog.publisherWith('default');
    expect(back.isOutOfLayout).toBe(true);
    layOut(back, 1);
    expect(catalog.files()).toEqual(before);
  });

  it('begins anew when the settings change on the way', () => {
    const catalog = filled();
    catalog.publisherWith('$title').layOut(1);
    const other = catalog.publisherWith('$track - $title');
    layOut(other, 1);
    expect(catalog.files().sort()).toEqual(['01 - One.flac', '02 - Two.flac', '03 - Three.flac']);
  });

  it('swaps names without a suffix staying behind', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(
      track('a', 'Left', { tags: { comment: 'Right' } }),
      track('b', 'Right', { tags: { comment: 'Left' } }),
    );
    layOut(catalog.publisherWith('Songs/$title'));
    layOut(catalog.publisherWith('Songs/$comment'), 1);
    expect([catalog.placeOf('a'), catalog.placeOf('b')]).toEqual(['Songs/Right.flac', 'Songs/Left.flac']);
  });

  it('of a name that several want gives it to one, and suffixes to the others', () => {
    const catalog = filled();
    layOut(catalog.publisherWith('$album_artist/All'));
    const files = catalog.files().sort();
    expect(files).toHaveLength(3);
    expect(files.filter((file) => file === 'Artist/All.flac')).toHaveLength(1);
    expect(files.filter((file) => /^Artist\/All ~[0-9a-f]{6}\.flac$/.test(file))).toHaveLength(2);
  });
});

it('a change of the other settings is one as well; the name of a preset is its text', () => {
  const catalog = filled();
  const text = '$album_artist/$album< ($year)> [$format_upper]/$disc_track - <$va_artist - >$title.$format';
  expect(catalog.publisherWith(text).isOutOfLayout).toBe(false);
  const renamed = catalog.publisherWith('default', { variousArtists: 'Diverse' });
  expect(renamed.isOutOfLayout).toBe(true);
  layOut(renamed);
  expect(catalog.files()).toHaveLength(3);
});

it('albums of several discs are counted anew as their folders are others', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(
    track('a', 'One', { tags: { disc: 1, track: 1, genre: ['Rock'] } }),
    track('b', 'Two', { tags: { disc: 2, track: 1, genre: ['Jazz'] } }),
  );
  expect(catalog.placeOf('a')).toBe('Artist/Album [FLAC]/1-01 - One.flac');
  layOut(catalog.publisherWith('$genre/$disc_track $title'));
  expect([catalog.placeOf('a'), catalog.placeOf('b')]).toEqual(['Rock/01 One.flac', 'Jazz/01 Two.flac']);
});
