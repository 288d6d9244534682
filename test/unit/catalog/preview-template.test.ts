import { expect, it } from 'vitest';
import xxhash from 'xxhash-wasm';
import { previewTemplate } from '../../../src/catalog/preview-template.ts';
import { defaultLibraryOptions } from '../../../src/library/library-options.ts';
import { parseTemplate } from '../../../src/library/template.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

const { h64ToString } = await xxhash();

function preview(catalog: LibraryCatalog, source: string, examples = 20) {
  const parsed = parseTemplate(source);
  if (parsed.type !== 'parsed') throw new Error(parsed.reason);
  return previewTemplate(catalog.database, {
    layout: { template: parsed.template, library: defaultLibraryOptions },
    hash: h64ToString,
    examples,
    collisions: 1,
  });
}

function filled(): LibraryCatalog {
  const catalog = new LibraryCatalog();
  catalog.publish(
    track('a', 'One', { tags: { track: 1, disc: 1 } }),
    track('b', 'Two', { tags: { track: 1, disc: 2 } }),
    track('c', 'Three', { tags: { album: 'Other' } }),
    track('d', 'Three', { tags: { album: 'Other' } }),
  );
  return catalog;
}

it('finds nothing to change in the template that is used, though names have suffixes and discs', () => {
  expect(preview(filled(), 'default')).toMatchObject({ tracks: 4, changed: 0, examples: [], colliding: 2 });
});

it('knows that albums of one name have directories of their own', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('plain/1', 'One'));
  catalog.publish(track('deluxe/1', 'One', { tags: { edition: 'Deluxe' } }));
  expect(preview(catalog, 'default')).toMatchObject({ tracks: 2, changed: 0, colliding: 0 });
  expect(preview(catalog, '$artist/$title.$format')).toMatchObject({ changed: 2, colliding: 2 });
  expect(preview(catalog, '$album/$title.$format')).toMatchObject({ changed: 2, colliding: 0 });
});

it('knows what neighbours say of an album', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(...['A', 'B', 'C'].map((artist) => track(artist, artist, { tags: { artist } })));
  expect(preview(catalog, 'default')).toMatchObject({ tracks: 3, changed: 0 });
  const [example] = preview(catalog, '$album_artist/$title').examples;
  expect(example?.after).toBe('Various Artists/A.flac');
});

it('says what a new one would do exactly as the change then does it', () => {
  const catalog = filled();
  const { changed, examples, longestName } = preview(catalog, '$album/$disc_track $title');
  const publisher = catalog.publisherWith('$album/$disc_track $title');
  while (publisher.isOutOfLayout) publisher.layOut(10);
  expect([changed, longestName]).toEqual([4, '1-01 One.flac']);
  // Which of two goes without a mark is not said.
  const expected = ['a', 'b', 'c'].map((file) => catalog.placeOf(file)?.replace(/ ~[0-9a-f]+/, ''));
  expect(examples.map(({ after }) => after).slice(0, 3)).toEqual(expected);
  expect(examples[0]?.before).toBe('Artist/Album [FLAC]/1-01 - One.flac');
});

it('names collisions with their files, as many as were asked for', () => {
  const { colliding, collisions, examples } = preview(filled(), '$album/All', 1);
  expect(colliding).toBe(4);
  expect(collisions).toEqual([{ path: 'Album/All.flac', realPaths: ['music:a.flac', 'music:b.flac'] }]);
  expect(examples).toHaveLength(1);
});

it('of an empty library is empty', () => {
  expect(preview(new LibraryCatalog(), '$title')).toMatchObject({ tracks: 0, changed: 0, longestName: '' });
});
