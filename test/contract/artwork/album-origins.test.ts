// What becomes of an album when an origin, a disk or the daemon fails while its picture is made.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { MusicfsError } from '../../../src/platform/errors.ts';
import { InjectedCrash } from '../../../src/platform/failpoints.ts';
import { limits } from '../../../src/platform/limits.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { scriptedDisk } from '../../fixtures/scripted-disk.ts';
import { AlbumScene } from './album-scene.ts';
import { flacWith, front } from './pictured-music.ts';
import { blue, colourOf, grain, green, jpegOf, red } from './pictures.ts';

const [redJpeg, blueJpeg, greenJpeg] = await Promise.all([jpegOf(red), jpegOf(blue), jpegOf(green)]);

describe('an origin over a network', () => {
  it('is asked for a folder picture whole, and for the first megabyte of a music file, which mostly is enough', async () => {
    const scene = new AlbumScene();
    scene.write('01.flac', Buffer.concat([flacWith([[front, greenJpeg]]), filler(3_000_000)]));
    scene.write('cover.jpg', Buffer.from('no picture'));
    const { full } = await scene.bytesOf(scene.album(['01.flac'], ['cover.jpg'], 'nas'));
    expect(await colourOf(full)).toBe('green');
    expect(scene.copied).toEqual([
      { path: 'cover.jpg', from: 0, to: 10 },
      { path: '01.flac', from: 0, to: limits.pictureHeadBytes },
    ]);
    expect(scene.copies).toEqual([]);
  });

  it('is asked for the rest up to 12 MiB only where the pictures lie further on', async () => {
    const scene = new AlbumScene();
    const far = Buffer.concat([
      flacWith([[front, blueJpeg]], [['TITLE', 'T']], 2_000_000),
      filler(15_000_000),
    ]);
    scene.write('01.flac', far);
    expect(await colourOf((await scene.bytesOf(scene.album(['01.flac'], [], 'nas'))).full)).toBe('blue');
    expect(scene.copied.map(({ from, to }) => [from, to])).toEqual([
      [0, limits.pictureHeadBytes],
      [limits.pictureHeadBytes, limits.pictureReadBytes],
    ]);
    expect(scene.copies).toEqual([]);
  });

  it.each([
    ['origin_unavailable', 'later'],
    ['deadline_exceeded', 'later'],
    ['unavailable', 'later'],
    ['origin_rate_limited', 'later'],
    ['overloaded', 'later'],
    ['version_gone', 'later'],
    ['not_found', 'later'],
    ['permission_denied', 'none'],
  ] as const)('that says %s has an album that comes %s', async (code, type) => {
    const scene = new AlbumScene();
    scene.write('cover.jpg', redJpeg);
    scene.refusal = new MusicfsError(code, 'not now');
    expect(await scene.make(scene.album([], ['cover.jpg'], 'nas'))).toMatchObject({ type });
    expect(scene.copies).toEqual([]);
    scene.refusal = null;
    if (type === 'later') expect((await scene.make(scene.album([], ['cover.jpg'], 'nas'))).type).toBe('made');
  });

  it('leaves no copy behind when whoever asked has gone', async () => {
    const scene = new AlbumScene();
    scene.write('cover.jpg', await grain(3000, 3000).jpeg().toBuffer());
    const caller = new AbortController();
    const making = scene.make(scene.album([], ['cover.jpg'], 'nas'), caller.signal);
    await eventually(
      'it is being looked at',
      () => existsSync(scene.copiesDirectory) && scene.copies.length > 0,
    );
    caller.abort(new Error('gone'));
    await expect(making).rejects.toThrow('gone');
    expect(scene.copies).toEqual([]);
  });
});

describe('a disk', () => {
  it('that does not answer is away, and its album comes later', async () => {
    const disk = await scriptedDisk();
    let speed = 1;
    const clock = {
      ...systemClock,
      after: (ms: number, fire: () => void) => systemClock.after(ms / speed, fire),
    };
    const scene = new AlbumScene(clock);
    [scene.root, scene.filled] = [disk.mountPoint, disk.folder];
    scene.write('cover.jpg', redJpeg);
    const album = scene.album([], ['cover.jpg']);
    await scene.make(scene.album([], ['cover.jpg'], 'nas')); // the process is there
    await disk.hang('OPEN');
    speed = 20;
    const why = 'a file was not read within 10000 ms';
    expect(await scene.make(album)).toEqual({ type: 'later', origin: 'disk', why });
    speed = 1;
    await disk.goOn();
    expect((await scene.make(album)).type).toBe('made');
  });

  it('with a bad block is asked once more, and then the picture is refused', async () => {
    const disk = await scriptedDisk();
    const scene = new AlbumScene();
    [scene.root, scene.filled] = [disk.mountPoint, disk.folder];
    scene.write('cover.jpg', redJpeg);
    scene.write('folder.jpg', blueJpeg);
    const album = scene.album([], ['cover.jpg', 'folder.jpg']);
    await disk.fail('READ', constants.errno.EIO, 1);
    expect(await scene.make(album)).toEqual({ type: 'later', origin: null, why: 'it cannot be read (EIO)' });
    expect(await colourOf((await scene.bytesOf(album)).full)).toBe('red');
    utimesSync(path.join(disk.folder, 'cover.jpg'), 5, 5);
    const changed = scene.album([], ['cover.jpg', 'folder.jpg']);
    for (const type of ['later', 'made']) {
      await disk.fail('READ', constants.errno.EIO, 1);
      expect((await scene.make(changed)).type).toBe(type);
    }
    expect(await colourOf((await scene.bytesOf(changed)).full)).toBe('blue');
  });
});

describe('what concerns every album', () => {
  it('is told as it is: no room for what is made', async () => {
    const scene = new AlbumScene();
    mkdirSync(scene.storeDirectory);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'none', scene.storeDirectory]);
    onTestFinished(() => void spawnSync('umount', ['-l', scene.storeDirectory]));
    scene.write('cover.jpg', await grain(600, 600).jpeg().toBuffer());
    const album = scene.album([], ['cover.jpg']);
    await expect(scene.make(album)).rejects.toMatchObject({ code: 'storage_full' });
    execFileSync('mount', ['-o', 'remount,size=4m', scene.storeDirectory]);
    expect((await scene.make(album)).type).toBe('made');
  });

  it('fails at each of its places as it is told to', async () => {
    const scene = new AlbumScene();
    scene.write('cover.jpg', redJpeg);
    const album = scene.album([], ['cover.jpg']);
    scene.failpoints.set('artwork.store=error(storage_full);count=1;after=1');
    await expect(scene.make(album)).rejects.toMatchObject({ code: 'storage_full' });
    scene.failpoints.set('artwork.store=crash;count=1');
    await expect(scene.make(album)).rejects.toBeInstanceOf(InjectedCrash);
    scene.failpoints.set('artwork.extract=error(origin_unavailable);count=1;only=cover.jpg');
    expect(await scene.make(album)).toMatchObject({ type: 'later', origin: 'disk' });
    scene.failpoints.set('artwork.extract=hang;count=1');
    const caller = new AbortController();
    const hanging = scene.make(album, caller.signal);
    await eventually('it hangs', () => scene.failpoints.hitsOf('artwork.extract') === 2);
    caller.abort(new Error('gone'));
    await expect(hanging).rejects.toThrow('gone');
    expect((await scene.make(album)).type).toBe('made');
  });
});
