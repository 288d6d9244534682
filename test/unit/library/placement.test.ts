import { describe, expect, it } from 'vitest';
import { defaultLibraryOptions, type LibraryOptions } from '../../../src/library/library-options.ts';
import { isIgnoredName, musicExtensions } from '../../../src/library/music-files.ts';
import { type Placement, placeTrack } from '../../../src/library/placement.ts';
import {
  childPath,
  extensionOf,
  parentOf,
  type RealPath,
  realPath,
  realPathText,
  rootRealPath,
  stemOf,
} from '../../../src/library/real-path.ts';
import { parseTemplate } from '../../../src/library/template.ts';
import type { TrackState } from '../../../src/library/track-facts.ts';
import type { TrackTags } from '../../../src/library/track-tags.ts';

function place(
  tags: TrackTags,
  path: RealPath = realPath('dir/file.flac'),
  state: TrackState = 'ok',
  options: Partial<LibraryOptions> = {},
  source = 'default',
): Placement {
  const result = parseTemplate(source);
  if (result.type === 'refused') throw new Error(result.reason);
  return placeTrack({ originId: 'nas', realPath: path, tags, state }, { multiDisc: false }, result.template, {
    ...defaultLibraryOptions,
    ...options,
  });
}

function pathOf(placement: Placement): string {
  return [...placement.directories, placement.file].map(({ name }) => name).join('/');
}

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

describe('a file without usable tags', () => {
  it('keeps its own path below Unsorted', () => {
    expect(pathOf(place({}, realPath('Some Dir/x: y.FLAC')))).toBe('Unsorted/nas/Some Dir/x_ y.FLAC');
    expect(pathOf(place({ genre: ['Rock'] }))).toBe('Unsorted/nas/dir/file.flac');
  });

  it('is one of the three names away from being filed', () => {
    expect(pathOf(place({ title: 'T' }))).toMatch(/^Unknown Artist\//);
    expect(pathOf(place({ album: 'T' }))).toMatch(/^Unknown Artist\/T /);
    expect(pathOf(place({ artists: ['T'] }))).toMatch(/^T\//);
  });

  it('goes there as well when it could not be read', () => {
    expect(pathOf(place({ title: 'T' }, realPath('a/b.mp3'), 'failed'))).toBe('Unsorted/nas/a/b.mp3');
  });

  it('goes through the template when there is no Unsorted', () => {
    expect(pathOf(place({}, realPath('a/07 Song.mp3'), 'untagged', { unsorted: '' }))).toBe(
      'Unknown Artist/Unknown Album [MP3]/00 - Song.mp3',
    );
  });

  it('has a readable name even when its own is no text', () => {
    expect(pathOf(place({}, realPath('a\xffb/\xe9.flac')))).toBe('Unsorted/nas/a\ufffdb/\ufffd.flac');
    expect(pathOf(place({}, realPath(bytes('Ünï/é.flac'))))).toBe('Unsorted/nas/Ünï/é.flac');
  });
});

describe('a name at the root', () => {
  it('steps back before the names of the product', () => {
    expect(pathOf(place({ artist: 'Unsorted', album: 'unsorted', title: 'T' }))).toMatch(
      /^_Unsorted\/unsorted \[/,
    );
    const posix = { names: 'posix' } as const;
    const tags = { artist: '.search', album: 'B', title: 'T' };
    expect(pathOf(place(tags, undefined, 'ok', posix))).toMatch(/^_\.search\//);
    expect(pathOf(place({ ...tags, artist: '.SEARCH' }, undefined, 'ok', posix))).toMatch(/^_\.SEARCH\//);
    expect(pathOf(place({ ...tags, artist: '.searched' }, undefined, 'ok', posix))).toMatch(/^\.searched\//);
    expect(pathOf(place({ ...tags, artist: 'unsorted' }, undefined, 'ok', { unsorted: '' }))).toMatch(
      /^unsorted\//,
    );
  });
});

describe('the order of a directory', () => {
  const sorted = (placements: readonly Placement[], keyOf: (placement: Placement) => string): string[] =>
    [...placements].sort((a, b) => Buffer.compare(Buffer.from(keyOf(a)), Buffer.from(keyOf(b)))).map(pathOf);

  it('is by sort name for directories', () => {
    const artists = ['The Beatles', 'Björk', 'abba', 'A Tribe', 'Zappa', 'Beach'].map((artist) =>
      place({ artist, title: 'T' }, undefined, 'ok', {}, '$album_artist/$title'),
    );
    artists.push(
      place({ artist: 'Prince', artistSort: 'Aaa', title: 'T' }, undefined, 'ok', {}, '$album_artist/$title'),
    );
    expect(sorted(artists, (placement) => placement.directories[0]?.sortKey ?? '')).toEqual(
      ['Prince', 'abba', 'Beach', 'The Beatles', 'Björk', 'A Tribe', 'Zappa'].map((name) => `${name}/T.flac`),
    );
  });

  it('is by disc, track and name for files', () => {
    const files = (
      [
        [2, 1, 'a'],
        [1, 10, 'b'],
        [1, 2, 'd'],
        [1, 2, 'c'],
        [undefined, 1, 'e'],
        [1, undefined, 'f'],
      ] as const
    ).map(([disc, track, title]) =>
      place(
        { title, ...(disc === undefined ? {} : { disc }), ...(track === undefined ? {} : { track }) },
        undefined,
        'ok',
        {},
        '$title',
      ),
    );
    expect(sorted(files, (placement) => placement.file.sortKey)).toEqual(
      ['f', 'e', 'c', 'd', 'b', 'a'].map((name) => `${name}.flac`),
    );
  });

  it('tells the rule that named the album artist', () => {
    expect(place({ albumArtist: 'X', title: 'T' }).albumArtistRule).toBe('aa2');
    expect(place({ title: 'T' }).albumArtistRule).toBe('aa7');
  });
});

describe('a real path', () => {
  it('keeps every byte and shows text', () => {
    const path = realPath(bytes('Musik/Ünï.FLAC'));
    expect(realPathText(path)).toBe('Musik/Ünï.FLAC');
    expect(Buffer.from(path, 'latin1').toString()).toBe('Musik/Ünï.FLAC');
    expect(extensionOf(path)).toBe('flac');
    expect(stemOf(path)).toBe('Ünï');
    expect(realPathText(parentOf(path))).toBe('Musik');
    expect(parentOf(parentOf(path))).toBe(rootRealPath);
    expect(childPath(rootRealPath, 'a')).toBe('a');
    expect(childPath(realPath('a'), 'b')).toBe('a/b');
    expect(extensionOf(realPath('.hidden'))).toBe('');
    expect(extensionOf(realPath('a.b/c'))).toBe('');
  });

  it.each(['a//b', '/a', 'a/', '../a', 'a/./b', 'a\0b', 'a\u0100'])('is not made of %j', (text) => {
    expect(() => realPath(text)).toThrow(RangeError);
  });
});

describe('the walk', () => {
  it('passes over what storage boxes, desktops and transfers leave behind', () => {
    const names = [
      '@eaDir',
      '#recycle',
      '.Trash-1000',
      '._song.flac',
      '.DS_Store',
      'x.part',
      '.syncthing.a.tmp',
      '.git',
    ];
    expect(names.filter((name) => !isIgnoredName(name))).toEqual([]);
    expect(['song.flac', '.hidden', 'part', 'Thumbs', 'Artist'].filter(isIgnoredName)).toEqual([]);
  });

  it('takes every extension of the list as a candidate and no picture', () => {
    expect(new Set(musicExtensions).size).toBe(26);
    expect(musicExtensions).not.toContain('jpg');
  });
});

describe('a file whose own tag says where it belongs', () => {
  const pathField = 'MUSICFS_PATH';
  const at = (value: string, path = realPath('dir/file.flac'), options: Partial<LibraryOptions> = {}) =>
    pathOf(
      place({ title: 'T', artist: 'A', custom: { [pathField]: [value] } }, path, 'ok', {
        pathField,
        ...options,
      }),
    );

  it('is there, its components made safe and its extension its own', () => {
    expect(at('Mixes/2024: Summer/One')).toBe('Mixes/2024_ Summer/One.flac');
    expect(at('Mixes/One.FLAC')).toBe('Mixes/One.flac');
    expect(at('Mixes/One.flac', realPath('dir/file.mp3'))).toBe('Mixes/One.mp3');
    expect(at('Mixes/Op. 12')).toBe('Mixes/Op. 12.flac');
    expect(at('/../Mixes//./One/')).toBe('_/Mixes/_/One.flac');
  });

  it('is led by that tag alone: other tags need not be there, and what the product uses itself stays free', () => {
    const { isUnsorted } = place({ custom: { [pathField]: ['X/Y'] } }, realPath('a.flac'), 'untagged', {
      pathField,
    });
    expect(isUnsorted).toBe(false);
    expect(at('Unsorted/One')).toBe('_Unsorted/One.flac');
    expect(at('.musicfs/One', realPath('a.flac'), { names: 'posix' })).toMatch(/^_/);
  });

  it('goes by the template where the tag says nothing, or is not asked for', () => {
    expect(at(' / ')).toMatch(/^A\//);
    expect(at('a/'.repeat(32))).toMatch(/^a\/a\//);
    expect(at('a/'.repeat(33))).toMatch(/^A\//);
    expect(at('X/Y', realPath('a.flac'), { pathField: '' })).toMatch(/^A\//);
  });
});

describe('with a longest path', () => {
  const long = 'l'.repeat(200);
  const placed = (title: string, options: Partial<LibraryOptions> = { maxPath: 120 }) =>
    place({ artist: `Artist ${long}`, album: 'Album', title }, realPath('a.flac'), 'ok', options);

  it('the longest names are cut, and files of one album stay together', () => {
    const paths = ['x', `Title ${long}`].map((title) => placed(title));
    const [short, cut] = paths.map(pathOf);
    expect(short).toMatch(/^Artist l+\/Album \[FLAC\]\/00 - x\.flac$/);
    expect(cut).toMatch(/^Artist l+\/Album \[FLAC\]\/00 - Title l+\.flac$/);
    expect(cut?.length).toBe(120);
    expect(paths[0]?.directories).toEqual(paths[1]?.directories);
  });

  it('0 is no limit', () => {
    expect(pathOf(placed(long, { maxPath: 0 })).length).toBeGreaterThan(400);
  });
});
