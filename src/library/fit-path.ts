// Paths that are no longer than a client can read (`library.max_path`): Windows programs end at 260 characters, drive and
// folder of the share included. Lengths are UTF-16 units, as Windows counts. Pure.
import { endOf } from './names.ts';
import type { RenderedComponent } from './template-render.ts';

/** Characters that are kept for the file's name, if the whole has room for twice as many. */
const keptForFile = 80;

/**
 * The components, the longest cut until all fit with the slashes between them. Directories are cut by their own lengths
 * alone, whatever the file's, so that files of one album stay together; the file has what they leave.
 * What is so deep that not even names of one character fit stays too long.
 */
export function fitPath(
  components: readonly RenderedComponent[],
  maxUnits: number,
): readonly RenderedComponent[] {
  const directories = components.slice(0, -1);
  const file = components.at(-1);
  if (file === undefined) return components;
  const forFile = Math.min(keptForFile, Math.floor(maxUnits / 2));
  const level = levelOf(
    directories.map(({ name }) => name.length),
    maxUnits - forFile - directories.length,
  );
  const cut = directories.map((directory) => ({ ...directory, name: cutTo(directory.name, level) }));
  const end = endOf(file.name);
  const left = maxUnits - cut.reduce((units, { name }) => units + name.length + 1, 0) - end.length;
  const stem = cutTo(file.name.slice(0, file.name.length - end.length), left);
  return [...cut, { ...file, name: `${stem}${end}` }];
}

/** The longest that each may be, so that all together have so much room. */
function levelOf(lengths: readonly number[], room: number): number {
  let left = room;
  for (const [index, length] of [...lengths].sort((a, b) => a - b).entries()) {
    const share = Math.floor(left / (lengths.length - index));
    if (length > share) return Math.max(1, share);
    left -= length;
  }
  return Number.MAX_SAFE_INTEGER;
}

/** The longest start of a name that fits, cut between characters; it ends as a name may end. */
function cutTo(name: string, maxUnits: number): string {
  if (name.length <= maxUnits) return name;
  let cut = '';
  for (const point of name) {
    if (cut !== '' && cut.length + point.length > maxUnits) break;
    cut += point;
  }
  const trimmed = cut.replace(/[\u200d\p{M}]+$/u, '').replace(/[ .]+$/, '');
  return trimmed === '' ? '_' : trimmed;
}
