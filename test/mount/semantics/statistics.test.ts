// docs/SEMANTICS.md, section 10: statistics, extended attributes, special files; and 5.1, 9.1.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeAlbum, writeSong } from '../../fixtures/albums.ts';
import { makeFlac } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { writeMixedLibrary } from '../../fixtures/mixed-library.ts';
import { type Library, mountLibrary, mountSharedLibrary } from '../../fixtures/mounted.ts';
import { TalkingChild } from '../../fixtures/talking-child.ts';

let library: Library;
const rich = '$M/Rich/Tags [FLAC]/07 - Title.flac';

beforeAll(async () => {
  library = await mountSharedLibrary({
    origin: (root) => {
      writeMixedLibrary(root);
      const tags = [
        ['TITLE', 'Title'],
        ['ARTIST', 'Rich'],
        ['ALBUM', 'Tags'],
        ['TRACKNUMBER', '7'],
        ['GENRE', 'Jazz'],
        ['GENRE', 'Blues'],
        ['MY_OWN', 'value'],
        ['COMMENT', 'c'.repeat(70_000)],
      ] as const;
      writeFileSync(path.join(root, 'rich.flac'), makeFlac(tags, { audioBytes: 4000 }));
    },
  });
});
afterAll(() => library.remove());

test('10.1: statfs tells of the library', async () => {
  const { files, directories } = await library.status();
  const bytes = Number(
    await library.shell('find $M -type f -printf "%s\\n" | awk \'{s+=$1} END {print s}\''),
  );
  const [size, blocks, nodes, longest, free] = (await library.shell('stat -f -c "%S %b %c %l %a" $M')).split(
    ' ',
  );
  expect([size, blocks, nodes, longest]).toEqual(
    [4096, Math.ceil(bytes / 4096), files + directories, 255].map(String),
  );
  expect(Number(free)).toBeGreaterThan(0);
  expect(await library.shell('findmnt -no OPTIONS $M')).toMatch(/^ro,nosuid,nodev,/);
});

test('10.2: what is listed is answered, and nothing can be set', async () => {
  const names = (await library.shell(`getfattr "${rich}" 2>/dev/null | grep -v '^#'`))
    .split('\n')
    .filter(Boolean);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) await library.shell(`getfattr --only-values -n '${name}' "${rich}"`);
  expect((await library.tryShell(`setfattr -n user.tag.title -v x "${rich}"`)).stderr).toContain(
    'Read-only file system',
  );
});

test('10.3, 10.4: attributes say where a file is from and what its tags are', async () => {
  const value = (name: string) => library.shell(`getfattr --only-values -n ${name} "${rich}" | tr '\\0' '|'`);
  const own = [
    'id',
    'version',
    'origin',
    'real_path',
    'served_by',
    'locations',
    'state',
    'why',
    'overlay',
    'audio_fp',
  ];
  const listed = (
    await library.shell(`getfattr -m user.musicfs "${rich}" 2>/dev/null | grep musicfs\\\\.`)
  ).split('\n');
  expect(listed.map((name) => name.replace('user.musicfs.', '')).sort()).toEqual([...own].sort());
  expect(await value('user.musicfs.real_path')).toBe('rich.flac');
  expect(await value('user.musicfs.id')).toBe(await library.shell(`stat -c %i "${rich}"`));
  expect(await value('user.tag.title')).toBe('Title');
  expect(await value('user.tag.genre')).toBe('Jazz|Blues');
  expect(await value('user.tag.custom.MY_OWN')).toBe('value');
  expect(await value('user.tag.track')).toBe('7');
  const refused = async (name: string) => (await library.tryShell(`getfattr -n ${name} "${rich}"`)).stderr;
  expect(await refused('security.capability')).toContain('No such attribute');
  expect(await refused('system.posix_acl_default')).toContain('Operation not supported');
  expect(await library.shell('getfattr -m - -d $M/Rich 2>/dev/null')).toMatch(/user.musicfs.id="\d+"/);
});

test('10.5: /.musicfs says how the daemon is; what is open does not change; refresh asks for a scan', async () => {
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 2) });
  expect(await own.shell('ls $M/.musicfs')).toBe('alive\norigins\nrefresh\nstatus\nstatus.txt\nwarnings');
  // What comes from the main side may be written anew between the two.
  const differing = await own.shell(
    'for f in alive origins warnings; do [ $(stat -c %s $M/.musicfs/$f) = $(cat $M/.musicfs/$f | wc -c) ] || echo $f; done',
  );
  expect(differing).toBe('');
  expect(await own.shell('cat $M/.musicfs/alive')).toBe('alive');
  const statusOf = async () =>
    JSON.parse(await own.shell('cat $M/.musicfs/status')) as { tracks: number; pid: number };
  await eventually('it has been written anew', async () => (await statusOf()).tracks === 2);
  expect((await statusOf()).pid).toBe((await own.status()).pid);
  expect(await own.shell('cat $M/.musicfs/status.txt')).toContain('2 tracks');
  expect(await own.shell('cat $M/.musicfs/origins')).toContain(own.origin);
  const held = new TalkingChild(own.mountPoint, 'held-open', [path.join(own.mountPoint, '.musicfs/status')]);
  await held.ask('');
  const before = [await held.ask('hash'), await held.ask('size')];
  writeSong(own.origin, 'One/3.flac', { artist: 'Ann', album: 'One', title: 'T3', track: 3 });
  expect(await own.shell('cat $M/.musicfs/refresh')).toBe('a scan is queued');
  expect(await own.shell('cat $M/.musicfs/refresh')).toContain('less than a minute ago');
  await eventually('the scan has found it', async () => (await own.status()).tracks === 3);
  await eventually('the file says so', async () => (await statusOf()).tracks === 3);
  expect([await held.ask('hash'), await held.ask('size')]).toEqual(before);
});

test('5.1: what was published is seen before rescan returns, and an absent name a second later', async () => {
  const own = await mountLibrary({ origin: (root) => writeAlbum(root, 'Ann', 'One', 2) });
  const third = '"$M/Ann/One [FLAC]/03 - T3.flac"';
  for (let times = 0; times < 3; times += 1) expect((await own.tryShell(`stat ${third}`)).code).toBe(1);
  await own.shell('ls -lR $M');
  writeSong(own.origin, 'One/3.flac', { artist: 'Ann', album: 'One', title: 'T3', track: 3 });
  await own.rescan();
  expect(await own.shell(`ls "$M/Ann/One [FLAC]" | wc -l`)).toBe('3');
  await own.shell(`stat ${third}`);
});

test('9.1: nothing is written to the origin, not even a time of access', async () => {
  const own = await mountLibrary({ origin: writeMixedLibrary });
  const look = () =>
    own.shell('cd $O && find . -printf "%i %s %T@ %C@ %A@ %n %m %P\\n" | sort; lslocks | grep -c $O || true');
  await own.shell('find $O -exec touch -a -d 2001-01-01 {} +');
  await own.rescan();
  const before = await look();
  await own.shell(
    'find $M -type f -print0 | xargs -0 cat | wc -c; find $M -type f | head -3 | while read -r f; do flock -n "$f" true; done',
  );
  await own.rescan();
  await own.shell('echo 3 > /proc/sys/vm/drop_caches; find $M -type f -print0 | xargs -0 md5sum');
  expect((await look()).split('\n').filter((line) => !before.includes(line))).toEqual([]);
});
