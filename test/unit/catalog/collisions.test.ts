import { describe, expect, it } from 'vitest';
import xxhash from 'xxhash-wasm';
import { withSuffix } from '../../../src/library/collisions.ts';
import { LibraryCatalog, type TrackFile, track } from '../../fixtures/library-catalog.ts';

const { h64ToString } = await xxhash();
const place = (name: string): string => `Artist/Album [FLAC]/${name}`;
const bare = place('00 - Song.flac');

/** A file that wants the one contested name. */
const song = (file: string, audioFp: string | null): TrackFile => track(file, 'Song', { audioFp });

/** Where the files stand when each is published on its own, after one that holds the bare name. */
function placesAfter(
  holder: TrackFile,
  files: readonly TrackFile[],
  together: boolean,
): Record<string, string | null> {
  const catalog = new LibraryCatalog();
  catalog.publish(holder);
  if (together) catalog.publish(...files);
  else for (const file of files) catalog.publish(file);
  const paths = files.map(({ path }) => path).sort();
  return Object.fromEntries(paths.map((path) => [path, catalog.placeOf(path)]));
}

describe('a contested name', () => {
  it('stays with its holder; the newcomer is marked by its audio', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(song('a', 'aaaaaaaaaaaaaaaa'));
    catalog.publish(song('b', 'bbbbbbbbbbbbbbbb'));
    expect(catalog.placeOf('a')).toBe(bare);
    expect(catalog.placeOf('b')).toBe(place('00 - Song ~bbbbbb.flac'));
  });

  it('is the same name in any case', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(song('a', 'aaaaaaaaaaaaaaaa'), track('b', 'SONG', { audioFp: 'bbbbbbbbbbbbbbbb' }));
    expect(catalog.placeOf('b')).toBe(place('00 - SONG ~bbbbbb.flac'));
  });

  it('gives the others the same marks in any order, together or one by one', () => {
    const holder = song('a', 'aaaaaaaaaaaaaaaa');
    const others = [song('b', 'bbbbbbbbbbbbbbbb'), song('c', 'cccccccccccccccc'), song('d', null)];
    const expected = placesAfter(holder, others, true);
    expect(expected).toEqual({
      b: place('00 - Song ~bbbbbb.flac'),
      c: place('00 - Song ~cccccc.flac'),
      d: place(`00 - Song ~${h64ToString('music/d.flac').slice(0, 6)}.flac`),
    });
    for (const together of [true, false])
      expect(placesAfter(holder, [...others].reverse(), together)).toEqual(expected);
  });

  it('of audio that begins alike takes more digits', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(song('a', 'aaaaaaaaaaaaaaaa'));
    catalog.publish(song('b', 'bbbbbb0000000000'), song('c', 'bbbbbb1111111111'));
    expect(catalog.placeOf('b')).toBe(place('00 - Song ~bbbbbb.flac'));
    expect(catalog.placeOf('c')).toBe(place('00 - Song ~bbbbbb11.flac'));
  });

  it('of one and the same audio is marked by the path as well, in any order', () => {
    const holder = song('a', 'aaaaaaaaaaaaaaaa');
    const copies = ['b', 'c', 'd'].map((name) => song(name, 'aaaaaaaaaaaaaaaa'));
    const marked = (name: string): string => `aaaaaa${h64ToString(`music/${name}.flac`).slice(0, 6)}`;
    const expected = Object.fromEntries(
      ['b', 'c', 'd'].map((name) => [name, place(`00 - Song ~${marked(name)}.flac`)]),
    );
    for (const together of [true, false]) {
      expect(placesAfter(holder, copies, together)).toEqual(expected);
      expect(placesAfter(holder, [...copies].reverse(), together)).toEqual(expected);
    }
  });

  it('is not taken over when its holder goes, and new tags elsewhere rename nobody', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(song('a', 'aaaaaaaaaaaaaaaa'));
    catalog.publish(song('b', 'bbbbbbbbbbbbbbbb'));
    const marked = catalog.placeOf('b');
    catalog.remove('a');
    expect(catalog.placeOf('b')).toBe(marked);
    catalog.publish({ ...song('b', 'bbbbbbbbbbbbbbbb'), mtimeNs: '2' });
    expect(catalog.placeOf('b')).toBe(marked);
    catalog.publish(track('c', 'Other'));
    expect([...catalog.files()].sort()).toEqual([marked, place('00 - Other.flac')].sort());
  });
});

describe('a name that a folder and a file want', () => {
  const failed = (path: string): TrackFile => ({ path, state: 'failed', audioFp: null });

  it('stays with the folder when it was first', () => {
    const catalog = new LibraryCatalog();
    catalog.publish(failed('X.flac/y.flac'));
    catalog.publish({ ...failed('x.flac'), audioFp: 'aaaaaaaaaaaaaaaa' });
    expect(catalog.placeOf('x.flac')).toBe('Unsorted/music/x ~aaaaaa.flac');
    expect(catalog.placeOf('X.flac/y.flac')).toBe('Unsorted/music/X.flac/y.flac');
  });

  it('stays with the file when it was first, even when the folder’s next spelling is taken too', () => {
    const catalog = new LibraryCatalog();
    const next = withSuffix('X.flac', h64ToString('X.flac'), 6);
    catalog.publish(failed('x.flac'), failed(next));
    catalog.publish(failed('X.flac/y.flac'), failed('X.flac/z.flac'));
    expect(catalog.placeOf('x.flac')).toBe('Unsorted/music/x.flac');
    expect(catalog.placeOf(next)).toBe(`Unsorted/music/${next}`);
    const folder = catalog.placeOf('X.flac/y.flac')?.replace(/y\.flac$/, '');
    expect(folder).toMatch(/^Unsorted\/music\/X ~[0-9a-f]{6}\.flac\/$/);
    expect(catalog.placeOf('X.flac/z.flac')).toBe(`${folder}z.flac`);
  });
});

it('folders that differ in case are one', () => {
  const catalog = new LibraryCatalog();
  const loud = { tags: { artist: 'ARTIST', album: 'ALBUM' } };
  catalog.publish(track('a', 'A', loud), track('b', 'B'), track('c', 'C'));
  const spelledAsMost = ['A', 'B', 'C'].map((title) => place(`00 - ${title}.flac`));
  expect(catalog.files()).toEqual(spelledAsMost);
  // And stay so.
  catalog.publish(...['d', 'e', 'f', 'g'].map((file) => track(file, file, loud)));
  expect(catalog.files().slice(0, 3)).toEqual(spelledAsMost);
});

it('of those that come together and want one name the lowest identity has it, whatever their order', () => {
  const rivals = [song('b', 'aaaaaaaaaaaaaaaa'), song('a', 'bbbbbbbbbbbbbbbb'), song('c', null)];
  for (const order of [rivals, rivals.toReversed()]) {
    const catalog = new LibraryCatalog();
    catalog.publish(...order);
    expect(catalog.placeOf('b')).toBe(bare);
    expect(catalog.placeOf('a')).toBe(place('00 - Song ~bbbbbb.flac'));
  }
});
