import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { defaultPicturePriority, parsePicturePriority } from '../../../src/platform/picture-priority.ts';

describe('the setting artwork.priority', () => {
  it('gives the sources in its order', () => {
    expect(parsePicturePriority(['overlay', 'embedded:back', 'folder:Cover*.JPG', 'embedded:any'])).toEqual([
      { type: 'overlay' },
      { type: 'embedded', kind: 'back' },
      { type: 'folder', glob: 'cover*.jpg' },
      { type: 'embedded', kind: 'any' },
    ]);
  });

  it('has a usual order that it accepts itself', () => {
    expect(parsePicturePriority(defaultPicturePriority).map(({ type }) => type)).toEqual([
      ...['folder', 'folder', 'folder', 'embedded', 'embedded'],
    ]);
  });

  it.each([
    [[], 'is empty'],
    [[''], 'has ""'],
    [['cover.jpg'], 'has "cover.jpg"'],
    [['folder:'], 'has "folder:"'],
    [['Folder:cover.*'], 'has "Folder:cover.*"'],
    [['embedded:'], 'has "embedded:"'],
    [['embedded:Front'], 'has "embedded:Front"'],
    [['overlay:'], 'has "overlay:"'],
    [['folder:scans/cover.*'], 'without folders'],
    [['folder:scans\\cover.*'], 'without folders'],
    [['folder:cover.bmp'], 'a picture is one of jpg, jpeg, png, webp, gif'],
    [['folder:cover.*', 'embedded:inside', 'nonsense'], 'has "embedded:inside"'],
    [[`folder:${'c'.repeat(300)}`], 'an entry of 307 characters'],
    [Array.from({ length: limits.picturePriorityEntries + 1 }, () => 'embedded:any'), 'has 33 entries'],
  ])('refuses %j in one line that says what is wrong', (entries, what) => {
    expect(() => parsePicturePriority(entries)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringMatching(/^artwork\.priority [^\n]+: [^\n]+$/),
      }),
    );
    expect(() => parsePicturePriority(entries)).toThrow(what);
  });

  it.each(['folder:cover.*', 'folder:*', 'folder:cover.jp?g', 'folder:cover.GIF', 'folder:обложка.*'])(
    'accepts %s',
    (entry) => expect(parsePicturePriority([entry])).toHaveLength(1),
  );
});
