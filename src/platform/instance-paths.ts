// Where the state and the socket of one mount's daemon lie. Shared by daemon, keeper and command line, so that each
// finds the others knowing the mount point only. Environment and uid come in as arguments.
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { MusicfsError } from './errors.ts';

/** The part of process.env that counts here. */
export type PathEnvironment = Readonly<Record<string, string | undefined>>;

const longestPrefix = 24;
const socketName = 'control.sock';

/**
 * The id of a mount point: the last part of its path in [a-z0-9-], at most 24 characters, then 8 hex digits of the
 * SHA-256 of the whole path. `mountPoint` is absolute and resolved; a trailing slash does not matter.
 */
export function instanceIdOf(mountPoint: string): string {
  const whole = normalised(mountPoint);
  const readable = path.posix
    .basename(whole)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, longestPrefix)
    .replace(/-+$/, '');
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  return `${readable === '' ? 'mount' : readable}-${hash}`;
}

/** Folder that holds the state of all instances of one user. Throws `refused` when no home is known. */
export function stateRootFor(env: PathEnvironment, uid: number): string {
  if (uid === 0) return '/var/lib/musicfs';
  const stateHome = absolute(env['XDG_STATE_HOME']);
  if (stateHome !== undefined) return path.join(stateHome, 'musicfs');
  const home = absolute(env['HOME']);
  if (home === undefined) {
    throw new MusicfsError('refused', 'neither HOME nor XDG_STATE_HOME is set: pass --state DIR');
  }
  return path.join(home, '.local/state/musicfs');
}

/** The state directory of a mount point when nobody names another. */
export function stateDirectoryFor(mountPoint: string, env: PathEnvironment, uid: number): string {
  return path.join(stateRootFor(env, uid), instanceIdOf(mountPoint));
}

/**
 * The control socket that a daemon opens for its mount point. A service has a folder of its own for it, which its manager
 * makes and removes (RUNTIME_DIRECTORY, systemd.exec(5)).
 */
export function socketPathFor(
  mountPoint: string,
  stateDirectory: string,
  env: PathEnvironment,
  uid: number,
): string {
  const ofService = absolute(env['RUNTIME_DIRECTORY']?.split(':')[0]);
  if (ofService !== undefined) return path.join(ofService, socketName);
  const runtime = runtimeRoots(env, uid)[0];
  return runtime === undefined
    ? path.join(stateDirectory, socketName)
    : path.join(runtime, instanceIdOf(mountPoint), socketName);
}

/** Every place where the socket of a mount point may be, as the daemon may have had another environment. */
export function socketCandidatesFor(mountPoint: string, env: PathEnvironment, uid: number): string[] {
  return searchRoots(env, uid).map((root) => path.join(root, instanceIdOf(mountPoint), socketName));
}

/** Every control socket of this user that exists, alive or left behind; sorted. */
export function findSockets(env: PathEnvironment, uid: number): string[] {
  const found = searchRoots(env, uid).flatMap((root) =>
    entriesOf(root).map((id) => path.join(root, id, socketName)),
  );
  return [...new Set(found)].filter(isSocket).sort();
}

function searchRoots(env: PathEnvironment, uid: number): string[] {
  const runtime = runtimeRoots(env, uid);
  try {
    return [...runtime, stateRootFor(env, uid)];
  } catch {
    return runtime; // without a home there is no state to search
  }
}

function runtimeRoots(env: PathEnvironment, uid: number): string[] {
  const session = absolute(env['XDG_RUNTIME_DIR']);
  return [
    ...(session === undefined ? [] : [path.join(session, 'musicfs')]),
    ...(uid === 0 ? ['/run/musicfs'] : []),
  ];
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // no such root yet: nobody runs there
  }
}

function isSocket(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isSocket() ?? false;
}

function absolute(value: string | undefined): string | undefined {
  return value?.startsWith('/') ? value : undefined;
}

function normalised(mountPoint: string): string {
  const whole = path.posix.normalize(mountPoint);
  return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole;
}
