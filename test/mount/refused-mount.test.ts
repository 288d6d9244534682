// What `musicfs mount` refuses: by exit code 1 (not now) or 2 (not like this), in one line that says the way out.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import type { ChildResult } from '../fixtures/limited-child.ts';
import { type Library, mountLibrary, newLibrary } from '../fixtures/mounted.ts';
import { processesAbout } from '../fixtures/processes.ts';

const twoFiles = (root: string) => writeFlacLibrary(root, { files: 2, albums: 1 });

interface Refusal {
  readonly what: string;
  readonly code: 1 | 2;
  readonly says: RegExp;
  readonly ask: (library: Library) => Promise<ChildResult>;
}

const refusals: readonly Refusal[] = [
  {
    what: 'a missing mount point',
    code: 2,
    says: /does not exist: mkdir -p .*\/mount\n$/,
    ask: (library) => {
      rmSync(library.mountPoint, { recursive: true });
      return library.tryMount();
    },
  },
  {
    what: 'a mount point that is a file',
    code: 2,
    says: /is not a directory/,
    ask: (library) => {
      rmSync(library.mountPoint, { recursive: true });
      writeFileSync(library.mountPoint, '');
      return library.tryMount();
    },
  },
  {
    what: 'a mount point that is not empty',
    code: 1,
    says: /is not empty.*choose an empty directory/,
    ask: (library) => {
      writeFileSync(path.join(library.mountPoint, 'something'), '');
      return library.tryMount();
    },
  },
  {
    what: 'a mount point where something else is mounted',
    code: 1,
    says: /is busy: tmpfs is mounted there/,
    ask: (library) => {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', library.mountPoint]);
      return library.tryMount();
    },
  },
  {
    what: 'an unknown origin that is missing',
    code: 1,
    says: /does not exist.*is the path right, the disk mounted\?/,
    ask: (library) => {
      rmSync(library.origin, { recursive: true });
      return library.tryMount();
    },
  },
  {
    what: 'no origin',
    code: 2,
    says: /an origin is needed: --origin PATH/,
    ask: (library) => library.run(['mount', library.mountPoint, '--state', library.stateDirectory]),
  },
  {
    what: 'no mount point',
    code: 2,
    says: /a mount point is needed: musicfs mount MOUNTPOINT --origin PATH/,
    ask: (library) => library.run(['mount', '--origin', library.origin, '--state', library.stateDirectory]),
  },
  {
    what: 'an unknown option',
    code: 2,
    says: /unknown option '--orgin'.*--origin/,
    ask: (library) => library.run(['mount', library.mountPoint, '--orgin', library.origin]),
  },
  {
    what: 'a kind of origin that does not exist',
    code: 2,
    says: /an origin is a directory, or nfs:PATH/,
    ask: (library) => library.tryMount(['--origin', 'ftp://somewhere']),
  },
  {
    what: 'a configuration file with an unknown key',
    code: 2,
    says: /musicfs\.toml.*mount\.pount/,
    ask: (library) => library.tryMount(['--config', configFile(library, '[mount]\npount = "/x"\n')]),
  },
  {
    what: 'a configuration file with a value of the wrong type',
    code: 2,
    says: /musicfs\.toml.*mount\.allow_other/,
    ask: (library) => library.tryMount(['--config', configFile(library, '[mount]\nallow_other = "yes"\n')]),
  },
  {
    what: 'a configuration file that is no TOML',
    code: 2,
    says: /musicfs\.toml/,
    ask: (library) => library.tryMount(['--config', configFile(library, '[mount\n')]),
  },
  {
    what: 'a configuration file that is missing',
    code: 2,
    says: /missing\.toml/,
    ask: (library) => library.tryMount(['--config', path.join(library.folder, 'missing.toml')]),
  },
  {
    what: 'a mount point inside the origin',
    code: 2,
    says: /lies inside the origin/,
    ask: (library) => {
      const inside = path.join(library.origin, 'mount');
      mkdirSync(inside);
      const [, ...others] = library.mountArguments();
      return library.run(['mount', inside, ...others]);
    },
  },
  {
    what: 'a state directory inside the origin',
    code: 2,
    says: /state directory .* lies inside the origin/,
    ask: (library) =>
      library.run([
        'mount',
        library.mountPoint,
        '--origin',
        library.origin,
        '--state',
        `${library.origin}/state`,
      ]),
  },
];

test.each(refusals)('mount refuses $what with exit code $code and says why', async ({ code, says, ask }) => {
  const library = newLibrary(twoFiles);
  const refused = await ask(library);
  expect(refused.stderr).toMatch(says);
  expect(refused.stderr.trimEnd().split('\n'), 'one line').toHaveLength(1);
  expect(refused.stderr).toMatch(/^musicfs: /);
  expect(refused.stdout).toBe('');
  expect(refused.code).toBe(code);
  expect(processesAbout(library.folder)).toEqual([]);
});

test('R-19: a second daemon on one state is refused within a second with the PID of the first, which goes on', async () => {
  const library = await mountLibrary({ origin: twoFiles });
  const { daemon } = await library.pids();
  const lock = () => {
    const file = path.join(library.stateDirectory, 'musicfs.lock');
    return [statSync(file).ino, readFileSync(file, 'utf8')];
  };
  const before = lock();
  const other = path.join(library.folder, 'other');
  mkdirSync(other);
  const [, ...others] = library.mountArguments();
  const tookMs: number[] = [];
  const refused = async () => {
    const startedAtMs = performance.now();
    const result = await library.run(['mount', other, ...others]);
    tookMs.push(performance.now() - startedAtMs);
    return result;
  };
  const second = await refused();
  // Other tests run beside this one: the fastest of three tells.
  for (let again = 0; again < 2; again += 1) expect((await refused()).code).toBe(1);
  expect(Math.min(...tookMs)).toBeLessThan(1_000);
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(
    new RegExp(`^musicfs: state directory .* is in use by PID ${daemon} \\(mounted at .*/mount\\)`),
  );
  expect(lock()).toEqual(before);
  expect((await library.status()).pid).toBe(daemon);
  expect(await library.shell('find $M -type f | wc -l')).toBe('2');
});

test('a mount point that musicfs serves already is refused, whatever the state directory', async () => {
  const library = await mountLibrary({ origin: twoFiles });
  const second = await library.run([
    'mount',
    library.mountPoint,
    ...['--origin', library.origin, '--state', path.join(library.folder, 'state2')],
  ]);
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(/is mounted by musicfs already: musicfs status /);
  expect(await library.shell('find $M -type f | wc -l')).toBe('2');
});

test('a known origin that is missing is mounted with what is known, and a warning', async () => {
  const library = await mountLibrary({ origin: twoFiles });
  await library.unmount();
  rmSync(library.origin, { recursive: true });
  await library.mount({ wait: false });
  expect(await library.shell('find $M -type f | wc -l')).toBe('2');
  const { warnings, state } = await library.status();
  expect(warnings.join('\n')).toContain('origin local');
  expect(['degraded', 'offline']).toContain(state);
});

function configFile(library: Library, text: string): string {
  const file = path.join(library.folder, 'musicfs.toml');
  writeFileSync(file, text);
  return file;
}
