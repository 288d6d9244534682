// docs/SEMANTICS.md, section 9: what is kept of an origin's files is never believed unseen.
import { expect, onTestFinished, test } from 'vitest';
import { writeSong } from '../../fixtures/albums.ts';
import { chunkFiles, flipBits } from '../../fixtures/chunk-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { mountRemote, webdavCredentials } from '../../fixtures/remote-library.ts';
import { startRclone } from '../../fixtures/servers/webdav-servers.ts';

test('9.5: with a wrong bit in all that is kept a file is right while its origin answers, and fails while it does not', async () => {
  const server = await startRclone();
  onTestFinished(() => server.end());
  const song = { artist: 'Ann', album: 'One', title: 'T1', track: 1, audioBytes: 2_000_000 };
  writeSong(server.folder, '1.flac', song);
  const library = await mountRemote({
    folder: server.folder,
    origins: [
      {
        ...{ id: 'nas', kind: 'webdav', url: `http://127.0.0.1:${server.process.port}/` },
        credentials: webdavCredentials(server.folder),
      },
    ],
  });
  const env = { F: `${library.mountPoint}/Ann/One [FLAC]/01 - T1.flac` };
  const compared = async () => (await library.tryShell('cmp "$F" $O/1.flac', { env, limitMs: 40_000 })).code;
  const isKept = async () =>
    (await library.shell('getfattr --only-values -n user.musicfs.cached "$F"', { env })) === '100';
  /** Nothing of it stays in the memory of the kernel or of the daemon. */
  const damage = async () => {
    flipBits(chunkFiles(library));
    await library.run(['restart', library.mountPoint]);
    await library.shell('echo 3 > /proc/sys/vm/drop_caches');
  };
  expect(await compared()).toBe(0);
  await eventually('it is kept', isKept, 20_000);
  await damage();
  expect(await compared()).toBe(0);
  await eventually('it is kept again', isKept, 20_000);
  await server.process.end();
  await damage();
  const { code, stderr } = await library.tryShell('cmp "$F" $O/1.flac', { env, limitMs: 40_000 });
  expect([code, stderr]).toEqual([2, expect.stringContaining('Input/output error')]);
}, 90_000);
