// Whatever is published, re-tagged, removed and published again, in any order: what must hold after each step.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DirectoryEntry } from '../../../src/catalog/tree-reader.ts';
import { foldName } from '../../../src/library/names.ts';
import { LibraryCatalog, seenFile, type TrackFile } from '../../fixtures/library-catalog.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

type Step =
  | { readonly type: 'publish'; readonly files: readonly TrackFile[] }
  | { readonly type: 'remove'; readonly paths: readonly string[] }
  | { readonly type: 'ignore'; readonly paths: readonly string[]; readonly sizeBytes: number };

// Few of everything, so that files meet: in albums, in names, in audio.
const path = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'dir/h', 'dir/a');
const file: fc.Arbitrary<TrackFile> = fc.record({
  path,
  sizeBytes: fc.constantFrom(1000, 2000),
  mtimeNs: fc.constantFrom('1600000000000000001', '-5', '1600000000000000002'),
  audioFp: fc.constantFrom('aaaaaaaaaaaaaaaa', 'aaaaaabbbbbbbbbb', 'cccccccccccccccc', null),
  state: fc.constantFrom('ok', 'ok', 'ok', 'failed', 'untagged'),
  tags: fc.record(
    {
      artist: fc.constantFrom('X', 'x', 'Y'),
      album: fc.constantFrom('One', 'Two'),
      title: fc.constantFrom('Song', 'SONG', 'Tune'),
      disc: fc.constantFrom(1, 2),
    },
    { requiredKeys: [] },
  ),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('publish' as const), files: fc.array(file, { maxLength: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('remove' as const), paths: fc.array(path, { maxLength: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('ignore' as const),
      paths: fc.array(path, { maxLength: 2 }),
      sizeBytes: fc.constantFrom(3, 4),
    }),
  },
);

interface Track {
  readonly node: number;
  readonly path: string;
  readonly isMultiDisc: boolean;
  /** What its neighbours say of it. */
  readonly settled: string | null;
  readonly isListed: boolean;
  /** Its place in the mount; empty when it has none. */
  readonly places: readonly string[];
}

interface Snapshot {
  readonly tree: ReadonlyMap<string, DirectoryEntry>;
  readonly tracks: readonly Track[];
}

function snapshotOf(catalog: LibraryCatalog): Snapshot {
  const tree = catalog.tree();
  const rows = catalog.database
    .prepare<
      unknown[],
      {
        node: number;
        path: Buffer;
        multi: number | null;
        removed: number | null;
        settled: string | null;
      }
    >(
      `SELECT t.node, t.real_path AS path, a.multi_disc AS multi, t.removed_at AS removed,
              t.settled
       FROM tracks t LEFT JOIN albums a ON a.key = t.album_key`,
    )
    .all();
  const tracks = rows.map(({ node, path: bytes, multi, removed, settled }) => ({
    node,
    settled,
    path: bytes.toString('latin1'),
    isMultiDisc: multi === 1,
    isListed: removed === null,
    places: [...tree].filter(([, entry]) => entry.id === node).map(([name]) => name),
  }));
  return { tree, tracks };
}

function take(catalog: LibraryCatalog, change: Step) {
  switch (change.type) {
    case 'publish':
      return catalog.publish(...change.files);
    case 'remove':
      return catalog.remove(...change.paths);
    case 'ignore': {
      const files = change.paths.map((name) => seenFile({ path: name, sizeBytes: change.sizeBytes }));
      return catalog.withNews(catalog.publisher.publish('music', [], files, () => undefined));
    }
  }
}

function touched(change: Step): Set<string> {
  const paths = change.type === 'publish' ? change.files.map((each) => each.path) : change.paths;
  return new Set(paths.map((name) => `${name}.flac`));
}

const parentOf = (name: string): string => name.replace(/[^/]+\/?$/, '');
const nameOf = (name: string): string => name.slice(parentOf(name).length).replace(/\/$/, '');

/** What holds of every catalog at any time. */
function expectSound(catalog: LibraryCatalog, { tree, tracks }: Snapshot): void {
  const directories = [...tree].filter(([, entry]) => entry.isDirectory);
  const files = [...tree].filter(([, entry]) => !entry.isDirectory);

  const one = (sql: string): unknown => catalog.database.prepare(sql).pluck().get();
  const ofListed = 'FROM tracks t JOIN nodes n ON n.id = t.node WHERE t.removed_at IS NULL';
  expect(catalog.publisher.counters()).toEqual({
    tracks: one(`SELECT count(*) ${ofListed}`),
    files: files.length,
    directories: directories.length + 1,
    bytes: one(`SELECT coalesce(sum(n.size), 0) ${ofListed}`),
    failed: one(`SELECT count(*) ${ofListed} AND t.state = 'failed'`),
  });
  expect(catalog.reader.counters()).toEqual(catalog.publisher.counters());
  expect(catalog.publisher.origins()[0]?.files).toBe(catalog.publisher.counters().tracks);

  for (const track of tracks) expect(track.places).toHaveLength(track.isListed ? 1 : 0);
  for (const { node, isListed } of tracks) expect(catalog.reader.node(node)?.links).toBe(isListed ? 1 : 0);
  for (const [name, entry] of [['', { ...catalog.at(''), isDirectory: true }] as const, ...directories]) {
    const children = [...tree].filter(([child]) => parentOf(child) === name);
    if (name !== '') expect(children.length).toBeGreaterThan(0);
    expect(entry.links).toBe(2 + children.filter(([, child]) => child.isDirectory).length);
    const folded = children.map(([child]) => foldName(nameOf(child)));
    expect(new Set(folded).size).toBe(folded.length);
    for (const [, child] of children)
      if (child.isDirectory) expect(catalog.reader.parent(child.id)).toBe(entry.id);
  }
  for (const [, entry] of files)
    expect(catalog.reader.location(entry.id, entry.version)?.size).toBe(entry.size);
}

/** What holds of every step: nobody is moved by a sibling unless it says something of the album, nothing is changed unsaid. */
function expectFair(
  before: Snapshot,
  after: Snapshot,
  change: Step,
  invalidations: readonly { parent: number; name: string | null }[],
): void {
  const mayMove = touched(change);
  for (const track of after.tracks) {
    const former = before.tracks.find(({ node }) => node === track.node);
    if (former === undefined || mayMove.has(track.path)) continue;
    const isSaidTheSame = former.isMultiDisc === track.isMultiDisc && former.settled === track.settled;
    if (isSaidTheSame) expect(track.places).toEqual(former.places);
  }
  const told = new Set(invalidations.map(({ parent, name }) => `${parent}/${name ?? ''}`));
  const idAt = ({ tree }: Snapshot, directory: string): number =>
    directory === '' ? 1 : (tree.get(directory)?.id ?? 0);
  for (const [name, entry] of before.tree) {
    const now = after.tree.get(name);
    if (now?.id === entry.id && now.version === entry.version) continue;
    expect(told).toContain(`${idAt(before, parentOf(name))}/${nameOf(name)}`);
  }
  for (const directory of ['', ...after.tree.keys()].filter((name) => name === '' || name.endsWith('/'))) {
    const namesIn = ({ tree }: Snapshot) =>
      [...tree.keys()].filter((name) => parentOf(name) === directory).join();
    if (namesIn(before) === namesIn(after)) continue;
    expect(told).toContain(`${idAt(after, directory)}/`);
  }
}

it('counters, links, names and places are right after any sequence of changes', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const catalog = new LibraryCatalog();
      let before = snapshotOf(catalog);
      for (const change of steps) {
        const { invalidations } = take(catalog, change);
        const after = snapshotOf(catalog);
        expectSound(catalog, after);
        expectFair(before, after, change, invalidations);
        before = after;
      }
    }),
    { ...printedSeed('any changes of the library'), numRuns: 100 },
  );
});
