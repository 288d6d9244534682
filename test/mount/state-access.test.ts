// what the daemon writes and may not is named before anything is touched: path, owner, mode found and wanted.
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type Library, newLibrary } from '../fixtures/mounted.ts';
import { ReachableTree } from '../fixtures/ordinary-user.ts';

const nobody = 65534;
let tree: ReachableTree;
beforeAll(() => {
  tree = new ReachableTree();
});
afterAll(() => {
  tree.remove();
});

function libraryOfNobody(): Library {
  const account = tree.account(nobody, (folder) => ({
    HOME: path.join(folder, 'home'),
    XDG_RUNTIME_DIR: path.join(folder, 'runtime'),
  }));
  const library = newLibrary((root) => writeFlacLibrary(root, { files: 2, albums: 1 }), account);
  mkdirSync(library.stateDirectory, { mode: 0o700 });
  chownSync(library.stateDirectory, nobody, nobody);
  return library;
}

interface Obstacle {
  readonly what: string;
  /** Puts it in the way and returns its path. */
  readonly put: (library: Library) => string;
  readonly owner: number;
  readonly found: string;
  readonly wanted: string;
}

const inState = (library: Library, name: string, mode: number, owner = nobody) => {
  const file = path.join(library.stateDirectory, name);
  writeFileSync(file, 'mine');
  chownSync(file, owner, owner);
  chmodSync(file, mode);
  return file;
};

const obstacles: readonly Obstacle[] = [
  {
    what: 'a state directory that was closed',
    put: (library) => {
      chmodSync(library.stateDirectory, 0o000);
      return library.stateDirectory;
    },
    owner: nobody,
    found: '0000',
    wanted: '0700',
  },
  ...['catalog.db', 'catalog.db-wal', 'musicfs.lock', 'musicfsd.log', 'catalog.json'].map((name) => ({
    what: `${name} that was closed`,
    put: (library: Library) => inState(library, name, 0o000),
    owner: nobody,
    found: '0000',
    wanted: '0600',
  })),
  ...['', 'chunks'].map((name) => ({
    what: `a folder cache/${name} that was closed`,
    put: (library: Library) => {
      const folder = path.join(library.stateDirectory, 'cache', name);
      mkdirSync(folder, { recursive: true });
      for (const each of [path.join(library.stateDirectory, 'cache'), folder])
        chownSync(each, nobody, nobody);
      chmodSync(folder, 0o000);
      return folder.replace(/\/$/, '');
    },
    owner: nobody,
    found: '0000',
    wanted: '0700',
  })),
  {
    what: 'an index of the cache that root has made',
    put: (library) => {
      const folder = path.join(library.stateDirectory, 'cache');
      mkdirSync(folder);
      chownSync(folder, nobody, nobody);
      return inState(library, 'cache/cache.db', 0o644, 0);
    },
    owner: 0,
    found: '0644',
    wanted: '0600',
  },
  {
    what: 'a catalog that root has made',
    put: (library) => inState(library, 'catalog.db', 0o644, 0),
    owner: 0,
    found: '0644',
    wanted: '0600',
  },
  {
    what: 'a runtime directory of somebody else',
    put: (library) => {
      const runtime = path.join(library.folder, 'runtime');
      mkdirSync(runtime, { mode: 0o755 });
      return runtime;
    },
    owner: 0,
    found: '0755',
    wanted: '0700',
  },
];

test.each(obstacles)(
  'R-40: $what is refused by its path, owner and modes',
  async ({ put, owner, found, wanted }) => {
    const library = libraryOfNobody();
    const file = put(library);
    const before = statSync(file);
    const { code, stderr } = await library.tryMount();
    expect(stderr).toBe(
      `musicfs: cannot write ${file} (EACCES): it is of uid ${owner} with mode ${found}, and must be of uid ${nobody} with mode ${wanted}; chown and chmod it, or pass another --state DIR\n`,
    );
    expect(code).toBe(1);
    expect(library.isMounted()).toBe(false);
    expect(statSync(file).mtimeMs).toBe(before.mtimeMs);
    expect(existsSync(library.socketPath)).toBe(false);
  },
);
