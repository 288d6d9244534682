import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { DiskWriter } from '../../../src/content/disk-writer.ts';
import { sharedMemory } from '../../../src/platform/buffer-pool.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const codeOf = (work: Promise<void>) =>
  work.then(
    () => 'done',
    (error: NodeJS.ErrnoException) => error.code,
  );

test('writes and names files in the order in which they were asked for', async () => {
  const folder = temporaryDirectory();
  const writer = new DiskWriter();
  const names = Array.from({ length: 300 }, (_, index) => path.join(folder, String(index)));
  const bytesOf = (index: number) => {
    const bytes = new Uint8Array(sharedMemory(64 + index), 0, 64 + index);
    return bytes.fill(index % 251);
  };
  await Promise.all(
    names.flatMap((name, index) => [
      writer.run({ what: 'write', path: `${name}.tmp`, bytes: bytesOf(index) }),
      writer.run({ what: 'rename', from: `${name}.tmp`, to: name }),
    ]),
  );
  expect(readdirSync(folder)).toHaveLength(300);
  for (const [index, name] of names.entries()) {
    expect(readFileSync(name).equals(Buffer.alloc(64 + index, index % 251))).toBe(true);
  }
});

test('says what failed, leaves nothing of it and goes on', async () => {
  const folder = temporaryDirectory();
  const writer = new DiskWriter();
  const there = path.join(folder, 'there');
  writeFileSync(there, 'somebody else');
  const write = (file: string) => codeOf(writer.run({ what: 'write', path: file, bytes: Buffer.from('x') }));
  const said = await Promise.all([
    write(there),
    write(path.join(folder, 'no/such/folder')),
    codeOf(writer.run({ what: 'rename', from: path.join(folder, 'nothing'), to: there })),
    write('/dev/full/x'),
    write(path.join(folder, 'new')),
  ]);
  expect(said).toEqual(['EEXIST', 'ENOENT', 'ENOENT', 'ENOTDIR', 'done']);
  expect([readdirSync(folder).sort(), readFileSync(there, 'utf8')]).toEqual([
    ['new', 'there'],
    'somebody else',
  ]);
});

test('a thread that dies fails what it was asked, and the next call has another', async () => {
  const folder = temporaryDirectory();
  mkdirSync(path.join(folder, 'lives'));
  const thread = path.join(folder, 'thread.mjs');
  writeFileSync(
    thread,
    `import { parentPort } from 'node:worker_threads';
     import { mkdirSync } from 'node:fs';
     let isFirst = true;
     try { mkdirSync(${JSON.stringify(path.join(folder, 'lives/one'))}); } catch { isFirst = false; }
     parentPort.on('message', (tasks) => isFirst ? process.exit(1) : parentPort.postMessage(tasks.map(() => null)));`,
  );
  const writer = new DiskWriter(pathToFileURL(thread));
  const rename = () => codeOf(writer.run({ what: 'rename', from: 'a', to: 'b' }));
  expect([await rename(), await rename()]).toEqual(['EIO', 'done']);
});
