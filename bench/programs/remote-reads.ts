// Reads whose time is taken inside: started before the clock runs, the same for every system. Prints JSON.
//   first FILE…                      ms from open(2) to the first 4 KiB of each
//   seek FILE OFFSET…                ms of 4 KiB at each place, after the beginning was read and some time has passed
//   crowd READERS SECONDS FILE…      that many readers, each reading one file after the other from start to end, past the
//                                    page cache: {longestMs, failures, errors, bytes}
//   names SECONDS ROOT               asks for names that are not there and for the file system, over and over: ms, sorted
//   hold MARK FILE…                  opens each and reads its beginning, makes the file MARK, and waits until that is gone
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const buffer = Buffer.alloc(4096);
const betweenMs = 300;
const crowdReadBytes = 256 * 1024;

async function main([way, ...rest]: readonly string[]): Promise<unknown> {
  switch (way) {
    case 'first':
      return first(rest);
    case 'seek':
      return seek(rest);
    case 'crowd':
      return crowd(rest);
    case 'names':
      return names(rest);
    case 'hold':
      return hold(rest);
    default:
      throw new Error(`first, seek, crowd, names or hold, not ${way}`);
  }
}

async function first(files: readonly string[]): Promise<number[]> {
  openAndRead(fileURLToPath(import.meta.url)); // the first call is slow, as its code is not compiled yet
  const times: number[] = [];
  for (const file of files) {
    const startedAtMs = performance.now();
    const fd = openAndRead(file);
    times.push(performance.now() - startedAtMs);
    closeSync(fd);
    await pause(betweenMs);
  }
  return times;
}

async function seek([file = '', ...offsets]: readonly string[]): Promise<number[]> {
  const fd = openAndRead(file);
  const times: number[] = [];
  for (const offset of offsets) {
    await pause(betweenMs);
    const startedAtMs = performance.now();
    readSync(fd, buffer, 0, buffer.length, Number(offset));
    times.push(performance.now() - startedAtMs);
  }
  closeSync(fd);
  return times;
}

function openAndRead(file: string): number {
  const fd = openSync(file, 'r');
  readSync(fd, buffer, 0, buffer.length, 0);
  return fd;
}

async function crowd([readers = '', seconds = '', ...files]: readonly string[]): Promise<unknown> {
  const endMs = performance.now() + Number(seconds) * 1000;
  const seen = { longestMs: 0, failures: 0, bytes: 0 };
  const errors = new Set<string>();
  const read = async (reader: number) => {
    const area = Buffer.alloc(crowdReadBytes);
    for (let turn = reader; performance.now() < endMs; turn += Number(readers)) {
      const handle = await open(files[turn % files.length] ?? '', constants.O_RDONLY | constants.O_DIRECT);
      for (let at = 0; performance.now() < endMs; ) {
        const startedAtMs = performance.now();
        const { bytesRead } = await handle.read(area, 0, area.length, at).catch((error: unknown) => {
          errors.add(String(error));
          return { bytesRead: -1 };
        });
        seen.longestMs = Math.max(seen.longestMs, performance.now() - startedAtMs);
        if (bytesRead < 0) seen.failures += 1;
        if (bytesRead <= 0) break;
        seen.bytes += bytesRead;
        at += bytesRead;
      }
      await handle.close();
    }
  };
  await Promise.all(Array.from({ length: Number(readers) }, (_, reader) => read(reader)));
  return { ...seen, errors: [...errors].slice(0, 3) };
}

async function names([seconds = '', root = '']: readonly string[]): Promise<number[]> {
  const endMs = performance.now() + Number(seconds) * 1000;
  const times: number[] = [];
  for (let turn = 0; performance.now() < endMs; turn += 1) {
    const startedAtMs = performance.now();
    if (turn % 2 === 0) lstatSync(path.join(root, `absent ${turn}`), { throwIfNoEntry: false });
    else statfsSync(root);
    times.push(performance.now() - startedAtMs);
    await pause(1);
  }
  return times.sort((a, b) => a - b);
}

async function hold([mark = '', ...files]: readonly string[]): Promise<number> {
  const handles = files.map(openAndRead);
  writeFileSync(mark, '');
  while (existsSync(mark)) await pause(100);
  for (const fd of handles) closeSync(fd);
  return handles.length;
}

process.stdout.write(JSON.stringify(await main(process.argv.slice(2))));
