// The music under comparison, generated: many small files in folders, one big file, one directory with very many files.
//
// musicfs lets the kernel read a file itself only when the file has not changed for a minute, by mtime and by ctime.
// The time of modification is set into the past here; the time of change cannot be, so `untilAged` waits for the rest.
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeFlac } from '../test/fixtures/audio-files.ts';
import { writeFlacLibrary } from '../test/fixtures/flac-library.ts';
import { runCommand } from './commands.ts';
import type { Sizes } from './sizes.ts';

export type LibraryName = 'small' | 'big' | 'wide';

export interface Library {
  readonly name: LibraryName;
  readonly root: string;
  readonly files: number;
}

/** One minute is the rule; the rest is for clocks that tick coarsely. */
const agedAfterMs = 63_000;
const blockBytes = 8 * 1024 ** 2;

export class Libraries {
  private readonly folder: string;
  private readonly sizes: Sizes;
  private readonly signal: AbortSignal;
  private readonly written = new Map<LibraryName, Library>();
  private lastChangeMs = Date.now();

  constructor(folder: string, sizes: Sizes, signal: AbortSignal) {
    this.folder = folder;
    this.sizes = sizes;
    this.signal = signal;
  }

  async write(name: LibraryName): Promise<void> {
    const root = path.join(this.folder, name);
    mkdirSync(root);
    const files = this.fill(name, root);
    const { signal } = this;
    await runCommand('find', [root, '-exec', 'touch', '-d', '2020-01-01', '{}', '+'], { signal });
    this.written.set(name, { name, root, files });
    this.lastChangeMs = Date.now();
  }

  get(name: LibraryName): Library {
    const library = this.written.get(name);
    if (library === undefined) throw new Error(`the workload did not ask for the library ${name}`);
    return library;
  }

  async untilAged(): Promise<void> {
    const leftMs = this.lastChangeMs + agedAfterMs - Date.now();
    if (leftMs <= 0) return;
    console.log(`\nwaiting ${Math.ceil(leftMs / 1000)} s until no file has changed for a minute`);
    await pause(leftMs, undefined, { signal: this.signal });
  }

  private fill(name: LibraryName, root: string): number {
    const { smallFiles, smallFolders, wideFiles, bigFileBytes } = this.sizes;
    switch (name) {
      case 'small':
        writeFlacLibrary(root, { files: smallFiles, albums: smallFolders });
        return smallFiles;
      case 'wide':
        writeFlacLibrary(root, { files: wideFiles, albums: 1 });
        return wideFiles;
      case 'big':
        writeBigFile(path.join(root, 'big.flac'), bigFileBytes);
        return 1;
    }
  }
}

/** A FLAC head, then bytes that no disk can compress or share; `sizeBytes` in all. */
function writeBigFile(file: string, sizeBytes: number): void {
  const tags = [
    ['TITLE', 'Big'],
    ['ARTIST', 'One'],
    ['ALBUMARTIST', 'One'],
    ['ALBUM', 'File'],
  ] as const;
  const block = Buffer.alloc(blockBytes);
  const fd = openSync(file, 'w');
  try {
    writeSync(fd, makeFlac(tags, { audioBytes: 4096 }));
    for (let at = 4096; at < sizeBytes; at += blockBytes) {
      randomFillSync(block);
      writeSync(fd, block, 0, Math.min(blockBytes, sizeBytes - at), at);
    }
  } finally {
    closeSync(fd);
  }
}
