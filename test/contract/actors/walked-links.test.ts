// Symbolic links in a scan of a real folder: what is behind them is shown once, under the path where it lies.
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { MusicfsError } from '../../../src/platform/errors.ts';
import { type FolderFile, ScannedFolder } from '../../fixtures/scanned-folder.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const rules = '.musicfsignore';

function folderWith(links: Readonly<Record<string, string>>, ...files: readonly FolderFile[]) {
  const folder = new ScannedFolder();
  folder.write(...files);
  for (const [at, target] of Object.entries(links)) {
    mkdirSync(path.dirname(folder.at(at)), { recursive: true });
    symlinkSync(target, folder.at(at));
  }
  return folder;
}

test('what links inside the root lead to is shown where it lies, once, and circles cost nothing', async () => {
  const folder = folderWith(
    { 'best/a.flac': '../album/a.flac', 'best/album': '../album', 'album/up': '..', 'album/self': '.' },
    'album/a.flac',
    'album/CD2/b.flac',
  );
  const asked: string[] = [];
  folder.before = (what, at) => what === 'stat' && asked.push(at);
  const { added, done, errors, linksRefused, warnings } = await folder.scan();
  expect({ added, done, errors, linksRefused, warnings }).toEqual({
    ...{ added: 2, done: 2, errors: 0, linksRefused: 0, warnings: [] },
  });
  expect(asked).toEqual([]);
  expect(folder.listed()).toEqual(['album/CD2/b.flac', 'album/a.flac']);
  expect(folder.walked.sort()).toEqual(['', 'album', 'album/CD2', 'best']);
});

test('links out of the root, to nothing and in a circle are counted, and what lies outside is not looked at', async () => {
  const outside = temporaryDirectory();
  const other = new ScannedFolder();
  other.write('secret.flac');
  const folder = folderWith(
    {
      'out.flac': other.at('secret.flac'),
      'folder-out': outside,
      'up.flac': '../../x.flac',
      'gone.flac': 'none.flac',
      'one.flac': 'two.flac',
      'two.flac': 'one.flac',
    },
    'a.flac',
  );
  const first = await folder.scan();
  expect(first).toMatchObject({ added: 1, errors: 0, linksRefused: 6, wasComplete: true });
  expect(first.warnings).toMatchObject([{ event: 'links_not_followed', refused: 6, unknown: 0 }]);
  expect(folder.listed()).toEqual(['a.flac']);
});

test('a file that the rules hide is shown by a link that they do not, and goes with the link', async () => {
  const folder = folderWith(
    {
      'album/a.flac': '../.git/annex/objects/XX/key-a.flac',
      'hidden/b.flac': '../.git/annex/objects/XX/key-b.flac',
      'album/draft-d.flac': '../.git/annex/objects/XX/key-b.flac',
      'album/c.flac': '../.git/annex/objects/XX/key-c',
    },
    '.git/annex/objects/XX/key-a.flac',
    '.git/annex/objects/XX/key-b.flac',
    ['.git/annex/objects/XX/key-c', 'no name of music'],
    [rules, '/hidden/\ndraft-*\n'],
  );
  const store = '.git/annex/objects/XX';
  expect(await folder.scan()).toMatchObject({ added: 1, linksRefused: 0, wasComplete: true });
  expect(folder.listed()).toEqual([`${store}/key-a.flac`]);
  expect(await folder.scan()).toMatchObject({ added: 0, changed: 0, removed: 0 });
  folder.remove('album/a.flac');
  expect(await folder.scan()).toMatchObject({ removed: 1, held: 0 });
  expect(folder.listed()).toEqual([]);
});

test('a link of which nobody can say where it leads takes nothing away', async () => {
  const folder = folderWith({ 'a.flac': '.git/a.flac' }, '.git/a.flac', 'b.flac');
  await folder.scan();
  folder.remove('b.flac');
  folder.before = (what) => {
    if (what === 'follow') throw new MusicfsError('origin_unavailable', 'no answer');
  };
  expect(await folder.scan()).toMatchObject({ removed: 0, errors: 1, wasComplete: false });
  expect(folder.listed()).toEqual(['.git/a.flac', 'b.flac']);
  folder.before = () => undefined;
  expect(await folder.scan()).toMatchObject({ removed: 1, wasComplete: true });
});

test('without following, links are neither shown nor counted', async () => {
  const folder = folderWith({ 'a.flac': '.git/a.flac', out: '/etc' }, '.git/a.flac', 'b.flac');
  folder.followsLinks = false;
  expect(await folder.scan()).toMatchObject({ added: 1, linksRefused: 0, warnings: [] });
  expect(folder.listed()).toEqual(['b.flac']);
});
