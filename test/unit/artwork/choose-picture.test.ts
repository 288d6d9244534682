import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  choosePictures,
  type EmbeddedPicture,
  type FolderPicture,
  type PictureCandidate,
} from '../../../src/artwork/choose-picture.ts';
import { realPath } from '../../../src/library/real-path.ts';
import { limits } from '../../../src/platform/limits.ts';
import { defaultPicturePriority, parsePicturePriority } from '../../../src/platform/picture-priority.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const usual = parsePicturePriority(defaultPicturePriority);

function file(path: string, sizeBytes = 1000): FolderPicture {
  return {
    type: 'folder',
    originId: 'local',
    path: realPath(Buffer.from(path).toString('latin1')),
    sizeBytes,
    mtimeNs: '1700000000000000000',
  };
}

function tag(trackId: number, more: Partial<EmbeddedPicture> = {}): EmbeddedPicture {
  return {
    type: 'embedded',
    trackId,
    discNumber: null,
    trackNumber: trackId,
    kind: 'front',
    mime: 'image/jpeg',
    sizeBytes: 1000,
    contentHash: `hash ${trackId}`,
    ...more,
  };
}

/** What is chosen, in short: the path, or the track. */
function chosen(candidates: readonly PictureCandidate[], priority = usual): (string | number)[] {
  return choosePictures(candidates, priority).map((each) =>
    each.type === 'folder' ? Buffer.from(each.path, 'latin1').toString() : each.trackId,
  );
}

describe('the picture of an album', () => {
  it('is a file of the folder before one of the tags, in the order of the setting', () => {
    const candidates = [tag(1), file('A/front.jpg'), file('A/folder.jpg'), file('A/cover.png')];
    expect(chosen(candidates)).toEqual(['A/cover.png', 'A/folder.jpg', 'A/front.jpg', 1]);
    expect(chosen(candidates, parsePicturePriority(['embedded:front', 'folder:front.*']))).toEqual([
      1,
      'A/front.jpg',
    ]);
  });

  it('is found whatever the case and the composition of its name', () => {
    expect(chosen([file('A/COVER.JPG')])).toEqual(['A/COVER.JPG']);
    const composed = parsePicturePriority(['folder:Pochette é.*']);
    expect(chosen([file('A/POCHETTE E\u0301.jpg')], composed)).toEqual(['A/POCHETTE E\u0301.jpg']);
  });

  it('is no file of another kind, no hidden one and none of a longer name', () => {
    const names = [
      'cover.bmp',
      'cover.svg',
      'cover.jpg.part',
      'cover',
      '._cover.jpg',
      '.cover.jpg',
      'cover2.jpg',
    ];
    expect(chosen(names.map((name) => file(`A/${name}`)))).toEqual([]);
  });

  it('is found although its name is no text', () => {
    const path = realPath('A/cover.\xff.jpg');
    expect(choosePictures([{ ...file('A/x'), path }], usual)).toHaveLength(1);
  });

  it('is, of several of one name, the better format, and then the upper folder', () => {
    const paths = [
      'A/CD1/cover.jpg',
      'A/cover.gif',
      'A/cover.png',
      'A/cover.webp',
      'A/cover.jpeg',
      'A/cover.jpg',
    ];
    expect(chosen(paths.map((path) => file(path)))).toEqual([
      ...['A/cover.jpg', 'A/CD1/cover.jpg', 'A/cover.jpeg', 'A/cover.png', 'A/cover.webp', 'A/cover.gif'],
    ]);
  });

  it('is, of the tags, that of the lowest disc and track, untagged numbers last', () => {
    const candidates = [
      tag(1, { discNumber: 2, trackNumber: 1 }),
      tag(2, { discNumber: 1, trackNumber: 3 }),
      tag(3, { discNumber: null, trackNumber: 2 }),
      tag(4, { discNumber: null, trackNumber: null }),
    ];
    expect(chosen(candidates)).toEqual([3, 2, 4, 1]);
  });

  it('is, of two tracks with the same number, that of the first one, and of one track the larger', () => {
    expect(chosen([tag(8, { trackNumber: 1 }), tag(7, { trackNumber: 1, contentHash: 'z' })])).toEqual([
      7, 8,
    ]);
    const sizes = choosePictures(
      [tag(1, { sizeBytes: 10, contentHash: 'a' }), tag(1, { sizeBytes: 20, contentHash: 'b' })],
      usual,
    ).map(({ sizeBytes }) => sizeBytes);
    expect(sizes).toEqual([20, 10]);
  });

  it('is a front of any track before anything else of the first', () => {
    const candidates = [tag(1, { kind: 'back' }), tag(2, { kind: 'other' }), tag(3)];
    expect(chosen(candidates)).toEqual([3, 1, 2]);
    expect(chosen(candidates, parsePicturePriority(['embedded:other']))).toEqual([2]);
  });

  it('is tried once, although every track carries it', () => {
    const candidates = Array.from({ length: 12 }, (_, at) => tag(at + 1, { contentHash: 'same' }));
    expect(chosen(candidates)).toEqual([1]);
    expect(chosen([file('A/cover.jpg')], parsePicturePriority(['folder:cover.*', 'folder:*']))).toEqual([
      'A/cover.jpg',
    ]);
  });

  it('is neither empty nor above 10 MB nor an address', () => {
    const most = limits.pictureInputBytes;
    expect(chosen([file('A/cover.jpg', most + 1), file('A/folder.jpg', 0), tag(1, { mime: '-->' })])).toEqual(
      [],
    );
    expect(chosen([tag(1, { sizeBytes: most + 1 }), tag(2, { sizeBytes: most })])).toEqual([2]);
  });

  it('does not depend on the order in which the candidates come', () => {
    const paths = fc
      .tuple(
        fc.constantFrom('', 'A/', 'A/CD1/'),
        fc.constantFrom('cover', 'Cover'),
        fc.constantFrom('jpg', 'PNG'),
      )
      .map(([folder, stem, extension]) => `${folder}${stem}.${extension}`);
    const folderPicture = fc
      .tuple(paths, fc.constantFrom('local', 'nas'))
      .map(([path, originId]) => ({ ...file(path), originId }));
    const numbers = [null, 1, 2];
    const embeddedPicture = fc
      .tuple(fc.nat(5), fc.constantFrom('front', 'back', 'other'), fc.constantFrom('a', 'b', 'cc', 'dd'))
      .map(([trackId, kind, contentHash]) => {
        // A track has its numbers, and equal bytes have equal sizes.
        const [discNumber = null, trackNumber = null] = [numbers[trackId % 3], numbers[trackId % 2]];
        return tag(trackId, { kind, contentHash, discNumber, trackNumber, sizeBytes: contentHash.length });
      });
    const candidates = fc.array(fc.oneof(folderPicture, embeddedPicture), { maxLength: 16 });
    const twice = candidates.chain((some) =>
      fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
    );
    const priority = parsePicturePriority(['embedded:back', 'folder:cover.*', 'embedded:any', 'folder:*']);
    fc.assert(
      fc.property(twice, ([some, shuffled]) => {
        expect(choosePictures(shuffled, priority)).toEqual(choosePictures(some, priority));
      }),
      printedSeed('the choice of a picture'),
    );
  });
});
