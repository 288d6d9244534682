// One long-lived program for the loops over files, the same for every system: started before the clock runs, timed
// inside. Prints JSON: microseconds per file or read, one number for each pass.
//   open-read ROOT LIST PASSES      open, read 4 KiB, close, each file named in LIST (one path below ROOT a line)
//   stat ROOT LIST PASSES           lstat each
//   random FILE READS BYTES SEED    reads at random places, aligned to their size
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomOf } from '../../test/fixtures/mutations.ts';

const warmUpCalls = 300;

function main([way, ...rest]: readonly string[]): number[] {
  switch (way) {
    case 'open-read':
      return passes(rest, openReadClose);
    case 'stat':
      return passes(rest, (file) => lstatSync(file));
    case 'random':
      return [randomReads(rest)];
    default:
      throw new Error(`open-read, stat or random, not ${way}`);
  }
}

const buffer = Buffer.alloc(4096);

function openReadClose(file: string): void {
  const fd = openSync(file, 'r');
  try {
    readSync(fd, buffer, 0, buffer.length, 0);
  } finally {
    closeSync(fd);
  }
}

function passes(
  [root = '', list = '', count = '1']: readonly string[],
  work: (file: string) => void,
): number[] {
  const files = readFileSync(list, 'utf8')
    .split('\n')
    .map((name) => path.join(root, name));
  // The first calls are slow, as their code is not compiled yet: they are made on this very file.
  for (let left = warmUpCalls; left > 0; left -= 1) work(fileURLToPath(import.meta.url));
  return Array.from({ length: Number(count) }, () =>
    microsecondsOf(files.length, () => {
      for (const file of files) work(file);
    }),
  );
}

function randomReads([file = '', reads = '', bytes = '', seed = '']: readonly string[]): number {
  const random = randomOf(Number(seed));
  const piece = Buffer.alloc(Number(bytes));
  const fd = openSync(file, 'r');
  try {
    const places = Math.floor(fstatSync(fd).size / piece.length);
    return microsecondsOf(Number(reads), () => {
      for (let left = Number(reads); left > 0; left -= 1) {
        readSync(fd, piece, 0, piece.length, random(places) * piece.length);
      }
    });
  } finally {
    closeSync(fd);
  }
}

function microsecondsOf(operations: number, work: () => void): number {
  const startedAt = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - startedAt) / 1000 / operations;
}

process.stdout.write(JSON.stringify(main(process.argv.slice(2))));
