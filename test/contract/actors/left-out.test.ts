// What a scan of a real folder leaves out of the library, and what it takes out: the rules of ignoring, and how they and
// the guard of removals go together.
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { libraryLimits } from '../../../src/library/library-limits.ts';
import { MusicfsError } from '../../../src/platform/errors.ts';
import { track } from '../../fixtures/library-catalog.ts';
import { ScannedFolder } from '../../fixtures/scanned-folder.ts';

const rules = '.musicfsignore';

test('rules apply below the folder they lie in, deeper ones over those above, and hidden folders are not walked', async () => {
  const folder = new ScannedFolder();
  folder.write(
    'a.flac',
    'demo.flac',
    'live/a.flac',
    'live/deep/b.flac',
    'box/live/a.flac',
    'box/demo.flac',
    'box/CD1/demo.flac',
    'box/CD1/keep.flac',
    [rules, 'demo.flac\n/live/\n'],
    [`box/${rules}`, '!demo.flac\n'],
    [`box/CD1/${rules}`, '*\n!keep.flac\n'],
  );
  const { added, errors, warnings } = await folder.scan();
  expect(folder.listed()).toEqual(['a.flac', 'box/CD1/keep.flac', 'box/demo.flac', 'box/live/a.flac']);
  expect({ added, errors, warnings }).toEqual({ added: 4, errors: 0, warnings: [] });
  expect(folder.walked.sort()).toEqual(['', 'box', 'box/CD1', 'box/live']);
});

test('configured patterns are below the rules of folders, and the built-in names above both until they are switched off', async () => {
  const folder = new ScannedFolder();
  folder.write('@eaDir/a.flac', '._a.flac', 'tmp/a.flac', 'kept/a.flac', [
    rules,
    '!@eaDir\n!._a.flac\n!kept/\n',
  ]);
  folder.settings = { ...folder.settings, ignore: ['/tmp', '/kept'] };
  await folder.scan();
  expect(folder.listed()).toEqual(['kept/a.flac']);
  expect(folder.walked.sort()).toEqual(['', 'kept']);
  folder.settings = { ...folder.settings, ignoreBuiltin: false, ignore: ['/kept'] };
  folder.write([rules, '']);
  const { added, removed } = await folder.scan();
  expect(folder.listed()).toEqual(['._a.flac', '@eaDir/a.flac', 'tmp/a.flac']);
  expect({ added, removed }).toEqual({ added: 3, removed: 1 });
});

const manySongs = Array.from({ length: 120 }, (_, index) => `many/${index}.flac`);

test.each([
  { rule: 'many/', what: 'a folder' },
  { rule: '/many/*.flac', what: 'files by their names' },
  { rule: '*', what: 'everything' },
])(
  'a rule that hides $what takes out however many it hides, and the same nodes are back without it',
  async ({ rule }) => {
    const folder = new ScannedFolder();
    folder.write('other/a.flac', ...manySongs);
    await folder.scan();
    const before = manySongs.map((name) => folder.nodeOf(name));
    folder.write([rules, `${rule}\n`]);
    const left = rule === '*' ? [] : ['other/a.flac'];
    expect(await folder.scan()).toMatchObject({ removed: 121 - left.length, held: 0, errors: 0 });
    expect(folder.listed()).toEqual(left);
    expect(await folder.scan()).toMatchObject({ added: 0, removed: 0, held: 0 });
    folder.remove(rules);
    expect(await folder.scan()).toMatchObject({ added: 121 - left.length });
    expect(manySongs.map((name) => folder.nodeOf(name))).toEqual(before);
  },
);

test('R-43: what a rule hides does not make room for the loss of the rest', async () => {
  const folder = new ScannedFolder();
  const hidden = Array.from({ length: 700 }, (_, index) => track(`many/${index}`, `T${index}`));
  const lost = Array.from({ length: 60 }, (_, index) => track(`disk/${index}`, `D${index}`));
  folder.catalog.publish(...hidden, ...lost); // as if scanned before
  folder.write('other/a.flac', 'many/0.flac', [rules, 'many/\n']);
  expect(await folder.scan()).toMatchObject({ added: 1, removed: 700, held: 60 });
  expect(folder.listed()).toHaveLength(61);
});

test('R-43: a disk that vanished with the rules that showed its files is not taken for one that is hidden', async () => {
  const folder = new ScannedFolder();
  folder.settings = { ...folder.settings, ignore: ['*.flac', 'many/'] };
  folder.write('stays/a.flac', [`stays/${rules}`, '!*.flac\n'], [`disk/${rules}`, '!many/\n!*.flac\n']);
  folder.write(...manySongs.map((name) => `disk/${name}`), 'disk/few/a.flac');
  expect(await folder.scan()).toMatchObject({ added: 122 });
  folder.remove('disk');
  mkdirSync(folder.at('disk'));
  expect(await folder.scan()).toMatchObject({ removed: 0, held: 121 });
  expect(folder.listed()).toHaveLength(122);
});

test('R-43: an emptied disk loses nothing, with a rule that hides all of it or without', async () => {
  const folder = new ScannedFolder();
  folder.write('a.flac', 'b/c.flac', [rules, 'none\n']);
  await folder.scan();
  renameSync(folder.at('b'), folder.at('.b.part'));
  folder.remove('a.flac', rules);
  expect(await folder.scan()).toMatchObject({ removed: 0, held: 2 });
  folder.write([rules, '*\n']);
  expect(await folder.scan()).toMatchObject({ removed: 0, held: 2 });
  expect(folder.listed()).toEqual(['a.flac', 'b/c.flac']);
});

test('a folder whose rules cannot be read stays as it is: nothing of it comes, nothing at all goes', async () => {
  const folder = new ScannedFolder();
  folder.write('album/a.flac', 'album/demo.flac', 'album/CD2/b.flac', 'other/c.flac', 'other/d.flac');
  folder.write([`album/${rules}`, 'demo.flac\n']);
  await folder.scan();
  folder.write('album/new.flac', 'other/new.flac');
  folder.remove('album/a.flac', 'other/d.flac');
  folder.before = (what, at) => {
    if (what === 'read') throw new MusicfsError('origin_unavailable', `${at}: I/O error`);
  };
  const failed = await folder.scan();
  expect(failed).toMatchObject({ added: 1, removed: 0, errors: 1, wasComplete: false });
  expect(failed.warnings).toMatchObject([
    { event: 'ignore_file_unreadable', path: `album/${rules}`, error: expect.stringContaining('I/O error') },
    { event: 'scan_incomplete' },
  ]);
  expect(folder.listed()).toEqual([
    ...['album/CD2/b.flac', 'album/a.flac', 'other/c.flac', 'other/d.flac', 'other/new.flac'],
  ]);
  folder.before = () => undefined;
  expect(await folder.scan()).toMatchObject({ added: 1, removed: 2, wasComplete: true });
});

test.each([
  { what: 'a folder', make: (at: string) => mkdirSync(at) },
  { what: 'a link', make: (at: string) => symlinkSync('rules', at) },
])('rules that are $what cannot be read', async ({ make }) => {
  const folder = new ScannedFolder();
  folder.write('album/a.flac', ['album/rules', 'none\n'], 'b.flac');
  make(folder.at(`album/${rules}`));
  const { warnings } = await folder.scan();
  expect(warnings[0]).toMatchObject({ event: 'ignore_file_unreadable', error: 'it is no plain file' });
  expect(folder.listed()).toEqual(['b.flac']);
});

test('rules that are replaced while their folder is listed are read as they are then, and those that go do not count', async () => {
  const folder = new ScannedFolder();
  folder.write('a.flac', 'b.flac', [rules, 'a.flac\n'], 'sub/c.flac', [`sub/${rules}`, '*\n']);
  const replaced = new Set<string>();
  folder.before = (what, at) => {
    if (what !== 'read' || replaced.has(at)) return;
    replaced.add(at);
    if (at === rules) folder.write([rules, '# now it is\nb.flac\n']);
    else folder.remove(at);
  };
  const { errors, warnings } = await folder.scan();
  expect({ errors, warnings }).toEqual({ errors: 0, warnings: [] });
  expect(folder.listed()).toEqual(['a.flac', 'sub/c.flac']);
});

test('of rules that are too long the first apply, and the log says so once a scan', async () => {
  const folder = new ScannedFolder();
  const line = `${'x'.repeat(libraryLimits.ignoreLineBytes + 1)}\n`;
  folder.write('a.flac', 'demo.flac', 'late.flac', 'sub/demo.flac');
  folder.write([rules, `demo.flac\n${line}${`#${'-'.repeat(126)}\n`.repeat(520)}late.flac\n`]);
  folder.settings = { ...folder.settings, ignore: ['a**b**c**d'] };
  const { warnings, wasComplete } = await folder.scan();
  expect(warnings).toMatchObject([
    { event: 'ignore_rules_left_out', path: 'library.ignore', reason: 'too_many_wildcards', line: 1 },
    { event: 'ignore_rules_left_out', path: rules, reason: 'file_too_large' },
    { event: 'ignore_rules_left_out', path: rules, reason: 'line_too_long', line: 2, lines: 1 },
  ]);
  expect(wasComplete).toBe(true);
  expect(folder.listed()).toEqual(['a.flac', 'late.flac']);
});

test('more rules than may be held close the folders that hold them, and no more', async () => {
  const folder = new ScannedFolder();
  const long = `${'#'.repeat(1000)}\n`.repeat(64);
  for (let index = 0; index < 6; index += 1) folder.write(`${index}/a.flac`, [`${index}/${rules}`, long]);
  folder.write('without/a.flac');
  const { errors, wasComplete } = await folder.scan();
  expect({ errors, wasComplete }).toEqual({ errors: 2, wasComplete: false });
  expect(folder.listed()).toHaveLength(5);
});

test('what is looked at first and is hidden by now leaves in the same scan', async () => {
  const folder = new ScannedFolder();
  folder.write('a.flac', 'b.flac');
  await folder.scan();
  folder.write([rules, 'a.flac\n']);
  expect(await folder.scan(['a.flac', 'b.flac'])).toMatchObject({ removed: 1 });
  expect(folder.listed()).toEqual(['b.flac']);
});
