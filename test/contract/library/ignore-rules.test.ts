// The rules against the program whose rules they are: random trees with random files of patterns, each path asked of
// `git check-ignore` and of us. Left out are the two things in which the package `ignore` says it differs from git
// ("**" right after a literal start of a segment, and next to an escaped "/"), and what our limits leave out.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IgnoreRules } from '../../../src/library/ignore-rules.ts';
import { parentOf, type RealPath, realPath, rootRealPath } from '../../../src/library/real-path.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const noFile = null;
let work = '';

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'musicfs-ignore-'));
});

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

interface Tree {
  readonly files: ReadonlySet<RealPath>;
  readonly folders: ReadonlySet<RealPath>;
  /** Folder → its file of patterns, as bytes held as text. */
  readonly rules: ReadonlyMap<RealPath, string>;
  /** What the configuration says; git's info/exclude. */
  readonly configured: readonly string[];
}

const name = fc.constantFrom(
  'a',
  'b',
  'ab',
  'c.mp3',
  '#x',
  '!x',
  'x y',
  'x ',
  'a\r',
  '\u00e9',
  '\u00c3\u00a9',
  'A',
  '[a]',
  'a\\b',
  '*',
);
const atom = fc.constantFrom(
  ...['a', 'b', 'c', '.mp3', '.', '*', '?', '[ab]', '[!a]', '[^b]', '[a-c]', '[[:alpha:]]', '[]a]', '[a'],
  ...[
    '\\*',
    '\\a',
    '\\[',
    ' ',
    '\\ ',
    '#',
    '!',
    '\u00e9',
    '\u00c3',
    'x',
    ']',
    '\\\\',
    '+',
    '(',
    '|',
    '$',
    '{a}',
  ],
);
const segment = fc.oneof(
  { weight: 4, arbitrary: name.map((text) => text.replace(/[\\*[]/g, '\\$&')) },
  { weight: 4, arbitrary: fc.array(atom, { minLength: 1, maxLength: 4 }).map((atoms) => atoms.join('')) },
  { weight: 1, arbitrary: fc.constantFrom('*', '**', '*.mp3', '?') },
);
const pattern = fc
  .tuple(
    fc.constantFrom('', '', '', '!', '/', '!/', '\\', '!!'),
    fc.array(segment, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '', '/', ' ', '  ', '\\ ', '\r', '\r\r', '/ ', '/**', '\t'),
  )
  .map(([start, segments, end]) => start + segments.join('/') + end)
  .filter(
    (text) => !/[^/!]\*{2,}|\*{2,}[^/*]|\\\/|\*{3,}/.test(text) && (text.match(/\*\*/g)?.length ?? 0) <= 2,
  );
const patternFile = fc
  .tuple(
    fc.constantFrom('', '\u00ef\u00bb\u00bf'),
    fc.array(fc.oneof(pattern, fc.constantFrom('', '# no', ' ', '*', '!*/')), { maxLength: 6 }),
  )
  .map(([mark, lines]) => mark + lines.join('\n'));

const tree: fc.Arbitrary<Tree> = fc
  .record({
    paths: fc.array(fc.array(name, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 }),
    rules: fc.array(patternFile, { minLength: 1, maxLength: 4 }),
    configured: fc.array(
      pattern.filter((text) => !text.startsWith('#') && /^[\t -~]*$/.test(text)),
      { maxLength: 3 },
    ),
  })
  .map(({ paths, rules, configured }) => {
    const folders = new Set<RealPath>([rootRealPath]);
    const all = [...new Set(paths.map((parts) => realPath(parts.join('/'))))];
    for (const path of all) {
      for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) folders.add(folder);
    }
    const places = [...folders];
    return {
      folders,
      files: new Set(all.filter((path) => !folders.has(path))),
      // The root, then folders from all over the tree.
      rules: new Map(rules.map((text, index) => [places[(index * 7) % places.length] ?? rootRealPath, text])),
      configured,
    };
  });

/** What a walk would find ignored. */
function ignoredByUs({ files, folders, rules, configured }: Tree): string[] {
  const ruleFile = (folder: RealPath): Uint8Array | null => {
    const text = rules.get(folder);
    return text === undefined ? noFile : Buffer.from(text, 'latin1');
  };
  const known = new Map<RealPath, IgnoreRules>();
  const rulesOf = (folder: RealPath): IgnoreRules => {
    let found = known.get(folder);
    if (found === undefined) {
      const above =
        folder === ''
          ? IgnoreRules.root({ patterns: configured, builtin: false })
          : rulesOf(parentOf(folder));
      found = above.below(folder, ruleFile(folder));
      expect(found.warnings).toEqual([]);
      known.set(folder, found);
    }
    return found;
  };
  const isIgnored = (path: RealPath): boolean => rulesOf(parentOf(path)).isIgnored(path, folders.has(path));
  return [...folders, ...files].filter((path) => path !== '' && isIgnored(path)).sort();
}

function ignoredByGit({ files, folders, rules, configured }: Tree, repository: string): string[] {
  const environment = { PATH: process.env['PATH'], HOME: repository, GIT_CONFIG_NOSYSTEM: '1' };
  mkdirSync(repository);
  const at = (path: string): Buffer =>
    Buffer.concat([Buffer.from(`${repository}/`), Buffer.from(path, 'latin1')]);
  // What `git init` makes, without a process.
  for (const folder of ['.git', '.git/objects', '.git/refs', '.git/info']) mkdirSync(at(folder));
  writeFileSync(at('.git/HEAD'), 'ref: refs/heads/main\n');
  writeFileSync(at('.git/info/exclude'), configured.join('\n'));
  for (const folder of folders) mkdirSync(at(folder), { recursive: true });
  for (const file of files) writeFileSync(at(file), '');
  for (const [folder, text] of rules) {
    writeFileSync(at(folder === '' ? '.gitignore' : `${folder}/.gitignore`), Buffer.from(text, 'latin1'));
  }
  const asked = [...folders, ...files].filter((path) => path !== '');
  try {
    const answer = execFileSync('git', ['check-ignore', '--no-index', '--stdin', '-z'], {
      cwd: repository,
      env: environment,
      input: Buffer.from(asked.map((path) => `./${path}\0`).join(''), 'latin1'),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return answer
      .toString('latin1')
      .split('\0')
      .filter((path) => path !== '')
      .map((path) => path.slice(2))
      .sort();
  } catch (error) {
    // 1 says that none is ignored.
    if ((error as { status?: number }).status === 1) return [];
    throw error;
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
}

describe('ignore rules', () => {
  it('say what git says of any tree', () => {
    let count = 0;
    let ignored = 0;
    fc.assert(
      fc.property(tree, (some) => {
        count += 1;
        const expected = ignoredByGit(some, join(work, String(count)));
        ignored += expected.length;
        expect(ignoredByUs(some)).toEqual(expected);
      }),
      { ...printedSeed('ignore rules'), numRuns: 120 },
    );
    // A test in which nothing is ever ignored would see nothing.
    expect(ignored).toBeGreaterThan(count);
  });
});
