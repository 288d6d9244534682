// One file under several names: the places that views give it.
import { describe, expect, it } from 'vitest';
import type { LibraryOptions, ViewOptions } from '../../../src/library/library-options.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

const genres: ViewOptions = {
  root: 'Genres',
  template: '$genre/$album_artist - $title.$format',
  each: 'genre',
};
const added: ViewOptions = { root: 'Added', template: '$added_at/$title.$format', each: null };

function withViews(...views: readonly ViewOptions[]): LibraryCatalog {
  const catalog = new LibraryCatalog();
  catalog.publisher = catalog.publisherWith('default', { views });
  return catalog;
}

const below = (catalog: LibraryCatalog, root: string) =>
  catalog.files().filter((path) => path.startsWith(`${root}/`));

const rock = { tags: { genre: ['Rock', 'Pop'] } };

it('a file has a place for each value, all of them the same inode', () => {
  const catalog = withViews(genres);
  catalog.publish(track('a', 'One', rock), track('b', 'Two'));
  expect(below(catalog, 'Genres')).toEqual([
    'Genres/Pop/Artist - One.flac',
    'Genres/Rock/Artist - One.flac',
    'Genres/Unknown/Artist - Two.flac',
  ]);
  const file = catalog.at('Artist/Album [FLAC]/00 - One.flac');
  expect(catalog.at('Genres/Pop/Artist - One.flac')).toMatchObject({ id: file.id, size: file.size });
  expect(file.links).toBe(3);
  expect(catalog.reader.counters()).toMatchObject({ tracks: 2, files: 2 });
});

it('a change of tags moves only the places it concerns, and empty directories go', () => {
  const catalog = withViews(genres);
  catalog.publish(track('a', 'One', rock));
  const node = catalog.nodeOf('a');
  const { invalidations } = catalog.publish(
    track('a', 'One', { mtimeNs: '1700000000000000001', tags: { genre: ['Pop', 'Jazz'] } }),
  );
  expect(below(catalog, 'Genres')).toEqual(['Genres/Jazz/Artist - One.flac', 'Genres/Pop/Artist - One.flac']);
  expect(catalog.at('Genres/Jazz/Artist - One.flac')).toMatchObject({ id: node, links: 3 });
  // Its content is new: every name it keeps leads to another version.
  const names = new Set(invalidations.map(({ name }) => name).filter((name) => name !== null));
  expect([...names].sort()).toEqual(['00 - One.flac', 'Artist - One.flac', 'Rock']);
});

it('a name that differs by case alone is taken over', () => {
  const catalog = withViews(genres);
  catalog.publish(track('a', 'One', rock));
  catalog.publish(track('a', 'ONE', { mtimeNs: '1700000000000000001', ...rock }));
  expect(below(catalog, 'Genres')).toEqual(['Genres/Pop/Artist - ONE.flac', 'Genres/Rock/Artist - ONE.flac']);
});

it('files that want one name in a view have suffixes there alone', () => {
  const catalog = withViews({ root: 'All', template: '$title.$format', each: null });
  catalog.publish(track('a', 'One'), track('b', 'One', { tags: { album: 'Other' } }));
  const [bare, marked] = below(catalog, 'All');
  expect([bare, marked]).toEqual(['All/One.flac', expect.stringMatching(/^All\/One ~[0-9a-f]{6}\.flac$/)]);
  expect(catalog.files()).toContain('Artist/Other [FLAC]/00 - One.flac');
});

it('a file that goes leaves every view, and comes back to all of them', () => {
  const catalog = withViews(genres, added);
  catalog.publish(track('a', 'One', rock));
  expect(below(catalog, 'Added')).toEqual(['Added/2023-11-14/One.flac']);
  const before = catalog.files();
  catalog.remove('a');
  expect(catalog.files()).toEqual([]);
  expect(catalog.reader.node(catalog.nodeOf('a'))?.links).toBe(0);
  catalog.publish(track('a', 'One', rock));
  expect(catalog.files()).toEqual(before);
});

it('what has no tags has one place alone, and an artist of the name of a view makes room', () => {
  const catalog = withViews(genres);
  catalog.publish(
    { path: 'x.flac', state: 'untagged' },
    track('a', 'One', { tags: { artist: 'Genres', genre: ['Rock'] } }),
  );
  expect(catalog.files().sort()).toEqual([
    'Genres/Rock/Genres - One.flac',
    'Unsorted/music/x.flac',
    '_Genres/Album [FLAC]/00 - One.flac',
  ]);
});

it('a view that is added or given up is laid out anew without a change of the others', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'One', rock));
  const node = catalog.nodeOf('a');
  const layOut = (views: readonly ViewOptions[]) => {
    const publisher = catalog.publisherWith('default', { views });
    while (publisher.isOutOfLayout) publisher.layOut(10);
  };
  layOut([genres]);
  expect(below(catalog, 'Genres')).toHaveLength(2);
  expect(catalog.nodeOf('a')).toBe(node);
  layOut([]);
  expect(catalog.files()).toEqual(['Artist/Album [FLAC]/00 - One.flac']);
  expect(catalog.at('Artist/Album [FLAC]/00 - One.flac').links).toBe(1);
});

describe('with multi_artist = "all"', () => {
  const duo = { tags: { albumArtist: 'Ella & Louis', albumArtists: ['Ella', 'Louis'] } };
  const catalogOf = (options: Partial<LibraryOptions> = {}): LibraryCatalog => {
    const catalog = new LibraryCatalog();
    catalog.publisher = catalog.publisherWith('default', { multiArtist: 'all', ...options });
    return catalog;
  };

  it('an album is below each of its artists as well, by the same inodes', () => {
    const catalog = catalogOf();
    catalog.publish(track('a', 'One', duo), track('b', 'Two'));
    expect(catalog.files()).toEqual([
      'Artist/Album [FLAC]/00 - Two.flac',
      'Ella/Album [FLAC]/00 - One.flac',
      'Ella & Louis/Album [FLAC]/00 - One.flac',
      'Louis/Album [FLAC]/00 - One.flac',
    ]);
    expect(catalog.at('Louis/Album [FLAC]/00 - One.flac')).toMatchObject({
      id: catalog.nodeOf('a'),
      links: 3,
    });
    expect(catalog.reader.counters()).toMatchObject({ files: 2 });
  });

  it('an artist who has the album anyway has it once, as when the template names no album artist', () => {
    const catalog = catalogOf();
    catalog.publish(track('a', 'One', { tags: { albumArtist: 'Ella', albumArtists: ['Ella', 'Louis'] } }));
    expect(catalog.files()).toEqual(['Ella/Album [FLAC]/00 - One.flac', 'Louis/Album [FLAC]/00 - One.flac']);
    catalog.publisher = catalog.publisherWith('$album/$title', { multiArtist: 'all' });
    while (catalog.publisher.isOutOfLayout) catalog.publisher.layOut(10);
    expect(catalog.files()).toEqual(['Album/One.flac']);
  });

  it('what is written behind the album to tell it from another is there too', () => {
    const catalog = catalogOf();
    const edition = (name: string) => ({ tags: { ...duo.tags, edition: name } });
    catalog.publish(track('x/a', 'One', edition('Mono')));
    catalog.publish(track('y/b', 'One', edition('Stereo')));
    expect(below(catalog, 'Louis')).toEqual([
      'Louis/Album [FLAC]/00 - One.flac',
      'Louis/Album [FLAC] {Stereo}/00 - One.flac',
    ]);
  });

  it('all of it goes when the setting does, and when the file does', () => {
    const catalog = catalogOf();
    catalog.publish(track('a', 'One', duo));
    catalog.publisher = catalog.publisherWith('default');
    while (catalog.publisher.isOutOfLayout) catalog.publisher.layOut(10);
    expect(catalog.files()).toEqual(['Ella & Louis/Album [FLAC]/00 - One.flac']);
    expect([...catalog.tree().keys()]).not.toContain('Louis/');
    const other = catalogOf();
    other.publish(track('a', 'One', duo));
    other.remove('a');
    expect([...other.tree().keys()]).toEqual([]);
  });
});
