// What lies beside the music, on a real mount.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { mountLibrary } from '../fixtures/mounted.ts';

test('lyrics, scans and covers follow their tracks, byte for byte', async () => {
  const library = await mountLibrary({
    origin: (root) => {
      writeFlacLibrary(root, { files: 4, albums: 1 });
      const album = path.join(root, 'Artist 0/Album 0');
      mkdirSync(path.join(album, 'Scans'));
      writeFileSync(path.join(album, '01.lrc'), '[00:00.00]words');
      writeFileSync(path.join(album, 'cover.jpg'), Buffer.alloc(300_000, 7));
      writeFileSync(path.join(album, 'Scans/back.png'), 'not really');
      writeFileSync(path.join(album, 'setup.exe'), 'no');
    },
  });
  const tree = () => library.shell('cd $M && find . -type f ! -name "*.flac" | sort');
  const folder = './Artist 0/Album 0 (1960) [FLAC]';
  expect(await tree()).toBe(
    [`${folder}/01 - Title 0.lrc`, `${folder}/Scans/back.png`, `${folder}/cover.jpg`].join('\n'),
  );
  const sums = (root: string) =>
    library.shell(`cd ${root} && find . -type f ! -name "*.exe" -exec sha256sum {} + | cut -c1-64 | sort`);
  expect(await sums('$M')).toBe(await sums('$O'));
  expect(
    JSON.parse(
      (
        await library.run([
          'explain',
          `${folder.slice(2)}/cover.jpg`,
          '--mount',
          library.mountPoint,
          '--json',
        ])
      ).stdout,
    ),
  ).toMatchObject({
    state: 'sidecar',
    realPath: 'Artist 0/Album 0/cover.jpg',
  });
  expect(await library.shell(`getfattr --only-values -n user.musicfs.why "$M/${folder}/cover.jpg"`)).toBe(
    'sidecar',
  );
  expect(
    await library.shell(`getfattr --only-values -n user.musicfs.why "$M/${folder}/01 - Title 0.flac"`),
  ).toBe('aa2');
  expect(await library.status()).toMatchObject({ tracks: 4, files: 7 });

  const inode = await library.shell(`stat -c %i "$M/${folder}/cover.jpg"`);
  renameSync(
    path.join(library.origin, 'Artist 0/Album 0/01.lrc'),
    path.join(library.origin, 'Artist 0/Album 0/02.lrc'),
  );
  await library.rescan();
  await eventually('it follows another track', async () => (await tree()).includes('02 - Title 1.lrc'));
  expect(await library.shell(`stat -c %i "$M/${folder}/cover.jpg"`)).toBe(inode);
});
