// Whatever odd files come, go, are re-tagged, met again, or are read anew into an empty catalog, in any order: the tree
// is made of the files that are there and not of their history, but for who holds a name that several want.
//
// The model below says where each file wishes to be, from the set of files alone, by the pure rules of the library.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import xxhash from 'xxhash-wasm';
import { withSuffix } from '../../../src/library/collisions.ts';
import { folderGroupOf } from '../../../src/library/folder-group.ts';
import { defaultLibraryOptions } from '../../../src/library/library-options.ts';
import { foldName } from '../../../src/library/names.ts';
import { type AlbumFacts, type Placement, placeTrack } from '../../../src/library/placement.ts';
import { realPath } from '../../../src/library/real-path.ts';
import { settleGroup } from '../../../src/library/settle-group.ts';
import { parseTemplate } from '../../../src/library/template.ts';
import { LibraryCatalog, readFile, type TrackFile } from '../../fixtures/library-catalog.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const { h64ToString } = await xxhash();

const oddText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('X', 'x', 'Y', 'X feat. Y', 'Straße', 'STRASSE') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[
        'AC/DC',
        'AC:DC',
        'CON',
        'nul.txt',
        'aux .',
        'LPT²',
        'COM1.flac',
        '.',
        '..',
        '...',
        '.hidden',
        'x. . ',
      ],
      ...['Unsorted', '.search', '.musicfs', 'Unknown Artist', 'VA', '\u202etxt', '\u0007', '漢'.repeat(200)],
      ...[`${'é'.repeat(126)}a`, `${'long '.repeat(60)}1`, `${'long '.repeat(60)}2`, 'x ~aaaaaa', '01 - X'],
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 120 }) },
);

// Few folders, and few words a library, so that files meet.
const path = fc
  .constantFrom(
    ...[
      'a',
      'dir/a',
      'dir/b',
      'dir/c',
      'dir/d',
      'dir/e',
      'DIR/A',
      'dir./a',
      'dir/CD1/a',
      'dir/CD2/a',
      'dir/cd 2/b',
    ],
    ...['con/prn', '.x/..y'],
  )
  .map((name) => `${name}.flac`);

interface Words {
  readonly artists: readonly string[];
  readonly albums: readonly string[];
  readonly titles: readonly string[];
}

const words: fc.Arbitrary<Words> = fc.record({
  artists: fc.array(oddText, { minLength: 2, maxLength: 3 }),
  albums: fc.array(oddText, { minLength: 1, maxLength: 2 }),
  titles: fc.array(oddText, { minLength: 1, maxLength: 3 }),
});

/** Mostly nothing. */
const rarely = <T>(...values: readonly T[]): fc.Arbitrary<T | undefined> =>
  fc
    .option(fc.constantFrom(...values), { freq: 1, nil: undefined })
    .chain((value) => fc.constantFrom(undefined, undefined, undefined, value));

const fileOf = ({ artists, albums, titles }: Words): fc.Arbitrary<TrackFile> =>
  fc
    .record({
      path,
      audioFp: fc.constantFrom(
        'aaaaaaaaaaaaaaaa',
        'aaaaaabbbbbbbbbb',
        'cccccccccccccccc',
        'dddddddddddddddd',
        null,
      ),
      state: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'failed', 'untagged'),
      tags: fc.record({
        artist: fc.constantFrom(...artists),
        album: fc.constantFrom(...albums),
        title: fc.constantFrom(...titles),
        albumArtist: rarely('Diverse', 'X', '..'),
        year: rarely(1999, 2000),
        track: rarely(1, 2, 9999),
        disc: rarely(1, 2),
        compilation: rarely(true, false),
      }),
    })
    .map(({ tags, ...rest }) => ({
      ...rest,
      tags: Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== undefined)),
    }));

const distinctFiles = (of: Words, most: number) =>
  fc.uniqueArray(fileOf(of), { selector: (each) => each.path, maxLength: most });

type Step =
  | { readonly type: 'publish'; readonly files: readonly TrackFile[] }
  | { readonly type: 'remove'; readonly paths: readonly string[] }
  /** The same files are met again, or read into a catalog that knows nothing. */
  | { readonly type: 'rescan' | 'rebuild'; readonly order: readonly number[] };

const order = fc.array(fc.nat(100), { minLength: 20, maxLength: 20 });
const stepOf = (of: Words): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ type: fc.constant('publish' as const), files: distinctFiles(of, 5) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('remove' as const), paths: fc.array(path, { maxLength: 3 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constantFrom('rescan' as const, 'rebuild' as const), order }),
    },
  );
const history = words.chain((of) => fc.array(stepOf(of), { minLength: 1, maxLength: 8 }));
const library = words.chain((of) => distinctFiles(of, 10));

const parsed = parseTemplate('default');
if (parsed.type !== 'parsed') throw new Error(parsed.reason);
const { template } = parsed;

const folded = ({ directories }: Placement): string =>
  directories.map(({ name }) => foldName(name)).join('/');

const wishText = (wish: Placement | undefined): string =>
  wish === undefined ? '' : `${folded(wish)}/${wish.file.name}`;

/** Real path → where the file wishes to be, as the set of files has it. */
function wishes(files: readonly TrackFile[]): Map<string, Placement> {
  const facts = files.map((each) => {
    const { path: real, tags, state } = readFile(each);
    return { name: each.path, facts: { originId: 'music', realPath: realPath(real), tags, state } };
  });
  const groups = Map.groupBy(facts, ({ facts: track }) =>
    track.state === 'failed' ? null : folderGroupOf(track),
  );
  const settled = new Map<string, AlbumFacts>();
  for (const [key, members] of groups) {
    const { guess, tracks } =
      key === null
        ? { guess: null, tracks: [] }
        : settleGroup(
            members.map(({ facts: track }) => track),
            defaultLibraryOptions,
            h64ToString,
          );
    for (const [index, { name }] of members.entries())
      settled.set(name, { multiDisc: false, guess, shared: tracks[index]?.shared ?? null });
  }
  const placed = (each: (typeof facts)[number], multiDisc: boolean): Placement =>
    placeTrack(each.facts, { ...settled.get(each.name), multiDisc }, template, defaultLibraryOptions);
  const albums = Map.groupBy(facts, (each) => folded(placed(each, false)));
  return new Map(
    [...albums.values()].flatMap((members) => {
      const discs = new Set(members.map(({ facts: { tags } }) => tags.disc ?? 1));
      return members.map((each) => [each.name, placed(each, discs.size > 1)] as const);
    }),
  );
}

/** The names a file may have where it wishes to have `name`: that one, or with a mark of its audio, or of its path as well. */
function isSpellingOf(name: string, wish: string, { path: real, audioFp }: TrackFile): boolean {
  const ofPath = h64ToString(`music/${real}`);
  const identity = audioFp ?? ofPath;
  const lengths = [6, 8, 12, 16];
  return [
    wish,
    ...lengths.map((digits) => withSuffix(wish, identity, digits)),
    ...lengths.map((digits) => withSuffix(wish, `${identity.slice(0, 6)}${ofPath}`, 6 + digits)),
  ].includes(name);
}

const windowsDevice = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\.|$)/i;

function expectFit(catalog: LibraryCatalog, files: ReadonlyMap<string, TrackFile>): Map<string, string> {
  const tree = catalog.tree();
  const met = new Set<string>();
  for (const whole of tree.keys()) {
    const name = whole.replace(/\/$/, '').replace(/^.*\//, '');
    expect(Buffer.byteLength(name), name).toBeLessThanOrEqual(255);
    expect(name, name).not.toMatch(/[\u0000-\u001f\u007f-\u009f\\/:*?"<>|]|^[. ]|[. ]$/);
    expect(name, name).not.toMatch(windowsDevice);
    expect(name).toBe(name.toWellFormed().normalize('NFC'));
    met.add(foldName(whole));
  }
  expect(met.size).toBe(tree.size);

  const wished = wishes([...files.values()]);
  const places = new Map<string, string>();
  for (const [real, each] of files) {
    const place = catalog.placeOf(real) ?? '';
    const wish = wished.get(real);
    if (wish === undefined) throw new Error(`no wish of ${real}`);
    expect(place.split('/').slice(0, -1).map(foldName).join('/'), real).toBe(folded(wish));
    const name = place.slice(place.lastIndexOf('/') + 1);
    if (!isSpellingOf(name, wish.file.name, each))
      expect(name, `${real}: no spelling of it`).toBe(wish.file.name);
    places.set(real, place);
  }
  return places;
}

/** In another order, and in batches of another size. */
function shuffled(files: readonly TrackFile[], keys: readonly number[]): TrackFile[][] {
  const byKey = files
    .map((each, index) => ({ each, key: keys[index % keys.length] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ each }) => each);
  const size = 1 + ((keys[0] ?? 0) % 5);
  return Array.from({ length: Math.ceil(byKey.length / size) }, (_, index) =>
    byKey.slice(index * size, (index + 1) * size),
  );
}

it('the tree is fit for every client and made of the files alone, after any history', () => {
  fc.assert(
    fc.property(history, (steps) => {
      let catalog = new LibraryCatalog();
      const files = new Map<string, TrackFile>();
      let clock = 1;
      for (const change of steps) {
        const before = new Map([...files.keys()].map((real) => [real, catalog.placeOf(real)]));
        const wishedBefore = wishes([...files.values()]);
        switch (change.type) {
          case 'publish':
            for (const each of change.files) {
              clock += 1;
              files.set(each.path, { ...each, mtimeNs: String(clock) });
            }
            catalog.publish(...change.files.map((each) => files.get(each.path) ?? each));
            break;
          case 'remove':
            for (const real of change.paths) files.delete(real);
            catalog.remove(...change.paths);
            break;
          case 'rescan':
            for (const batch of shuffled([...files.values()], change.order)) catalog.publish(...batch);
            break;
          case 'rebuild':
            catalog = new LibraryCatalog();
            for (const batch of shuffled([...files.values()], change.order)) catalog.publish(...batch);
            break;
        }
        const places = expectFit(catalog, files);
        if (change.type === 'rescan') expect(places).toEqual(before);
        if (change.type === 'rebuild') continue;
        // A neighbour renames nobody: only what it says of the album does.
        const touched: readonly string[] =
          change.type === 'publish'
            ? change.files.map((each) => each.path)
            : change.type === 'remove'
              ? change.paths
              : [];
        const wished = wishes([...files.values()]);
        for (const [real, place] of before) {
          const isSame =
            !touched.includes(real) && wishText(wished.get(real)) === wishText(wishedBefore.get(real));
          if (isSame) expect(places.get(real), `${real} was renamed`).toBe(place);
        }
      }
    }),
    { ...printedSeed('any history of the library'), numRuns: 40 },
  );
});

it('of what is published at once, who wishes for a name alone has it, and one of several has it, in any order', () => {
  fc.assert(
    fc.property(library, order, order, (files, one, other) => {
      const byPath = new Map(files.map((each) => [each.path, each]));
      const wished = wishes(files);
      const trees = [one, other].map((keys) => {
        const catalog = new LibraryCatalog();
        catalog.publish(...shuffled(files, keys).flat());
        return expectFit(catalog, byPath);
      });
      const contests = Map.groupBy(files, ({ path: real }) => {
        const wish = wished.get(real);
        return wish === undefined ? '' : `${folded(wish)}/${foldName(wish.file.name)}`;
      });
      for (const places of trees) {
        for (const [bare, contenders] of contests) {
          const holders = contenders.filter(({ path: real }) => foldName(places.get(real) ?? '') === bare);
          // A wish that looks like a mark may be one, of another file.
          expect(holders, bare).toHaveLength(bare.includes(' ~') ? holders.length : 1);
        }
      }
    }),
    { ...printedSeed('any order of the files'), numRuns: 40 },
  );
});
