// A directory of this machine keeps the contract of every origin, and some promises of its own.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { realPath, rootRealPath } from '../../../src/library/real-path.ts';
import { LocalFilesOrigin } from '../../../src/origins/local-files.ts';
import { codeOf } from '../../../src/platform/errors.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { folderHand, openBelow } from '../../fixtures/folder-origin.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';
import { type OriginHarness, originContract } from './origin-contract.ts';

originContract(
  'a directory of this machine',
  async (): Promise<OriginHarness> => {
    const root = path.join(temporaryDirectory(), 'music');
    mkdirSync(root);
    const origin = new LocalFilesOrigin({ id: 'local', kind: 'local', root });
    return {
      ...folderHand(root),
      origin,
      cut: async () => renameSync(root, `${root}.away`),
      mend: async () => renameSync(`${root}.away`, root),
      transfers: () => openBelow(process.pid, root),
      end: () => origin.close(),
    };
  },
  // Nothing is closed to root: see below. A disk that hangs is in mounted.test.ts.
  ['permissions', 'restart', 'hang', 'counts-requests'],
);

const never = new AbortController().signal;

function originOver(): { origin: LocalFilesOrigin; root: string } {
  const root = temporaryDirectory();
  return { origin: new LocalFilesOrigin({ id: 'local', kind: 'local', root }), root };
}

test('what may not be read is denied, which is not the same as not being there', async () => {
  const { origin, root } = originOver();
  const hand = folderHand(root);
  await hand.put('closed/a.flac', filler(10, 1));
  await hand.put('b.flac', filler(10, 1));
  const version = await origin.stat(realPath('b.flac'), never);
  await hand.forbid('closed');
  await hand.forbid('b.flac');
  asNobody(root);
  await expect(all(origin.list(realPath('closed'), () => true, never))).rejects.toMatchObject({
    code: 'permission_denied',
  });
  await expect(all(origin.readRange(realPath('b.flac'), version, 0, 10, never))).rejects.toMatchObject({
    code: 'permission_denied',
  });
  await expect(origin.stat(realPath('c.flac'), never)).rejects.toMatchObject({ code: 'not_found' });
});

test('a file that is rewritten in place while it is read fails, at the latest with its last bytes', async () => {
  const { origin, root } = originOver();
  const old = filler(2_000_000, 3);
  writeFileSync(path.join(root, 'a.flac'), old);
  utimesSync(path.join(root, 'a.flac'), 1_000_000_000, 1_000_000_000);
  const version = await origin.stat(realPath('a.flac'), never);
  const got: Uint8Array[] = [];
  const reading = async () => {
    for await (const block of origin.readRange(realPath('a.flac'), version, 0, old.length, never)) {
      if (got.length === 0) writeFileSync(path.join(root, 'a.flac'), filler(2_000_000, 4));
      got.push(block);
    }
  };
  await expect(reading()).rejects.toMatchObject({ code: 'version_gone' });
  expect(Buffer.concat(got).length).toBeLessThan(old.length);
});

test('a reader that does not ask gets one block read ahead, and no more', async () => {
  const { origin, root } = originOver();
  writeFileSync(path.join(root, 'a.flac'), filler(8_000_000, 3));
  const version = await origin.stat(realPath('a.flac'), never);
  const blocks = origin.readRange(realPath('a.flac'), version, 0, 8_000_000, never);
  const before = readCharacters();
  await blocks.next();
  await blocks.next();
  await origin.stat(realPath('a.flac'), never);
  const asked = readCharacters() - before;
  expect(asked).toBeGreaterThanOrEqual(2 * 256 * 1024);
  expect(asked).toBeLessThanOrEqual(4 * 256 * 1024);
  await blocks.return(undefined);
});

test('reading leaves the time of access of a file alone', async () => {
  const { origin, root } = originOver();
  const file = path.join(root, 'a.flac');
  writeFileSync(file, filler(1_000, 3));
  utimesSync(file, 1_000_000_000, 1_000_000_000); // so old that even relatime would note a reading
  const version = await origin.stat(realPath('a.flac'), never);
  await all(origin.readRange(realPath('a.flac'), version, 0, 1_000, never));
  await all(origin.list(rootRealPath, () => true, never));
  expect(statSync(file).atimeMs).toBe(1_000_000_000_000);
});

test('a file of somebody else is read too, where its time of access cannot be spared', async () => {
  const { origin, root } = originOver();
  writeFileSync(path.join(root, 'a.flac'), filler(1_000, 3), { mode: 0o644 });
  const version = await origin.stat(realPath('a.flac'), never);
  asNobody(root);
  expect(Buffer.concat(await all(origin.readRange(realPath('a.flac'), version, 0, 1_000, never)))).toEqual(
    filler(1_000, 3),
  );
});

test('a root that is gone is no empty origin, and none of its files is called gone', async () => {
  const { origin, root } = originOver();
  await folderHand(root).put('CD1/a.flac', filler(10, 1));
  renameSync(root, `${root}.away`);
  onTestFinished(() => renameSync(`${root}.away`, root));
  const call = (work: Promise<unknown>) => work.then(() => 'no failure', codeOf);
  expect(await call(all(origin.list(realPath('CD1'), () => true, never)))).toBe('origin_unavailable');
  expect(await call(origin.stat(realPath('CD1/a.flac'), never))).toBe('origin_unavailable');
  expect(await call(origin.probe(never))).toBe('origin_unavailable');
});

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const part of parts) got.push(part);
  return got;
}

/** Until the test ends this process is somebody who owns nothing. */
function asNobody(root: string): void {
  execFileSync('chmod', ['755', root]);
  process.seteuid?.(65534);
  onTestFinished(() => process.seteuid?.(0));
}

/** Bytes this process has read so far, from files and all else. */
function readCharacters(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}
