// How a directory is spelled that several tracks want in different ways (Björk, BJÖRK): one directory, as names that differ
// in case only are one name. Pure.
import { foldName } from './names.ts';
import type { PlacedName } from './placement.ts';
import { compareBytes } from './same-text.ts';

interface Spelling {
  readonly placed: PlacedName;
  readonly count: number;
}

/**
 * From the paths that tracks want, one entry for each track, to the one spelling of each: as most of them spell it, of
 * equals the one with the lowest bytes. A path that none of them wants stays as it is.
 */
export function agreedDirectories(
  paths: Iterable<readonly PlacedName[]>,
): (path: readonly PlacedName[]) => readonly PlacedName[] {
  const spellings = new Map<string, Map<string, Spelling>>();
  for (const path of paths) {
    for (const [placed, folded] of withFoldedPaths(path)) {
      const known = spellings.get(folded) ?? new Map<string, Spelling>();
      const { count } = known.get(placed.name) ?? { count: 0 };
      known.set(placed.name, { placed: known.get(placed.name)?.placed ?? placed, count: count + 1 });
      spellings.set(folded, known);
    }
  }
  return (path) =>
    withFoldedPaths(path).map(([placed, folded]) => best(spellings.get(folded)?.values() ?? []) ?? placed);
}

function withFoldedPaths(path: readonly PlacedName[]): (readonly [PlacedName, folded: string])[] {
  let folded = '';
  return path.map((placed) => {
    folded += `/${foldName(placed.name)}`;
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
