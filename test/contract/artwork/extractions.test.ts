// Pictures taken by the real process out of real files.
import { createHash } from 'node:crypto';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ExtractionAnswer } from '../../../src/artwork/extraction-protocol.ts';
import { Extractions } from '../../../src/artwork/extractions.ts';
import { type RealPath, realPath } from '../../../src/library/real-path.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { limits } from '../../../src/platform/limits.ts';
import { filler, makeFlac, makeMp3 } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { mutated, randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { isAlive } from '../../fixtures/processes.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';
import {
  apeTagWith,
  back,
  byFfmpeg,
  flacWith,
  front,
  isPlayable,
  mp3With,
  oggWith,
  wavpackWith,
  wavWith,
  wmaWith,
} from './pictured-music.ts';
import { plain } from './pictures.ts';

const never = new AbortController().signal;
const isRoot = process.getuid?.() === 0;
const picture = await plain(60, 40).jpeg().toBuffer();
const other = await plain(50, 50).jpeg().toBuffer();

class Folder {
  readonly root = temporaryDirectory();

  write(name: string, bytes: Buffer): string {
    mkdirSync(path.dirname(path.join(this.root, name)), { recursive: true });
    writeFileSync(path.join(this.root, name), bytes);
    return name;
  }

  fileOf(name: string) {
    const { size, mtimeNs } = lstatSync(path.join(this.root, name), { bigint: true });
    const latin1 = realPath(Buffer.from(name).toString('latin1'));
    return { rootPath: this.root, path: latin1, sizeBytes: Number(size), mtimeNs: mtimeNs.toString() };
  }

  folderPicture(name: string) {
    return { ...this.fileOf(name), type: 'folder' } as const;
  }

  embedded(name: string, pick = 'any') {
    const file = this.fileOf(name);
    return { ...file, type: 'embedded', heldBytes: file.sizeBytes, pick } as const;
  }
}

function start(clock = systemClock): Extractions {
  const extractions = new Extractions(isRoot, clock);
  onTestFinished(() => extractions.close());
  return extractions;
}

function picturesIn(answer: ExtractionAnswer): ExtractionAnswer & { type: 'pictures' } {
  if (answer.type !== 'pictures') throw new Error(JSON.stringify(answer));
  return answer;
}

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('a picture in the tags', () => {
  it.each([
    ['FLAC', 'a.flac', () => byFfmpeg('a.flac', picture, 'Cover (front)'), 'front'],
    ['FLAC, the back', 'a.flac', () => byFfmpeg('a.flac', picture, 'Cover (back)'), 'back'],
    [
      'FLAC behind an ID3 tag',
      'a.flac',
      () => Buffer.concat([makeMp3([['TIT2', 'T']], { frames: 0 }), flacWith([[front, picture]])]),
      'front',
    ],
    ['MP3', 'a.mp3', () => byFfmpeg('a.mp3', picture, 'Cover (front)'), 'front'],
    ['MP3, untyped', 'a.mp3', () => byFfmpeg('a.mp3', picture, null), 'other'],
    [
      'MP3 with an APE tag',
      'a.mp3',
      () => makeMp3([], { version: null, tail: apeTagWith(picture) }),
      'front',
    ],
    ['MP4', 'a.m4a', () => byFfmpeg('a.m4a', picture, null), 'front'],
    ['Ogg Vorbis', 'a.ogg', () => oggWith('a.ogg', picture, front), 'front'],
    ['Opus', 'a.opus', () => oggWith('a.opus', picture, back), 'back'],
    ['WavPack', 'a.wv', () => wavpackWith(apeTagWith(picture)), 'front'],
    ['WavPack, the back', 'a.wv', () => wavpackWith(apeTagWith(picture, 'COVER ART (BACK)')), 'back'],
    ['WMA', 'a.wma', () => wmaWith(picture, front, ''), 'front'],
    ['WMA, described', 'a.wma', () => wmaWith(picture, back, 'The other side'), 'back'],
    ['Matroska', 'a.mka', () => byFfmpeg('a.mka', picture, 'cover.jpg'), 'front'],
    ['Matroska, another file', 'a.mka', () => byFfmpeg('a.mka', picture, 'booklet.jpg'), 'other'],
    ['WAVE', 'a.wav', () => wavWith([[front, picture]]), 'front'],
  ])('of %s comes out as it went in', async (_, name, make, kind) => {
    const folder = new Folder();
    const bytes = make();
    expect(isPlayable(bytes, name)).toBe(true);
    folder.write(name, bytes);
    const { pictures, picked, isShort } = picturesIn(await start().take(folder.embedded(name), never));
    expect(pictures).toEqual([
      {
        kind,
        mime: expect.stringMatching(/^(image\/jpeg)?$/),
        sizeBytes: picture.length,
        contentHash: hashOf(picture),
      },
    ]);
    expect(picked?.contentHash).toBe(hashOf(picture));
    expect(picture.equals(picked?.bytes ?? Buffer.of())).toBe(true);
    expect(isShort).toBe(false);
  });

  it('is the one that was asked for: the best of a kind, or the one of a hash', async () => {
    const folder = new Folder();
    folder.write(
      'a.flac',
      flacWith([
        [back, other],
        [0, picture],
        [front, other.subarray(0, 100)],
        [front, other.subarray(0, 200)],
      ]),
    );
    const extractions = start();
    const pick = async (wanted: string) => {
      const answer = picturesIn(await extractions.take(folder.embedded('a.flac', wanted), never));
      expect(answer.pictures.map(({ kind }) => kind)).toEqual(['back', 'other', 'front', 'front']);
      return answer.picked?.contentHash ?? null;
    };
    expect(await pick('front')).toBe(hashOf(other.subarray(0, 200)));
    expect(await pick('back')).toBe(hashOf(other));
    expect(await pick('other')).toBe(hashOf(picture));
    expect(await pick('any')).toBe(hashOf(other.subarray(0, 200)));
    expect(await pick(hashOf(picture))).toBe(hashOf(picture));
    expect(await pick('f'.repeat(64))).toBeNull();
  });

  it('that is an address, or longer than 10 MB, does not come along, and one of 10 MB does', async () => {
    const folder = new Folder();
    const large = filler(limits.pictureInputBytes);
    folder.write('a.mp3', mp3With([[front, Buffer.from('http://there/a.jpg'), '-->']]));
    folder.write('b.mp3', mp3With([[front, Buffer.concat([large, Buffer.of(1)])]]));
    folder.write('c.mp3', mp3With([[front, large]]));
    folder.write('d.mp3', mp3With([[front, Buffer.alloc(13_000_000)]]));
    const extractions = start();
    const look = async (name: string) => picturesIn(await extractions.take(folder.embedded(name), never));
    expect((await look('a.mp3')).picked).toBeNull();
    expect((await look('b.mp3')).pictures).toEqual([]);
    expect((await look('c.mp3')).picked?.bytes.length).toBe(large.length);
    expect((await look('d.mp3')).pictures).toEqual([]);
  });

  it('of a file of which only the beginning is there, is there or is said to lie further on', async () => {
    const folder = new Folder();
    const music = (name: string, faststart = false) =>
      byFfmpeg(name, picture, name.endsWith('.mka') ? 'cover.jpg' : null, { seconds: 30, faststart });
    folder.write('near.flac', Buffer.concat([flacWith([[front, picture]]), filler(900_000)]));
    folder.write('far.flac', flacWith([[front, picture]], [['TITLE', 'T']], 500_000));
    folder.write('none.flac', makeFlac([['TITLE', 'T']], { audioBytes: 900_000 }));
    folder.write('near.mp3', Buffer.concat([mp3With([[front, picture]]), filler(900_000)]));
    folder.write('near.m4a', music('near.m4a', true));
    folder.write('far.m4a', music('far.m4a'));
    folder.write('tail.wv', wavpackWith(apeTagWith(picture)));
    const extractions = start();
    const look = async (name: string, heldBytes: number) => {
      const file = path.join(folder.root, name);
      const question = { ...folder.embedded(name), mtimeNs: null, heldBytes };
      expect(question.sizeBytes, name).toBeGreaterThan(heldBytes);
      // As a copy is: a hole where nothing was fetched.
      truncateSync(file, heldBytes);
      truncateSync(file, question.sizeBytes);
      const { pictures, isShort } = picturesIn(await extractions.take(question, never));
      return isShort ? 'short' : (pictures[0]?.kind ?? 'none');
    };
    expect(await look('near.flac', 100_000)).toBe('front');
    expect(await look('far.flac', 100_000)).toBe('short');
    expect(await look('none.flac', 100_000)).toBe('none');
    expect(await look('near.mp3', 100_000)).toBe('front');
    expect(await look('near.m4a', 100_000)).toBe('front');
    expect(await look('far.m4a', 100_000)).toBe('short');
    expect(await look('tail.wv', 10_000)).toBe('none');
    folder.write('near.mka', music('near.mka'));
    const held = { ...folder.embedded('near.mka'), heldBytes: 100_000 };
    expect(picturesIn(await extractions.take(held, never)).pictures).toMatchObject([{ kind: 'front' }]);
  });

  it('of what is no music, or a broken one, is none, and costs no process', async () => {
    const folder = new Folder();
    const whole = flacWith([[front, picture]]);
    folder.write('a.flac', Buffer.from('this is a text, whatever its name says\n'.repeat(99)));
    folder.write('b.flac', Buffer.alloc(0));
    folder.write('c.flac', whole.subarray(0, 200));
    folder.write('d.flac', Buffer.concat([whole.subarray(0, 50), Buffer.alloc(5000, 0xff)]));
    const extractions = start();
    for (const name of ['a.flac', 'b.flac', 'c.flac', 'd.flac'])
      expect(await extractions.take(folder.embedded(name), never), name).toMatchObject({
        type: 'pictures',
        pictures: [],
      });
    const { pid } = extractions;
    folder.write('e.flac', whole);
    expect(picturesIn(await extractions.take(folder.embedded('e.flac'), never)).pictures).toHaveLength(1);
    expect(extractions.pid).toBe(pid);
  });

  it('is not looked for beyond 12 MiB of a file', async () => {
    const folder = new Folder();
    folder.write('a.flac', flacWith([1, 2, 3].map((seed) => [front, filler(5_000_000, seed)] as const)));
    folder.write('b.flac', flacWith([1, 2].map((seed) => [front, filler(5_000_000, seed)] as const)));
    const extractions = start();
    const readSoFar = () =>
      Number(/^rchar: (\d+)/.exec(readFileSync(`/proc/${extractions.pid}/io`, 'latin1'))?.[1]);
    expect(picturesIn(await extractions.take(folder.embedded('b.flac'), never)).pictures).toHaveLength(2);
    const before = readSoFar();
    expect(picturesIn(await extractions.take(folder.embedded('a.flac'), never)).pictures).toHaveLength(2);
    const readBytes = readSoFar() - before;
    expect(readBytes).toBeGreaterThan(9_000_000);
    expect(readBytes).toBeLessThan(limits.pictureReadBytes + 100_000);
  });

  it('of a file that was damaged comes out or does not, and the process lives on', async () => {
    const folder = new Folder();
    const random = randomOf(printedSeed('damaged music').seed);
    const wholes = {
      'a.flac': flacWith([[front, picture]]),
      'a.mp3': mp3With([[front, picture]]),
      'a.wav': wavWith([[front, picture]]),
      'a.ogg': oggWith('a.ogg', picture, front),
      'a.wma': wmaWith(picture, front, 'x'),
      'a.wv': wavpackWith(apeTagWith(picture)),
      'a.m4a': byFfmpeg('a.m4a', picture, null),
      'a.mka': byFfmpeg('a.mka', picture, 'cover.jpg'),
    };
    const extractions = start();
    let found = 0;
    let pid: number | null = null;
    for (let round = 0; round < 30; round += 1) {
      for (const [name, whole] of Object.entries(wholes)) {
        folder.write(name, mutated(whole, random));
        found += picturesIn(await extractions.take(folder.embedded(name), never)).pictures.length;
        pid ??= extractions.pid;
      }
    }
    expect(extractions.pid).toBe(pid);
    expect(found).toBeGreaterThan(20);
    expect(found).toBeLessThan(30 * 8);
  });
});

describe('a picture in a folder', () => {
  it('comes as it is, whatever it is called', async () => {
    const folder = new Folder();
    const bytes = filler(limits.pictureInputBytes);
    const name = folder.write('Ärger/cover.jpg', bytes);
    const answer = await start().take(folder.folderPicture(name), never);
    expect(answer.type === 'picture' && bytes.equals(answer.bytes)).toBe(true);
  });

  it('that is not the one that was scanned is gone', async () => {
    const folder = new Folder();
    folder.write('cover.jpg', picture);
    const known = folder.folderPicture('cover.jpg');
    const extractions = start();
    expect(await extractions.take({ ...known, sizeBytes: 7 }, never)).toMatchObject({ type: 'gone' });
    utimesSync(path.join(folder.root, 'cover.jpg'), 1, 1);
    expect(await extractions.take(known, never)).toMatchObject({ type: 'gone' });
    expect(await extractions.take({ ...known, path: realPath('none.jpg') }, never)).toEqual({
      type: 'gone',
      code: 'ENOENT',
    });
    mkdirSync(path.join(folder.root, 'folder.jpg'));
    expect(await extractions.take({ ...known, path: realPath('folder.jpg') }, never)).toMatchObject({
      type: 'gone',
    });
    expect(await extractions.take({ ...known, rootPath: path.join(folder.root, 'away') }, never)).toEqual({
      type: 'away',
      code: 'ENOENT',
    });
  });

  it('is read below its root only, and through no link', async () => {
    const folder = new Folder();
    const outside = new Folder();
    outside.write('secret.jpg', picture);
    folder.write('inside/real.jpg', picture);
    symlinkSync(path.join(outside.root, 'secret.jpg'), path.join(folder.root, 'a.jpg'));
    symlinkSync('inside/real.jpg', path.join(folder.root, 'b.jpg'));
    symlinkSync('inside', path.join(folder.root, 'c'));
    linkSync(path.join(folder.root, 'inside/real.jpg'), path.join(folder.root, 'd.jpg'));
    const known = { ...folder.folderPicture('d.jpg') };
    const extractions = start();
    for (const name of ['a.jpg', 'b.jpg', 'c/real.jpg', `../${path.basename(outside.root)}/secret.jpg`])
      expect(
        await extractions.take({ ...known, mtimeNs: null, path: name as RealPath }, never),
        name,
      ).toMatchObject({
        type: 'gone',
      });
    expect(await extractions.take(known, never)).toMatchObject({ type: 'picture' });
  });
});

describe('the extraction process', () => {
  async function warm(clock = systemClock) {
    const folder = new Folder();
    folder.write('cover.jpg', picture);
    const extractions = start(clock);
    const question = folder.folderPicture('cover.jpg');
    await extractions.take(question, never);
    const { pid } = extractions;
    if (pid === null) throw new Error('there is no process');
    return { extractions, question, pid };
  }

  it('that is killed in the middle is told as such, and the next file gets another', async () => {
    const { extractions, question, pid } = await warm();
    process.kill(pid, 'SIGSTOP');
    const outcomes = Promise.allSettled([
      extractions.take(question, never),
      extractions.take(question, never),
    ]);
    process.kill(pid, 'SIGKILL');
    expect(await outcomes).toMatchObject([
      { reason: { code: 'unavailable', message: 'the extraction process ended by itself: SIGKILL' } },
      { value: { type: 'picture' } },
    ]);
    expect(extractions.pid).not.toBe(pid);
  });

  it('that hangs without computing has waited for a disk, and is killed', async () => {
    let speed = 1;
    const { extractions, question, pid } = await warm({
      ...systemClock,
      after: (ms, fire) => systemClock.after(ms / speed, fire),
    });
    process.kill(pid, 'SIGSTOP');
    speed = 50;
    await expect(extractions.take(question, never)).rejects.toMatchObject({
      code: 'origin_unavailable',
      message: 'a file was not read within 10000 ms',
    });
    await eventually('it is gone', () => !isAlive(pid));
  });

  it('is nobody, may read, and has limits and no environment', async () => {
    const { pid } = await warm();
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    expect(status).toMatch(/^NoNewPrivs:\s1$/m);
    expect(status).toMatch(isRoot ? /^CapEff:\s0000000000000004$/m : /^CapEff:\s0{16}$/m);
    if (isRoot) expect(status).toMatch(/^Uid:\s65534\s65534\s65534\s65534$/m);
    const bounds = readFileSync(`/proc/${pid}/limits`, 'latin1');
    expect(bounds).toMatch(/^Max file size +0 +0 /m);
    expect(bounds).toMatch(/^Max core file size +0 +0 /m);
    expect(Number(/^Max data size +(\d+) +\1 /m.exec(bounds)?.[1])).toBeGreaterThan(
      limits.extractionMemoryBytes,
    );
    const names = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    expect(names.filter((line) => !/^(PATH|LANG|UV_|$)/.test(line))).toEqual([]);
  });
});
