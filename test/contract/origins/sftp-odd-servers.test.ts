// An sftp origin against servers that answer as OpenSSH does not: scripted, over real SSH.
import { expect, onTestFinished, test } from 'vitest';
import { realPath, rootRealPath } from '../../../src/library/real-path.ts';
import { SftpOrigin } from '../../../src/origins/sftp-origin.ts';
import { codeOf } from '../../../src/platform/errors.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import {
  attributesOfDirectory,
  attributesOfFile,
  type SftpScript,
  startScriptedSftp,
} from '../../fixtures/servers/scripted-sftp.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const never = new AbortController().signal;
const song = realPath('a.flac');
const version = { sizeBytes: 100_000, mtimeNs: '1000000000000000000', etag: null };
const bytes = filler(100_000, 17);

async function originOver(script: SftpScript): Promise<SftpOrigin> {
  const origin = new SftpOrigin({
    id: 'odd',
    host: '127.0.0.1',
    port: await startScriptedSftp(script),
    path: '/music',
    credentials: { kind: 'ssh', user: 'me', password: { reveal: () => 'x' } },
    knownHostsFiles: [],
    hostKeyPolicy: 'accept-new',
    stateDirectory: temporaryDirectory(),
  });
  onTestFinished(() => origin.close());
  return origin;
}

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const part of parts) got.push(part);
  return got;
}

const read = async (origin: SftpOrigin) =>
  Buffer.concat(await all(origin.readRange(song, version, 0, 100_000, never)));
const listed = async (origin: SftpOrigin) => (await all(origin.list(rootRealPath, () => true, never))).flat();

test('answers that are shorter than asked are completed', async () => {
  const origin = await originOver({
    READ: (sftp, id, _handle, offset: number, length: number) =>
      sftp.data(id, bytes.subarray(offset, offset + Math.min(length, 7_001))),
  });
  expect((await read(origin)).equals(bytes)).toBe(true);
});

test('an end that comes too early is a failure, never an end', async () => {
  const origin = await originOver({
    READ: (sftp, id, _handle, offset: number, length: number) => {
      if (offset >= 60_000) sftp.status(id, 1);
      else sftp.data(id, bytes.subarray(offset, Math.min(offset + length, 60_000)));
    },
  });
  await expect(read(origin)).rejects.toMatchObject({ code: 'origin_unavailable' });
});

test('a file that changes under the handle fails before its last bytes are given', async () => {
  let reads = 0;
  const origin = await originOver({
    READ: (sftp, id, _handle, offset: number, length: number) => {
      reads += 1;
      sftp.data(id, bytes.subarray(offset, offset + length));
    },
    FSTAT: (sftp, id) =>
      sftp.attrs(id, { ...attributesOfFile, mtime: attributesOfFile.mtime + (reads > 0 ? 5 : 0) }),
  });
  const got: Uint8Array[] = [];
  const reading = async () => {
    for await (const block of origin.readRange(song, version, 0, 100_000, never)) got.push(block);
  };
  await expect(reading()).rejects.toMatchObject({ code: 'version_gone' });
  expect(Buffer.concat(got).length).toBeLessThan(100_000);
});

test('more than was asked for, and nothing at all, break the connection', async () => {
  for (const answer of [bytes.subarray(0, 40_000), bytes.subarray(0, 0)]) {
    const origin = await originOver({ READ: (sftp, id) => sftp.data(id, answer) });
    await expect(read(origin)).rejects.toMatchObject({ code: 'origin_unavailable' });
  }
});

test('an answer of another sort than was asked for breaks the connection', async () => {
  const origin = await originOver({ LSTAT: (sftp, id) => sftp.data(id, bytes.subarray(0, 5)) });
  await expect(origin.stat(song, never)).rejects.toMatchObject({ code: 'origin_unavailable' });
});

/** Lists these once, then nothing more. */
function listing(entries: { filename: string; attrs: object }[]): SftpScript {
  let isOver = false;
  return {
    READDIR: (sftp, id) => {
      if (isOver) sftp.status(id, 1);
      else sftp.name(id, entries.map((entry) => ({ ...entry, longname: '' })) as never);
      isOver = true;
    },
  };
}

test('a name that leads somewhere else is none, and spoils the listing', async () => {
  for (const filename of ['a/b', '../x', '', 'a\0b']) {
    const origin = await originOver(listing([{ filename, attrs: attributesOfFile }]));
    await expect(listed(origin)).rejects.toMatchObject({ code: 'origin_unavailable' });
  }
});

test('where a listing does not say what its names are, each is looked at', async () => {
  const origin = await originOver({
    ...listing([
      { filename: '.', attrs: {} },
      { filename: '..', attrs: {} },
      { filename: 'gone.flac', attrs: {} },
      { filename: 'CD1', attrs: {} },
      { filename: 'a.flac', attrs: { size: 5 } },
    ]),
    LSTAT: (sftp, id, path: string) => {
      if (path.endsWith('gone.flac')) sftp.status(id, 2);
      else sftp.attrs(id, path.endsWith('CD1') ? attributesOfDirectory : attributesOfFile);
    },
  });
  expect((await listed(origin)).map(({ name, kind, sizeBytes }) => [name, kind, sizeBytes])).toEqual([
    ['CD1', 'directory', 0],
    ['a.flac', 'file', 100_000],
  ]);
});

test.each([
  [2, 'not_found'],
  [3, 'permission_denied'],
  [4, 'origin_unavailable'],
  [5, 'invalid_argument'],
  [6, 'origin_unavailable'],
  [7, 'origin_unavailable'],
  [8, 'unsupported_operation'],
  [99, 'origin_unavailable'],
])('status %i means %s', async (status, code) => {
  const origin = await originOver({ OPEN: (sftp, id) => sftp.status(id, status, 'not found, of course') });
  expect(await read(origin).then(() => 'no failure', codeOf)).toBe(code);
});

test('a handle that comes after the abort of whoever wanted it is closed', async () => {
  for (const request of ['OPEN', 'OPENDIR'] as const) {
    const controller = new AbortController();
    let answer = () => {};
    let closed = 0;
    const origin = await originOver({
      [request]: (sftp, id) => {
        answer = () => sftp.handle(id, Buffer.from('late'));
        controller.abort();
      },
      CLOSE: (sftp, id, handle: Buffer) => {
        closed += String(handle) === 'late' ? 1 : 0;
        sftp.status(id, 0);
      },
    });
    const call =
      request === 'OPEN'
        ? all(origin.readRange(song, version, 0, 10, controller.signal))
        : all(origin.list(rootRealPath, () => true, controller.signal));
    expect(await call.then(() => 'no failure', codeOf)).toBe('cancelled');
    answer();
    await eventually('it is closed', () => closed === 1);
    await origin.probe(never);
  }
});
