import { expect, test } from 'vitest';
import { createFakeDaemon, serve } from './fake-daemon.ts';
import { runMusicfs } from './run-musicfs.ts';

const preview = async (words: readonly string[]) => {
  await using control = await serve(createFakeDaemon().port, 'musicfs/one');
  return await runMusicfs(['template', 'preview', ...words, '--socket', control.socketPath]);
};

test('shows what would change, what would collide, and nothing that steers a terminal', async () => {
  const { code, stdout } = await preview(['$album/$track']);
  expect(code).toBe(0);
  expect(stdout).toBe(
    `${[
      '2 of 1,234 tracks would have another path',
      '  A/B/01.flac',
      '  → B/01.flac',
      '2 tracks would share a path, and be told apart by a suffix',
      '  B/01.flac',
      '    nas:a/1.flac',
      '    nas:b/?[31m1.flac',
      'the longest name has 7 of 255 bytes: 01.flac',
    ].join('\n')}\n`,
  );
});

test('is one document for programs', async () => {
  const { code, stdout } = await preview(['$album', '--json', '--examples', '1']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    tracks: 1234,
    colliding: 2,
    examples: [{ after: 'B/01.flac' }],
  });
});

test('says in one line what is wrong with the template, or with the call', async () => {
  const bad = await preview(['$$$x']);
  expect([bad.code, bad.stderr]).toEqual([2, 'musicfs: template, column 3: no such name\n']);
  const none = await preview(['$album', '--examples', '0']);
  expect([none.code, none.stderr]).toEqual([2, 'musicfs: --examples is a whole number from 1 to 1000\n']);
});
