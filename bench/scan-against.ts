// `npm run bench:scan -- TREE`: how quickly this tree takes a library in, beside another tree of the product (an earlier
// commit: `git worktree add`, then `npm ci` in it). Both scan the same files from an empty catalog, in turns, as the machine
// is shared; what counts is the ratio of the medians.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { writeFlacLibrary } from '../test/fixtures/flac-library.ts';
import { runCommand } from './commands.ts';
import { median } from './measure.ts';
import { scanIn } from './workloads/scan.ts';

const own = fileURLToPath(new URL('..', import.meta.url));

const program = new Command('bench:scan')
  .argument('<tree>', 'another checkout of musicfs, with its packages')
  .option('--files <count>', 'files in the library', '20000')
  .option('--rounds <count>', 'scans of each', '5')
  .option('--folder <path>', 'where the library is made', '/dev/shm')
  .parse();
const { files, rounds, folder } = program.opts<{ files: string; rounds: string; folder: string }>();
const trees = [path.resolve(program.args[0] ?? ''), own];

const scratch = mkdtempSync(path.join(folder, 'musicfs-bench-scan-'));
try {
  const origin = path.join(scratch, 'origin');
  writeFlacLibrary(origin, { files: Number(files), albums: Math.ceil(Number(files) / 12) });
  const rates = new Map(trees.map((tree) => [tree, [] as number[]]));
  for (let round = 0; round < Number(rounds); round += 1) {
    for (const tree of trees) {
      const rate = await scanWith(tree, origin);
      rates.get(tree)?.push(rate);
      console.log(`${Math.round(rate)} files/s  ${tree}`);
    }
  }
  const [before = Number.NaN, now = Number.NaN] = trees.map((tree) => median(rates.get(tree) ?? []));
  console.log(
    `median ${Math.round(before)} → ${Math.round(now)} files/s: ${((now / before - 1) * 100).toFixed(1)} %`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function scanWith(tree: string, origin: string): Promise<number> {
  const state = path.join(scratch, 'state');
  const mountPoint = path.join(scratch, 'mnt');
  mkdirSync(mountPoint, { recursive: true });
  const musicfs = path.join(tree, 'bin/musicfs');
  const env = { XDG_RUNTIME_DIR: scratch };
  await runCommand(musicfs, ['mount', mountPoint, '--origin', origin, '--state', state, '--wait'], { env });
  await runCommand(musicfs, ['unmount', mountPoint], { env });
  const { seconds } = scanIn(readFileSync(path.join(state, 'musicfsd.log'), 'utf8'));
  rmSync(state, { recursive: true, force: true });
  return Number(files) / seconds;
}
