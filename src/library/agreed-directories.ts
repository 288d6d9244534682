// How a directory is spelled that several tracks want in different ways (Björk, BJÖRK): one directory, as names that differ
// in case only are one name. Pure.
import type { NameCase } from './library-options.ts';
import { nameKey } from './names.ts';
import type { PlacedName } from './placement.ts';
import { compareBytes } from './same-text.ts';

interface Spelling {
  readonly placed: PlacedName;
  count: number;
}

/** A path as it is wanted, and how many tracks want it so. */
interface Wanted {
  readonly path: readonly PlacedName[];
  tracks: number;
  agreed: readonly PlacedName[];
}

/**
 * From the paths that tracks want, one entry for each track, to the one spelling of each: as most of them spell it, of
 * equals the one with the lowest bytes. A path that none of them wants stays as it is.
 */
export function agreedDirectories(
  paths: Iterable<readonly PlacedName[]>,
  nameCase: NameCase,
): (path: readonly PlacedName[]) => readonly PlacedName[] {
  // Most tracks want the path of their neighbour: what costs is done once for each.
  const wanted = new Map<string, Wanted>();
  for (const path of paths) {
    const key = keyOf(path);
    const known = wanted.get(key);
    if (known === undefined) wanted.set(key, { path, tracks: 1, agreed: path });
    else known.tracks += 1;
  }
  const spellings = new Map<string, Map<string, Spelling>>();
  for (const { path, tracks } of wanted.values()) {
    for (const [placed, folded] of withFoldedPaths(path, nameCase)) {
      const known = spellings.get(folded) ?? new Map<string, Spelling>();
      spellings.set(folded, known);
      const spelling = known.get(placed.name);
      if (spelling === undefined) known.set(placed.name, { placed, count: tracks });
      else spelling.count += tracks;
    }
  }
  for (const each of wanted.values()) {
    each.agreed = withFoldedPaths(each.path, nameCase).map(
      ([placed, folded]) => best(spellings.get(folded)?.values() ?? []) ?? placed,
    );
  }
  return (path) => wanted.get(keyOf(path))?.agreed ?? path;
}

/** No name has a slash. */
function keyOf(path: readonly PlacedName[]): string {
  return path.map(({ name }) => name).join('/');
}

function withFoldedPaths(
  path: readonly PlacedName[],
  nameCase: NameCase,
): (readonly [PlacedName, folded: string])[] {
  let folded = '';
  return path.map((placed) => {
    folded += `/${nameKey(placed.name, nameCase)}`;
    return [placed, folded];
  });
}

function best(spellings: Iterable<Spelling>): PlacedName | undefined {
  let found: Spelling | undefined;
  for (const one of spellings) {
    if (
      found === undefined ||
      one.count > found.count ||
      (one.count === found.count && compareBytes(one.placed.name, found.placed.name) < 0)
    )
      found = one;
  }
  return found?.placed;
}
