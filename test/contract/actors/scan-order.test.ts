// A scan reads files several batches at a time; what they show does not depend on which of them is read faster.
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { ScannedFolder } from '../../fixtures/scanned-folder.ts';

test('files are published in the order in which they are listed, however long they are read', async () => {
  const folder = new ScannedFolder();
  const tracks = Array.from({ length: limits.publishBatchFiles }, (_, at) => `${at + 1000}.flac`);
  const folders = ['a', 'b', 'c'];
  folder.write(...folders.flatMap((name) => tracks.map((track) => `${name}/${track}`)));
  const slow: string[] = [];
  folder.parserFailpoints = (files) => {
    if (!files.includes('a/1000.flac')) return [];
    slow.push('a/1000.flac');
    return ['parser.file=delay(1500);count=1'];
  };
  const { added } = await folder.scan();
  expect(added).toBe(folders.length * limits.publishBatchFiles);
  expect(slow).toHaveLength(1);
  expect(folder.published.map(({ files }) => files[0]?.path.split('/')[0])).toEqual(folders);
});

test('directories are walked in the order of their names, level by level, however long each is listed', async () => {
  const folder = new ScannedFolder();
  folder.write('b/2/y.flac', 'a/2/x.flac', 'a/10/x.flac', 'b/z.flac', 'a/z.flac', 'c.flac');
  folder.before = (what, at) => (what === 'list' && at.startsWith('a') ? pause(200) : undefined);
  await folder.scan();
  const paths = folder.published.flatMap(({ files }) => files.map((file) => file.path));
  expect(paths).toEqual(['c.flac', 'a/z.flac', 'b/z.flac', 'a/10/x.flac', 'a/2/x.flac', 'b/2/y.flac']);
});
