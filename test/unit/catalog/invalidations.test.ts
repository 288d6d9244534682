import { describe, expect, it } from 'vitest';
import {
  LibraryCatalog,
  type PublicationWithNews,
  type TrackFile,
  track,
} from '../../fixtures/library-catalog.ts';

const album = 'Artist/Album [FLAC]';

/** What the kernel is to forget: "directory/name", or "directory/" for its listing; directories by number. */
const told = ({ invalidations }: Pick<PublicationWithNews, 'invalidations'>): string[] =>
  invalidations.map(({ parent, name }) => `${parent}/${name ?? ''}`).sort();

function filled(...files: readonly TrackFile[]) {
  const catalog = new LibraryCatalog();
  catalog.publish(...files);
  return { catalog, albumId: catalog.at(album).id, artistId: catalog.at('Artist').id };
}

describe('a publication makes the kernel forget', () => {
  it('the listings of the directories that got a name', () => {
    const { catalog, albumId, artistId } = filled(track('a', 'A'));
    expect(told(catalog.publish(track('b', 'B')))).toEqual([`${albumId}/`]);
    const result = catalog.publish(track('c', 'C', { tags: { album: 'Two' } }));
    expect(told(result)).toEqual([`${artistId}/`, `${catalog.at('Artist/Two [FLAC]').id}/`].sort());
  });

  it('a removed name and the listing it was in', () => {
    const { catalog, albumId } = filled(track('a', 'A'), track('b', 'B'));
    expect(told(catalog.remove('b'))).toEqual([`${albumId}/`, `${albumId}/00 - B.flac`]);
  });

  it('the names of directories that went with their last file, and nothing inside that is gone with them', () => {
    const { catalog, albumId, artistId } = filled(track('a', 'A'));
    expect(told(catalog.remove('a'))).toEqual(
      ['1/', '1/Artist', `${artistId}/Album [FLAC]`, `${albumId}/00 - A.flac`].sort(),
    );
  });

  it('a name that leads to another version, and the times of its directory', () => {
    const { catalog, albumId } = filled(track('a', 'A'));
    expect(told(catalog.publish(track('a', 'A', { sizeBytes: 5 })))).toEqual([
      `${albumId}/`,
      `${albumId}/00 - A.flac`,
    ]);
  });

  it('nothing when nothing changed', () => {
    const { catalog } = filled(track('a', 'A'));
    const before = catalog.publisher.pendingInvalidations(0);
    expect(catalog.publish(track('a', 'A')).hasInvalidations).toBe(false);
    expect(catalog.publish().hasInvalidations).toBe(false);
    expect(catalog.publisher.pendingInvalidations(0)).toEqual(before);
  });
});

describe('an invalidation', () => {
  it('R-50: waits until the kernel was told, also for a later life, oldest first', () => {
    const { catalog } = filled(track('a', 'A'));
    const first = catalog.publisher.pendingInvalidations(0);
    expect(catalog.publish(track('b', 'B')).hasInvalidations).toBe(true);
    const pending = catalog.publisher.pendingInvalidations(0);
    const ids = pending.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(pending.slice(0, first.length)).toEqual(first);
    expect(pending.length).toBeGreaterThan(first.length);
    catalog.publisher.invalidated(ids.at(-2) ?? 0);
    expect(catalog.publisher.pendingInvalidations(0)).toEqual([pending.at(-1)]);
    catalog.publisher.invalidated(ids.at(-1) ?? 0);
    expect(catalog.publisher.pendingInvalidations(0)).toEqual([]);
  });

  it('never gets the number of one that was told', () => {
    const { catalog } = filled(track('a', 'A'));
    const last = catalog.publisher.pendingInvalidations(0).at(-1)?.id ?? 0;
    catalog.publisher.invalidated(last);
    const { invalidations } = catalog.publish(track('b', 'B'));
    expect(invalidations[0]?.id).toBeGreaterThan(last);
  });

  it('is handed out whole, however many there are', () => {
    const catalog = new LibraryCatalog();
    const files = Array.from({ length: 5500 }, (_, index) => track(`${index}`, `T${index}`));
    catalog.publish(...files);
    const { invalidations } = catalog.remove(...files.map(({ path }) => path));
    expect(invalidations.filter(({ name }) => name?.endsWith('.flac'))).toHaveLength(5500);
    expect(catalog.publisher.pendingInvalidations(0)).toHaveLength(5000);
  });
});
