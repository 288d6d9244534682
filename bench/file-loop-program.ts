// Runs bench/programs/file-loop.ts and hands it its list of files.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Random } from '../test/fixtures/mutations.ts';
import type { Bench } from './bench.ts';
import type { System } from './system.ts';

const program = fileURLToPath(new URL('programs/file-loop.ts', import.meta.url));
const answer = v.pipe(v.string(), v.parseJson(), v.array(v.number()));

/** Microseconds for each file or read, one number for each pass. */
export async function fileLoop(bench: Bench, arguments_: readonly string[]): Promise<readonly number[]> {
  const { stdout } = await bench.command(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, ...arguments_],
    { output: 'text' },
  );
  return v.parse(answer, stdout);
}

/** Writes names in random order, so that no layout gains from the order of its names. Returns the list's path. */
export function writeList(
  bench: Bench,
  system: System,
  names: readonly string[],
  random: Random,
  limit = names.length,
): string {
  const shuffled = [...names];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = random(last + 1);
    [shuffled[last], shuffled[other]] = [shuffled[other] ?? '', shuffled[last] ?? ''];
  }
  const file = path.join(bench.parts.folder, `names-${system.layout}`);
  writeFileSync(file, shuffled.slice(0, limit).join('\n'));
  return file;
}
