// The whole tree of a library of odd files, as the kernel shows it, against files that are read and judged by people:
// expected-tree.txt (the default template), expected-tree-classic.txt, and expected-tree-fields.txt (a template of
// most other variables, names = "posix").
//
// Each has one line for each case, where its file is shown and what decided it, then every path of the mount in the
// order in which its directory lists it. After a change that is meant to change names:
//
//   MUSICFS_WRITE_EXPECTED=1 npx vitest run --project kernel test/corpus
//
// and read the difference line by line: what stands there is what users see.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ExplainedTrack, explainTrack } from '../../src/catalog/explain-track.ts';
import { openCatalogForReading } from '../../src/catalog/open-catalog.ts';
import { defaultLibraryOptions, type LibraryOptions } from '../../src/library/library-options.ts';
import { foldName } from '../../src/library/names.ts';
import { parseTemplate } from '../../src/library/template.ts';
import { type Library, mountSharedLibrary, newLibrary } from '../fixtures/mounted.ts';
import type { RawTree } from '../fixtures/programs/list-raw.ts';
import { exportByNfs, shareBySmb } from '../fixtures/servers.ts';
import { areas, writeCorpus } from './corpus.ts';

const cases = areas.flatMap((area) => area.cases);
let library: Library;

beforeAll(async () => {
  library = await mountSharedLibrary({ origin: writeCorpus, args: ['--allow-other'] });
}, 60_000);
afterAll(() => library.remove());

/** Every path of the mount, folders with a "/" behind, in the order of the listings. */
async function listed(of: Library): Promise<string[]> {
  const tree = await of.program<RawTree>('list-raw', [of.mountPoint]);
  const below = (directory: string): string[] =>
    (tree[directory] ?? [])
      .filter(({ name }) => name !== '.' && name !== '..')
      .flatMap(({ name }) => {
        const whole = path.join(directory, name);
        return tree[whole] === undefined ? [whole] : [`${whole}/`, ...below(whole)];
      });
  return below('');
}

/** How a library of the corpus is laid out: the same as its configuration says. */
interface Layout {
  readonly template: string;
  readonly options: Partial<LibraryOptions>;
}

const byDefault: Layout = { template: 'default', options: {} };

/** Shown path → why it is there, out of the catalog, as the command takes a thread for each. */
function explained(
  { stateDirectory }: Library,
  paths: readonly string[],
  { template, options }: Layout = byDefault,
): Map<string, ExplainedTrack> {
  const parsed = parseTemplate(template);
  if (parsed.type !== 'parsed') throw new Error(parsed.reason);
  const layout = { template: parsed.template, library: { ...defaultLibraryOptions, ...options } };
  const database = openCatalogForReading(path.join(stateDirectory, 'catalog.db'));
  try {
    return new Map(paths.map((shown) => [shown, explainTrack(database, shown, layout)]));
  } finally {
    database.close();
  }
}

/** Characters that steer a terminal or an editor, spelled out. */
const visible = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200c\u200e-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\\/g,
    (character) =>
      character === '\\' ? '\\\\' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The rule of the album artist and what happened to the names; for the unsorted why they are. */
function reasonOf({ state, rules }: ExplainedTrack): string {
  const [first = '', ...others] = rules.map(({ id }) => id);
  const rest = others.filter((id) => id === 'shared' || id === 'name' || id === 'suffix');
  return [...new Set([state === 'ok' ? first : state, ...rest])].join(', ');
}

async function report(of: Library, layout: Layout, title: string): Promise<string> {
  const paths = await listed(of);
  const files = paths.filter((shown) => !shown.endsWith('/'));
  const why = explained(of, files, layout);
  const places = new Map([...why].map(([shown, reason]) => [reason.realPath, { shown, reason }]));
  const lines = [
    `# ${title}`,
    '# Written by corpus.test.ts; each line is what users see. "#!" says what is not as it should be yet.',
  ];
  for (const area of areas) {
    lines.push('', `## ${area.name}`, '');
    for (const { path: real, what, wrong } of area.cases) {
      const place = places.get(real);
      places.delete(real);
      lines.push(`# ${visible(what)}`);
      if (wrong !== undefined) lines.push(`#! ${visible(wrong)}`);
      lines.push(
        place === undefined
          ? `${visible(real)} -> nowhere`
          : `${visible(real)} -> ${visible(place.shown)}  (${reasonOf(place.reason)})`,
      );
    }
  }
  expect([...places.keys()], 'files that are no case').toEqual([]);
  lines.push('', '## the tree', '', ...paths.map(visible));
  return `${lines.join('\n')}\n`;
}

async function expectAsWritten(of: Library, layout: Layout, file: string, title: string): Promise<void> {
  const place = path.join(import.meta.dirname, file);
  const now = await report(of, layout, title);
  if (process.env['MUSICFS_WRITE_EXPECTED'] === '1') writeFileSync(place, now);
  expect(now).toBe(readFileSync(place, 'utf8'));
}

/** The same files under another configuration. */
async function mountedWith(settings: string): Promise<Library> {
  const other = newLibrary(library.origin);
  const config = path.join(other.folder, 'musicfs.toml');
  writeFileSync(config, `[library]\n${settings}\n[[origins]]\npath = "${library.origin}"\n`);
  other.config = config;
  await other.mount();
  return other;
}

test('the corpus is large enough, and no case is written over another', () => {
  expect(cases.length).toBeGreaterThan(200);
  expect(new Set(cases.map((each) => each.path)).size).toBe(cases.length);
});

test('under the default template the tree is the expected one', async () => {
  await expectAsWritten(library, byDefault, 'expected-tree.txt', 'The corpus under the template "default".');
}, 60_000);

test('under the preset "classic" the tree is the expected one', async () => {
  const classic = await mountedWith('template = "classic"');
  await expectAsWritten(
    classic,
    { template: 'classic', options: {} },
    'expected-tree-classic.txt',
    'The corpus under the template "classic".',
  );
}, 60_000);

test('under a template of most other variables, with the names of Unix, the tree is the expected one', async () => {
  const template =
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of ours
    "$genre/${album_artist:sort}/${original_year|year|'no year'} $album</Disc $disc_multi>/<$track. >$artist - $title";
  const fields = await mountedWith(`template = "${template}"\nnames = "posix"\nyear = "original"`);
  await expectAsWritten(
    fields,
    { template, options: { names: 'posix', year: 'original' } },
    'expected-tree-fields.txt',
    `The corpus under the template ${template}, names = "posix".`,
  );
}, 60_000);

/** Path below a root → hash of the file there. */
async function hashesBelow(root: string): Promise<Map<string, string>> {
  const output = await library.shell(`cd ${root} && find . -type f -print0 | xargs -0 sha256sum -z`, {
    limitMs: 60_000,
  });
  const lines = output.split('\0').filter((line) => line !== '');
  return new Map(lines.map((line) => [line.slice(68), line.slice(0, 64)]));
}

test('every file of the tree has the bytes of its own real file', async () => {
  const [shown, real] = [await hashesBelow('$M'), await hashesBelow('$O')];
  const why = explained(library, [...shown.keys()]);
  expect(shown.size).toBeGreaterThan(200);
  for (const [name, hash] of shown)
    expect([name, hash]).toEqual([name, real.get(why.get(name)?.realPath ?? '')]);
}, 60_000);

test('through Samba every name and every byte is the same', async () => {
  const share = await shareBySmb(library);
  const copy = path.join(library.folder, 'by-smb');
  mkdirSync(copy);
  await library.shell(`cd ${copy} && smbclient ${share} -c 'recurse; prompt; mget *'`, { limitMs: 100_000 });
  const directories = (root: string) => library.shell(`cd ${root} && find . -type d | sort`);
  expect(await directories(copy)).toBe(await directories('$M'));
  const [read, shown] = [await hashesBelow(copy), await hashesBelow('$M')];
  expect(new Set(read)).toEqual(new Set(shown));
}, 120_000);

test('through NFS every name and every byte is the same', async () => {
  const { url, query } = await exportByNfs(library);
  const shown = await hashesBelow('$M');
  const listed = (await library.shell(`nfs-ls -R '${url}${query}'`, { limitMs: 60_000 })).split('\n');
  const names = listed
    .filter((line) => line.startsWith('-'))
    .map((line) => line.replace(/^\S+\s+\d+\s+\d+\s+\d+\s+\d+ /, ''));
  expect(names.sort()).toEqual([...shown.keys()].sort());
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const script = path.join(library.folder, 'read-by-nfs');
  const reads = [...shown.keys()].map((name) => `nfs-cat ${quoted(`${url}/${name}${query}`)} | sha256sum`);
  writeFileSync(script, reads.join('\n'));
  await library.shell('echo 2 > /proc/sys/vm/drop_caches');
  const read = (await library.shell(`bash ${script}`, { limitMs: 100_000 })).split('\n');
  expect(read.map((line) => line.slice(0, 64))).toEqual([...shown.values()]);
}, 120_000);

test('no name is unsafe for a share or a stick, too long, or the same as a neighbour in another case', async () => {
  const paths = await listed(library);
  const device = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)/i;
  const neighbours = new Set<string>();
  for (const whole of paths.map((name) => name.replace(/\/$/, ''))) {
    const name = path.basename(whole);
    expect(Buffer.byteLength(name), name).toBeLessThanOrEqual(255);
    expect(name, name).not.toMatch(/[\u0000-\u001f\u007f\\:*?"<>|\ufffe]|^[. ]|[. ]$/);
    expect(name, name).not.toMatch(device);
    expect(name).toBe(name.normalize('NFC'));
    neighbours.add(`${path.dirname(whole)}/${foldName(name)}`);
  }
  expect(neighbours.size).toBe(paths.length);
});
