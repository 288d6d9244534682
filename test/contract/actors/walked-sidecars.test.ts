// What lies beside the music, in a scan of a real folder: delivered as it is listed, unread.
import { expect, test } from 'vitest';
import { defaultScan } from '../../../src/library/scan-settings.ts';
import { type FolderFile, ScannedFolder } from '../../fixtures/scanned-folder.ts';

function folderWith(...files: readonly FolderFile[]): ScannedFolder {
  const folder = new ScannedFolder();
  folder.settings = { ...folder.settings, sidecars: defaultScan.sidecars, wantsPlaylists: true };
  folder.write(...files);
  return folder;
}

const text = (name: string) => [name, 'text'] as const;

test('sidecars and playlists come with the music, without being opened, and once until they change', async () => {
  const folder = folderWith(
    'album/a.flac',
    ...['album/a.lrc', 'album/Cover.JPG', 'album/Scans/1.png', 'album/rip.log'].map(text),
    ...['lists/mine.m3u', 'lists/mine.M3U8', 'lists/old.pls'].map(text),
    ...['album/notes.docx', 'album/.hidden.jpg', 'album/.jpg', 'album/._cover.jpg', 'album/Thumbs.db'].map(
      text,
    ),
    ['album/empty.jpg', ''],
  );
  expect(await folder.scan()).toMatchObject({ added: 8, errors: 0, done: 8 });
  const files = folder.published.flatMap((request) => request.files);
  expect(files.filter(({ state }) => state === 'ok').map(({ path }) => path)).toEqual(['album/a.flac']);
  const sidecars = files.filter(({ state }) => state === 'sidecar');
  expect(sidecars.map(({ path }) => path).sort()).toEqual([
    ...['album/Cover.JPG', 'album/Scans/1.png', 'album/a.lrc', 'album/rip.log'],
    ...['lists/mine.M3U8', 'lists/mine.m3u', 'lists/old.pls'],
  ]);
  expect(sidecars[0]).toEqual({
    ...{ path: sidecars[0]?.path, sizeBytes: 4, mtimeNs: expect.stringMatching(/^\d+$/), etag: null },
    ...{ state: 'sidecar', tags: {}, audioFp: null, fileFp: null, reason: null },
  });
  folder.published.length = 0;
  await folder.scan();
  expect(folder.published).toEqual([]);
  folder.write(['album/a.lrc', 'longer text']);
  await folder.scan();
  expect(folder.published.flatMap((request) => request.files)).toMatchObject([
    { path: 'album/a.lrc', sizeBytes: 11, state: 'sidecar' },
  ]);
});

test('a sidecar that is emptied, ignored, or no longer on the list leaves, and the music stays', async () => {
  const folder = folderWith('a.flac', ...['a.lrc', 'a.jpg', 'a.nfo', 'a.txt'].map(text));
  await folder.scan();
  folder.write(['a.lrc', ''], ['.musicfsignore', '*.jpg\n']);
  folder.settings = { ...folder.settings, sidecars: ['lrc', 'jpg', 'txt'] };
  expect(await folder.scan()).toMatchObject({ removed: 3, held: 0 });
  expect(folder.listed()).toEqual(['a.flac', 'a.txt']);
});

test('nobody is told of sidecars and playlists where nobody wants them', async () => {
  const folder = folderWith('a.flac', ...['a.lrc', 'b.m3u'].map(text));
  folder.settings = { ...folder.settings, sidecars: [], wantsPlaylists: false };
  expect(await folder.scan()).toMatchObject({ added: 1, done: 1 });
  expect(folder.listed()).toEqual(['a.flac']);
});
