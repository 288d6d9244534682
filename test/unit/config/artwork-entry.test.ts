import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { recordedOptions, recordOptions } from '../../../src/config/recorded-options.ts';
import { settleOptions } from '../../../src/config/settle-options.ts';
import { defaultArtwork } from '../../../src/platform/artwork-settings.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const context = { env: { XDG_RUNTIME_DIR: '/run/user/7', HOME: '/home/x' }, uid: 7 };

async function settled(text: string, folder = temporaryDirectory()) {
  const config = path.join(folder, 'c.toml');
  writeFileSync(config, `${text}\n[[origins]]\npath = "music"\n`);
  return settleOptions({ mountPoint: '/m', origins: [], config, state: folder }, context);
}

test('section [artwork] settles what is shown, each key has its default, and a record keeps it', async () => {
  expect((await settled('')).artwork).toEqual(defaultArtwork);
  expect((await settled('[artwork]\nenabled = false')).artwork).toEqual({
    ...defaultArtwork,
    enabled: false,
  });
  const state = temporaryDirectory();
  const options = await settled(
    '[artwork]\npriority = ["overlay", "embedded:front"]\nnames = ["cover.jpg", "Fo\u0308lder.JPG"]\nlist_sizes = true',
    state,
  );
  const chosen = {
    enabled: true,
    priority: ['overlay', 'embedded:front'],
    names: ['cover.jpg', 'F\u00f6lder.JPG'],
    listSizes: true,
  };
  expect(options.artwork).toEqual(chosen);
  recordOptions(options);
  expect(recordedOptions(state).artwork).toEqual(chosen);
  // As an earlier version wrote it, which knew nothing of pictures.
  const { artwork: _, ...earlier } = { format: 1, ...options };
  writeFileSync(path.join(state, 'options.json'), JSON.stringify(earlier));
  expect(recordedOptions(state).artwork).toEqual(defaultArtwork);
});

test.each([
  ['priority = ["folder:cover.bmp"]', /artwork\.priority: has "folder:cover\.bmp": a picture is one of jpg/],
  ['priority = []', /artwork\.priority: is empty/],
  ['names = []', /artwork\.names: it needs a name/],
  ['names = ["cover.png"]', /artwork\.names\.0: a name is a plain one that ends in \.jpg/],
  ['names = ["art/cover.jpg"]', /artwork\.names\.0: a name is a plain one/],
  ['names = [".jpg"]', /artwork\.names\.0: a name is a plain one/],
  ['names = ["cover.jpg", "cover.jpg"]', /artwork\.names: a name is there twice/],
  ['names = ["cover_thumb.jpg"]', /artwork\.names\.0: .* are the smaller pictures: list_sizes lists them/],
  ['names = ["cover_medium.jpg"]', /artwork\.names\.0: .* are the smaller pictures: list_sizes lists them/],
  ['list_sizes = "yes"', /artwork\.list_sizes/],
  ['list_size = true', /artwork\.list_size/],
])('%s is refused with its place and the way out', async (text, said) => {
  await expect(settled(`[artwork]\n${text}`)).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringMatching(said),
  });
});
