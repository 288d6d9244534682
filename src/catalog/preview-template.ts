// What another path template would make of the library: every track is placed once more, on paper. Called by the look
// thread (look-thread.ts); reads the catalog, changes nothing.
//
// Memory: some 40 bytes for each track, for as long as it takes.
import type Database from 'better-sqlite3';
import { albumOf } from '../library/album-of-track.ts';
import { nameKey, utf8Length } from '../library/names.ts';
import { placeTrack } from '../library/placement.ts';
import { realPath, realPathText } from '../library/real-path.ts';
import type { TrackFacts, TrackState } from '../library/track-facts.ts';
import type { TrackTags } from '../library/track-tags.ts';
import type { Settled } from './folder-groups.ts';
import type { Layout } from './placer.ts';
import { TreePaths } from './tree-paths.ts';

export interface TemplatePreview {
  readonly tracks: number;
  /** Tracks whose path would be another one. */
  readonly changed: number;
  /** Tracks that would share their path with another one. */
  readonly colliding: number;
  readonly examples: readonly { readonly before: string; readonly after: string }[];
  readonly collisions: readonly { readonly path: string; readonly realPaths: readonly string[] }[];
  readonly longestName: string;
  readonly longestNameBytes: number;
}

export interface PreviewOptions {
  readonly layout: Layout;
  /** 64-bit hash of a text as 16 hex digits. */
  readonly hash: (text: string) => string;
  readonly examples: number;
  /** Paths with collisions that are named, at most. */
  readonly collisions: number;
}

interface TrackRow {
  readonly node: number;
  readonly realPath: Buffer;
  readonly originName: string;
  readonly state: TrackState;
  readonly tags: string;
  readonly settled: string | null;
  readonly addedAt: number | null;
}

/** Which discs an album was seen to have. */
interface Discs {
  low: number;
  high: number;
}

export function previewTemplate(database: Database.Database, options: PreviewOptions): TemplatePreview {
  const tracks = database.prepare<unknown[], TrackRow>(
    `SELECT t.node, t.real_path AS realPath, o.name AS originName, t.state, t.tags, t.settled, t.added_at AS addedAt
     FROM tracks t JOIN origins o ON o.id = t.origin WHERE t.removed_at IS NULL AND t.state <> 'sidecar' ORDER BY t.node`,
  );
  const paths = new TreePaths(database);
  const { hash } = options;
  const folded = (names: readonly string[]) =>
    names.map((name) => nameKey(name, options.layout.library.case)).join('/');
  const keyOf = (text: string) => Number.parseInt(hash(text).slice(0, 13), 16);

  const albums = new Map<number, Discs>();
  let total = 0;
  for (const row of tracks.iterate()) {
    const { directories, tags } = placed(row, false, options.layout);
    const key = keyOf(folded(directories));
    const disc = tags.disc ?? 1;
    const discs = albums.get(key);
    if (discs === undefined) albums.set(key, { low: disc, high: disc });
    else {
      discs.low = Math.min(discs.low, disc);
      discs.high = Math.max(discs.high, disc);
    }
    total += 1;
  }
  const isMultiDisc = (directories: readonly string[]): boolean => {
    const discs = albums.get(keyOf(folded(directories)));
    return discs !== undefined && discs.low !== discs.high;
  };
  /** The path that a track would have. */
  const pathOf = (row: TrackRow): readonly string[] => {
    const single = placed(row, false, options.layout);
    if (!isMultiDisc(single.directories)) return [...single.directories, single.file];
    const multiple = placed(row, true, options.layout);
    return [...multiple.directories, multiple.file];
  };

  const wanted = new Map<number, number>();
  const examples: { before: string; after: string }[] = [];
  let changed = 0;
  let longestName = '';
  for (const row of tracks.iterate()) {
    const names = pathOf(row);
    const after = names.join('/');
    const key = keyOf(folded(names));
    wanted.set(key, (wanted.get(key) ?? 0) + 1);
    for (const name of names) if (utf8Length(name) > utf8Length(longestName)) longestName = name;
    const before = paths.of(row.node);
    const isSame = before !== null && withoutSuffix(before) === withoutSuffix(after);
    if (!isSame) changed += 1;
    if (!isSame && before !== null && examples.length < options.examples) examples.push({ before, after });
  }

  // Albums of one name have directories of their own: only files of one album stand in each other's way.
  const contested = new Map<number, Contested>();
  if ([...wanted.values()].some((count) => count > 1)) {
    for (const row of tracks.iterate()) {
      const names = pathOf(row);
      const plain = folded(names);
      if ((wanted.get(keyOf(plain)) ?? 0) < 2) continue;
      const { template, library } = options.layout;
      const album = albumOf(factsOf(row), { ...settledOf(row), multiDisc: false }, template, library, hash);
      const key = keyOf(`${plain}\n${album.key}`);
      const known = contested.get(key) ?? { path: names.join('/'), realPaths: [], files: 0 };
      known.files += 1;
      if (contested.size < mostContested && known.realPaths.length < filesOfCollision)
        known.realPaths.push(`${row.originName}:${realPathText(realPath(row.realPath.toString('latin1')))}`);
      contested.set(key, known);
    }
  }
  const collisions = [...contested.values()].filter(({ files }) => files > 1);
  return {
    tracks: total,
    changed,
    colliding: collisions.reduce((files, each) => files + each.files, 0),
    examples,
    collisions: collisions
      .slice(0, options.collisions)
      .map((each) => ({ path: each.path, realPaths: each.realPaths })),
    longestName,
    longestNameBytes: utf8Length(longestName),
  };
}

/** A path that several files would have. */
interface Contested {
  readonly path: string;
  readonly realPaths: string[];
  files: number;
}

const filesOfCollision = 10;
/** Files of more paths than that are counted and not named. */
const mostContested = 10_000;

function placed(row: TrackRow, multiDisc: boolean, { template, library }: Layout) {
  const facts = factsOf(row);
  const { directories, file } = placeTrack(facts, { ...settledOf(row), multiDisc }, template, library);
  return { tags: facts.tags, directories: directories.map(({ name }) => name), file: file.name };
}

function factsOf(row: TrackRow): TrackFacts {
  return {
    originId: row.originName,
    realPath: realPath(row.realPath.toString('latin1')),
    tags: JSON.parse(row.tags) as TrackTags, // written by TrackRows
    state: row.state,
    addedAtSeconds: row.addedAt,
  };
}

function settledOf({ settled }: TrackRow): Partial<Settled> {
  return settled === null ? {} : (JSON.parse(settled) as Settled); // written by FolderGroups
}

/** What a collision of names added to a file or an album says nothing about the template. */
function withoutSuffix(path: string): string {
  return path.replace(/ ~[0-9a-f]{6,22}(?=\.[A-Za-z0-9]{1,8}$|$)/, '').replace(/ \{[^/]*\}(?=\/)/g, '');
}
