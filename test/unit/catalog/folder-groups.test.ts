// Files of one folder that say nothing of whose the album is, as they come, go and change.
import { expect, it } from 'vitest';
import type { TrackTags } from '../../../src/library/track-tags.ts';
import { limits } from '../../../src/platform/limits.ts';
import { LibraryCatalog, type TrackFile } from '../../fixtures/library-catalog.ts';

const song = (file: string, artist: string, tags: TrackTags = {}): TrackFile => ({
  path: file,
  tags: { artist, album: 'Hits', title: file.replaceAll('/', ' '), ...tags },
});
const folderOf = (catalog: LibraryCatalog, file: string) => catalog.placeOf(file)?.split('/')[0];

it('becomes a compilation with its third artist, and ceases to be one when that goes; inodes stay', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(song('hits/1', 'Nena'), song('hits/2', 'Falco'));
  expect(folderOf(catalog, 'hits/1')).toBe('Nena');
  const inode = catalog.nodeOf('hits/1');
  catalog.publish(song('hits/3', 'Trio'));
  expect(catalog.files().every((file) => file.startsWith('Various Artists/Hits [FLAC]/'))).toBe(true);
  expect(catalog.files()).toHaveLength(3);
  expect(catalog.placeOf('hits/1')).toBe('Various Artists/Hits [FLAC]/00 - Nena - hits 1.flac');
  catalog.remove('hits/3');
  expect([folderOf(catalog, 'hits/1'), folderOf(catalog, 'hits/2')]).toEqual(['Nena', 'Falco']);
  expect(catalog.nodeOf('hits/1')).toBe(inode);
});

it('is of the artist of most files, and of nobody else in another folder', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(
    ...['1', '2', '3'].map((file) => song(`hits/${file}`, 'Nena')),
    song('hits/4', 'Guest'),
    song('other/1', 'Guest'),
  );
  expect(folderOf(catalog, 'hits/4')).toBe('Nena');
  expect(folderOf(catalog, 'other/1')).toBe('Guest');
});

it('is looked at anew when one of its files says more than before, or leaves for another album', () => {
  const catalog = new LibraryCatalog();
  const files = [song('hits/1', 'A'), song('hits/2', 'B'), song('hits/3', 'C')];
  catalog.publish(...files);
  expect(folderOf(catalog, 'hits/1')).toBe('Various Artists');
  catalog.publish({ ...song('hits/3', 'C', { albumArtist: 'Label' }), mtimeNs: '1700000000000000000' });
  expect(['hits/1', 'hits/2', 'hits/3'].map((file) => folderOf(catalog, file))).toEqual(['A', 'B', 'Label']);
  catalog.publish({ ...song('hits/3', 'C'), mtimeNs: '1700000000000000001' });
  expect(folderOf(catalog, 'hits/1')).toBe('Various Artists');
  catalog.publish({ ...song('hits/3', 'C', { album: 'Else' }), mtimeNs: '1700000000000000002' });
  expect(['hits/1', 'hits/2', 'hits/3'].map((file) => folderOf(catalog, file))).toEqual(['A', 'B', 'C']);
});

it('is one album although the year of one file is another', () => {
  const catalog = new LibraryCatalog();
  const year = (file: string, value: number) => song(file, 'Nena', { albumArtist: 'Nena', year: value });
  catalog.publish(year('hits/1', 1984), year('hits/2', 1984), year('hits/3', 2001));
  expect(new Set(catalog.files().map((file) => file.split('/')[1]))).toEqual(new Set(['Hits (1984) [FLAC]']));
});

it('gives the same tree whatever came first, in one publication or in many', () => {
  const files = [
    song('CD1/1', 'A', { disc: 1 }),
    song('CD2/1', 'B', { disc: 2 }),
    song('CD2/2', 'C', { disc: 2 }),
  ];
  const whole = new LibraryCatalog();
  whole.publish(...files);
  const single = new LibraryCatalog();
  for (const file of [...files].reverse()) single.publish(file);
  expect(single.files().sort()).toEqual(whole.files().sort());
  expect(whole.placeOf('CD2/1')).toBe('Various Artists/Hits [FLAC]/2-00 - B - CD2 1.flac');
});

it('of more files than make an album is left to the files themselves', () => {
  const catalog = new LibraryCatalog();
  const most = Array.from({ length: limits.groupTracks }, (_, index) =>
    song(`heap/${index}`, `A${index % 5}`),
  );
  catalog.publish(...most);
  expect(folderOf(catalog, 'heap/0')).toBe('Various Artists');
  catalog.publish(song('heap/more', 'A1'));
  expect([folderOf(catalog, 'heap/0'), folderOf(catalog, 'heap/more')]).toEqual(['A0', 'A1']);
});

it('is guessed for a library from before, and no more when that is switched off', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(song('hits/1', 'A'), song('hits/2', 'B'), song('hits/3', 'C'));
  const off = catalog.publisherWith('default', { guessCompilations: false });
  while (off.isOutOfLayout) off.layOut(1);
  expect(folderOf(catalog, 'hits/1')).toBe('A');
  catalog.database.exec(
    "UPDATE tracks SET group_key = NULL, settled = NULL; DELETE FROM meta WHERE key = 'layout'",
  );
  const on = catalog.publisherWith('default');
  while (on.isOutOfLayout) on.layOut(1);
  expect(catalog.files().every((file) => file.startsWith('Various Artists/'))).toBe(true);
});
