// The mount never writes: every call that would change something fails, and changes nothing anywhere.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFlacLibrary } from '../../fixtures/flac-library.ts';
import { type Library, mountLibrary, mountSharedLibrary } from '../../fixtures/mounted.ts';
import type { Call, Target } from '../../fixtures/programs/refused-calls.ts';

type Row = readonly [call: Call, target: Target, answer: string];

const making: readonly Call[] = [
  'mkdir',
  'mknod of a file',
  'mknod of a fifo',
  'mknod of a device',
  'symlink',
  'link of a file inside',
];
const changing: readonly Call[] = [
  'chmod',
  'chown',
  'utimensat',
  'truncate',
  'setxattr',
  'setxattr of a new name',
  'removexattr',
];
const removing: readonly Call[] = ['unlink', 'rmdir', 'rename inside', 'rename that must not replace'];

const rows: readonly Row[] = [
  ['open for writing', 'a file', 'EROFS'],
  ['open for reading and writing', 'a file', 'EROFS'],
  ['open for appending', 'a file', 'EROFS'],
  ['open with truncation', 'a file', 'EROFS'],
  ['open with creation', 'a file', 'ok'],
  ['open with creation, for writing', 'a file', 'EROFS'],
  ['open with creation', 'a new name', 'EROFS'],
  ['open with creation', 'a new name in a directory', 'EROFS'],
  ['open with creation, for writing', 'a new name', 'EROFS'],
  ['open of a nameless file', 'a directory', 'EROFS'],
  ['open with exclusive creation', 'a file', 'EEXIST'],
  ['open with exclusive creation', 'a new name', 'EROFS'],
  ...making.flatMap((call): Row[] => [
    [call, 'a file', 'EEXIST'],
    [call, 'a directory', 'EEXIST'],
    [call, 'a new name', 'EROFS'],
    [call, 'a new name in a directory', 'EROFS'],
    [call, 'a missing parent', 'ENOENT'],
  ]),
  ...removing.flatMap((call): Row[] => [
    [call, 'a file', 'EROFS'],
    [call, 'a directory', 'EROFS'],
    [call, 'a missing file', 'EROFS'],
    [call, 'a missing parent', 'ENOENT'],
  ]),
  ['rename onto a name inside', 'a file', 'EROFS'],
  ['rename onto a name inside', 'a new name', 'EROFS'],
  ['rename that exchanges', 'a file', 'EROFS'],
  ['rename out', 'a file', 'EXDEV'],
  ['rename in', 'a new name', 'EXDEV'],
  ['link out', 'a file', 'EXDEV'],
  ...changing.flatMap((call): Row[] => [
    [call, 'a file', 'EROFS'],
    [call, 'a missing file', 'ENOENT'],
    [call, 'a missing parent', 'ENOENT'],
  ]),
  ['chmod', 'a directory', 'EROFS'],
  ['chown', 'a directory', 'EROFS'],
  ['utimensat', 'a directory', 'EROFS'],
  ['setxattr', 'a directory', 'EROFS'],
  ['access for writing', 'a file', 'EROFS'],
  ['access for writing', 'a directory', 'EROFS'],
  ['fchmod', 'a file', 'EROFS'],
  ['write', 'a file', 'EBADF'],
  ['fallocate', 'a file', 'EBADF'],
  ['copy_file_range into it', 'a file', 'EBADF'],
  ['ftruncate', 'a file', 'EINVAL'],
  ['execve', 'a file', 'EACCES'],
];

let library: Library;
let answers: readonly string[];
let before: Snapshot;
let after: Snapshot;

beforeAll(async () => {
  library = await mountSharedLibrary({ origin: (root) => writeFlacLibrary(root, { files: 12, albums: 3 }) });
  writeFileSync(path.join(library.folder, 'outside'), 'a file on another file system');
  before = await snapshot();
  answers = await library.program<string[]>(
    'refused-calls',
    [library.mountPoint, 'Artist 0/Album 0 (1960) [FLAC]/01 - Title 0.flac', library.folder],
    { input: JSON.stringify(rows.map(([call, target]) => [call, target])) },
  );
  after = await snapshot();
});
afterAll(() => library.remove());

test.each(rows.map((row, index) => ({ call: row[0], target: row[1], answer: row[2], index })))(
  '8.1: $call on $target answers $answer',
  ({ answer, index }) => {
    expect(answers[index]).toBe(answer);
  },
);

test('8.1: nothing has changed on the mount, in the catalog, or on the origin', () => {
  expect(after).toEqual(before);
});

test('8.1: nor can anything be changed when somebody makes the mount writable', async () => {
  const writable = await mountLibrary({ origin: (root) => writeFlacLibrary(root, { files: 2, albums: 1 }) });
  await writable.shell('mount --internal-only -o remount,rw $M');
  const file = '"$M/Artist 0/Album 0 (1960) [FLAC]/01 - Title 0.flac"';
  const answers = await writable.tryShell(`
    exec 2>&1; export LC_ALL=C
    mkdir $M/new; mknod $M/new p; touch $M/new; ln -s x $M/new; ln ${file} $M/new; mv ${file} $M/new
    rm -f ${file}; rmdir "$M/Artist 0"; chmod 600 ${file}; chown 7 ${file}; touch ${file}; truncate -s 0 ${file}
    echo > ${file}; setfattr -n user.x -v x ${file}; setfattr -x user.musicfs.id ${file}`);
  const lines = answers.stdout.trimEnd().split('\n');
  expect(lines.filter((line) => !line.endsWith('Read-only file system'))).toEqual([]);
  expect(lines).toHaveLength(15);
  expect(await writable.shell('find $M -type f | wc -l')).toBe('2');
});

interface Snapshot {
  readonly catalog: unknown;
  readonly listing: string;
  readonly bytes: string;
  readonly origin: string;
  readonly originBytes: string;
}

async function snapshot(): Promise<Snapshot> {
  const { files, tracks, directories, scan } = await library.status();
  return {
    catalog: { files, tracks, directories, scan },
    listing: await library.shell('find $M -printf "%i %M %n %s %T@ %C@ %P\\n"'),
    bytes: await library.shell('find $M -type f -print0 | xargs -0 sha256sum'),
    origin: await library.shell('find $O -printf "%i %M %n %s %T@ %C@ %A@ %P\\n"'),
    originBytes: await library.shell('find $O -type f -print0 | xargs -0 sha256sum'),
  };
}
