// The music that the servers of the bench hold: one big file and many of a few megabytes, of bytes that no disk and no cache
// can share. Every file has a size of its own, so that it is found below a mount whatever its name is there.
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { makeFlac } from '../../test/fixtures/audio-files.ts';
import { runCommand } from '../commands.ts';
import type { Sizes } from '../sizes.ts';

/** One file as a server holds it. */
export interface MusicFile {
  /** Below the root. */
  readonly name: string;
  readonly sizeBytes: number;
}

export interface RemoteMusic {
  readonly root: string;
  readonly big: MusicFile;
  readonly songs: readonly MusicFile[];
}

const blockBytes = 8 * 1024 ** 2;
const songBytes = 4 * 1024 ** 2;

export function writeRemoteMusic(root: string, { remoteBigBytes, remoteSongs }: Sizes): RemoteMusic {
  mkdirSync(root);
  const songs = Array.from({ length: remoteSongs }, (_, index) => ({
    name: `song-${index}.flac`,
    sizeBytes: songBytes + 4096 * index,
  }));
  const big = { name: 'big.flac', sizeBytes: remoteBigBytes };
  for (const [index, file] of [big, ...songs].entries()) writeFile(root, file, index);
  return { root, big, songs };
}

/** Where each file is seen below a mount, by the name it has on the server. */
export async function findMusic(
  mountPoint: string,
  { big, songs }: RemoteMusic,
  signal: AbortSignal,
): Promise<(file: MusicFile) => string> {
  const { stdout } = await runCommand('find', [mountPoint, '-type', 'f', '-printf', '%s %p\n'], { signal });
  const bySize = new Map(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => [Number(line.slice(0, line.indexOf(' '))), line.slice(line.indexOf(' ') + 1)]),
  );
  const placeOf = ({ name, sizeBytes }: MusicFile) => {
    const place = bySize.get(sizeBytes);
    if (place === undefined) throw new Error(`${name} is not shown below ${mountPoint}`);
    return place;
  };
  for (const file of [big, ...songs]) placeOf(file);
  return placeOf;
}

function writeFile(root: string, { name, sizeBytes }: MusicFile, index: number): void {
  const tags = [
    ['TITLE', `Title ${index}`],
    ['ARTIST', 'One'],
    ['ALBUMARTIST', 'One'],
    ['ALBUM', index === 0 ? 'Big' : `Album ${Math.floor(index / 12)}`],
    ['TRACKNUMBER', String((index % 12) + 1)],
  ] as const;
  const block = Buffer.allocUnsafe(Math.min(blockBytes, sizeBytes));
  const fd = openSync(path.join(root, name), 'w');
  try {
    for (let at = 0; at < sizeBytes; at += block.length) {
      randomFillSync(block);
      if (at === 0) block.set(makeFlac(tags, { audioBytes: 64 }));
      writeSync(fd, block, 0, Math.min(block.length, sizeBytes - at), at);
    }
  } finally {
    closeSync(fd);
  }
}
