import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { GivenOptions } from '../../../src/config/mount-options.ts';
import { forgetOptions, recordedOptions, recordOptions } from '../../../src/config/recorded-options.ts';
import { settleOptions } from '../../../src/config/settle-options.ts';
import { defaultLibrary, defaultLibraryOptions } from '../../../src/library/library-options.ts';
import { defaultScan } from '../../../src/library/scan-settings.ts';
import { defaultOwnership } from '../../../src/platform/fuse-settings.ts';
import { originDefaults } from '../../../src/platform/origin-settings.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const context = { env: { XDG_RUNTIME_DIR: '/run/user/7', HOME: '/home/x' }, uid: 7 };
const given = (change: Partial<GivenOptions>): GivenOptions => ({
  mountPoint: '/m',
  origins: ['/a'],
  ...change,
});

test('what was settled is read again as it was, and is gone when it is forgotten', async () => {
  const state = temporaryDirectory();
  const options = await settleOptions(given({ state, enableFailpoints: true }), context);
  recordOptions(options);
  expect(recordedOptions(state)).toEqual({ format: 1, ...options });
  forgetOptions(state);
  expect(() => recordedOptions(state)).toThrow('options.json cannot be read: mount again');
});

test('a record that is cut short is refused, not guessed', () => {
  const state = temporaryDirectory();
  writeFileSync(path.join(state, 'options.json'), '{"format":1,"mountPoint":"/m"');
  expect(() => recordedOptions(state)).toThrow('cannot be read');
});

test('arguments win over the file, the file over defaults', async () => {
  const folder = temporaryDirectory();
  const config = path.join(folder, 'c.toml');
  writeFileSync(
    config,
    '[mount]\npoint = "/from-file"\nallow_other = true\n[fuse]\npassthrough = "never"\n[log]\nlevel = "warn"\n[[origins]]\npath = "music"\n',
  );
  expect(await settleOptions({ origins: [], config }, context)).toMatchObject({
    mountPoint: '/from-file',
    allowOther: true,
    passthrough: 'never',
    logLevel: 'warn',
    driver: 'kernel',
    origins: [{ id: 'local', root: path.join(folder, 'music') }],
  });
  expect(await settleOptions(given({ config, allowOther: false }), context)).toMatchObject({
    mountPoint: '/m',
    allowOther: false,
    origins: [{ id: 'local', root: '/a' }],
  });
});

test('ownership and permissions are settled, and refused where whoever mounts could not look into the mount', async () => {
  const config = path.join(temporaryDirectory(), 'c.toml');
  const settled = async (text: string, uid = 0) => {
    writeFileSync(config, `[fuse]\n${text}\n[[origins]]\npath = "music"\n`);
    return (await settleOptions(given({ config }), { ...context, uid })).ownership;
  };
  expect(await settled('')).toEqual(defaultOwnership);
  const group = 'uid = 1000\ngid = 100\nfile_mode = "0640"\ndir_mode = "750"';
  const shown = { uid: 1000, gid: 100, filePermissions: 0o640, directoryPermissions: 0o750 };
  expect(await settled(group)).toEqual(shown);
  expect(await settled(group, 1000)).toEqual(shown);
  await expect(settled(group, 1001)).rejects.toThrow(
    /fuse\.dir_mode: uid 1001, who mounts, could not look into/,
  );
  await expect(settled('dir_mode = "0600"', 1001)).rejects.toThrow(/it needs "0500" at least/);
  const wrong = {
    'file_mode = "0755"': /fuse\.file_mode: nothing in a mount is run/,
    'file_mode = 644': /fuse\.file_mode/,
    'dir_mode = "rwx"': /fuse\.dir_mode: three octal digits/,
    'dir_mode = "4755"': /fuse\.dir_mode/,
    'uid = -1': /fuse\.uid/,
    'gid = "music"': /fuse\.gid/,
  };
  for (const [line, message] of Object.entries(wrong))
    await expect(settled(line), line).rejects.toThrow(message);
});

test('an origin that was settled before is not asked again where its links lead', async () => {
  const folder = temporaryDirectory();
  const [one, two] = [path.join(folder, 'one'), path.join(folder, 'link')];
  mkdirSync(one);
  symlinkSync(one, two);
  const fresh = await settleOptions(given({ origins: [two] }), context);
  expect(fresh.origins).toMatchObject([{ id: 'local', kind: 'local', root: one }]);
  const known = [{ ...originDefaults, id: 'local', kind: 'local', symlinks: 'inside', root: two } as const];
  expect((await settleOptions(given({ origins: [two] }), { ...context, known })).origins).toEqual(known);
});

test.each([
  ['nfs4', 'nfs'],
  ['cifs', 'smb'],
  ['fuse.sshfs', 'local'],
])('a directory on %s is taken for what it is, and nothing on it is asked', async (fsType, kind) => {
  const folder = temporaryDirectory();
  const [share, link] = [path.join(folder, 'share'), path.join(folder, 'link')];
  mkdirSync(path.join(share, 'music'), { recursive: true });
  symlinkSync('music', path.join(share, 'again'));
  symlinkSync(share, link);
  const mounts = [{ id: 2, device: '0:9', point: share, fsType, ownerUid: null, isShared: false }];
  const settle = (root: string) => settleOptions(given({ origins: [root] }), { ...context, mounts });
  for (const root of [share, path.join(share, 'again'), link]) {
    expect((await settle(root)).origins).toMatchObject([{ id: 'local', kind, root }]);
  }
});

test.each([
  [given({ origins: [] }), 'an origin is needed'],
  [{ origins: ['/a'] }, 'a mount point is needed'],
  [given({ origins: ['/a', '/a/b'] }), 'origins /a and /a/b overlap'],
  [given({ origins: ['ftp://nas/music'] }), 'an origin is a directory, or nfs:PATH'],
  [given({ origins: ['sftp:'] }), 'an origin is a directory, or nfs:PATH'],
  [given({ origins: ['s3://'] }), 'that is no name of a bucket'],
  [given({ origins: ['webdav:https://me:hush@nas/dav'] }), 'a URL holds no password'],
  [given({ origins: ['sftp://me:hush@nas/music'] }), 'a URL holds no password'],
])('what cannot be is refused in one line', async (options, said) => {
  await expect(settleOptions(options, context)).rejects.toThrow(said);
});

test('section [library] settles how names are made; what is wrong is told with its place', async () => {
  const folder = temporaryDirectory();
  const config = path.join(folder, 'c.toml');
  const settled = async (text: string) => {
    writeFileSync(config, `${text}\n[[origins]]\npath = "music"\n`);
    return (await settleOptions({ mountPoint: '/m', origins: [], config }, context)).library;
  };
  expect(await settled('')).toEqual(defaultLibrary);
  const chosen = await settled(
    '[library]\ntemplate = "classic"\nnames = "posix"\nyear = "original"\nreplace = { ":" = " -" }\nsplit = { artists = [";"], keep = ["A;B"] }\npath_grace = 0\ncase = "sensitive"\ncase_insensitive = true\npath_field = "musicfs_path"\nmax_path = 240\nmulti_artist = "all"\nplaylist_map = { "D:/Music" = "" }\n[[library.views]]\nroot = "Genres"\neach = "genre"\ntemplate = "$genre"',
  );
  expect(chosen).toEqual({
    pathGraceSeconds: 0,
    caseInsensitive: true,
    playlistMap: [{ from: 'D:/Music', to: '' }],
    template: 'classic',
    options: {
      ...defaultLibraryOptions,
      ...{ names: 'posix', year: 'original', replace: { ':': ' -' }, splitKeep: ['A;B'] },
      ...{ case: 'sensitive', pathField: 'MUSICFS_PATH', maxPath: 240, multiArtist: 'all' },
      split: { ...defaultLibraryOptions.split, artists: [';'] },
      views: [{ root: 'Genres', template: '$genre', each: 'genre' }],
    },
  });
  const wrong = {
    'template = "$albun"': /library\.template: column 1: /,
    'split = { titel = [";"] }': /library\.split: titel is no field that may have several values: artists, /,
    'replace = { "ab" = "c" }': /what is replaced is one character/,
    'unsorted = "a/b"': /library\.unsorted: a name has no "\/"/,
    'tempalte = "x"': /library\.tempalte/,
    'path_grace = -1': /library\.path_grace/,
    'case = "lower"': /library\.case/,
    'max_path = 30': /library\.max_path: 0, or 60 and more/,
    'multi_artist = true': /library\.multi_artist/,
    '[[library.views]]\nroot = "a/b"\ntemplate = "$title"': /a name has no "\/"/,
    '[[library.views]]\nroot = "A"\ntemplate = "$titel"': /library\.views\.0\.template: column 1: /,
    '[[library.views]]\nroot = "A"\ntemplate = "$title"\neach = "title"': /title is no field that may have/,
    '[[library.views]]\nroot = "A"\ntemplate = "$title"\n[[library.views]]\nroot = "a"\ntemplate = "$title"':
      /two views have the same root/,
  };
  for (const [line, message] of Object.entries(wrong))
    await expect(settled(`[library]\n${line}`), line).rejects.toThrow(message);
});

test('what a scan leaves out is settled beside the layout, not in it', async () => {
  const folder = temporaryDirectory();
  const config = path.join(folder, 'c.toml');
  const settled = async (text: string, origin = '') => {
    writeFileSync(config, `${text}\n[[origins]]\npath = "music"\n${origin}\n`);
    return settleOptions({ mountPoint: '/m', origins: [], config }, context);
  };
  const plain = await settled('');
  expect(plain.scan).toEqual(defaultScan);
  expect(plain.origins).toMatchObject([{ symlinks: 'inside' }]);
  const chosen = await settled(
    '[library]\nignore = ["/Incoming/", "*.demo.flac"]\nignore_builtin = false\nextensions = ["FLAC", "xyz"]\nsidecars = ["LRC", "jpg"]\nlegacy_charset = "windows-1251"\n[library.refresh]\nbackground = "03:30"\n',
    'symlinks = "none"',
  );
  expect(chosen.library).toEqual(plain.library);
  expect(chosen.scan).toEqual({
    ...{ ignore: ['/Incoming/', '*.demo.flac'], ignoreBuiltin: false },
    ...{ extensions: ['flac', 'xyz'], sidecars: ['lrc', 'jpg'], legacyCharset: 'windows-1251' },
    background: '03:30',
  });
  expect(chosen.origins).toMatchObject([{ symlinks: 'none' }]);
  const wrong = {
    'ignore = ["a\\nb"]': /library\.ignore\.0: a pattern is one line/,
    'ignore = [""]': /library\.ignore\.0: a pattern needs a character/,
    [`ignore = ["${'ü'.repeat(600)}"]`]: /library\.ignore\.0: that pattern is too long/,
    'sidecars = [".jpg"]': /library\.sidecars\.0: an extension is 1 to 16 of a-z and 0-9, without a dot/,
    'sidecars = ["mp3"]': /library\.sidecars: files with one of these extensions are music/,
    'extensions = ["jpg"]': /library\.sidecars: files with one of these extensions are music/,
    'legacy_charset = "klingon"': /library\.legacy_charset: no code page of that name is known/,
    'legacy_charset = "utf-8"': /library\.legacy_charset/,
    'refresh = { background = "daily" }':
      /library\.refresh\.background: a time of day, "03:30", or a cron pattern/,
    'refresh = { background = "25:00" }': /library\.refresh\.background: .*hour/,
    'extensions = []': /library\.extensions: without an extension there is no music/,
  };
  for (const [line, message] of Object.entries(wrong))
    await expect(settled(`[library]\n${line}`), line).rejects.toThrow(message);
  const all = settled('', 'symlinks = "all"');
  await expect(all).rejects.toThrow(/origins\.0\.symlinks: "all" is not supported yet/);
  const sftp = settled('', '[[origins]]\nkind = "sftp"\nhost = "nas"\nsymlinks = "none"');
  await expect(sftp).rejects.toThrow(/symlinks/);
});

test('a record of an earlier program is read with what it did not know', async () => {
  const state = temporaryDirectory();
  const { scan: _scan, ...options } = await settleOptions(given({ state }), context);
  const origins = options.origins.map((origin) => ({ ...origin, symlinks: undefined }));
  writeFileSync(path.join(state, 'options.json'), JSON.stringify({ format: 1, ...options, origins }));
  expect(recordedOptions(state)).toMatchObject({ scan: defaultScan, origins: [{ symlinks: 'inside' }] });
});
