// The toxiproxy server that tests drive: the one at TOXIPROXY_URL, on PATH, or built once from its Go module into a cache
// folder outside the project. `npm test` builds it beforehand; tests that are run by themselves find or build it too.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { findOnPath } from '../src/platform/programs.ts';

/** The last version that Debian 12's own Go builds. */
const version = 'v2.5.0';
const module_ = `github.com/Shopify/toxiproxy/v2/cmd/server@${version}`;

/** The program, or undefined when it is yet to be built. */
export function foundToxiproxy(): string | undefined {
  const built = path.join(cacheFolder(), `toxiproxy-server-${version}`);
  return findOnPath('toxiproxy-server') ?? (existsSync(built) ? built : undefined);
}

/** Whether there is anything to build before the tests can run. */
export function needsToxiproxyBuild(): boolean {
  return process.env['TOXIPROXY_URL'] === undefined && foundToxiproxy() === undefined;
}

/** The program, built when there is none (a minute, once). Throws with the one line that says what to do. */
export function toxiproxyProgram(): string {
  const found = foundToxiproxy();
  if (found !== undefined) return found;
  const folder = cacheFolder();
  mkdirSync(folder, { recursive: true });
  const area = mkdtempSync(path.join(folder, 'build-'));
  try {
    const hasHome = process.env['HOME'] !== undefined && isWritable(process.env['HOME']);
    const built = spawnSync('go', ['install', module_], {
      encoding: 'utf8',
      env: {
        ...process.env,
        GOBIN: area,
        GOFLAGS: '',
        ...(hasHome ? {} : { GOPATH: path.join(area, 'go'), GOCACHE: path.join(area, 'cache'), HOME: area }),
      },
    });
    if (built.status !== 0)
      throw new Error(`put toxiproxy-server on PATH, or run: ${line()} (${reasonOf(built)})`);
    const program = path.join(folder, `toxiproxy-server-${version}`);
    renameSync(path.join(area, 'server'), program); // another process may have been faster: it is the same
    return program;
  } finally {
    // Go makes its module cache read-only.
    spawnSync('chmod', ['-R', 'u+w', area]);
    rmSync(area, { recursive: true, force: true });
  }
}

function line(): string {
  return `GOBIN=/usr/local/bin go install ${module_} && mv /usr/local/bin/server /usr/local/bin/toxiproxy-server`;
}

function reasonOf({ error, stderr }: { error?: Error; stderr: string }): string {
  return error?.message ?? stderr.trim().split('\n').at(-1) ?? 'go failed';
}

function cacheFolder(): string {
  const home = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  const wanted = path.join(home, 'musicfs');
  try {
    mkdirSync(wanted, { recursive: true });
    return wanted;
  } catch {
    return path.join(tmpdir(), 'musicfs-cache');
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
