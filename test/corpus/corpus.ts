// The whole corpus, and how it becomes a folder of music.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { albums } from './cases/albums.ts';
import { artists } from './cases/artists.ts';
import { damaged } from './cases/damaged.ts';
import { formats } from './cases/formats.ts';
import { mp3Tags } from './cases/mp3-tags.ts';
import { names } from './cases/names.ts';
import { positions } from './cases/positions.ts';
import type { CorpusCase } from './corpus-case.ts';

export const areas: readonly { readonly name: string; readonly cases: readonly CorpusCase[] }[] = [
  { name: 'formats', cases: formats },
  { name: 'tags of MP3', cases: mp3Tags },
  { name: 'little, nothing, and broken files', cases: damaged },
  { name: 'names', cases: names },
  { name: 'artists', cases: artists },
  { name: 'numbers, discs and dates', cases: positions },
  { name: 'albums and names that meet', cases: albums },
];

/** Writes every case below `root`. */
export function writeCorpus(root: string): void {
  for (const { cases } of areas) {
    for (const { path: name, file } of cases) {
      const place = path.join(root, name);
      mkdirSync(path.dirname(place), { recursive: true });
      if (Buffer.isBuffer(file)) writeFileSync(place, file);
      else file(place);
    }
  }
}
