// A disk that does not answer: another mount stands in for it, whose daemon is stopped and goes on later.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { hangingDisk } from '../fixtures/hanging-disk.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';

const filesInAll = 60;

/** A library whose origin can be made to hang. */
async function libraryOnHangingDisk(): Promise<{ library: Library; hang: () => void; goOn: () => void }> {
  const { disk, hang, goOn } = await hangingDisk((root) =>
    writeFlacLibrary(root, { files: filesInAll, albums: 6 }),
  );
  return { library: await mountLibrary({ origin: disk.mountPoint }), hang, goOn };
}

/** Lines "hash  path" of the first `count` files, read past the page cache of the mount. */
const readers = (library: Library, count: number) =>
  library.tryShell(
    `find $M -type f | sort | head -${count} | xargs -P ${count} -d '\\n' -I F sh -c 'dd if="F" bs=64k iflag=direct status=none | sha256sum | cut -d" " -f1'`,
    { limitMs: 40_000 },
  );

/** Drops what the disk's kernel side remembers, so that reads must ask it. */
const forget = (library: Library) => library.shell('sync; echo 3 > /proc/sys/vm/drop_caches');

test('R-18: thirty reads that hang leave names, attributes and control alone, and end right when the disk is back', async () => {
  const { library, hang, goOn } = await libraryOnHangingDisk();
  await forget(library);
  hang();
  const reading = readers(library, 30);
  await eventually(
    'the reads have come',
    async () => ((await library.status()).fuse.requests['read'] ?? 0) >= 12,
  );
  const looked = await library.tryShell('ls -l $M >/dev/null && stat $M/nothing', { limitMs: 15_000 });
  expect(looked.stderr).toMatch(/No such file/);
  const { supervision, state } = await library.status();
  expect([supervision.restartsTotal, state]).toEqual([0, 'ready']);
  goOn();
  const { code, stdout } = await reading;
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(30);
  expect((await library.status()).supervision.restartsTotal).toBe(0);
}, 60_000);

test('R-06: a read that waits for the disk when the fuse handler is restarted is answered by its next life', async () => {
  const { library, hang, goOn } = await libraryOnHangingDisk();
  const expected = (await readers(library, 1)).stdout.trim();
  expect(expected).toMatch(/^[0-9a-f]{64}$/);
  expect(expected).not.toBe(createHash('sha256').update('').digest('hex'));
  await forget(library);
  hang();
  const before = (await library.status()).fuse.requests['read'] ?? 0;
  const reading = readers(library, 1);
  await eventually(
    'the read has come',
    async () => ((await library.status()).fuse.requests['read'] ?? 0) > before,
  );
  await library.failpoint('actor.fuse-handler.handle=crash;count=1');
  await eventually(
    'the handler runs again',
    async () => {
      const { supervision, session } = await library.status();
      return supervision.restartsTotal > 0 && session.resend;
    },
    15_000,
  );
  goOn();
  const { code, stdout } = await reading;
  expect([code, stdout.trim()]).toEqual([0, expected]);
}, 60_000);
