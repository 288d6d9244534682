import { expect, test } from 'vitest';
import { createFakeDaemon, serve } from './fake-daemon.ts';
import { runMusicfs } from './run-musicfs.ts';

const explain = async (words: readonly string[]) => {
  await using control = await serve(createFakeDaemon().port, 'musicfs/one');
  return await runMusicfs(['explain', ...words, '--socket', control.socketPath]);
};

test('shows the file, the rules and the tags, and nothing that steers a terminal', async () => {
  const { code, stdout } = await explain(['/mnt/music/A/B/01.flac']);
  expect(code).toBe(0);
  expect(stdout).toBe(
    `${[
      'A/B/01.flac',
      '  is b/?[31m1.flac on nas, also held by copy',
      'because',
      '  aa2       filed under "A": album_artist says "A"',
      '  template  default',
      'tags',
      '  album_artist  A',
      '  artists       A · B',
    ].join('\n')}\n`,
  );
});

test('is one document for programs, and says in one line that there is no such file', async () => {
  const { code, stdout } = await explain(['A/B/01.flac', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ originId: 'nas', rules: [{ id: 'aa2' }, { id: 'template' }] });
  const missing = await explain(['A/C']);
  expect([missing.code, missing.stderr]).toEqual([4, 'musicfs: A/C is not in the library\n']);
});
