// docs/SEMANTICS.md, section 12: other ways in.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { writeSong } from '../../fixtures/albums.ts';
import { writeMixedLibrary } from '../../fixtures/mixed-library.ts';
import { type Library, mountSharedLibrary } from '../../fixtures/mounted.ts';
import { exportByNfs, shareBySmb } from '../../fixtures/servers.ts';

let library: Library;
let files: string[];
/** Size of a file that was published last, by itself. */
let newest: number;

beforeAll(async () => {
  library = await mountSharedLibrary({ origin: writeMixedLibrary, args: ['--allow-other'] });
  newest = writeSong(library.origin, 'new.flac', {
    artist: 'New',
    album: 'One',
    title: 'T',
    track: 1,
  }).length;
  await library.rescan();
  files = (await library.shell('cd $M && find . -type f | sort')).split('\n').map((name) => name.slice(2));
});
afterAll(() => library.remove());

const hashes = () => library.shell('cd $M && find . -type f -print0 | sort -z | xargs -0 sha256sum');
const bytesRead = async () => (await library.status()).fuse.bytesRead;

test('12.1: an NFS client lists the whole tree and reads it equal, also after the kernel forgot every entry', async () => {
  const { url, query } = await exportByNfs(library);
  const listed = await library.shell(`nfs-ls -R '${url}${query}'`);
  const names = listed
    .split('\n')
    .filter((line) => line.startsWith('-'))
    .map((line) => line.replace(/^\S+\s+\d+\s+\d+\s+\d+\s+\d+ /, ''));
  expect(names.sort()).toEqual([...files].sort());
  await library.shell('echo 2 > /proc/sys/vm/drop_caches');
  const script = path.join(library.folder, 'read-by-nfs');
  writeFileSync(
    script,
    files.map((name) => `nfs-cat '${url}/${name}${query}' | sha256sum | sed 's|-|./${name}|'`).join('\n'),
  );
  expect(await library.shell(`bash ${script}`, { limitMs: 30_000 })).toBe(await hashes());
  const directory = path.dirname(files[0] ?? '');
  expect(
    await library.shell(`nfs-ls '${url}/${directory}/../${path.basename(directory)}/.${query}' | wc -l`),
  ).toBe(await library.shell(`ls "$M/${directory}" | wc -l`));
}, 60_000);

test('12.2: an SMB client lists and reads everything, finds names in any case, and can write nothing', async () => {
  const share = await shareBySmb(library);
  const copy = path.join(library.folder, 'by-smb');
  mkdirSync(copy);
  await library.shell(`cd ${copy} && smbclient ${share} -c 'recurse; prompt; mget *'`, { limitMs: 30_000 });
  await library.shell(`diff -r $M ${copy}`);
  const [directory = '', name = ''] = [path.dirname(files[0] ?? ''), path.basename(files[0] ?? '')];
  const upper = `cd "${directory.toUpperCase()}"; ls "${name.toUpperCase()}"`;
  expect(await library.shell(`smbclient ${share} -c '${upper}'`)).toContain(name);
  const written = await library.tryShell(
    `smbclient ${share} -c 'put /etc/hostname new; mkdir new; cd "${directory}"; del *'`,
  );
  expect(written.stdout + written.stderr).toMatch(/MEDIA_WRITE_PROTECTED|ACCESS_DENIED/);
  await library.shell(`diff -r $M ${copy}`);
}, 60_000);

test('12.3: a bind mount shows the same tree', async () => {
  const bound = path.join(library.folder, 'bound');
  mkdirSync(bound);
  await library.shell(`mount --bind $M ${bound}`);
  onTestFinished(async () => void (await library.shell(`umount ${bound}`)));
  const look = (root: string) => library.shell(`cd ${root} && find . -printf "%i %s %T@ %P\\n"`);
  expect(await look(bound)).toBe(await look('$M'));
  expect(await library.shell(`diff -r $M ${bound}`)).toBe('');
});

test.each([
  [
    'restic',
    'restic -q init && restic -q backup $M',
    'restic -q backup $M && restic -q restore latest --target $W/out && diff -r $M $W/out$M',
  ],
  ['borg', 'borg init -e none $W/borg && borg create $W/borg::one $M', 'borg create $W/borg::two $M'],
  ['rsync', 'rsync -a $M/ $W/copy/', 'rsync -a $M/ $W/copy/ && diff -r $M $W/copy'],
])(
  '12.4: a second backup by %s reads no byte',
  async (tool, first, second) => {
    const work = path.join(library.folder, tool);
    mkdirSync(work);
    const env = {
      W: work,
      HOME: work,
      RESTIC_REPOSITORY: path.join(work, 'repository'),
      RESTIC_PASSWORD: 'x',
      BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    };
    const [command = '', ...check] = second.split(' && ');
    await library.shell(first, { env, limitMs: 30_000 });
    await library.shell('sync; echo 1 > /proc/sys/vm/drop_caches');
    const before = await bytesRead();
    await library.shell(command, { env, limitMs: 30_000 });
    // borg never trusts the file that changed last.
    expect((await bytesRead()) - before).toBe(tool === 'borg' ? newest : 0);
    for (const line of check) await library.shell(line, { env, limitMs: 30_000 });
  },
  60_000,
);
