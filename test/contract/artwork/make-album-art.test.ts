// Which picture an album gets, made by the real processes from real files.
import { readdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { filler, makeFlac } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { AlbumScene } from './album-scene.ts';
import { back, flacWith, front, mp3With } from './pictured-music.ts';
import { blue, colourOf, grain, green, jpegOf, plain, red, seen, twoHalves } from './pictures.ts';

const [redJpeg, blueJpeg, greenJpeg] = await Promise.all([jpegOf(red), jpegOf(blue), jpegOf(green)]);

describe('the picture of an album', () => {
  it('is kept in three sizes, the large one with its own bytes when it is a JPEG', async () => {
    const scene = new AlbumScene();
    const original = await grain(900, 600).jpeg().toBuffer();
    scene.write('cover.jpg', original);
    const album = scene.album([], ['cover.jpg']);
    const { full, medium, thumb } = await scene.bytesOf(album);
    expect(full.equals(original)).toBe(true);
    expect(await seen(medium)).toMatchObject({ format: 'jpeg', width: 300, height: 200 });
    expect(await seen(thumb)).toMatchObject({ format: 'jpeg', width: 150, height: 100 });
    const art = await scene.make(album);
    expect(art.type === 'made' && art.files.get('full')).toMatchObject({ sizeBytes: original.length });
    expect(readdirSync(scene.storeDirectory).length).toBeLessThanOrEqual(4); // tmp and three, made once
  });

  it('that is a PNG or stands on its side is an upright JPEG', async () => {
    const scene = new AlbumScene();
    scene.write('png/cover.png', await plain(500, 500, blue).png().toBuffer());
    const { full } = await scene.bytesOf(scene.album([], ['png/cover.png']));
    expect(await seen(full)).toMatchObject({ format: 'jpeg', width: 500, height: 500 });
    expect(await colourOf(full)).toBe('blue');
    const lying = await (await twoHalves(400, 200)).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    scene.write('exif/cover.jpg', lying);
    const { medium } = await scene.bytesOf(scene.album([], ['exif/cover.jpg']));
    expect(await seen(medium)).toMatchObject({ width: 150, height: 300 });
    expect(await colourOf(medium)).toBe('red');
  });

  it('lies in its folder before it lies in a track, by the order of the setting', async () => {
    const scene = new AlbumScene();
    for (const [name, bytes] of [
      ['cover.png', await plain(9, 9, red).png().toBuffer()],
      ['folder.jpg', blueJpeg],
    ] as const)
      scene.write(name, bytes);
    scene.write('01.flac', flacWith([[front, greenJpeg]]));
    const album = scene.album(['01.flac'], ['folder.jpg', 'cover.png']);
    const colour = async () => colourOf((await scene.bytesOf(album)).full);
    expect(await colour()).toBe('red');
    scene.priority = ['overlay', 'folder:folder.*', 'embedded:any'];
    expect(await colour()).toBe('blue');
    scene.priority = ['embedded:front', 'folder:cover.*'];
    expect(await colour()).toBe('green');
    scene.priority = ['overlay'];
    expect(await scene.make(album)).toEqual({ type: 'none' });
  });

  it('is the front of any track before another picture of the first; the lowest disc and track come first', async () => {
    const scene = new AlbumScene();
    scene.write('1-01.flac', flacWith([[back, redJpeg]]));
    scene.write('1-02.flac', makeFlac([['TITLE', 'T']]));
    scene.write('2-01.mp3', mp3With([[front, blueJpeg]]));
    scene.write('2-02.flac', flacWith([[front, greenJpeg]]));
    const names = ['2-02.flac', '2-01.mp3', '1-02.flac', '1-01.flac'];
    const colour = async (...tracks: string[]) =>
      colourOf((await scene.bytesOf(scene.album(tracks, []))).full);
    expect(await colour(...names)).toBe('blue');
    expect(await colour('1-02.flac', '1-01.flac')).toBe('red');
    expect(await colour('2-02.flac', '1-01.flac')).toBe('green');
  });

  it('is looked for in five music files at most, each opened once where one look is enough', async () => {
    const scene = new AlbumScene();
    const names = [1, 2, 3, 4, 5, 6].map((track) => `0${track}.flac`);
    for (const [at, name] of names.entries())
      scene.write(
        name,
        at === 5 ? flacWith([[front, redJpeg]]) : makeFlac([['TITLE', 'T']], { seed: at + 1 }),
      );
    scene.failpoints.set('artwork.extract=delay(0)');
    expect(await scene.make(scene.album(names, []))).toEqual({ type: 'none' });
    expect(scene.failpoints.hitsOf('artwork.extract')).toBe(5);
    // What is in them is known by now.
    expect(await scene.make(scene.album(names.slice(0, 5), []))).toEqual({ type: 'none' });
    expect(scene.failpoints.hitsOf('artwork.extract')).toBe(5);
    expect((await scene.make(scene.album(names.slice(2), []))).type).toBe('made');
  });

  it.each([
    ['a text', () => Buffer.from('no picture at all\n'.repeat(100))],
    ['a JPEG that was cut short', async () => (await grain(300, 300).jpeg().toBuffer()).subarray(0, 9000)],
    ['11 MB long', async () => Buffer.concat([await jpegOf(blue), filler(11_000_000)])],
    ['of more than 64 megapixels', () => plain(9000, 9000, blue).png().toBuffer()],
    ['empty', () => Buffer.alloc(0)],
  ])('that is %s is passed over for the next one, in the folder and in the track', async (_, make) => {
    const scene = new AlbumScene();
    const bad = await make();
    scene.write('cover.jpg', bad);
    scene.write('folder.jpg', redJpeg);
    expect(await colourOf((await scene.bytesOf(scene.album([], ['cover.jpg', 'folder.jpg']))).full)).toBe(
      'red',
    );
    scene.write('01.mp3', mp3With([[front, bad]]));
    scene.write('02.mp3', mp3With([[back, greenJpeg]]));
    expect(await colourOf((await scene.bytesOf(scene.album(['01.mp3', '02.mp3'], []))).full)).toBe('green');
    expect(await scene.make(scene.album(['01.mp3'], ['cover.jpg']))).toEqual({ type: 'none' });
  });

  it('that was refused is not tried again, from whichever file, until it is another one', async () => {
    const scene = new AlbumScene();
    const bad = Buffer.from('no picture at all\n'.repeat(100));
    for (const name of ['01.mp3', '02.mp3']) scene.write(name, mp3With([[front, bad]]));
    scene.write('cover.jpg', bad);
    const album = scene.album(['01.mp3', '02.mp3'], ['cover.jpg']);
    const looks = () => scene.failpoints.hitsOf('artwork.extract');
    scene.failpoints.set('artwork.extract=delay(0)');
    expect(await scene.make(album)).toEqual({ type: 'none' });
    expect(scene.log.filter(({ event }) => event === 'picture_refused')).toMatchObject([
      { file: 'cover.jpg', origin: 'disk', reason: expect.stringMatching(/cannot be decoded/) },
      { file: '01.mp3', reason: expect.stringMatching(/cannot be decoded/) },
    ]);
    expect(looks()).toBe(3);
    expect(await scene.make(album)).toEqual({ type: 'none' });
    expect(looks()).toBe(3);
    scene.write('cover.jpg', redJpeg);
    expect((await scene.make(scene.album(['01.mp3'], ['cover.jpg']))).type).toBe('made');
  });

  it.each([
    ['renditions', 'picture'],
    ['extractions', 'extraction'],
  ] as const)(
    'that one of the %s dies of is tried again later, and refused when one dies of it again',
    async (which, name) => {
      const scene = new AlbumScene();
      scene.write('cover.jpg', blueJpeg);
      scene.write('folder.jpg', redJpeg);
      const album = scene.album([], ['cover.jpg', 'folder.jpg']);
      const killed = async () => {
        await scene.make(scene.album([], ['folder.jpg'])); // the process is there
        const { pid } = scene[which];
        if (pid === null) throw new Error('there is no process');
        process.kill(pid, 'SIGSTOP'); // so that it is in the middle when it is killed
        const before = scene.asked[which];
        const making = scene.make(album);
        await eventually('it is asked', () => scene.asked[which] > before);
        process.kill(pid, 'SIGKILL');
        return making;
      };
      const why = `the ${name} process ended by itself: SIGKILL`;
      expect(await killed()).toEqual({ type: 'later', origin: null, why });
      expect((await killed()).type).toBe('made');
      expect(scene.log).toMatchObject([{ event: 'picture_refused', file: 'cover.jpg', reason: why }]);
      expect(await colourOf((await scene.bytesOf(album)).full)).toBe('red');
      scene.write('cover.jpg', greenJpeg);
      expect(await colourOf((await scene.bytesOf(scene.album([], ['cover.jpg']))).full)).toBe('green');
    },
  );

  it('that is gone, or another one than was scanned, is waited for: a scan will tell', async () => {
    const scene = new AlbumScene();
    scene.write('cover.jpg', redJpeg);
    const album = scene.album([], ['cover.jpg']);
    utimesSync(path.join(scene.root, 'cover.jpg'), 5, 5);
    const later = { type: 'later', origin: null, why: 'its files are not as they were scanned' };
    expect(await scene.make(album)).toEqual(later);
    rmSync(path.join(scene.root, 'cover.jpg'));
    expect(await scene.make(album)).toEqual(later);
    expect(
      await scene.make({ ...album, pictures: album.pictures.map((file) => ({ ...file, origin: 'none' })) }),
    ).toEqual(later);
    // Another one stands in for it meanwhile.
    scene.write('folder.jpg', blueJpeg);
    const both = { ...album, pictures: [...album.pictures, scene.file('folder.jpg')] };
    expect(await colourOf((await scene.bytesOf(both)).full)).toBe('blue');
  });

  it('on a disk that is away is tried later, and the origin need not be asked again', async () => {
    const scene = new AlbumScene();
    scene.write('cover.jpg', redJpeg);
    const album = scene.album([], ['cover.jpg']);
    renameSync(scene.root, `${scene.root}-away`);
    const outcome = { type: 'later', origin: 'disk', why: 'its origin is away (ENOENT)' };
    expect(await scene.make(album)).toEqual(outcome);
    renameSync(`${scene.root}-away`, scene.root);
    scene.away.add('disk');
    expect(await scene.make(album)).toMatchObject({ type: 'later', origin: 'disk' });
    scene.away.clear();
    expect((await scene.make(album)).type).toBe('made');
  });
});
